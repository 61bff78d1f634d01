// The entries of a memtable: appended, never changed, in one piece of shared memory, so that the garbage collector sees one
// object however many there are, and a worker can read them where they lie.
//
// An entry is named by its *ref*, the index of its first 32-bit word. Refs grow with time, so "what was there when I
// looked" is a plain comparison with the arena's end then:
//
//   word 0 key length | 1 value length, −1 for a tombstone | 2, 3 version, low and high | key bytes | value bytes
import { assert } from '@distrokv/base';
import { compareRanges, copyRange } from './ranges.ts';

const ENTRY_WORDS = 4;
/** Word indexes stay small integers. */
const MAX_WORDS = 0x3fff_ffff;

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

  /** The internal key is the byte `id`, then `key[keyStart, keyEnd)`. */
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
  ): number {
    const keyLength = 1 + keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    const ref = this.end;
    const end = ref + ENTRY_WORDS + ((keyLength + valueLength + 3) >>> 2);
    if (end > this.#words.length) this.#grow(end);
    this.end = end;
    const words = this.#words;
    words[ref] = keyLength;
    words[ref + 1] = tombstone ? -1 : valueLength;
    words[ref + 2] = version;
    words[ref + 3] = Math.floor(version / 0x1_0000_0000);
    let at = (ref + ENTRY_WORDS) * 4;
    this.bytes[at++] = id;
    at = copyRange(key, keyStart, keyEnd, this.bytes, at);
    copyRange(value, valueStart, valueEnd, this.bytes, at);
    return ref;
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
