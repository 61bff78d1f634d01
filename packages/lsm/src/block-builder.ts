// Packs entries into a block. Neighbouring keys start alike, so each entry stores only what differs from the one before;
// every 16th starts afresh (a *restart*), and a list of the restarts at the end makes the block searchable:
//
//   entry    shared varint | unshared varint | version varint | (value length × 2 + tombstone) varint | key rest | value
//   block    entries | offset of each restart, uint32 | number of restarts, uint32
//
// The format in full: docs/format/lsm.md.
import { MAX_VARINT_BYTES, assert, writeVarint } from '@distrokv/base';
import type { Cursor } from './cursor.ts';
import { commonPrefix, copyRange, grown, writeUint32 } from './ranges.ts';

const RESTART_INTERVAL = 16;

export class BlockBuilder {
  #bytes: Uint8Array;
  #length = 0;
  #sinceRestart = 0;
  readonly #restarts: number[] = [];
  #lastKey: Uint8Array = new Uint8Array(64);
  #lastKeyLength = 0;
  #lastVersion = 0;
  entries = 0;

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes + 1024);
  }

  /** Bytes so far, the restarts included. */
  get byteLength(): number {
    return this.#length + this.#restarts.length * 4 + 4;
  }

  /** The last key added, and its version. */
  get lastKey(): Uint8Array {
    return this.#lastKey.subarray(0, this.#lastKeyLength);
  }

  get lastVersion(): number {
    return this.#lastVersion;
  }

  /** Adds the entry that `cursor` stands on; it lies after all before it. Returns whether its key is another than the last one's. */
  add(cursor: Cursor): boolean {
    const { keyBytes, keyStart, keyEnd, valueStart, valueEnd } = cursor;
    const keyLength = keyEnd - keyStart;
    const common = commonPrefix(keyBytes, keyStart, keyEnd, this.#lastKey, 0, this.#lastKeyLength);
    const isNewKey = common < keyLength || keyLength !== this.#lastKeyLength;
    assert(this.#isAfterLast(cursor, common), 'the entries of a table rise');
    let shared = common;
    if (this.entries === 0 || this.#sinceRestart === RESTART_INTERVAL) {
      this.#restarts.push(this.#length);
      this.#sinceRestart = 0;
      shared = 0;
    }
    this.#bytes = grown(this.#bytes, this.#length, this.#length + 4 * MAX_VARINT_BYTES + keyLength - shared + valueEnd - valueStart);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#length, shared);
    at = writeVarint(bytes, at, keyLength - shared);
    at = writeVarint(bytes, at, cursor.version);
    at = writeVarint(bytes, at, (valueEnd - valueStart) * 2 + (cursor.tombstone ? 1 : 0));
    at = copyRange(keyBytes, keyStart + shared, keyEnd, bytes, at);
    this.#length = copyRange(cursor.valueBytes, valueStart, valueEnd, bytes, at);
    this.#lastKey = grown(this.#lastKey, common, keyLength);
    copyRange(keyBytes, keyStart + common, keyEnd, this.#lastKey, common);
    this.#lastKeyLength = keyLength;
    this.#lastVersion = cursor.version;
    this.#sinceRestart++;
    this.entries++;
    return isNewKey;
  }

  /** Whether the entry, whose key has `common` bytes in common with the last one's, lies after it. */
  #isAfterLast({ keyBytes, keyStart, keyEnd, version }: Cursor, common: number): boolean {
    const isAtEnd = keyStart + common === keyEnd;
    if (common === this.#lastKeyLength) return !isAtEnd || this.#lastKeyLength === 0 || version < this.#lastVersion;
    return !isAtEnd && (keyBytes[keyStart + common] as number) > (this.#lastKey[common] as number);
  }

  /** The finished block, good until the next `add`; the builder starts over, but remembers the last key. */
  finish(): Uint8Array {
    this.#bytes = grown(this.#bytes, this.#length, this.byteLength);
    let at = this.#length;
    for (const restart of this.#restarts) at = writeUint32(this.#bytes, at, restart);
    at = writeUint32(this.#bytes, at, this.#restarts.length);
    this.#length = 0;
    this.#restarts.length = 0;
    this.#sinceRestart = 0;
    this.entries = 0;
    return this.#bytes.subarray(0, at);
  }
}
