// A block in memory: its bytes as they were read, and from its second search on the *heads* of its entries.
//
// A search without heads goes from restart to restart and then from entry to entry, and touches the block in a dozen places that are
// far from each other for a processor. The heads lie together: one number for each entry, of the first bytes in which its key may differ
// from the others of the block, and of where the entry lies. A search looks at a few of them and mostly goes to the right entry at
// once. They take a tenth of the block, so blocks that are searched once get none.
import { EMPTY } from '@distrokv/base';
import { CachePiece } from './block-cache.ts';
import type { BlockMemory } from './block-memory.ts';
import { type LsmError, corrupt } from './errors.ts';
import { headOf } from './memtable-view.ts';
import { readUint32 } from './ranges.ts';

/** A head and the offset of its entry are one number, head × 2²⁰ + offset: such numbers compare as the heads do. */
const OFFSETS = 2 ** 20;
/** A larger block gets no heads. */
export const MAX_HEADED_BYTES: number = OFFSETS;
/** Bytes in a head: with the offset, what a double keeps exactly. */
const HEAD_BYTES = 4;
/** Bytes of the beginning that all keys share which make one number. */
const PIECE_BYTES = 6;
/** What the array costs beside its numbers, about. */
const ARRAY_BYTES = 200;
/** So many entries with the same head are better searched from restart to restart. */
const MANY_EQUAL = 16;

/** A block in memory, with its place for messages. */
export class Block extends CachePiece {
  /** The payload, and maybe more behind it. */
  bytes: Uint8Array = EMPTY;
  /** Where the entries end and the restarts begin. */
  restartsAt = 0;
  restartCount = 0;
  /** It was searched before. */
  isSearched = false;
  /** How many heads there are. */
  entries = 0;
  /** The beginning that all keys share, in pieces; then the numbers of the entries. It may be longer, and of a block that was here before. */
  #heads: Float64Array = NO_HEADS;
  /** Where the numbers end; 0: there are none. */
  #headsEnd = 0;
  #prefix = 0;
  #pieces = 0;
  #path = '';
  #offset = 0;

  /** Of `bytes[0, length)`. Throws LsmError `corrupt` if the restarts are none. */
  static of(bytes: Uint8Array, path: string, offset: number, length: number = bytes.length): Block {
    return new Block().fill(bytes, path, offset, length);
  }

  /** Makes it the block `bytes[0, length)`, whatever it was before. Throws LsmError `corrupt` if the restarts are none. */
  fill(bytes: Uint8Array, path: string, offset: number, length: number): this {
    this.used = false;
    this.isSearched = false;
    this.entries = 0;
    this.#headsEnd = 0;
    this.bytes = bytes;
    this.#path = path;
    this.#offset = offset;
    const count = length < 4 ? 0 : readUint32(bytes, length - 4);
    this.restartCount = count;
    this.restartsAt = length - 4 - count * 4;
    if (count === 0 || this.restartsAt <= 0) throw this.corruptAt(length, `a block with ${count} restarts`);
    for (let i = 0, before = -1; i < count; i++) {
      const restart = this.restart(i);
      if (restart <= before || restart >= this.restartsAt || (i === 0 && restart !== 0))
        throw this.corruptAt(restart, 'a restart out of order');
      before = restart;
    }
    return this;
  }

  protected override emptied(source: BlockMemory): void {
    source.giveBlock(this);
  }

  restart(index: number): number {
    return readUint32(this.bytes, this.restartsAt + index * 4);
  }

  /** The last restart before byte `at`, which lies behind the first. */
  restartBefore(at: number): number {
    let low = 0;
    let high = this.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.restart(middle) < at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  corruptAt(at: number, what: string): LsmError {
    return corrupt(this.#path, this.#offset + at, what);
  }

  get hasHeads(): boolean {
    return this.#headsEnd > 0;
  }

  override get memoryBytes(): number {
    return super.memoryBytes + bytesOf(this.#heads);
  }

  /** Makes room for heads; all of the keys begin like `first`, for `prefix` bytes. */
  startHeads(first: Uint8Array, prefix: number, entries: number): void {
    const pieces = Math.ceil(prefix / PIECE_BYTES);
    const end = pieces + entries;
    const before = this.#heads;
    const heads = before.length < end ? new Float64Array(end) : before;
    for (let i = 0; i < pieces; i++) heads[i] = pieceOf(first, i, prefix);
    this.#heads = heads;
    this.#headsEnd = end;
    this.#prefix = prefix;
    this.#pieces = pieces;
    this.entries = entries;
    if (heads !== before) this.grow(bytesOf(heads) - bytesOf(before));
  }

  /** Notes the head of an entry, which lies at `offset`. */
  setHead(entry: number, key: Uint8Array, keyEnd: number, offset: number): void {
    this.#heads[this.#pieces + entry] = this.#headOf(key, keyEnd) + offset;
  }

  /** The first entry that may lie at or after the key: those before it do not. −1 where the heads do not tell, or are not there. */
  placeOf(key: Uint8Array, keyEnd: number): number {
    const heads = this.#heads;
    const prefix = this.#prefix;
    const end = this.#headsEnd;
    if (end === 0 || keyEnd < prefix) return -1;
    const pieces = this.#pieces;
    for (let i = 0; i < pieces; i++) if (heads[i] !== pieceOf(key, i, prefix)) return -1;
    const head = this.#headOf(key, keyEnd);
    let low = pieces;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((heads[middle] as number) < head) low = middle + 1;
      else high = middle;
    }
    const many = low + MANY_EQUAL;
    return many < end && (heads[many] as number) < head + OFFSETS ? -1 : low - pieces;
  }

  /** Where an entry lies, by its head. */
  entryAt(entry: number): number {
    const number = this.#heads[this.#pieces + entry] as number;
    // Not `%`, which is a call.
    return number - Math.floor(number / OFFSETS) * OFFSETS;
  }

  /** The head of a key that begins like all keys of the block, as the number of an entry at offset 0. */
  #headOf(key: Uint8Array, keyEnd: number): number {
    const at = this.#prefix;
    if (at + HEAD_BYTES > keyEnd) return Math.floor(headOf(key, at, keyEnd) / 2 ** 16) * OFFSETS;
    const low = ((key[at + 1] as number) << 16) | ((key[at + 2] as number) << 8) | (key[at + 3] as number);
    return ((key[at] as number) * 2 ** 24 + low) * OFFSETS;
  }
}

const NO_HEADS = new Float64Array(0);

/** What heads take, about. */
function bytesOf(heads: Float64Array): number {
  return heads.length === 0 ? 0 : heads.byteLength + ARRAY_BYTES;
}

/** Piece `i` of the first `prefix` bytes of a key that is no shorter. */
function pieceOf(key: Uint8Array, i: number, prefix: number): number {
  const at = i * PIECE_BYTES;
  return headOf(key, at, at + PIECE_BYTES < prefix ? at + PIECE_BYTES : prefix);
}
