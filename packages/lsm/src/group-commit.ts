// The way of a logged write: all batches that wait become one record of the log, with one checksum, one write and one sync;
// while the disk syncs, the next group gathers. Only then do they go into the memtable, where reads see them.
import { concatBytes, defined, varintLength, writeVarint } from '@distrokv/base';
import { type Batch, applyGroup } from './batch.ts';
import { LsmError } from './errors.ts';
import { type Health, isTransient } from './fail-stop.ts';
import type { Flusher } from './flusher.ts';
import type { Generations } from './generations.ts';
import type { KeyspaceState } from './keyspace-state.ts';
import { RECORD_HEADER_BYTES } from './log-file.ts';
import type { Settings } from './options.ts';
import type { Wal } from './wal.ts';

/** A group ends here: a larger one would only delay those who are in it. */
const GROUP_BYTES = 4 << 20;

interface Promised {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Waiting extends Promised {
  readonly batch: Batch;
  readonly bytes: Uint8Array;
}

export interface GroupCommitOptions {
  readonly settings: Settings;
  readonly health: Health;
  readonly wal: Wal;
  readonly generations: Generations;
  readonly flusher: Flusher;
  /** By id. */
  readonly keyspaces: readonly (KeyspaceState | undefined)[];
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #waiting: Waiting[] = [];
  #freezes: Promised[] = [];
  #running: Promise<void> | undefined;
  bytesWritten = 0;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /** Resolves when the batch is durable, as far as the mode promises it, and visible. */
  write(batch: Batch): Promise<void> {
    for (const [keyspace, { low }] of batch.versions) keyspace.checkNotLate(low);
    const bytes = batch.take();
    for (const [keyspace, { high }] of batch.versions) keyspace.lastAccepted = high;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, bytes, resolve, reject });
      this.#wake();
    });
  }

  /** Freezes the memtable once what waits now is in it. */
  freeze(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#freezes.push({ resolve, reject });
      this.#wake();
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #wake(): void {
    const { env } = this.#options.settings;
    this.#running ??= new Promise<void>((resolve) => env.timers.defer(resolve)).then(() => this.#run());
  }

  async #run(): Promise<void> {
    const { health, generations } = this.#options;
    while (this.#waiting.length > 0 || this.#freezes.length > 0) {
      const group = this.#takeGroup();
      const freezes = this.#waiting.length === 0 ? this.#freezes.splice(0) : [];
      try {
        health.checkWritable();
        if (group.length > 0) await this.#commit(group);
        for (const { resolve } of group) resolve();
      } catch (error) {
        this.#reject(group, error);
      }
      if (freezes.length > 0 || generations.isFull) await this.#freeze(freezes);
    }
    // In the same turn as the last look: who comes from now on wakes us again.
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: next } of this.#waiting) {
      if (count > 0 && bytes + next.length > GROUP_BYTES) break;
      bytes += next.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { settings, wal, generations, flusher, keyspaces } = this.#options;
    await flusher.room(true);
    const at = RECORD_HEADER_BYTES + varintLength(generations.sequence);
    const head = new Uint8Array(at);
    writeVarint(head, RECORD_HEADER_BYTES, generations.sequence);
    const record = concatBytes([head, ...group.map(({ bytes }) => bytes)]);
    if (wal.room < record.length) throw new LsmError('no-space', 'the log cannot go over to a new segment, and this one is full');
    await wal.append(record);
    this.bytesWritten += record.length;
    if (settings.wal === 'sync') await wal.sync();
    generations.sequence = defined(
      applyGroup(record, RECORD_HEADER_BYTES, keyspaces, generations.active),
      'the sequence after a group of our own',
    );
    generations.active.publish();
  }

  /** Tells a group that it was not written; a full disk may have room again, everything else is final. */
  #reject(group: readonly Waiting[], error: unknown): void {
    const { health } = this.#options;
    let reason = error;
    if (isTransient(error)) reason = new LsmError('no-space', 'the disk is full; the batch was not written', { cause: error });
    else if (!(error instanceof LsmError && error.code === 'no-space') && health.isWritable) {
      health.fail(error);
      reason = health.refusal();
    }
    for (const { reject } of group) reject(reason);
    // Versions that were accepted and then not written may come again.
    for (const keyspace of this.#options.keyspaces) if (keyspace !== undefined) keyspace.lastAccepted = keyspace.lastWritten;
    for (const { batch } of this.#waiting) {
      for (const [keyspace, { high }] of batch.versions) keyspace.lastAccepted = Math.max(keyspace.lastAccepted, high);
    }
  }

  async #freeze(asked: readonly Promised[]): Promise<void> {
    const { health, wal, generations, flusher, settings } = this.#options;
    try {
      health.checkWritable();
      if (generations.active.entries > 0) {
        await wal.rotate();
        generations.freeze(wal.number);
        flusher.wake();
      }
      for (const { resolve } of asked) resolve();
    } catch (error) {
      let reason = error;
      if (isTransient(error)) {
        settings.logger.warn('the log could not go over to a new segment; the next write tries again', { error });
        reason = new LsmError('no-space', 'the disk is full; nothing was flushed', { cause: error });
      } else if (health.isWritable) {
        health.fail(error);
        reason = health.refusal();
      }
      for (const { reject } of asked) reject(reason);
    }
  }
}
