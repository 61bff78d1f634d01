// A block in memory: its bytes as they were read, and from its second search on the *heads* of its entries.
//
// A search without heads goes from restart to restart and then from entry to entry, and touches the block in a dozen places that are
// far from each other for a processor. The heads lie together: one number for each entry, of the first bytes in which its key may differ
// from the others of the block, and of where the entry lies. A search looks at a few of them and mostly goes to the right entry at
// once. They take a tenth of the block, so blocks that are searched once get none.
import { CachePiece } from './block-cache.ts';
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
  readonly bytes: Uint8Array;
  /** Where the entries end and the restarts begin. */
  readonly restartsAt: number;
  readonly restartCount: number;
  /** It was searched before. */
  isSearched = false;
  /** How many heads there are. */
  entries = 0;
  /** The beginning that all keys share, in pieces; then the numbers of the entries. */
  #heads: Float64Array | undefined;
  #prefix = 0;
  #pieces = 0;
  readonly #path: string;
  readonly #offset: number;

  /** Throws LsmError `corrupt` if the restarts are none. */
  constructor(bytes: Uint8Array, path: string, offset: number) {
    super();
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
    return this.#heads !== undefined;
  }

  /** Makes room for heads; all of the keys begin like `first`, for `prefix` bytes. */
  startHeads(first: Uint8Array, prefix: number, entries: number): void {
    const pieces = Math.ceil(prefix / PIECE_BYTES);
    const heads = new Float64Array(pieces + entries);
    for (let i = 0; i < pieces; i++) heads[i] = pieceOf(first, i, prefix);
    this.#heads = heads;
    this.#prefix = prefix;
    this.#pieces = pieces;
    this.entries = entries;
    this.grow(heads.byteLength + ARRAY_BYTES);
  }

  /** Notes the head of an entry, which lies at `offset`. */
  setHead(entry: number, key: Uint8Array, keyEnd: number, offset: number): void {
    (this.#heads as Float64Array)[this.#pieces + entry] = this.#headOf(key, keyEnd) + offset;
  }

  /** The first entry that may lie at or after the key: those before it do not. −1 where the heads do not tell, or are not there. */
  placeOf(key: Uint8Array, keyEnd: number): number {
    const heads = this.#heads;
    const prefix = this.#prefix;
    if (heads === undefined || keyEnd < prefix) return -1;
    const pieces = this.#pieces;
    for (let i = 0; i < pieces; i++) if (heads[i] !== pieceOf(key, i, prefix)) return -1;
    const head = this.#headOf(key, keyEnd);
    let low = pieces;
    let high = heads.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((heads[middle] as number) < head) low = middle + 1;
      else high = middle;
    }
    const many = low + MANY_EQUAL;
    return many < heads.length && (heads[many] as number) < head + OFFSETS ? -1 : low - pieces;
  }

  /** Where an entry lies, by its head. */
  entryAt(entry: number): number {
    const number = (this.#heads as Float64Array)[this.#pieces + entry] as number;
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

/** Piece `i` of the first `prefix` bytes of a key that is no shorter. */
function pieceOf(key: Uint8Array, i: number, prefix: number): number {
  const at = i * PIECE_BYTES;
  return headOf(key, at, at + PIECE_BYTES < prefix ? at + PIECE_BYTES : prefix);
}
