// A put as it lies in the log. Nearly all commands are the put of a short key and a value, with nothing else said, and every member applies every
// one of them: so they are not decoded into a request, but found by where their parts begin and end, and written to the store from there.
import { EMPTY } from '@distrokv/base';

/** The kind byte of a put; see command.ts. */
export const PUT = 1;
const KEY_TAG = 10; // field 1, length-delimited
const VALUE_TAG = 18; // field 2, length-delimited
/** Up to here V8 has the bytes of a copy in its heap, and a loop copies them faster than a call. */
const MAX_KEY_BYTES = 64;
/** Three bytes of a varint. */
const MAX_VALUE_BYTES = 1 << 21;

/** One is used again and again: what it stands for is good until the next `read`. */
export class PlainPut {
  bytes: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;

  /** Takes up the command `bytes[start, end)`; false if it is not of this form. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 5 || bytes[start] !== PUT || bytes[start + 1] !== KEY_TAG) return false;
    const keyLength = bytes[start + 2] as number;
    const keyStart = start + 3;
    const keyEnd = keyStart + keyLength;
    if (keyLength > MAX_KEY_BYTES || keyEnd + 2 > end || bytes[keyEnd] !== VALUE_TAG) return false;
    let valueLength = bytes[keyEnd + 1] as number;
    let at = keyEnd + 2;
    for (let shift = 7; valueLength >= 1 << shift && shift <= 21; shift += 7) {
      if (at === end) return false;
      valueLength += ((bytes[at++] as number) << shift) - (1 << shift);
    }
    if (valueLength >= MAX_VALUE_BYTES || at + valueLength !== end) return false;
    this.bytes = bytes;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.valueStart = at;
    this.valueEnd = end;
    return true;
  }

  /** A copy. */
  key(): Uint8Array {
    const { bytes, keyStart } = this;
    const key = new Uint8Array(this.keyEnd - keyStart);
    for (let i = 0; i < key.length; i++) key[i] = bytes[keyStart + i] as number;
    return key;
  }

  /** A view. */
  value(): Uint8Array {
    const { bytes, valueStart, valueEnd } = this;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + valueStart, valueEnd - valueStart);
  }
}
