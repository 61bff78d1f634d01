// Memory for what is read from tables, used again and again. A store that is larger than its cache reads a block and lets go of one all the
// time. Left to the collector, blocks that were let go of would lie about until it comes: as much memory again as the cache has, and an
// allocation, which costs as much as the read, for each. So a block that leaves gives its memory to the next that is read.
//
// Lengths are rounded up to sizes that are at most a sixteenth apart (256 bytes for small ones), and each size has a list of what is free. What
// more than `maxFreeBytes` would lie in those is for the collector, as everything large is. The object that stood for the block is used again, too:
// it has lived so long that only the slowest kind of collection would find it.
//
// Whoever gives memory back must be the last to look at it: see `CachePiece.hold`.

import type { Block } from './block.ts';

/** Sizes are multiples of this. */
const STEP_BYTES = 256;
/** Up to here, they are all of them. */
const SMALL_BYTES = 32 * STEP_BYTES;
/** Nothing larger is used again. */
const MAX_BYTES = 1 << 20;
/** Objects that are kept. */
const MAX_BLOCKS = 1024;

export class BlockMemory {
  readonly #maxFreeBytes: number;
  /** By size. */
  readonly #free = new Map<number, Uint8Array[]>();
  #freeBytes = 0;
  readonly #blocks: Block[] = [];

  constructor(maxFreeBytes: number) {
    this.#maxFreeBytes = maxFreeBytes;
  }

  /** What is kept for the next reads. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  /** Memory for `length` bytes, or somewhat more; what is in it is anything. */
  take(length: number): Uint8Array {
    if (length > MAX_BYTES) return new Uint8Array(length);
    const size = sizeFor(length);
    const memory = this.#free.get(size)?.pop();
    if (memory === undefined) return new Uint8Array(size);
    this.#freeBytes -= size;
    return memory;
  }

  /** Takes back what `take` returned. */
  give(memory: Uint8Array): void {
    const size = memory.length;
    if (size > MAX_BYTES || this.#freeBytes + size > this.#maxFreeBytes) return;
    this.#freeBytes += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [memory]);
    else free.push(memory);
  }

  /** A block that is none any more, to be filled. */
  takeBlock(): Block | undefined {
    return this.#blocks.pop();
  }

  giveBlock(block: Block): void {
    if (this.#blocks.length < MAX_BLOCKS) this.#blocks.push(block);
  }
}

function sizeFor(length: number): number {
  const step = length <= SMALL_BYTES ? STEP_BYTES : 1 << (27 - Math.clz32(length - 1));
  return Math.ceil(length / step) * step;
}
