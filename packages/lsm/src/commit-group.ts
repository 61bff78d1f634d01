// The batches that become one record of the log together: copied one behind the other as they come, into a buffer that
// the next group but one uses again, and told of their common end by one promise.
import { type Deferred, deferred } from '@distrokv/base';
import { type Batch, GROUP_HEADER_BYTES } from './batch.ts';
import type { KeyspaceState } from './keyspace-state.ts';
import { RECORD_HEADER_BYTES } from './log-file.ts';
import { MAX_RANGES } from './range-deletes.ts';
import { grown, writeUint64 } from './ranges.ts';

/** A larger batch makes a group of its own: more would only delay those who are in it. */
const GROUP_BYTES = 1 << 20;
/** The record's header, and the group's. */
const RESERVED_BYTES: number = RECORD_HEADER_BYTES + GROUP_HEADER_BYTES;

export class CommitGroup {
  /** Made when somebody asks for it: who is written at once needs none. */
  #settled: Deferred<void> | undefined;
  #buffer: Uint8Array;
  #length = RESERVED_BYTES;
  batches = 0;
  /** Not all of it are deletes. */
  hasPuts = false;
  /** Range deletes in it. */
  #ranges = 0;
  #highest: Map<KeyspaceState, number> | undefined;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  /** Settles when the group is written, or is not. */
  get written(): Promise<void> {
    this.#settled ??= deferred();
    return this.#settled.promise;
  }

  get buffer(): Uint8Array {
    return this.#buffer;
  }

  hasRoomFor(batch: Batch): boolean {
    if (this.#length === RESERVED_BYTES) return true;
    return this.#length + batch.byteLength <= GROUP_BYTES && this.#ranges + batch.ranges <= MAX_RANGES;
  }

  add(batch: Batch): void {
    if (batch.versions !== undefined) {
      this.#highest ??= new Map();
      for (const [keyspace, { high }] of batch.versions) this.#highest.set(keyspace, high);
    }
    this.batches++;
    this.hasPuts ||= batch.hasPuts;
    this.#ranges += batch.ranges;
    this.#buffer = grown(this.#buffer, this.#length, this.#length + batch.byteLength);
    this.#length = batch.moveTo(this.#buffer, this.#length);
  }

  /** Whether it writes to a `caller` keyspace. */
  isOf(keyspace: KeyspaceState): boolean {
    return this.#highest?.has(keyspace) === true;
  }

  /** Notes, at the keyspaces, the highest versions that were accepted into the group. */
  noteAccepted(): void {
    if (this.#highest === undefined) return;
    for (const [keyspace, high] of this.#highest) keyspace.lastAccepted = Math.max(keyspace.lastAccepted, high);
  }

  /** The record, with room for its header, when it is known where the group's sequence begins. */
  record(sequence: number): Uint8Array {
    writeUint64(this.#buffer, RECORD_HEADER_BYTES, sequence);
    return this.#buffer.subarray(0, this.#length);
  }

  resolve(): void {
    this.#settled?.resolve();
  }

  reject(reason: unknown): void {
    this.#settled?.reject(reason);
  }
}
