// Writes protobuf's binary form, back to front: a message within a message is preceded by its length, and written
// backwards that length is known when its turn comes. So there is one pass and no table of sizes. One buffer serves all
// messages; what `finish` returns is a copy of its end, the only allocation of an encoding.
import { assert, AssertionError, utf8 } from '@distrokv/base';
import { copyInto, copyOf } from './copy.ts';
import { MAX_MESSAGE_BYTES, ProtoError } from './errors.ts';
import type { Allocate } from './message.ts';

const TWO_32 = 0x1_0000_0000;

/** A larger buffer is given back after use. */
const KEPT_BYTES = 4 << 20;
const FIRST_BYTES = 1 << 16;

const SHORT_TEXT_CHARS = 32;

/** A tag and a length, or a tag and a 64-bit varint, at their longest. */
const HEAD = 15;

const halves = new DataView(new ArrayBuffer(8));

export class Writer {
  /** Where the first byte is that is written so far. */
  #at = FIRST_BYTES;
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);

  /** Starts a message, whatever became of the last. */
  start(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(FIRST_BYTES);
    this.#at = this.#bytes.length;
  }

  /** What is written, behind `headroom` bytes that are the caller's to fill. */
  finish(headroom: number, allocate?: Allocate): Uint8Array {
    const length = this.mark();
    if (length > MAX_MESSAGE_BYTES) throw new ProtoError('too-large', `a message of ${length} bytes is too large`);
    this.#reserve(headroom);
    const given = allocate?.(headroom + length);
    if (given === undefined) return copyOf(this.#bytes, this.#at - headroom, this.#bytes.length);
    assert(given.length === headroom + length, 'memory for a message is as long as the message');
    copyInto(given, headroom, this.#bytes, this.#at, length);
    return given;
  }

  /** How much is written: marks the end of a message within the message, for `close`. */
  mark(): number {
    return this.#bytes.length - this.#at;
  }

  /** Closes a message within the message, which ends at the mark `end`. */
  close(tag: number, end: number): void {
    this.#reserve(HEAD);
    this.#varint32(this.mark() - end);
    this.#varint32(tag);
  }

  bytes(tag: number, value: Uint8Array): void {
    const length = value.length;
    this.#reserve(length + HEAD);
    this.#at -= length;
    copyInto(this.#bytes, this.#at, value, 0, length);
    this.#varint32(length);
    this.#varint32(tag);
  }

  string(tag: number, value: string): void {
    if (!this.#ascii(tag, value)) this.bytes(tag, utf8(value));
  }

  /** Short texts are mostly ASCII, and then a loop is faster than a call of the encoder. False, and nothing written, for others. */
  #ascii(tag: number, value: string): boolean {
    const { length } = value;
    if (length > SHORT_TEXT_CHARS) return false;
    this.#reserve(length + HEAD);
    const bytes = this.#bytes;
    const start = this.#at - length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[start + i] = code;
    }
    this.#at = start;
    this.#varint32(length);
    this.#varint32(tag);
    return true;
  }

  bool(tag: number, value: boolean): void {
    this.#reserve(HEAD);
    this.#bytes[--this.#at] = value ? 1 : 0;
    this.#varint32(tag);
  }

  /** An int32 or an enum's number: ten bytes if negative. */
  int32(tag: number, value: number): void {
    if ((value | 0) !== value) throw notA('32-bit', value);
    this.#reserve(HEAD);
    this.#varint64(value, value >> 31);
    this.#varint32(tag);
  }

  uint32(tag: number, value: number): void {
    if (value >>> 0 !== value) throw notA('32-bit', value);
    this.#reserve(HEAD);
    this.#varint32(value);
    this.#varint32(tag);
  }

  /** An int64 or a uint64. */
  int64(tag: number, value: bigint): void {
    this.#reserve(HEAD);
    halves.setBigInt64(0, value);
    this.#varint64(halves.getInt32(4), halves.getInt32(0));
    this.#varint32(tag);
  }

  /** An int64 or a uint64 given as a number. */
  int64Number(tag: number, value: number): void {
    if (!Number.isSafeInteger(value)) throw notA('safe', value);
    this.#reserve(HEAD);
    this.#varint64(value | 0, Math.floor(value / TWO_32));
    this.#varint32(tag);
  }

  /** Numbers of a repeated field in its packed form. */
  packedInt32(tag: number, values: readonly number[]): void {
    const end = this.mark();
    for (let i = values.length - 1; i >= 0; i--) {
      this.#reserve(HEAD);
      const value = values[i] as number;
      this.#varint64(value, value >> 31);
    }
    this.close(tag, end);
  }

  #varint32(value: number): void {
    const bytes = this.#bytes;
    if (value < 0x80) {
      bytes[--this.#at] = value;
      return;
    }
    let at = this.#at - (value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5);
    this.#at = at;
    while (value > 0x7f) {
      bytes[at++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    bytes[at] = value;
  }

  /** `low` and `high` are the halves as signed 32-bit numbers. */
  #varint64(low: number, high: number): void {
    if (high === 0) return this.#varint32(low >>> 0);
    const bytes = this.#bytes;
    // Five bytes hold the low half and three bits of the high one.
    const rest = high >>> 3;
    if (rest === 0) bytes[--this.#at] = (high << 4) | (low >>> 28);
    else {
      this.#varint32(rest);
      bytes[--this.#at] = ((high & 7) << 4) | (low >>> 28) | 0x80;
    }
    const at = this.#at - 4;
    this.#at = at;
    bytes[at] = (low & 0x7f) | 0x80;
    bytes[at + 1] = ((low >>> 7) & 0x7f) | 0x80;
    bytes[at + 2] = ((low >>> 14) & 0x7f) | 0x80;
    bytes[at + 3] = ((low >>> 21) & 0x7f) | 0x80;
  }

  /** Makes room for `length` bytes in front of those that are written. */
  #reserve(length: number): void {
    if (length > this.#at) this.#grow(length);
  }

  #grow(length: number): void {
    const written = this.mark();
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, written + length));
    larger.set(this.#bytes.subarray(this.#at), larger.length - written);
    this.#at = larger.length - written;
    this.#bytes = larger;
  }
}

function notA(kind: string, value: number): AssertionError {
  return new AssertionError(`assertion failed: ${value} is not a ${kind} integer`);
}
