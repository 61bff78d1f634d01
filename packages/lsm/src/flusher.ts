// Turns frozen memtables into tables, the oldest first, and tells writers when they run ahead of the disk.
import { messageOf } from '@distrokv/base';
import { LsmError } from './errors.ts';
import { type Health, isTransient } from './fail-stop.ts';
import type { FlushWork } from './flush-work.ts';
import { type Frozen, type Generations, MAX_FROZEN } from './generations.ts';
import type { Keyspaces } from './keyspaces.ts';
import type { Merger } from './merger.ts';
import { removeTables } from './run-writer.ts';
import { type Settings, codecAt } from './options.ts';
import type { WrittenTable } from './table-writer.ts';
import type { Tree } from './tree.ts';
import type { SealedSegments } from './wal.ts';
import { WorkLoop } from './work-loop.ts';
import type { WritePace } from './write-pace.ts';

export interface FlusherOptions {
  readonly settings: Settings;
  readonly health: Health;
  readonly generations: Generations;
  readonly tree: Tree;
  readonly merger: Merger;
  readonly sealed: SealedSegments;
  readonly keyspaces: Keyspaces;
  /** Does the work of a flush: on this thread, or on another. */
  readonly write: (work: FlushWork) => Promise<readonly WrittenTable[]>;
  /** Called once, some time before the first flush: a thread takes as long to start as a flush does. */
  readonly prepare: () => void;
  readonly pace: WritePace;
}

/** Each of them costs memory, and a read a step of a search. */
const MAX_KEPT_RANGES = 16_384;
/** Of their bounds: all of them are in memory, and in the first record of a manifest. */
const MAX_KEPT_RANGE_BYTES = 16 << 20;

interface Waiter {
  readonly generation: number;
  /** Would rather be told that the disk is full than wait for room on it. */
  readonly impatient: boolean;
  readonly resolve: () => void;
  readonly reject: (error: LsmError) => void;
}

export class Flusher {
  readonly #options: FlusherOptions;
  readonly #loop: WorkLoop;
  readonly #listeners: (() => void)[] = [];
  #waiters: Waiter[] = [];
  #flushed = 0;
  #isPrepared = false;
  flushes = 0;
  /** How often writers had to wait for room. */
  stalls = 0;
  bytesWritten = 0;

  constructor(options: FlusherOptions) {
    this.#options = options;
    const { settings, health } = options;
    this.#loop = new WorkLoop({
      what: 'a flush',
      step: () => this.#step(),
      onStuck: () => this.#refuse(true, () => new LsmError('no-space', 'the disk is full, and memory too, until a flush succeeds')),
      env: settings.env,
      logger: settings.logger,
      health,
    });
    health.onEnd(() => this.#refuse(false, () => health.refusal()));
  }

  wake(): void {
    this.#loop.wake();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** After a write: half of a memtable is reason enough to get ready. */
  foresee(): void {
    const { generations, settings, prepare } = this.#options;
    if (this.#isPrepared || generations.active.byteLength < settings.memtableBytes / 2) return;
    this.#isPrepared = true;
    prepare();
  }

  onFlush(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The disk is full, and the next attempt to flush waits for its time. */
  get isStuck(): boolean {
    return this.#loop.isStuck;
  }

  /** Resolves when everything up to this generation is in tables. */
  flushed(generation: number): Promise<void> {
    return this.#wait(generation, false);
  }

  get hasRoom(): boolean {
    return this.#options.generations.frozen.length < MAX_FROZEN;
  }

  /** Undefined if writers may go on; else resolves when they may. `impatient`: rejects with `no-space` if the disk is full. */
  room(impatient: boolean): Promise<void> | undefined {
    if (this.hasRoom) return undefined;
    const { frozen } = this.#options.generations;
    this.stalls++;
    return this.#wait((frozen[frozen.length - MAX_FROZEN] as Frozen).generation, impatient);
  }

  /** Throws LsmError `no-space` while the store keeps as many range deletes as it can: until merges are through, or retention lets them go. */
  checkRanges(): void {
    const { rangeDeletes } = this.#options.tree.version;
    if (rangeDeletes === undefined) return;
    const { ranges, byteLength } = rangeDeletes;
    if (ranges.length < MAX_KEPT_RANGES && byteLength < MAX_KEPT_RANGE_BYTES) return;
    throw new LsmError(
      'no-space',
      `the store keeps ${ranges.length} range deletes of ${byteLength} bytes already, until what they hide is merged away`,
    );
  }

  #wait(generation: number, impatient: boolean): Promise<void> {
    const { health } = this.#options;
    if (generation <= this.#flushed) return Promise.resolve();
    if (!health.isWritable) return Promise.reject(health.refusal());
    if (impatient && this.#loop.isStuck)
      return Promise.reject(new LsmError('no-space', 'the disk is full, and memory too, until a flush succeeds'));
    const waiting = new Promise<void>((resolve, reject) => this.#waiters.push({ generation, impatient, resolve, reject }));
    // A writer need not wait for room; then nobody has to be told that none came.
    waiting.catch(() => {});
    return waiting;
  }

  #refuse(onlyImpatient: boolean, reason: () => LsmError): void {
    const refused = this.#waiters.filter((waiter) => waiter.impatient || !onlyImpatient);
    this.#waiters = this.#waiters.filter((waiter) => !refused.includes(waiter));
    for (const waiter of refused) waiter.reject(reason());
  }

  async #step(): Promise<boolean> {
    const { generations, merger, tree, keyspaces, write, pace, settings } = this.#options;
    const next = generations.frozen[0];
    if (next === undefined) return false;
    const startMs = settings.env.clock.monotonicMs();
    await merger.keepUp();
    const { memtable, walFrom, sequence, lastVersions, retentions } = next;
    const written = memtable.ranges.map(({ start, end, version }) => ({ start, end, version }));
    const added = await write({
      memtable,
      below: tree.version.runs.map((run) => run.tables),
      watermarks: keyspaces.watermarks(retentions),
      deleted: written,
      codec: codecAt(settings, 0),
    });
    try {
      await tree.change({ added, level: 0, removed: [], written, arrives: true, edit: { walFrom, sequence, lastVersions, retentions } });
    } catch (error) {
      if (isTransient(error)) await removeTables(added, settings);
      throw error;
    }
    this.#finish(next);
    pace.noteFlush(memtable.byteLength, settings.env.clock.monotonicMs() - startMs);
    for (const table of added) this.bytesWritten += table.byteLength;
    await this.#removeSegments(walFrom);
    merger.wake();
    return true;
  }

  #finish(flushed: Frozen): void {
    const first = this.#options.generations.unfreeze();
    this.#flushed = first.generation;
    this.flushes++;
    const done = this.#waiters.filter((waiter) => waiter.generation <= flushed.generation);
    this.#waiters = this.#waiters.filter((waiter) => waiter.generation > flushed.generation);
    for (const waiter of done) waiter.resolve();
    for (const listener of this.#listeners) listener();
  }

  async #removeSegments(before: number): Promise<void> {
    try {
      await this.#options.sealed.removeBefore(before);
    } catch (error) {
      this.#options.settings.logger.warn('a segment of the log that is no longer needed could not be removed; the next flush tries again', {
        error: messageOf(error),
      });
    }
  }
}
