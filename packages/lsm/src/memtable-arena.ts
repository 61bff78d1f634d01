// The entries of a memtable: appended, never changed, in one piece of shared memory, so that the garbage collector sees one
// object however many there are, and a worker can read them where they lie.
//
// An entry is named by its *ref*, the index of its first 32-bit word. Refs grow with time, so "what was there when I
// looked" is a plain comparison with the arena's end then:
//
//   word 0 key length | 1 value length, −1 for a tombstone | 2, 3 version, low and high | key bytes | value bytes | zeros up to a word
//
// The log has entries in the same form (batch.ts), little-endian as everything on disk: so they go in as they are.
import { assert } from '@distrokv/base';
import { compareRanges, copyRange, writeUint32, writeUint64 } from './ranges.ts';

const ENTRY_WORDS = 4;
/** Of an entry, in front of its key. */
export const ENTRY_BYTES: number = ENTRY_WORDS * 4;
/** No keyspace has it: an entry that begins with it is a range delete, with its start, an internal key, for the rest of the key, and its end for a value. */
export const RANGE_DELETE_ID = 0;
/** Word indexes stay small integers. */
const MAX_WORDS = 0x3fff_ffff;

assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, 'the storage engine needs a little-endian processor');

/** Where an entry ends that begins at byte `at`. */
export function entryEnd(at: number, keyLength: number, valueLength: number): number {
  return at + ENTRY_BYTES + ((keyLength + valueLength + 3) & ~3);
}

export function writeEntryHeader(into: Uint8Array, at: number, keyLength: number, valueLength: number, version: number): void {
  writeUint32(into, at, keyLength);
  writeUint32(into, at + 4, valueLength);
  writeUint64(into, at + 8, version);
}

export class Arena {
  /** The entries' keys and values lie in it, by the ranges below. */
  bytes: Uint8Array;
  #words: Int32Array;
  /** Words in use: the ref of the next entry. */
  end = 0;

  /** Over memory with zeros (a new arena), or with `end` words of entries. */
  constructor(buffer: SharedArrayBuffer, end: number) {
    this.#words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.end = end;
  }

  get buffer(): SharedArrayBuffer {
    return this.#words.buffer as SharedArrayBuffer;
  }

  /** The internal key is the byte `id`, then `key[keyStart, keyEnd)`; the value is `head[0, headEnd)`, then `value[valueStart, valueEnd)`. */
  append(
    id: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    version: number,
    tombstone: boolean,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    head: Uint8Array = value,
    headEnd = 0,
  ): number {
    const keyLength = 1 + keyEnd - keyStart;
    const valueLength = headEnd + valueEnd - valueStart;
    const ref = this.end;
    const end = ref + ENTRY_WORDS + ((keyLength + valueLength + 3) >>> 2);
    if (end > this.#words.length) this.#grow(end);
    this.end = end;
    const words = this.#words;
    words[ref] = keyLength;
    words[ref + 1] = tombstone ? -1 : valueLength;
    this.setVersion(ref, version);
    let at = (ref + ENTRY_WORDS) * 4;
    this.bytes[at++] = id;
    at = copyRange(key, keyStart, keyEnd, this.bytes, at);
    at = copyRange(head, 0, headEnd, this.bytes, at);
    copyRange(value, valueStart, valueEnd, this.bytes, at);
    return ref;
  }

  /** Appends entries as they are, `bytes` from `start` on, unchecked; `endOf` tells whether they are ones. */
  appendAll(bytes: Uint8Array, start: number): void {
    const end = this.end + ((bytes.length - start + 3) >>> 2);
    if (end > this.#words.length) this.#grow(end);
    this.bytes.set(bytes.subarray(start), this.end * 4);
    this.end = end;
  }

  /** Where the entry at `ref` ends; undefined if none can lie there. */
  endOf(ref: number): number | undefined {
    if (ref + ENTRY_WORDS > this.end) return undefined;
    const keyLength = this.#words[ref] as number;
    const valueLength = this.#words[ref + 1] as number;
    const room = (this.end - ref - ENTRY_WORDS) * 4;
    if (keyLength < 1 || keyLength > room || valueLength < -1 || valueLength > room - keyLength) return undefined;
    return ref + ENTRY_WORDS + ((keyLength + Math.max(0, valueLength) + 3) >>> 2);
  }

  setVersion(ref: number, version: number): void {
    this.#words[ref + 2] = version;
    this.#words[ref + 3] = Math.floor(version / 0x1_0000_0000);
  }

  keyStart(ref: number): number {
    return (ref + ENTRY_WORDS) * 4;
  }

  keyEnd(ref: number): number {
    return (ref + ENTRY_WORDS) * 4 + (this.#words[ref] as number);
  }

  valueEnd(ref: number): number {
    return this.keyEnd(ref) + Math.max(0, this.#words[ref + 1] as number);
  }

  isTombstone(ref: number): boolean {
    return (this.#words[ref + 1] as number) < 0;
  }

  version(ref: number): number {
    return ((this.#words[ref + 3] as number) >>> 0) * 0x1_0000_0000 + ((this.#words[ref + 2] as number) >>> 0);
  }

  /** As `compareRanges`, for the entry's key and another; the first `skip` bytes of both are known to be equal. */
  compareKey(ref: number, skip: number, key: Uint8Array, keyStart: number, keyEnd: number): number {
    return compareRanges(this.bytes, this.keyStart(ref) + skip, this.keyEnd(ref), key, keyStart + skip, keyEnd);
  }

  #grow(words: number): void {
    assert(words <= MAX_WORDS, 'a memtable holds less than 4 GiB');
    const larger = new Int32Array(new SharedArrayBuffer(Math.max(words, Math.min(this.#words.length * 2, MAX_WORDS)) * 4));
    larger.set(this.#words);
    this.#words = larger;
    this.bytes = new Uint8Array(larger.buffer);
  }
}
