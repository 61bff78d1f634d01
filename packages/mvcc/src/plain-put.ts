// A put as it lies in a request, or in the log. Nearly all commands are the put of a short key and a value, with nothing else said, and every member
// applies every one of them: so they are not decoded, but found by where their parts begin and end. A client's request goes into the log as it is,
// behind the byte for its kind; and what the log has is written to the store from where it lies.
import { EMPTY } from '@distrokv/base';
import { copyRange } from '@distrokv/lsm';

/** The kind byte of a put; see command.ts. */
export const PUT = 1;
const KEY_TAG = 10; // field 1, length-delimited
const VALUE_TAG = 18; // field 2, length-delimited
/** Where the key begins in a request. */
const KEY_AT = 2;
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
    return start < end && bytes[start] === PUT && this.readRequest(bytes, start + 1, end);
  }

  /** As `read`, of the request `bytes[start, end)`. */
  readRequest(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < 4 || bytes[start] !== KEY_TAG) return false;
    const keyLength = bytes[start + 1] as number;
    const keyStart = start + KEY_AT;
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

  /** Bytes of the command. */
  get byteLength(): number {
    return 1 + KEY_AT + this.valueEnd - this.keyStart;
  }

  /** Writes the command; returns the position after it. */
  writeTo(into: Uint8Array, at: number): number {
    into[at] = PUT;
    return copyRange(this.bytes, this.keyStart - KEY_AT, this.valueEnd, into, at + 1);
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
