// Merges runs, so that a read has few of them to ask. The scheme is *tiered* compaction: when a level has more than
// `fanIn` runs, all of them become one run of the next level. Each entry is written once per level, and a read asks at
// most `fanIn` runs a level, and levels grow by that factor: log(data) / log(fanIn) of both.
import { EMPTY } from '@distrokv/base';
import type { VersionMode } from './engine.ts';
import { NEWEST } from './cursor.ts';
import { type Health, isTransient } from './fail-stop.ts';
import { MergingCursor } from './merging-cursor.ts';
import type { Settings } from './options.ts';
import { ReadAhead } from './read-ahead.ts';
import { Retention } from './retention.ts';
import { type Run, RunCursor } from './run.ts';
import { type RunWriterOptions, removeTables, writeRun } from './run-writer.ts';
import type { Tree } from './tree.ts';
import { WorkLoop } from './work-loop.ts';
import type { WritePace } from './write-pace.ts';

/** Flushes wait while level 0 has this many times the runs that make a merge due. */
const SLACK = 4;

export interface MergerOptions {
  readonly settings: Settings;
  readonly health: Health;
  readonly tree: Tree;
  readonly modes: ReadonlyMap<number, VersionMode>;
  readonly writing: RunWriterOptions;
  readonly pace: WritePace;
}

export class Merger {
  readonly #options: MergerOptions;
  readonly #loop: WorkLoop;
  readonly #afterStep: (() => void)[] = [];
  merges = 0;
  bytesWritten = 0;

  constructor(options: MergerOptions) {
    this.#options = options;
    const { env, logger } = options.settings;
    this.#loop = new WorkLoop({ what: 'a merge', step: () => this.#step(), env, logger, health: options.health });
    options.health.onEnd(() => this.#release());
  }

  wake(): void {
    this.#loop.wake();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Resolves when no merge is due, or none can be done any more. */
  async settle(): Promise<void> {
    this.#loop.wake();
    await this.#loop.idle();
  }

  /** How far merges lag behind: 0 not at all, 1 so far that flushes wait. */
  get debt(): number {
    const { tree, settings } = this.#options;
    const runs = tree.version.runsAt(0).length - settings.mergeFanIn - 1;
    return Math.max(0, runs / ((SLACK - 1) * settings.mergeFanIn));
  }

  /** Holds up a flush while merges lag far behind, which bounds what a read has to ask. */
  async keepUp(): Promise<void> {
    const { tree, health, settings } = this.#options;
    while (tree.version.runsAt(0).length > SLACK * settings.mergeFanIn && health.isWritable && !this.#loop.isStuck) {
      this.#loop.wake();
      await new Promise<void>((resolve) => this.#afterStep.push(resolve));
    }
  }

  async #step(): Promise<boolean> {
    const due = this.#due();
    if (due === undefined) return false;
    try {
      await this.#merge(due);
    } finally {
      this.#release();
    }
    return true;
  }

  /** Lets the flushes and writers that wait look again. */
  #release(): void {
    this.#options.pace.relieve();
    for (const resolve of this.#afterStep.splice(0)) resolve();
  }

  /** The runs of the first level that has too many. */
  #due(): readonly Run[] | undefined {
    const { tree, settings } = this.#options;
    const levels = new Set(tree.version.runs.map((run) => run.level));
    for (const level of levels) {
      const runs = tree.version.runsAt(level);
      if (runs.length > settings.mergeFanIn) return runs;
    }
    return undefined;
  }

  async #merge(runs: readonly Run[]): Promise<void> {
    const { tree, modes, writing, health } = this.#options;
    const version = tree.version.hold();
    try {
      const level = (runs[0] as Run).level;
      const isBottom = version.runs.every((run) => run.level <= level);
      const source = new ReadAhead();
      const entries = new MergingCursor(
        runs.map((run) => new RunCursor(run, source)),
        false,
      );
      entries.seek(EMPTY, NEWEST);
      const added = await writeRun(entries, new Retention(modes, isBottom), {
        ...writing,
        beforeSlice: async () => {
          health.checkWritable();
          await source.fill();
        },
      });
      try {
        await tree.change({ added, level: level + 1, removed: runs });
      } catch (error) {
        if (isTransient(error)) await removeTables(added, writing);
        throw error;
      }
      this.merges++;
      for (const table of added) this.bytesWritten += table.byteLength;
    } finally {
      version.letGo();
    }
  }
}
