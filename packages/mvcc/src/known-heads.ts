// What the keys that were written lately have in front of their values: a put needs of the record before only that (record.ts), and the engine may
// have to read a block of a table for it. It is a cache of exact answers: a key is compared whole, and all that changes a key goes past here.
//
// Two pieces of memory outside of the heap, however many keys there are. The *ring* takes one entry behind the other, and begins anew
// at its end, so that the oldest go first; a change of a key that is in it is written where the key lies:
//
//   create_revision float64 | version float64, 0: there is no such key | lease 8 bytes | length of the key uint32 | key | zeros up to 8 bytes
//
// The *buckets* have four places each, in one line of the processor's cache: the hash of a key, and its *position*, which counts the words of
// all entries so far; so it tells whether the ring has come round since. An entry that finds its bucket full takes the place of the oldest
// there. Before positions outgrow 30 bits everything is forgotten. Both begin small; a ring that is full is replaced by an empty one twice as
// large, until it has all that it may have: a store of few keys, or one that ends soon, costs little.
import { assert, revision } from '@distrokv/base';
import type { RecordHead } from './record.ts';

const WORD_BYTES = 8;
const PLACES = 4;
const VERSION = 1;
const LEASE = 2;
const KEY = 3;
const HEADER_BYTES = KEY * WORD_BYTES + 4;
/** Longer keys are not remembered. */
const MAX_KEY_BYTES = 1024;
/** Of the ring in the end: some 170,000 keys of 16 bytes, or 90,000 of 60. Not more: positions are small integers. */
const RING_BYTES = 8 << 20;
/** Of the ring in the beginning. */
const FIRST_BYTES = 64 << 10;
/** Of the ring for each place: about what an entry with a short key takes. */
const BYTES_PER_PLACE = 32;
/** How often the ring comes round until everything is forgotten. */
const MAX_ROUNDS = 1024;
/** Numbers of a place: hash, position (0: nothing was ever there). */
const PLACE_NUMBERS = 2;
/** No place. */
export const UNKNOWN = -1;

export class KnownHeads {
  readonly #maxBytes: number;
  #words = 0;
  #numbers = new Float64Array(0);
  #leases = new BigInt64Array(0);
  #halves = new Int32Array(0);
  #bytes = new Uint8Array(0);
  #places = new Int32Array(0);
  #bucketMask = 0;
  /** Where the next entry begins. */
  #end = 1;

  /** With a ring of so many bytes in the end, and in the beginning, powers of two. */
  constructor(maxBytes: number = RING_BYTES, firstBytes: number = Math.min(maxBytes, FIRST_BYTES)) {
    assert(isPowerOfTwo(maxBytes) && isPowerOfTwo(firstBytes), 'a ring of a power of two of bytes');
    assert(firstBytes >= 2 * MAX_KEY_BYTES && firstBytes <= maxBytes && maxBytes <= RING_BYTES, 'a ring of a size that can be');
    this.#maxBytes = maxBytes;
    this.#begin(firstBytes);
  }

  /** An empty ring, in which nothing is known. */
  #begin(bytes: number): void {
    const ring = new ArrayBuffer(bytes);
    this.#words = bytes / WORD_BYTES;
    this.#numbers = new Float64Array(ring);
    this.#leases = new BigInt64Array(ring);
    this.#halves = new Int32Array(ring);
    this.#bytes = new Uint8Array(ring);
    this.#places = new Int32Array((bytes / BYTES_PER_PLACE) * PLACE_NUMBERS);
    this.#bucketMask = bytes / BYTES_PER_PLACE / PLACES - 1;
    this.#end = 1;
  }

  /** Where the entry of the key `bytes[start, end)` lies, good until the next `add`; or UNKNOWN. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > MAX_KEY_BYTES) return UNKNOWN;
    const hash = hashOf(bytes, start, end);
    const places = this.#places;
    const oldest = this.#end - this.#words;
    let at = this.#bucketOf(hash);
    for (let place = 0; place < PLACES; place++, at += PLACE_NUMBERS) {
      const position = places[at + 1] as number;
      if (places[at] !== hash || position < oldest || position === 0) continue;
      const word = position & (this.#words - 1);
      if (this.#isOf(word, bytes, start, end)) return word;
    }
    return UNKNOWN;
  }

  /** Fills `head` from the entry at a place that was found; a version of 0 says that there is no such key. */
  read(word: number, head: RecordHead): void {
    head.createRevision = revision(smallIfSmall(this.#numbers[word] as number));
    head.version = smallIfSmall(this.#numbers[word + VERSION] as number);
    const half = (word + LEASE) * 2;
    // Nearly always there is none, and a bigint is an object.
    const isLeased = this.#halves[half] !== 0 || this.#halves[half + 1] !== 0;
    head.lease = isLeased ? (this.#leases[word + LEASE] as bigint) : 0n;
  }

  /** Writes what the key has now to its entry. */
  write(word: number, { createRevision, version, lease }: RecordHead): void {
    this.#numbers[word] = createRevision;
    this.#numbers[word + VERSION] = version;
    if (lease === 0n) {
      this.#halves[(word + LEASE) * 2] = 0;
      this.#halves[(word + LEASE) * 2 + 1] = 0;
    } else this.#leases[word + LEASE] = lease;
  }

  /** Takes up a key that was not found. */
  add(bytes: Uint8Array, start: number, end: number, head: RecordHead): void {
    const length = end - start;
    if (length > MAX_KEY_BYTES) return;
    const position = this.#room((HEADER_BYTES + length + WORD_BYTES - 1) >>> 3);
    const word = position & (this.#words - 1);
    this.write(word, head);
    this.#halves[(word + KEY) * 2] = length;
    const keyAt = word * WORD_BYTES + HEADER_BYTES;
    for (let i = 0; i < length; i++) this.#bytes[keyAt + i] = bytes[start + i] as number;
    const hash = hashOf(bytes, start, end);
    const at = this.#oldestOf(this.#bucketOf(hash));
    this.#places[at] = hash;
    this.#places[at + 1] = position;
  }

  /** The key was deleted. */
  clear(key: Uint8Array): void {
    const word = this.find(key, 0, key.length);
    if (word !== UNKNOWN) this.#numbers[word + VERSION] = 0;
  }

  /** The position of so many words in a row; what was in them is gone. */
  #room(words: number): number {
    const left = this.#words - (this.#end & (this.#words - 1));
    if (left < words) {
      if (this.#bytes.length < this.#maxBytes) this.#begin(2 * this.#bytes.length);
      else this.#end += left;
    }
    if (this.#end + words > MAX_ROUNDS * this.#words) {
      this.#places.fill(0);
      this.#end = 1;
    }
    const position = this.#end;
    this.#end += words;
    return position;
  }

  #bucketOf(hash: number): number {
    return (hash & this.#bucketMask) * (PLACES * PLACE_NUMBERS);
  }

  /** The place of a bucket whose entry is the oldest. */
  #oldestOf(bucket: number): number {
    const places = this.#places;
    let oldest = bucket;
    for (let at = bucket + PLACE_NUMBERS; at < bucket + PLACES * PLACE_NUMBERS; at += PLACE_NUMBERS)
      if ((places[at + 1] as number) < (places[oldest + 1] as number)) oldest = at;
    return oldest;
  }

  #isOf(word: number, key: Uint8Array, start: number, end: number): boolean {
    if (this.#halves[(word + KEY) * 2] !== end - start) return false;
    const bytes = this.#bytes;
    const keyAt = word * WORD_BYTES + HEADER_BYTES - start;
    // Keys that are alike differ at their ends.
    for (let i = end - 1; i >= start; i--) if (bytes[keyAt + i] !== key[i]) return false;
    return true;
  }
}

/** What comes from a Float64Array would be an object in a field, unless V8 sees that it is a small integer. */
function smallIfSmall(n: number): number {
  const small = n | 0;
  return small === n ? small : n;
}

function isPowerOfTwo(n: number): boolean {
  return n > 0 && (n & (n - 1)) === 0;
}

/** FNV-1a (Fowler, Noll, Vo), with a last mix, since the buckets are chosen by its low bits. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}
