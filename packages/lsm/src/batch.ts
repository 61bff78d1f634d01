// A batch is built in the form in which the log keeps it, and that is the form in which the memtable keeps it, too: a group goes into the
// memtable's arena in one copy, whether it comes fresh from clients or is replayed after a crash, and all that is left to do is to put
// its entries into the trees.
//
//   group   sequence uint64 | entries (memtable-arena.ts); the version is 0 where the keyspace numbers its writes itself
//
// A range delete is an entry with a 0 and its start, an internal key, for a key, and its end for a value.
import { EMPTY } from '@distrokv/base';
import type { Keyspace, WriteBatch } from './engine.ts';
import { LsmError } from './errors.ts';
import { type KeyspaceState, checkKey, checkValue, checkVersion, rangeOf, stateOf } from './keyspace-state.ts';
import { ENTRY_BYTES, RANGE_DELETE_ID, entryEnd, writeEntryHeader } from './memtable-arena.ts';
import type { Memtable } from './memtable.ts';
import { MAX_RANGES } from './range-deletes.ts';
import { grown, readUint64 } from './ranges.ts';

/** The largest batch: it is one record of the log. */
const MAX_BATCH_BYTES = 256 << 20;

/** The sequence before a group, in front of its entries. */
export const GROUP_HEADER_BYTES = 8;

const FIRST_BUFFER_BYTES = 256;
const MAX_SPARE_BUFFERS = 16;
const MAX_SPARE_BYTES = 1 << 20;

/** Buffers of batches that were written, for those to come. */
export class BatchBuffers {
  readonly #spare: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(FIRST_BUFFER_BYTES);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#spare.length < MAX_SPARE_BUFFERS && buffer.length <= MAX_SPARE_BYTES) this.#spare.push(buffer);
  }
}

interface VersionRange {
  low: number;
  high: number;
}

export class Batch implements WriteBatch {
  #bytes: Uint8Array;
  #length = 0;
  #count = 0;
  #written = false;
  /** Range deletes among the operations. */
  ranges = 0;
  /** Not all of the operations are deletes. */
  hasPuts = false;
  readonly #owner: object;
  readonly #buffers: BatchBuffers;
  #versions: Map<KeyspaceState, VersionRange> | undefined;

  constructor(owner: object, buffers: BatchBuffers) {
    this.#owner = owner;
    this.#buffers = buffers;
    this.#bytes = buffers.take();
  }

  /** The lowest and highest version for each `caller` keyspace. */
  get versions(): ReadonlyMap<KeyspaceState, VersionRange> | undefined {
    return this.#versions;
  }

  get count(): number {
    return this.#count;
  }

  get byteLength(): number {
    return this.#length;
  }

  isOf(owner: object): boolean {
    return this.#owner === owner;
  }

  put(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void {
    checkValue(value.length);
    this.#add(keyspace, key, value, version);
    this.hasPuts = true;
  }

  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void {
    this.#add(keyspace, key, undefined, version);
  }

  deleteRange(keyspace: Keyspace, from: Uint8Array, to: Uint8Array | undefined, version?: number): void {
    const state = this.#checked(keyspace, version);
    const { start, end } = rangeOf(state, from, to);
    if (this.ranges >= MAX_RANGES) throw new LsmError('invalid', `a batch holds at most ${MAX_RANGES} range deletes`);
    if (version !== undefined) this.#note(state, version);
    this.#append(RANGE_DELETE_ID, start, end, version);
    this.ranges++;
  }

  checkUnwritten(): void {
    if (this.#written) throw new LsmError('invalid', 'a batch is written once');
  }

  /** Copies the operations to where they are written from, which ends the batch; returns the position after them. */
  moveTo(into: Uint8Array, at: number): number {
    this.#written = true;
    into.set(this.#bytes.subarray(0, this.#length), at);
    this.#buffers.giveBack(this.#bytes);
    this.#bytes = EMPTY;
    return at + this.#length;
  }

  #add(keyspace: Keyspace, key: Uint8Array, value: Uint8Array | undefined, version: number | undefined): void {
    const state = this.#checked(keyspace, version);
    checkKey(key.length);
    if (version !== undefined) this.#note(state, version);
    this.#append(state.id, key, value, version);
  }

  /** Appends an entry whose key is `id` and `key`; undefined for a tombstone. */
  #append(id: number, key: Uint8Array, value: Uint8Array | undefined, version: number | undefined): void {
    const at = this.#length;
    const keyLength = 1 + key.length;
    const valueLength = value?.length ?? 0;
    const end = entryEnd(at, keyLength, valueLength);
    if (end > MAX_BATCH_BYTES) throw new LsmError('invalid', `a batch holds at most ${MAX_BATCH_BYTES} bytes`);
    this.#bytes = grown(this.#bytes, at, end);
    const bytes = this.#bytes;
    writeEntryHeader(bytes, at, keyLength, value === undefined ? -1 : valueLength, version ?? 0);
    const keyAt = at + ENTRY_BYTES;
    bytes[keyAt] = id;
    // Of the whole array: a view of a part would cost more than the copy.
    bytes.set(key, keyAt + 1);
    if (value !== undefined) bytes.set(value, keyAt + keyLength);
    for (let i = keyAt + keyLength + valueLength; i < end; i++) bytes[i] = 0;
    this.#length = end;
    this.#count++;
  }

  #checked(keyspace: Keyspace, version: number | undefined): KeyspaceState {
    if (this.#written) throw new LsmError('invalid', 'a batch is not used again after it was written');
    const state = stateOf(keyspace, this.#owner);
    checkVersion(state, version);
    return state;
  }

  #note(state: KeyspaceState, version: number): void {
    this.#versions ??= new Map();
    const range = this.#versions.get(state);
    if (range === undefined) this.#versions.set(state, { low: version, high: version });
    else {
      range.low = Math.min(range.low, version);
      range.high = Math.max(range.high, version);
    }
  }
}

/** A group on its way into a memtable: its entries lie in the arena, and from `ref` up to `end` they are not in the trees yet. */
export interface Applying {
  ref: number;
  readonly end: number;
  /** Of the entry before `ref`. */
  sequence: number;
}

/** Takes a group of batches, from `start` on, into a memtable's arena; undefined if the bytes are no group. */
export function beginApply(bytes: Uint8Array, start: number, memtable: Memtable): Applying | undefined {
  if (bytes.length - start < GROUP_HEADER_BYTES || (bytes.length - start) % 4 !== 0) return undefined;
  const ref = memtable.end;
  memtable.appendAll(bytes, start + GROUP_HEADER_BYTES);
  return { ref, end: memtable.end, sequence: readUint64(bytes, start) };
}

/**
 * Puts entries of a group, `count` at most, into the trees of their keyspaces (given by id), those of dropped ones left out. False if they
 * are no entries of these keyspaces.
 */
export function applyEntries(
  applying: Applying,
  keyspaces: readonly (KeyspaceState | undefined)[],
  memtable: Memtable,
  count: number,
): boolean {
  let { ref, sequence } = applying;
  for (let i = 0; i < count && ref < applying.end; i++) {
    const next = memtable.endOf(ref);
    if (next === undefined) return false;
    const id = memtable.idOf(ref);
    const isRange = id === RANGE_DELETE_ID;
    if (isRange && !memtable.isRangeDelete(ref)) return false;
    const state = keyspaces[isRange ? memtable.rangeIdOf(ref) : id];
    if (state === undefined) return false;
    sequence++;
    if (state.versions === 'latest') memtable.setVersion(ref, sequence);
    const version = memtable.version(ref);
    if (!Number.isSafeInteger(version)) return false;
    if (!state.isDropped) {
      if (isRange) memtable.putRange(ref);
      else memtable.put(ref);
      state.noteWritten(version);
    }
    ref = next;
  }
  applying.ref = ref;
  applying.sequence = sequence;
  return Number.isSafeInteger(sequence);
}

/** Applies a whole group; returns the sequence after it, or undefined if it is none: then part of it may have been applied. */
export function applyGroup(
  bytes: Uint8Array,
  start: number,
  keyspaces: readonly (KeyspaceState | undefined)[],
  memtable: Memtable,
): number | undefined {
  const applying = beginApply(bytes, start, memtable);
  return applying !== undefined && applyEntries(applying, keyspaces, memtable, Infinity) ? applying.sequence : undefined;
}
