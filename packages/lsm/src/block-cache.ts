// Pieces of tables that were read, within a bound of bytes: blocks of data, and pages of indexes and filters. Whoever asks for a page
// finds it in a slot of its own, and a block by its number among the children of its page: slots for all of them would take more than the index does,
// where the data is much larger than memory. So a hit is an access and setting a bit; the cache only decides who leaves: of the oldest those
// that were not used since they last came up ("second chance").
//
// Data and metadata stand in two lines. A page of an index leads to hundreds of blocks, and one of a filter spares thousands of keys the
// way to the disk, so data leaves first, until metadata takes more than its share.
//
// A block that would push out another has to be missed twice for it: most of what a scan reads, or a load much larger than the cache, is not asked for again
// before it would leave, so it would cost the block that it displaces and the work of coming and going, and serve nobody ("doorkeeper" of TinyLFU, Einziger,
// Friedman and Manes 2017). What was missed lately is known by two bytes each, about as many as there are blocks in the cache. Such a block *passes*: it is
// read, looked at, and its memory is the next one's.
//
// The bound is that of all memory for tables. A little of each stays as long as it is open (`pin`), and comes first. A piece that leaves gives its
// memory to the next one that is read, unless somebody still holds it: what is between the two is within the bound, too.
import { BlockMemory } from './block-memory.ts';

/** What a piece costs beside its bytes, about: the objects around it, and its place. */
const OVERHEAD_BYTES = 320;
/** Of what is not pinned. */
const METADATA_SHARE = 0.75;
/** Of the bound, for memory that waits for the next reads: pieces come and go in bursts. Of a small one more: some dozens of reads are under way at once. */
const FREE_PART = 16;
const BURST_BYTES = 256 << 10;
const BURST_PART = 4;
const MAX_FREE_BYTES = 4 << 20;
/** Of the bound, for each block whose miss is remembered; a power of two of them, whose place is 16 bits at most. */
const BYTES_A_MISS = 4096;
const MAX_MISSES = 1 << 16;

export type Slots<Piece> = (Piece | undefined)[];

/** What can be in the cache. */
export class CachePiece {
  used = false;
  /** Pieces that are found through this one, by their number, and leave together with it; undefined if there is none. */
  children: Map<number, CachePiece> | undefined;
  // The rest is the cache's. It is found in one of the two.
  slots: Slots<CachePiece> | undefined;
  parent: CachePiece | undefined;
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
    // Whoever still looks at a piece that has left must not keep those that came after it, each by the one before: nor must a piece that
    // only a slow collection would find.
    piece.older = piece.newer = undefined;
  }
}

export class BlockCache {
  readonly #maxBytes: number;
  readonly #data: Line = new Line(() => this.#shrink());
  readonly #metadata: Line = new Line(() => this.#shrink());
  #pinnedBytes = 0;
  /** The upper half of the name of a block that was missed lately, in the place that the lower half says. */
  readonly #missed: Uint16Array;
  /** The block that passed last. */
  #passing: CachePiece | undefined;
  /** For pieces that are read. */
  readonly memory: BlockMemory;

  constructor(maxBytes: number) {
    const burstBytes = Math.min(BURST_BYTES, maxBytes / BURST_PART);
    const freeBytes = Math.min(MAX_FREE_BYTES, Math.floor(Math.max(maxBytes / FREE_PART, burstBytes)));
    this.memory = new BlockMemory(freeBytes);
    const misses = Math.min(MAX_MISSES, 2 ** Math.ceil(Math.log2(Math.max(1, maxBytes / BYTES_A_MISS))));
    this.#missed = new Uint16Array(misses);
    this.#maxBytes = Math.max(0, maxBytes - freeBytes - this.#missed.byteLength);
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

  /** Whether so many bytes more of metadata would be within its share. */
  hasRoomForMetadata(bytes: number): boolean {
    return this.#metadata.byteLength + bytes <= this.#room * METADATA_SHARE;
  }

  /** Puts a page of an index or a filter, which takes `bytes`, into its slot; others may leave theirs, at the end this one too. */
  addMetadata(piece: CachePiece, slots: Slots<CachePiece>, slot: number, bytes: number): void {
    const before = slots[slot];
    if (before !== undefined) this.#remove(before);
    slots[slot] = piece;
    piece.slots = slots;
    this.#add(this.#metadata, piece, slot, bytes);
  }

  /**
   * Puts a block of data among the children of `parent`, through which it is found; not if the parent itself has left, or if another would have to leave
   * for it and it was not missed before. `name`: 32 bits that mean this block and hardly any other.
   */
  addData(piece: CachePiece, parent: CachePiece, slot: number, bytes: number, name: number): void {
    if (parent.line === undefined || !this.#isWelcome(bytes, name)) {
      this.#pass(piece);
      return;
    }
    const before = parent.children?.get(slot);
    if (before !== undefined) this.#remove(before);
    parent.children ??= new Map();
    parent.children.set(slot, piece);
    piece.parent = parent;
    this.#add(this.#data, piece, slot, bytes);
  }

  /** Empties the slots of a table that closes. */
  drop(slots: Slots<CachePiece>): void {
    for (const piece of slots) if (piece !== undefined) this.#remove(piece);
  }

  /** For what is not pinned. */
  get #room(): number {
    return this.#maxBytes - this.#pinnedBytes;
  }

  #isWelcome(bytes: number, name: number): boolean {
    if (this.#data.byteLength + this.#metadata.byteLength + bytes + OVERHEAD_BYTES <= this.#room) return true;
    const missed = this.#missed;
    const place = name & (missed.length - 1);
    const rest = name >>> 16 || 1;
    const isSecond = missed[place] === rest;
    missed[place] = isSecond ? 0 : rest;
    return isSecond;
  }

  /** A block that is looked at and not kept: it gives its memory back when the next one passes, or whoever holds it lets go. */
  #pass(piece: CachePiece): void {
    const before = this.#passing;
    this.#passing = piece;
    // The object of one that was given back before may be another block by now, in the cache.
    if (before !== undefined && before !== piece && before.line === undefined) before.giveBack();
  }

  #add(line: Line, piece: CachePiece, slot: number, bytes: number): void {
    piece.slot = slot;
    piece.cost = bytes + OVERHEAD_BYTES;
    piece.line = line;
    line.byteLength += piece.cost;
    line.append(piece);
    this.#shrink();
  }

  #shrink(): void {
    const room = this.#room;
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
    const { parent } = piece;
    if (parent?.children !== undefined) {
      parent.children.delete(piece.slot);
      if (parent.children.size === 0) parent.children = undefined;
    }
    piece.parent = undefined;
    piece.line = undefined;
    line.byteLength -= piece.cost;
    line.unlink(piece);
    if (piece.children !== undefined) for (const child of piece.children.values()) this.#remove(child);
    piece.giveBack();
  }
}
