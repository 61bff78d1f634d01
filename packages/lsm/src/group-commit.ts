// The way of a logged write: all batches that wait become one record of the log, with one checksum, one write and one sync.
// While the disk syncs, the memtable takes the group, and the next group gathers; reads see it only when the sync is done.
// Where no sync is waited for, a writer who is alone has nobody to share with: its batch is written before the call returns.
import { type Deferred, assert, deferred, defined } from '@distrokv/base';
import { type Applying, type Batch, applyEntries, beginApply } from './batch.ts';
import { CommitGroup } from './commit-group.ts';
import { LsmError } from './errors.ts';
import { type Health, isTransient } from './fail-stop.ts';
import type { Flusher } from './flusher.ts';
import type { Generations } from './generations.ts';
import type { KeyspaceState } from './keyspace-state.ts';
import { RECORD_HEADER_BYTES } from './log-file.ts';
import type { Settings } from './options.ts';
import type { Wal } from './wal.ts';
import type { WritePace } from './write-pace.ts';

/** Without syncs, groups go one behind the other within a turn of the event loop until they weigh this; other events wait a millisecond for them. */
const TURN_BYTES = 64 << 10;
/** … or this, where others have read since the last turn: some tens of microseconds, about half of what the reads of a turn take. */
const SHARED_TURN_BYTES = 2 << 10;
/**
 * A group goes into the memtable until this much time has passed, or so many entries are in; then other events get their turn. The clock is asked each
 * time a few entries are in: a process that has just begun takes ten times as long for each of them, since nothing is compiled yet.
 */
const SLICE_MS = 2;
const SLICE_ENTRIES = 4096;
const ENTRIES_A_LOOK = 64;
/** What a group weighs besides its bytes. */
const GROUP_WEIGHT = 256;
const FIRST_BUFFER_BYTES = 64 << 10;
/** A larger buffer is not kept for the next group. */
const MAX_SPARE_BYTES = 8 << 20;

export interface GroupCommitOptions {
  readonly settings: Settings;
  readonly health: Health;
  readonly wal: Wal;
  readonly generations: Generations;
  readonly flusher: Flusher;
  readonly pace: WritePace;
  /** By id. */
  readonly keyspaces: readonly (KeyspaceState | undefined)[];
  /** How many reads there were so far. */
  readonly reads: () => number;
}

interface AskedFreeze extends Deferred<void> {
  readonly atOnce: () => void;
}

const ignore = (): void => {};
/** What those get whose batch is written already. */
const WRITTEN: Promise<void> = Promise.resolve();

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #waiting: CommitGroup[] = [];
  /** On its way through the log and into the memtable. */
  #underWay: CommitGroup | undefined;
  #freezes: AskedFreeze[] = [];
  #running: Promise<void> | undefined;
  #spare: Uint8Array | undefined;
  /** The turn of the first writers is long enough by the making of their batches, for which nothing is compiled yet. */
  #turnBytes = TURN_BYTES;
  /** As of the beginning of the turn. */
  #reads = 0;
  /** The last group was of one batch. */
  #isAlone = true;
  /** A batch was written at once, and its writer could not go on yet. */
  #hasJustWritten = false;
  readonly #goneOn = (): void => {
    this.#hasJustWritten = false;
  };
  bytesWritten = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when the batch is durable, as far as the mode promises it, and visible. Throws LsmError `invalid`. */
  write(batch: Batch): Promise<void> {
    if (batch.versions !== undefined) for (const [keyspace, { low }] of batch.versions) keyspace.checkNotLate(low);
    batch.checkUnwritten();
    if (batch.ranges > 0) this.#options.flusher.checkRanges();
    if (this.#canGoAtOnce(batch)) return this.#writeAtOnce(batch);
    let group = this.#waiting.at(-1);
    // On a full disk deletes may still go, and must not be held back by puts.
    const { wal, flusher } = this.#options;
    const isApart = (wal.isFull || flusher.isStuck) && group?.hasPuts !== batch.hasPuts;
    if (group === undefined || isApart || !group.hasRoomFor(batch)) {
      group = this.#newGroup();
      this.#waiting.push(group);
    }
    group.add(batch);
    group.noteAccepted();
    this.#wake();
    return group.written;
  }

  /** Freezes the memtable once what waits now is in it; calls `then` in the same moment. */
  freeze(then: () => void = ignore): Promise<void> {
    const asked = deferred<void>();
    this.#freezes.push({ ...asked, atOnce: then });
    this.#wake();
    return asked.promise;
  }

  /** Whether a write to a `caller` keyspace was accepted that is not in the memtable yet. */
  isAwaited(keyspace: KeyspaceState): boolean {
    return this.#underWay?.isOf(keyspace) === true || this.#waiting.some((group) => group.isOf(keyspace));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #newGroup(): CommitGroup {
    const buffer = this.#spare ?? new Uint8Array(FIRST_BUFFER_BYTES);
    this.#spare = undefined;
    return new CommitGroup(buffer);
  }

  /** Whether nothing is to be waited for: no sync, no other batch, no room, no turn of the event loop. */
  #canGoAtOnce(batch: Batch): boolean {
    const { settings, health, generations, flusher, pace } = this.#options;
    if (settings.wal !== 'nosync' || this.#running !== undefined || !this.#isAlone) return false;
    if (this.#hasJustWritten) {
      // Another writer, in the same breath: they share a record from now on.
      this.#isAlone = false;
      return false;
    }
    if (!health.isWritable || generations.isFull || !flusher.hasRoom || !pace.isFree) return false;
    return batch.count <= ENTRIES_A_LOOK && this.#hasTurn;
  }

  /** In a record of its own, now. What goes wrong is told as for a group. */
  #writeAtOnce(batch: Batch): Promise<void> {
    const { generations } = this.#options;
    const group = this.#newGroup();
    group.add(batch);
    group.noteAccepted();
    const record = group.record(generations.sequence);
    try {
      this.#append(group, record);
      const applying = this.#beginApply(record);
      this.#applySome(applying);
      assert(applying.ref === applying.end, 'so few entries go in at once');
      generations.sequence = applying.sequence;
      generations.active.publish();
    } catch (error) {
      const { written } = group;
      this.#running = this.#refuse(group, error).then(() => this.#run());
      return written;
    }
    this.#keepBuffer(group);
    this.#hasJustWritten = true;
    // Before the writer goes on: it waits for the same promise, but later.
    void WRITTEN.then(this.#goneOn);
    return WRITTEN;
  }

  async #refuse(group: CommitGroup, error: unknown): Promise<void> {
    let reason = error;
    try {
      await this.#options.wal.rewind();
    } catch (failure) {
      reason = failure;
    }
    this.#reject(group, reason);
  }

  #keepBuffer({ buffer }: CommitGroup): void {
    if (buffer.length <= MAX_SPARE_BYTES) this.#spare = buffer;
  }

  /** Whether writers may go on in this turn of the event loop. */
  get #hasTurn(): boolean {
    return this.#turnBytes < (this.#options.reads() === this.#reads ? TURN_BYTES : SHARED_TURN_BYTES);
  }

  #wake(): void {
    this.#running ??= this.#gather().then(() => this.#run());
  }

  /** Lets others join the group: all of this turn if they can share a sync, else those who are about to write. */
  #gather(): Promise<void> {
    const { settings, reads } = this.#options;
    if (settings.wal === 'nosync' && this.#hasTurn) return Promise.resolve();
    this.#turnBytes = 0;
    this.#reads = reads();
    return new Promise<void>((resolve) => settings.env.timers.defer(resolve));
  }

  async #run(): Promise<void> {
    const { health, generations } = this.#options;
    while (this.#waiting.length > 0 || this.#freezes.length > 0) {
      const group = this.#waiting.shift();
      const freezes = this.#waiting.length === 0 ? this.#freezes.splice(0) : [];
      if (group !== undefined) {
        this.#isAlone = group.batches === 1;
        this.#underWay = group;
        try {
          health.checkWritable();
          await this.#commit(group);
          group.resolve();
        } catch (error) {
          this.#reject(group, error);
        }
        this.#underWay = undefined;
        this.#keepBuffer(group);
      }
      if (freezes.length > 0 || generations.isFull) await this.#freeze(freezes);
    }
    // In the same turn as the last look: who comes from now on wakes us again.
    this.#running = undefined;
  }

  async #commit(group: CommitGroup): Promise<void> {
    const { settings, wal, generations, flusher, pace } = this.#options;
    const isLetThrough = !group.hasPuts && flusher.isStuck && generations.hasRoomForDeletes;
    const room = isLetThrough ? undefined : flusher.room(true);
    if (room !== undefined) await room;
    const record = group.record(generations.sequence);
    const due = pace.due(record.length);
    if (due !== undefined) await due;
    try {
      this.#append(group, record);
    } catch (error) {
      await wal.rewind();
      throw error;
    }
    const synced = settings.wal === 'sync' ? wal.sync() : undefined;
    // It may fail while a large group is still being applied, which looks at it only then.
    synced?.catch(ignore);
    try {
      generations.sequence = await this.#apply(record);
    } finally {
      if (synced !== undefined) await synced;
    }
    generations.active.publish();
  }

  /** Puts the record into the log. Throws FsError, LsmError `no-space`; then `rewind` comes next. */
  #append(group: CommitGroup, record: Uint8Array): void {
    const { wal, flusher } = this.#options;
    flusher.foresee();
    if (wal.room < record.length) throw new LsmError('no-space', 'the log cannot go over to a new segment, and this one is full');
    wal.append(record, !group.hasPuts);
    this.bytesWritten += record.length;
    this.#turnBytes += record.length + GROUP_WEIGHT;
  }

  /** Puts a group into the memtable, a large one in slices. Nobody sees any of it before it is published. */
  async #apply(record: Uint8Array): Promise<number> {
    const applying = this.#beginApply(record);
    while (!this.#applySlice(applying)) await this.#options.settings.env.timers.yield();
    return applying.sequence;
  }

  #beginApply(record: Uint8Array): Applying {
    return defined(beginApply(record, RECORD_HEADER_BYTES, this.#options.generations.active), 'a group of our own');
  }

  /** Whether the group is in the memtable whole. */
  #applySlice(applying: Applying): boolean {
    const { clock } = this.#options.settings.env;
    const endMs = clock.monotonicMs() + SLICE_MS;
    for (let entries = 0; applying.ref !== applying.end; entries += ENTRIES_A_LOOK) {
      if (entries >= SLICE_ENTRIES || (entries > 0 && clock.monotonicMs() >= endMs)) return false;
      this.#applySome(applying);
    }
    return true;
  }

  #applySome(applying: Applying): void {
    const { generations, keyspaces } = this.#options;
    assert(applyEntries(applying, keyspaces, generations.active, ENTRIES_A_LOOK), 'a group of our own can be applied');
  }

  /** Tells a group that it was not written; a full disk may have room again, everything else is final. */
  #reject(group: CommitGroup, error: unknown): void {
    const { health } = this.#options;
    let reason = error;
    if (isTransient(error)) reason = new LsmError('no-space', 'the disk is full; the batch was not written', { cause: error });
    else if (!(error instanceof LsmError && error.code === 'no-space') && health.isWritable) {
      health.fail(error);
      reason = health.refusal();
    }
    group.reject(reason);
    // Versions that were accepted and then not written may come again.
    for (const keyspace of this.#options.keyspaces) if (keyspace !== undefined) keyspace.lastAccepted = keyspace.lastWritten;
    for (const later of this.#waiting) later.noteAccepted();
  }

  async #freeze(asked: readonly AskedFreeze[]): Promise<void> {
    const { health, wal, generations, flusher, settings } = this.#options;
    try {
      health.checkWritable();
      if (generations.active.entries > 0) {
        await wal.rotate();
        generations.freeze(wal.number);
        flusher.wake();
      }
      for (const one of asked) {
        one.atOnce();
        one.resolve();
      }
    } catch (error) {
      let reason = error;
      if (isTransient(error)) {
        settings.logger.warn('the log could not go over to a new segment; the next write tries again', { error });
        reason = new LsmError('no-space', 'the disk is full; nothing was flushed', { cause: error });
      } else if (health.isWritable) {
        health.fail(error);
        reason = health.refusal();
      }
      for (const one of asked) one.reject(reason);
    }
  }
}
