// A batch is built in the form in which the log keeps it, and the log's form is what goes into the memtable: a write that
// comes fresh from a client and one that is replayed after a crash take the same way.
//
//   group   sequence varint | operations …
//   operation   (keyspace id × 2 + tombstone) varint | version varint, `caller` keyspaces only
//               | key length varint | key | value length varint | value; a tombstone has no value
//   range delete   0 | keyspace id varint | version varint, `caller` keyspaces only | length varint, start | length varint, end: internal keys
import { EMPTY, MAX_VARINT_BYTES, VarintReader, writeVarint } from '@distrokv/base';
import type { Keyspace, WriteBatch } from './engine.ts';
import { LsmError } from './errors.ts';
import { type KeyspaceState, checkKey, checkValue, checkVersion, rangeOf, stateOf } from './keyspace-state.ts';
import type { Memtable } from './memtable.ts';
import { MAX_RANGES } from './range-deletes.ts';
import { copyRange, grown } from './ranges.ts';
import { isRange } from './version-edit.ts';

/** The largest batch: it is one record of the log. */
const MAX_BATCH_BYTES = 256 << 20;

const FIRST_BUFFER_BYTES = 256;
/** A kind of operation; else it is twice the keyspace's id, which is not 0. */
const RANGE_DELETE = 0;
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

const NO_VERSIONS: ReadonlyMap<KeyspaceState, VersionRange> = new Map();

export class Batch implements WriteBatch {
  #bytes: Uint8Array;
  #length = 0;
  #count = 0;
  #written = false;
  /** Range deletes among the operations. */
  ranges = 0;
  readonly #owner: object;
  readonly #buffers: BatchBuffers;
  #versions: Map<KeyspaceState, VersionRange> | undefined;

  constructor(owner: object, buffers: BatchBuffers) {
    this.#owner = owner;
    this.#buffers = buffers;
    this.#bytes = buffers.take();
  }

  /** The lowest and highest version for each `caller` keyspace. */
  get versions(): ReadonlyMap<KeyspaceState, VersionRange> {
    return this.#versions ?? NO_VERSIONS;
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
    checkValue(value);
    this.#add(keyspace, key, value, version);
  }

  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void {
    this.#add(keyspace, key, undefined, version);
  }

  deleteRange(keyspace: Keyspace, from: Uint8Array, to: Uint8Array | undefined, version?: number): void {
    const state = this.#checked(keyspace, version);
    const { start, end } = rangeOf(state, from, to);
    if (this.ranges >= MAX_RANGES) throw new LsmError('invalid', `a batch holds at most ${MAX_RANGES} range deletes`);
    this.#reserve(start.length + end.length);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#length, RANGE_DELETE);
    at = writeVarint(bytes, at, state.id);
    if (version !== undefined) {
      this.#note(state, version);
      at = writeVarint(bytes, at, version);
    }
    for (const bound of [start, end]) {
      at = writeVarint(bytes, at, bound.length);
      at = copyRange(bound, 0, bound.length, bytes, at);
    }
    this.#length = at;
    this.#count++;
    this.ranges++;
  }

  checkUnwritten(): void {
    if (this.#written) throw new LsmError('invalid', 'a batch is written once');
  }

  /** Copies the operations to where they are written from, which ends the batch; returns the position after them. */
  moveTo(into: Uint8Array, at: number): number {
    this.#written = true;
    const end = copyRange(this.#bytes, 0, this.#length, into, at);
    this.#buffers.giveBack(this.#bytes);
    this.#bytes = EMPTY;
    return end;
  }

  #add(keyspace: Keyspace, key: Uint8Array, value: Uint8Array | undefined, version: number | undefined): void {
    const state = this.#checked(keyspace, version);
    checkKey(key);
    this.#reserve(key.length + (value?.length ?? 0));
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#length, state.id * 2 + (value === undefined ? 1 : 0));
    if (version !== undefined) {
      this.#note(state, version);
      at = writeVarint(bytes, at, version);
    }
    at = writeVarint(bytes, at, key.length);
    at = copyRange(key, 0, key.length, bytes, at);
    if (value !== undefined) {
      at = writeVarint(bytes, at, value.length);
      at = copyRange(value, 0, value.length, bytes, at);
    }
    this.#length = at;
    this.#count++;
  }

  #checked(keyspace: Keyspace, version: number | undefined): KeyspaceState {
    if (this.#written) throw new LsmError('invalid', 'a batch is not used again after it was written');
    const state = stateOf(keyspace, this.#owner);
    checkVersion(state, version);
    return state;
  }

  /** Makes room for an operation with so many bytes of keys and values. */
  #reserve(bytes: number): void {
    const length = this.#length + bytes + 5 * MAX_VARINT_BYTES;
    if (length > MAX_BATCH_BYTES) throw new LsmError('invalid', `a batch holds at most ${MAX_BATCH_BYTES} bytes`);
    this.#bytes = grown(this.#bytes, this.#length, length);
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

/**
 * Applies a group of batches, from `start` on, to a memtable; returns the sequence after it, or undefined if the bytes are
 * no group of these keyspaces (given by id): then part of it may have been applied. What it holds for dropped ones is left out.
 */
export function applyGroup(
  bytes: Uint8Array,
  start: number,
  keyspaces: readonly (KeyspaceState | undefined)[],
  memtable: Memtable,
): number | undefined {
  const reader = new VarintReader(bytes, start);
  let sequence = reader.varint();
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === RANGE_DELETE) {
      if (!applyRangeDelete(reader, ++sequence, keyspaces, memtable)) return undefined;
      continue;
    }
    const tombstone = (tag & 1) === 1;
    const state = keyspaces[(tag - (tag & 1)) / 2];
    if (state === undefined) return undefined;
    sequence++;
    const version = state.versions === 'caller' ? reader.varint() : sequence;
    const keyLength = reader.varint();
    const keyStart = reader.at;
    if (keyLength > bytes.length - keyStart) return undefined;
    reader.at += keyLength;
    const valueLength = tombstone ? 0 : reader.varint();
    const valueStart = reader.at;
    if (!reader.ok || valueLength > bytes.length - valueStart) return undefined;
    reader.at += valueLength;
    if (state.isDropped) continue;
    memtable.insert(state.id, bytes, keyStart, keyStart + keyLength, version, tombstone, bytes, valueStart, valueStart + valueLength);
    state.noteWritten(version);
  }
  return reader.ok && Number.isSafeInteger(sequence) ? sequence : undefined;
}

function applyRangeDelete(
  reader: VarintReader,
  sequence: number,
  keyspaces: readonly (KeyspaceState | undefined)[],
  memtable: Memtable,
): boolean {
  const id = reader.varint();
  const state = keyspaces[id];
  if (state === undefined) return false;
  const version = state.versions === 'caller' ? reader.varint() : sequence;
  // Copies: they outlive the record.
  const start = reader.take(reader.varint()).slice();
  const end = reader.take(reader.varint()).slice();
  if (!reader.ok || start[0] !== id || !isRange(start, end)) return false;
  if (state.isDropped) return true;
  memtable.deleteRange(start, end, version);
  state.noteWritten(version);
  return true;
}
