// Reads protobuf's binary form, front to back. Generated code asks for one field after the other; here is what they are
// made of (protobuf "Encoding"). The bytes come from anyone, so every length is checked before it is used: whatever the
// input, the outcome is a value or a ProtoError, in time and memory in proportion to the input.
import { EMPTY, fromUtf8Strict } from '@distrokv/base';
import { copyOf } from './copy.ts';
import { MAX_DEPTH, MAX_MESSAGE_BYTES, ProtoError } from './errors.ts';

const TWO_32 = 0x1_0000_0000;

/** Turns two halves into a bigint: a way through memory, which makes no bigints on the way. */
const halves = new DataView(new ArrayBuffer(8));

export class Reader {
  /** The position of the next byte. */
  at = 0;
  readonly #bytes: Uint8Array;
  /** A byte string longer than this is a view of the message instead of a copy. */
  readonly #keepFrom: number;
  /** The outermost message counts. */
  #depth = 1;
  /** The halves of the last varint, as signed 32-bit numbers. */
  #low = 0;
  #high = 0;

  /** `given`: the bytes are the messages' to keep. */
  constructor(bytes: Uint8Array, given = false) {
    this.#keepFrom = given ? bytes.length >>> 1 : Infinity;
    if (bytes.length > MAX_MESSAGE_BYTES) throw new ProtoError('too-large', `a message of ${bytes.length} bytes is too large`);
    this.#bytes = bytes;
  }

  /** A field's tag: its number and wire type. */
  tag(): number {
    return this.#small('tag');
  }

  /** Enters a message within this one; returns where it ends, for `leave`. */
  enter(): number {
    if (++this.#depth > MAX_DEPTH) throw new ProtoError('too-deep', `messages are nested more than ${MAX_DEPTH} deep`);
    const length = this.#length();
    return this.at + length;
  }

  /** Leaves it. Fields may have read past `end`, if lengths lied: the bytes were there, but not theirs. */
  leave(end: number): void {
    if (this.at !== end) malformed(this.at, 'a field goes beyond the end of its message');
    this.#depth--;
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** An int32 or an enum's number. */
  int32(): number {
    this.#varint();
    return this.#low;
  }

  uint32(): number {
    this.#varint();
    return this.#low >>> 0;
  }

  int64(): bigint {
    this.#varint();
    if (this.#high === 0 && this.#low >= 0) return BigInt(this.#low);
    halves.setInt32(0, this.#high);
    halves.setInt32(4, this.#low);
    return halves.getBigInt64(0);
  }

  uint64(): bigint {
    this.#varint();
    if (this.#high === 0 && this.#low >= 0) return BigInt(this.#low);
    halves.setInt32(0, this.#high);
    halves.setInt32(4, this.#low);
    return halves.getBigUint64(0);
  }

  /** An int64 as a number: saturates at ±(2^53 - 1). */
  int64Number(): number {
    this.#varint();
    const value = this.#high * TWO_32 + (this.#low >>> 0);
    return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
  }

  /** A uint64 as a number: saturates at 2^53 - 1. */
  uint64Number(): number {
    this.#varint();
    return Math.min(Number.MAX_SAFE_INTEGER, (this.#high >>> 0) * TWO_32 + (this.#low >>> 0));
  }

  /** A copy of the bytes: it does not keep the message in memory, nor change with it. (Most of a message may keep the rest.) */
  bytes(): Uint8Array {
    const length = this.#length();
    if (length === 0) return EMPTY;
    this.at += length;
    if (length > this.#keepFrom) return this.#bytes.subarray(this.at - length, this.at);
    return copyOf(this.#bytes, this.at - length, this.at);
  }

  string(): string {
    const length = this.#length();
    if (length === 0) return '';
    const start = this.at;
    this.at += length;
    if (length <= SHORT_TEXT_BYTES) {
      const text = asciiOf(this.#bytes, start, this.at);
      if (text !== undefined) return text;
    }
    try {
      return fromUtf8Strict(this.#bytes.subarray(start, this.at));
    } catch (cause) {
      throw new ProtoError('malformed', `at byte ${start}: a string is not UTF-8`, { cause });
    }
  }

  /** Numbers of a repeated field in its packed form. */
  packedInt32(list: readonly number[]): readonly number[] {
    const end = this.enter();
    while (this.at < end) list = append(list, this.int32());
    this.leave(end);
    return list;
  }

  /** Skips a field that the message does not have; `known` are the numbers of those that it has: one of these with another wire type is an error. */
  unknown(tag: number, known: readonly number[]): void {
    if (known.includes(tag >>> 3)) malformed(this.at, `field ${tag >>> 3} has wire type ${tag & 7}`);
    this.#skip(tag);
  }

  #skip(tag: number): void {
    if (tag >>> 3 === 0) malformed(this.at, 'a field has number 0');
    switch (tag & 7) {
      case 0:
        return this.#varint();
      case 1:
        return this.#advance(8);
      case 2:
        return this.#advance(this.#length());
      case 3:
        return this.#skipGroup(tag >>> 3);
      case 5:
        return this.#advance(4);
      default:
        malformed(this.at, `wire type ${tag & 7} is out of place`);
    }
  }

  #skipGroup(field: number): void {
    if (++this.#depth > MAX_DEPTH) throw new ProtoError('too-deep', `groups are nested more than ${MAX_DEPTH} deep`);
    for (;;) {
      const tag = this.tag();
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== field) malformed(this.at, `group ${field} ends as group ${tag >>> 3}`);
        this.#depth--;
        return;
      }
      this.#skip(tag);
    }
  }

  #advance(length: number): void {
    if (length > this.#bytes.length - this.at) malformed(this.at, 'it is cut off');
    this.at += length;
  }

  /** The length of what follows, all of which is there. */
  #length(): number {
    const length = this.#small('length');
    if (length > this.#bytes.length - this.at) malformed(this.at, 'it is cut off');
    return length;
  }

  /** A varint of 32 bits, for tags and lengths: most take one byte. */
  #small(what: string): number {
    if (this.at < this.#bytes.length) {
      const byte = this.#bytes[this.at] as number;
      if (byte < 0x80) {
        this.at++;
        return byte;
      }
    }
    this.#varint();
    if (this.#high !== 0) malformed(this.at, `a ${what} is larger than 32 bits`);
    return this.#low >>> 0;
  }

  /** Reads up to ten bytes of seven bits, the lowest first, into `#low` and `#high`. */
  #varint(): void {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= bytes.length) malformed(this.at, 'it is cut off');
      const byte = bytes[this.at++] as number;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= byte << 28;
        high = (byte & 0x7f) >>> 4;
      } else high |= (byte & 0x7f) << (shift - 32);
      if (byte < 0x80) {
        if (shift === 63 && byte > 1) break;
        this.#low = low;
        this.#high = high;
        return;
      }
    }
    malformed(this.at, 'a varint is larger than 64 bits');
  }
}

/** Short texts are mostly ASCII, and then a loop is faster than a call of the decoder. */
const SHORT_TEXT_BYTES = 24;

/** Undefined if it is anything else. */
function asciiOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Appends to a list that decoding has made; the empty list, which is everyone's, is replaced. */
export function append<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  (list as T[]).push(item);
  return list;
}

/** Puts into a map that decoding has made; the empty map, which is everyone's, is replaced. */
export function insert<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  if (map.size === 0) return new Map([[key, value]]);
  (map as Map<K, V>).set(key, value);
  return map;
}

function malformed(at: number, why: string): never {
  throw new ProtoError('malformed', `at byte ${at}: ${why}`);
}
