// Blocks that were read, within a bound of bytes. Each table keeps a slot per block, so a hit is an array access and
// setting a bit; the cache only decides who leaves: the oldest block, unless it was used since it last came up ("second chance").
//
// The bound is that of all memory for tables. Their indexes and filters cannot leave while a table is open, so they come first, and
// blocks get what is left.
import { Block } from './block-cursor.ts';

/** What a block costs beside its bytes, about: the objects around it. */
const OVERHEAD_BYTES = 160;

export type BlockSlots = (CachedBlock | undefined)[];

export class CachedBlock extends Block {
  readonly slots: BlockSlots;
  readonly slot: number;
  used = false;
  older: CachedBlock | undefined;
  newer: CachedBlock | undefined;

  constructor(payload: Uint8Array, path: string, offset: number, slots: BlockSlots, slot: number) {
    super(payload, path, offset);
    this.slots = slots;
    this.slot = slot;
  }
}

export class BlockCache {
  readonly #maxBytes: number;
  #byteLength = 0;
  #pinnedBytes = 0;
  #oldest: CachedBlock | undefined;
  #newest: CachedBlock | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What the blocks take. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** What the indexes and filters of open tables take. */
  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** Takes memory that stays taken until `unpin`; blocks make room for it. */
  pin(bytes: number): void {
    this.#pinnedBytes += bytes;
    this.#shrink();
  }

  unpin(bytes: number): void {
    this.#pinnedBytes -= bytes;
  }

  /** Puts a block into its slot; others may leave theirs, and at the end this one too if it is larger than the whole cache. */
  add(block: CachedBlock): void {
    const before = block.slots[block.slot];
    if (before !== undefined) this.#remove(before);
    block.slots[block.slot] = block;
    this.#byteLength += block.bytes.length + OVERHEAD_BYTES;
    this.#append(block);
    this.#shrink();
  }

  #shrink(): void {
    while (this.#byteLength + this.#pinnedBytes > this.#maxBytes && this.#oldest !== undefined) {
      const candidate = this.#oldest;
      if (candidate.used) {
        candidate.used = false;
        this.#unlink(candidate);
        this.#append(candidate);
      } else this.#remove(candidate);
    }
  }

  /** Empties the slots of a table that closes. */
  drop(slots: BlockSlots): void {
    for (const block of slots) if (block !== undefined) this.#remove(block);
  }

  #remove(block: CachedBlock): void {
    block.slots[block.slot] = undefined;
    this.#byteLength -= block.bytes.length + OVERHEAD_BYTES;
    this.#unlink(block);
  }

  #append(block: CachedBlock): void {
    block.older = this.#newest;
    block.newer = undefined;
    if (this.#newest === undefined) this.#oldest = block;
    else this.#newest.newer = block;
    this.#newest = block;
  }

  #unlink(block: CachedBlock): void {
    if (block.older === undefined) this.#oldest = block.newer;
    else block.older.newer = block.newer;
    if (block.newer === undefined) this.#newest = block.older;
    else block.newer.older = block.older;
  }
}
