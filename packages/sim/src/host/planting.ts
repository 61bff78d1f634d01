// Plants bugs, one at a time, in a copy of the compiled packages, and counts the seeds until the simulator of that copy finds each. The code that
// runs for real knows nothing of this.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runCampaign } from './campaign.ts';
import type { Mutation, PlantedBug } from './planted-bugs.ts';

const packages = fileURLToPath(new URL('../../../', import.meta.url));
const OTHERS = join(packages, '../node_modules');

export interface PlantedResult {
  readonly bug: PlantedBug;
  /** How many seeds it took; undefined when none of them found it. */
  readonly seeds: number | undefined;
  /** What was found. */
  readonly found: string;
}

/** Whether every line is there, once. */
export function isPlantable(bug: PlantedBug): boolean {
  return mutationsOf(bug).every(({ file, find }) => readFileSync(join(packages, file), 'utf8').split(find).length === 2);
}

const mutationsOf = (bug: PlantedBug): readonly Mutation[] => [bug, ...(bug.also ?? [])];

/** A copy of all packages, in which bugs come and go. */
export class Garden {
  readonly #root = mkdtempSync(join(tmpdir(), 'distrokv-planted-'));
  readonly #scope = join(this.#root, 'node_modules/@distrokv');

  constructor() {
    mkdirSync(this.#scope, { recursive: true });
    for (const name of readdirSync(OTHERS)) {
      if (name !== '@distrokv' && !name.startsWith('.')) symlinkSync(join(OTHERS, name), join(this.#root, 'node_modules', name));
    }
    for (const name of readdirSync(packages)) {
      for (const part of ['package.json', 'dist'])
        cpSync(join(packages, name, part), join(this.#scope, name, part), {
          recursive: true,
          filter: (path) => !/\.(map|d\.ts|test\.js)$/.test(path),
        });
    }
  }

  /** Runs seeds from `from` on, at most `most`, until one fails. A world that the bug brings down altogether counts as found. */
  async plant(bug: PlantedBug, from: number, most: number, durationMs: number): Promise<PlantedResult> {
    const sound = new Map<string, string>();
    let seeds = 0;
    try {
      for (const { file, find, replace } of mutationsOf(bug)) {
        const path = join(this.#scope, file);
        const text = readFileSync(path, 'utf8');
        if (!sound.has(path)) sound.set(path, text);
        writeFileSync(
          path,
          text.replace(find, () => replace),
        );
      }
      const entry = pathToFileURL(join(this.#scope, 'sim/dist/host/campaign-worker.js'));
      const { failures } = await runCampaign({
        from,
        seeds: most,
        workers: 1,
        durationMs,
        stopsAtFailure: true,
        entry,
        onReport: () => seeds++,
      });
      const [failure] = failures;
      return { bug, seeds: failure ? failure.seed - from + 1 : undefined, found: failure?.violation ?? 'nothing' };
    } catch (error) {
      return { bug, seeds: seeds + 1, found: `the world ends: ${error instanceof Error ? error.message : String(error)}` };
    } finally {
      for (const [path, text] of sound) writeFileSync(path, text);
    }
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** On as many threads as asked for, each with a garden of its own. */
export async function plantAll(
  bugs: readonly PlantedBug[],
  options: {
    readonly from: number;
    readonly most: number;
    readonly durationMs: number;
    readonly workers: number;
    readonly onResult?: (result: PlantedResult) => void;
  },
): Promise<PlantedResult[]> {
  const { from, most, durationMs, workers, onResult } = options;
  const results: PlantedResult[] = [];
  const left = [...bugs];
  const work = async (): Promise<void> => {
    const garden = new Garden();
    try {
      for (let bug = left.shift(); bug !== undefined; bug = left.shift()) {
        const result = await garden.plant(bug, from, most, durationMs);
        results.push(result);
        onResult?.(result);
      }
    } finally {
      garden.remove();
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return bugs.map((bug) => results.find((result) => result.bug === bug) as PlantedResult);
}
