// Merges runs, so that a read has few of them to ask and dead entries go. Which ones is picker.ts's matter; here it is done:
// the inputs pass by in order, what is still needed becomes tables, and the tree changes in one step.
import type { Detours } from './detours.ts';
import type { LsmError } from './errors.ts';
import { type Health, isTransient } from './fail-stop.ts';
import type { Keyspaces } from './keyspaces.ts';
import { type MergeWork, mergeWork } from './merge-work.ts';
import { type Settings, codecAt } from './options.ts';
import { type Merge, pickMerge, tablesOf } from './picker.ts';
import type { Watermarks } from './retention.ts';
import { removeTables } from './run-writer.ts';
import type { WrittenTable } from './table-writer.ts';
import type { Tree } from './tree.ts';
import { WorkLoop } from './work-loop.ts';
import type { WritePace } from './write-pace.ts';

/** While range deletes are not more than this, they wait for the merges that come anyway. */
const MAX_LAZY_RANGES = 512;
const MAX_LAZY_RANGE_BYTES = 512 << 10;

/** Flushes wait while level 0 has this many times the runs that make a merge due. */
const SLACK = 4;

export interface MergerOptions {
  readonly settings: Settings;
  readonly health: Health;
  readonly tree: Tree;
  readonly keyspaces: Keyspaces;
  readonly detours: Detours;
  readonly tableBytes: number;
  /** Does the work of a merge: on this thread, or on another. */
  readonly write: (work: MergeWork) => Promise<readonly WrittenTable[]>;
  readonly pace: WritePace;
}

export class Merger {
  readonly #options: MergerOptions;
  readonly #loop: WorkLoop;
  readonly #afterStep: (() => void)[] = [];
  /** Work that wants no merge beside it. */
  readonly #waiting: { readonly work: () => Promise<void>; readonly reject: (error: LsmError) => void }[] = [];
  #isExclusive = false;
  /** Range deletes up to this number have been looked at for tables that lie in them. */
  #checkedRange = 0;
  merges = 0;
  bytesWritten = 0;

  constructor(options: MergerOptions) {
    this.#options = options;
    const { env, logger } = options.settings;
    this.#loop = new WorkLoop({ what: 'a merge', step: () => this.#step(), env, logger, health: options.health });
    options.health.onEnd(() => {
      this.#release();
      for (const { reject } of this.#waiting.splice(0)) reject(options.health.refusal());
    });
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
    const runs = tree.version.freshRuns - settings.mergeFanIn - 1;
    return Math.max(0, runs / ((SLACK - 1) * settings.mergeFanIn));
  }

  /** Holds up a flush while merges lag far behind, which bounds what a read has to ask. */
  async keepUp(): Promise<void> {
    const { tree, health, settings } = this.#options;
    while (tree.version.freshRuns > SLACK * settings.mergeFanIn && health.isWritable && !this.#loop.isStuck && !this.#isExclusive) {
      this.#loop.wake();
      await new Promise<void>((resolve) => this.#afterStep.push(resolve));
    }
  }

  /** Does `work` while no merge runs, and holds up no flush for its sake. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const { health } = this.#options;
    return new Promise<T>((resolve, reject) => {
      if (!health.isWritable) {
        reject(health.refusal());
        return;
      }
      this.#waiting.push({ work: () => work().then(resolve, reject), reject });
      this.#loop.wake();
    });
  }

  async #workExclusively(): Promise<boolean> {
    const next = this.#waiting.shift();
    if (next === undefined) return false;
    this.#isExclusive = true;
    this.#release();
    await next.work();
    this.#isExclusive = false;
    return true;
  }

  async #step(): Promise<boolean> {
    if (await this.#workExclusively()) return true;
    const due = this.#due();
    if (due === undefined) return false;
    try {
      await this.#merge(due);
      if (due.isShortcut === true || due.inputs.some(({ level }) => level === 0)) this.#options.detours.clear();
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

  #due(): Merge | undefined {
    const { tree, settings, detours, tableBytes } = this.#options;
    const { version } = tree;
    const options = {
      fanIn: settings.mergeFanIn,
      baseBytes: settings.mergeFanIn * settings.memtableBytes,
      tableBytes,
      rangeDeletes: MAX_LAZY_RANGES,
      rangeDeleteBytes: MAX_LAZY_RANGE_BYTES,
    };
    const merge = pickMerge(version, this.#watermarks(), options, this.#checkedRange, detours.isDue);
    // It was due of a version that was left since.
    if (merge === undefined && detours.isDue) detours.clear();
    // What no table lies wholly in now, none will: it would have to be older.
    if (merge?.kind !== 'drop')
      this.#checkedRange = (version.rangeDeletes?.ranges ?? []).reduce((last, { number }) => Math.max(last, number), this.#checkedRange);
    return merge;
  }

  #watermarks(): Watermarks {
    const { keyspaces, tree } = this.#options;
    return keyspaces.watermarks(tree.retentions);
  }

  async #merge({ inputs, level, kind }: Merge): Promise<void> {
    const { tree, settings } = this.#options;
    const tables = tablesOf(inputs);
    if (kind === 'move') return tree.change({ level, added: [], removed: [], moved: tables });
    if (kind === 'drop') return tree.change({ level, added: [], removed: tables });
    const version = tree.version.hold();
    try {
      const added = await this.#options.write(mergeWork(inputs, version, level, this.#watermarks(), codecAt(settings, level)));
      try {
        await tree.change({ level, added, removed: tables, basis: version });
      } catch (error) {
        if (isTransient(error)) await removeTables(added, settings);
        throw error;
      }
      this.merges++;
      for (const table of added) this.bytesWritten += table.byteLength;
    } finally {
      version.letGo();
    }
  }
}
