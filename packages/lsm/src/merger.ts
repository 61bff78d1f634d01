// Merges runs, so that a read has few of them to ask and dead entries go. Which ones is picker.ts's matter; here it is done:
// the inputs pass by in order, what is still needed becomes tables, and the tree changes in one step.
import { EMPTY } from '@distrokv/base';
import type { VersionMode } from './engine.ts';
import { NEWEST } from './cursor.ts';
import { type Health, isTransient } from './fail-stop.ts';
import { Below } from './key-bounds.ts';
import { MergingCursor } from './merging-cursor.ts';
import type { Settings } from './options.ts';
import { ReadAhead } from './read-ahead.ts';
import { type Merge, pickMerge, tablesOf } from './picker.ts';
import { Retention, type Watermarks, watermarksOf } from './retention.ts';
import { type Run, RunCursor } from './run.ts';
import { type RunWriterOptions, removeTables, writeRun } from './run-writer.ts';
import type { WrittenTable } from './table-writer.ts';
import type { Tree } from './tree.ts';
import { WorkLoop } from './work-loop.ts';

/** Flushes wait while level 0 has this many times the runs that make a merge due. */
const SLACK = 4;

export interface MergerOptions {
  readonly settings: Settings;
  readonly health: Health;
  readonly tree: Tree;
  readonly modes: ReadonlyMap<number, VersionMode>;
  readonly writing: RunWriterOptions;
}

export class Merger {
  readonly #options: MergerOptions;
  readonly #loop: WorkLoop;
  readonly #afterStep: (() => void)[] = [];
  merges = 0;
  /** Merges that only gave tables another level. */
  moves = 0;
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

  /** Lets the flushes that wait look again. */
  #release(): void {
    for (const resolve of this.#afterStep.splice(0)) resolve();
  }

  #due(): Merge | undefined {
    const { tree, settings, writing } = this.#options;
    return pickMerge(tree.version, this.#watermarks(), {
      fanIn: settings.mergeFanIn,
      baseBytes: settings.mergeFanIn * settings.memtableBytes,
      tableBytes: writing.tableBytes,
    });
  }

  #watermarks(): Watermarks {
    const { modes, tree } = this.#options;
    return watermarksOf(modes, tree.retentions);
  }

  async #merge({ inputs, level, isMove }: Merge): Promise<void> {
    const { tree, writing } = this.#options;
    const tables = tablesOf(inputs);
    if (isMove) {
      await tree.change({ level, added: [], removed: [], moved: tables });
      this.moves++;
      return;
    }
    const version = tree.version.hold();
    try {
      const deeper = version.runs.filter((run) => run.level > level).map((run) => run.tables);
      const added = await this.#write(inputs, new Retention(this.#watermarks(), new Below(deeper)));
      try {
        await tree.change({ level, added, removed: tables });
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

  async #write(inputs: readonly Run[], retention: Retention): Promise<WrittenTable[]> {
    const { writing, health } = this.#options;
    const source = new ReadAhead();
    const entries = new MergingCursor(
      inputs.map((run) => new RunCursor(run, source)),
      false,
    );
    entries.seek(EMPTY, NEWEST);
    return writeRun(entries, retention, {
      ...writing,
      beforeSlice: async () => {
        health.checkWritable();
        await source.fill();
      },
    });
  }
}
