// Reads a block: the other half of block-builder.ts. A block has passed its checksum when it comes here, but its bytes
// still come from a disk: every length is checked before it is used, and what does not add up is reported, not read.
import type { Cursor } from './cursor.ts';
import { type LsmError, corrupt } from './errors.ts';
import { compareRanges, copyRange, grown, readUint32 } from './ranges.ts';

/** A block in memory, with its place for messages. */
export class Block {
  readonly bytes: Uint8Array;
  /** Where the entries end and the restarts begin. */
  readonly restartsAt: number;
  readonly restartCount: number;
  readonly #path: string;
  readonly #offset: number;

  /** Throws LsmError `corrupt` if the restarts are none. */
  constructor(bytes: Uint8Array, path: string, offset: number) {
    this.bytes = bytes;
    this.#path = path;
    this.#offset = offset;
    const count = bytes.length < 4 ? 0 : readUint32(bytes, bytes.length - 4);
    this.restartCount = count;
    this.restartsAt = bytes.length - 4 - count * 4;
    if (count === 0 || this.restartsAt <= 0) throw this.corruptAt(bytes.length, `a block with ${count} restarts`);
    for (let i = 0, before = -1; i < count; i++) {
      const restart = this.restart(i);
      if (restart <= before || restart >= this.restartsAt || (i === 0 && restart !== 0))
        throw this.corruptAt(restart, 'a restart out of order');
      before = restart;
    }
  }

  restart(index: number): number {
    return readUint32(this.bytes, this.restartsAt + index * 4);
  }

  corruptAt(at: number, what: string): LsmError {
    return corrupt(this.#path, this.#offset + at, what);
  }
}

type EntryFields = Omit<Cursor, 'seek' | 'seekBefore' | 'next' | 'prev'>;

/** Walks one block. Table cursors build on it and carry it from block to block. */
export class BlockCursor implements EntryFields {
  valid = false;
  keyBytes: Uint8Array = new Uint8Array(64);
  readonly keyStart: number = 0;
  keyEnd = 0;
  version = 0;
  tombstone = false;
  valueBytes: Uint8Array = this.keyBytes;
  valueStart = 0;
  valueEnd = 0;
  #block: Block | undefined;
  /** Where the current entry begins. */
  #entryAt = 0;
  #varintAt = 0;

  /** To the first entry of `block` at or after (key, version); not valid if there is none. */
  seekInBlock(block: Block, key: Uint8Array, keyEnd: number, version: number): void {
    this.#block = block;
    this.valueBytes = block.bytes;
    // The last restart before the target; the target, if it is here, lies in its run.
    let low = 0;
    let high = block.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      this.#readAt(block.restart(middle));
      if (this.#isBefore(key, keyEnd, version)) low = middle;
      else high = middle - 1;
    }
    this.#readAt(block.restart(low));
    while (this.valid && this.#isBefore(key, keyEnd, version)) this.nextInBlock();
  }

  firstInBlock(block: Block): void {
    this.#block = block;
    this.valueBytes = block.bytes;
    this.#readAt(0);
  }

  lastInBlock(block: Block): void {
    this.#block = block;
    this.valueBytes = block.bytes;
    this.#walkTo(block.restart(block.restartCount - 1), block.restartsAt);
  }

  nextInBlock(): void {
    this.#readAt(this.valueEnd);
  }

  prevInBlock(): void {
    const target = this.#entryAt;
    const block = this.#block;
    if (target === 0 || block === undefined) {
      this.valid = false;
      return;
    }
    let low = 0;
    let high = block.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (block.restart(middle) < target) low = middle;
      else high = middle - 1;
    }
    this.#walkTo(block.restart(low), target);
  }

  /** To the entry that ends at `end`, from a restart before it. */
  #walkTo(restart: number, end: number): void {
    this.#readAt(restart);
    while (this.valid && this.valueEnd < end) this.nextInBlock();
  }

  #isBefore(key: Uint8Array, keyEnd: number, version: number): boolean {
    const c = compareRanges(this.keyBytes, 0, this.keyEnd, key, 0, keyEnd);
    return c < 0 || (c === 0 && this.version > version);
  }

  /** Reads the entry at `at`; what its key shares is there from the entry before it, and nothing is shared at a restart. */
  #readAt(at: number): void {
    const block = this.#block as Block;
    this.#entryAt = at;
    this.valid = at < block.restartsAt;
    if (!this.valid) return;
    const bytes = block.bytes;
    this.#varintAt = at;
    const shared = this.#varint(bytes);
    const unshared = this.#varint(bytes);
    this.version = this.#varint(bytes);
    const valueAndKind = this.#varint(bytes);
    const keyAt = this.#varintAt;
    const valueLength = Math.floor(valueAndKind / 2);
    if (
      shared > this.keyEnd ||
      unshared > block.restartsAt - keyAt ||
      valueLength > block.restartsAt - keyAt - unshared ||
      shared + unshared === 0
    ) {
      this.valid = false;
      throw block.corruptAt(at, 'an entry that does not fit its block');
    }
    this.keyEnd = shared + unshared;
    this.keyBytes = grown(this.keyBytes, shared, this.keyEnd);
    copyRange(bytes, keyAt, keyAt + unshared, this.keyBytes, shared);
    this.tombstone = (valueAndKind & 1) === 1;
    this.valueStart = keyAt + unshared;
    this.valueEnd = this.valueStart + valueLength;
  }

  #varint(bytes: Uint8Array): number {
    let byte = bytes[this.#varintAt++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    // Eight bytes hold 56 bits: more than a safe integer, so the length checks see whatever comes out.
    for (let scale = 0x80, i = 1; i < 8; i++, scale *= 0x80) {
      byte = bytes[this.#varintAt++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw (this.#block as Block).corruptAt(this.#varintAt, 'a number without an end');
  }
}
