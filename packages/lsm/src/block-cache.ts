// Pieces of tables that were read, within a bound of bytes: blocks of data, and pages of indexes and filters. Whoever asks for a piece
// finds it in a slot of its own, so a hit is an array access and setting a bit; the cache only decides who leaves: of the oldest those
// that were not used since they last came up ("second chance").
//
// Data and metadata stand in two lines. A page of an index leads to hundreds of blocks, and one of a filter spares thousands of keys the
// way to the disk, so data leaves first, until metadata takes more than its share.
//
// The bound is that of all memory for tables. A little of each stays as long as it is open (`pin`), and comes first. A piece that leaves gives its
// memory to the next one that is read, unless somebody still holds it: what is between the two is within the bound, too.
import { BlockMemory } from './block-memory.ts';

/** What a piece costs beside its bytes, about: the objects around it. */
const OVERHEAD_BYTES = 160;
const SLOT_BYTES = 8;
/** Of what is not pinned. */
const METADATA_SHARE = 0.75;
/** Of the bound, for memory that waits for the next reads: pieces come and go in bursts. */
const FREE_PART = 16;
const MAX_FREE_BYTES = 4 << 20;

export type Slots<Piece> = (Piece | undefined)[];

/** What can be in the cache. */
export class CachePiece {
  used = false;
  /** Pieces that are found through this one, and leave together with it. */
  children: Slots<CachePiece> | undefined;
  // The rest is the cache's.
  slots: Slots<CachePiece> | undefined;
  slot = 0;
  cost = 0;
  line: Line | undefined;
  older: CachePiece | undefined;
  newer: CachePiece | undefined;
  #holders = 0;
  #memory: Uint8Array | undefined;
  #source: BlockMemory | undefined;

  /** What its bytes take. */
  get memoryBytes(): number {
    return this.#memory?.length ?? 0;
  }

  /** Its bytes lie in `memory`, which goes back to `source` when the piece has left the cache and nobody holds it. */
  lieIn(memory: Uint8Array, source: BlockMemory): void {
    this.#memory = memory;
    this.#source = source;
  }

  /**
   * Its bytes stay what they are until `letGo`. Whoever looks at a piece only until the next one is read needs no hold: memory is not used
   * again before that.
   */
  hold(holders = 1): void {
    this.#holders += holders;
  }

  letGo(): void {
    this.#holders--;
    if (this.line === undefined) this.giveBack();
  }

  /** Gives its memory back unless it is held; it has left the cache, or never came there. */
  giveBack(): void {
    const memory = this.#memory;
    if (memory === undefined || this.#holders > 0) return;
    this.#memory = undefined;
    const source = this.#source as BlockMemory;
    source.give(memory);
    this.emptied(source);
  }

  /** Its memory was given back, so nobody looks at it any more. */
  protected emptied(_source: BlockMemory): void {}

  /** It takes so many bytes more; others may leave for them, or this one. */
  protected grow(bytes: number): void {
    if (this.line === undefined) return;
    this.cost += bytes;
    this.line.grow(bytes);
  }
}

/** Pieces in the order in which they came up last. */
class Line {
  byteLength = 0;
  oldest: CachePiece | undefined;
  #newest: CachePiece | undefined;
  readonly #onGrow: () => void;

  constructor(onGrow: () => void) {
    this.#onGrow = onGrow;
  }

  /** Its pieces take so many bytes more. */
  grow(bytes: number): void {
    this.byteLength += bytes;
    this.#onGrow();
  }

  append(piece: CachePiece): void {
    piece.older = this.#newest;
    piece.newer = undefined;
    if (this.#newest === undefined) this.oldest = piece;
    else this.#newest.newer = piece;
    this.#newest = piece;
  }

  unlink(piece: CachePiece): void {
    if (piece.older === undefined) this.oldest = piece.newer;
    else piece.older.newer = piece.newer;
    if (piece.newer === undefined) this.#newest = piece.older;
    else piece.newer.older = piece.older;
  }
}

export class BlockCache {
  readonly #maxBytes: number;
  readonly #data: Line = new Line(() => this.#shrink());
  readonly #metadata: Line = new Line(() => this.#shrink());
  #pinnedBytes = 0;
  /** For pieces that are read. */
  readonly memory: BlockMemory;

  constructor(maxBytes: number) {
    const freeBytes = Math.min(MAX_FREE_BYTES, Math.floor(maxBytes / FREE_PART));
    this.memory = new BlockMemory(freeBytes);
    this.#maxBytes = maxBytes - freeBytes;
  }

  /** What blocks of data take. */
  get dataBytes(): number {
    return this.#data.byteLength;
  }

  /** What indexes and filters take, pinned or not. */
  get metadataBytes(): number {
    return this.#metadata.byteLength + this.#pinnedBytes;
  }

  /** Takes memory that stays taken until `unpin`; pieces make room for it. */
  pin(bytes: number): void {
    this.#pinnedBytes += bytes;
    this.#shrink();
  }

  unpin(bytes: number): void {
    this.#pinnedBytes -= bytes;
  }

  /** Puts a page of an index or a filter, which takes `bytes`, into its slot; others may leave theirs, at the end this one too. */
  addMetadata(piece: CachePiece, slots: Slots<CachePiece>, slot: number, bytes: number): void {
    this.#add(this.#metadata, piece, slots, slot, bytes);
  }

  /** Puts a block of data into its slot at `parent`, of `count`, through which it is found; not if the parent itself has left. */
  addData(piece: CachePiece, parent: CachePiece, slot: number, count: number, bytes: number): void {
    if (parent.line === undefined) return;
    if (parent.children === undefined) {
      parent.children = new Array<CachePiece | undefined>(count).fill(undefined);
      parent.cost += count * SLOT_BYTES;
      parent.line.byteLength += count * SLOT_BYTES;
    }
    this.#add(this.#data, piece, parent.children, slot, bytes);
  }

  /** Empties the slots of a table that closes. */
  drop(slots: Slots<CachePiece>): void {
    for (const piece of slots) if (piece !== undefined) this.#remove(piece);
  }

  #add(line: Line, piece: CachePiece, slots: Slots<CachePiece>, slot: number, bytes: number): void {
    const before = slots[slot];
    if (before !== undefined) this.#remove(before);
    slots[slot] = piece;
    piece.slots = slots;
    piece.slot = slot;
    piece.cost = bytes + OVERHEAD_BYTES;
    piece.line = line;
    line.byteLength += piece.cost;
    line.append(piece);
    this.#shrink();
  }

  #shrink(): void {
    const room = this.#maxBytes - this.#pinnedBytes;
    while (this.#data.byteLength + this.#metadata.byteLength > room) {
      const isDataFirst = this.#data.oldest !== undefined && this.#metadata.byteLength <= room * METADATA_SHARE;
      const line = isDataFirst || this.#metadata.oldest === undefined ? this.#data : this.#metadata;
      const candidate = line.oldest;
      if (candidate === undefined) return;
      if (candidate.used) {
        candidate.used = false;
        line.unlink(candidate);
        line.append(candidate);
      } else this.#remove(candidate);
    }
  }

  #remove(piece: CachePiece): void {
    const line = piece.line as Line;
    if (piece.slots !== undefined) piece.slots[piece.slot] = undefined;
    piece.slots = undefined;
    piece.line = undefined;
    line.byteLength -= piece.cost;
    line.unlink(piece);
    if (piece.children !== undefined) this.drop(piece.children);
    piece.children = undefined;
    piece.giveBack();
  }
}
