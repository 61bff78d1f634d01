// Unsigned LEB128, as protobuf and LevelDB write it: seven bits a byte, low bits first, the high bit says "more".
// Here for safe integers (below 2^53, at most 8 bytes); 64-bit fields of protobuf have their own codec in `proto`.
import { assert } from './assert.ts';

/** The longest varint of a safe integer, in bytes. */
export const MAX_VARINT_BYTES = 8;
/** What so many bytes hold fits into 31 bits. */
const SHORT_BYTES = 4;

export function varintLength(n: number): number {
  let length = 1;
  while (n >= 0x80) {
    n = Math.floor(n / 0x80);
    length++;
  }
  return length;
}

/** Writes `n` at `at`; returns the position after it. The caller has made sure that there is room. */
export function writeVarint(into: Uint8Array, at: number, n: number): number {
  // Most fit into one byte, and this is called four times for each entry of a table.
  if ((n & 0x7f) === n) {
    into[at] = n;
    return at + 1;
  }
  assert(Number.isSafeInteger(n) && n >= 0, 'a varint holds a safe natural number');
  while (n > 0x7fffffff) {
    into[at++] = (n % 0x80) | 0x80;
    n = Math.floor(n / 0x80);
  }
  while (n > 0x7f) {
    into[at++] = (n & 0x7f) | 0x80;
    n >>>= 7;
  }
  into[at++] = n;
  return at;
}

/**
 * Reads varints one after the other. Bytes come from a disk or a peer, so nothing is trusted: a varint that is
 * cut off, or larger than a safe integer, sets `ok` to false and reads as 0; check `ok` once after a record.
 */
export class VarintReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  ok = true;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  varint(): number {
    // Nearly all are short: small integers as they are, and V8 makes no object for one.
    let value = 0;
    for (let i = 0, at = this.at; i < SHORT_BYTES && at < this.end; i++) {
      const byte = this.bytes[at++] as number;
      value |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      this.at = at;
      return value;
    }
    return this.#longVarint();
  }

  #longVarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES && this.at < this.end; i++) {
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    this.ok = false;
    return 0;
  }

  /** A view of the next `length` bytes; an empty one, and `ok` false, if there are fewer. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at) {
      this.ok = false;
      return this.bytes.subarray(0, 0);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Passes the next `length` bytes; `ok` is false if there are fewer. */
  skip(length: number): void {
    if (length > this.end - this.at) this.ok = false;
    else this.at += length;
  }

  get done(): boolean {
    return this.at >= this.end || !this.ok;
  }
}
