// Feeds a merge with blocks, a stretch of each input at a time. `fill` reads them in the background between two slices, so that the
// slice itself hardly ever waits for the disk; a thread that has nothing else to do just waits. Nothing goes through the cache, which belongs
// to the readers.
import type { Block } from './block-cursor.ts';
import type { BlockSource } from './run.ts';
import type { Table } from './table.ts';

const STRETCH_BYTES = 256 << 10;

interface Stretch {
  readonly first: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

export class ReadAhead implements BlockSource {
  readonly #stretches = new Map<Table, Stretch>();
  /** The block of each table that was asked for last. */
  readonly #reached = new Map<Table, number>();
  readonly #mayWait: boolean;

  /** `mayWait`: this thread may wait for the disk, and `fill` is not needed. */
  constructor(mayWait: boolean) {
    this.#mayWait = mayWait;
  }

  /** Reads what comes next in every table that the merge has reached. */
  async fill(): Promise<void> {
    for (const [table, reached] of this.#reached) {
      const stretch = this.#stretches.get(table);
      const first = reached + 1;
      if (first >= table.index.blocks) {
        this.#reached.delete(table);
        continue;
      }
      // Half of the stretch is still ahead: enough for the next slice.
      if (stretch !== undefined && first < stretch.first + (stretch.end - stretch.first) / 2) continue;
      this.#stretches.set(table, await readStretch(table, first));
    }
  }

  block(table: Table, index: number): Block {
    let stretch = this.#stretches.get(table);
    if (!this.#mayWait) this.#reached.set(table, index);
    if (stretch === undefined || index < stretch.first || index >= stretch.end) {
      if (!this.#mayWait) return table.blockSync(index);
      const end = endOfStretch(table, index);
      stretch = { first: index, end, bytes: table.readBlocksSync(index, end) };
      this.#stretches.set(table, stretch);
    }
    const at = table.index.offset(index) - table.index.offset(stretch.first);
    const block = table.decodeBlock(stretch.bytes.subarray(at, at + table.index.byteLength(index)), index);
    if (index === table.index.blocks - 1) this.#stretches.delete(table);
    return block;
  }
}

async function readStretch(table: Table, first: number): Promise<Stretch> {
  const end = endOfStretch(table, first);
  return { first, end, bytes: await table.readBlocks(first, end) };
}

/** The block behind the stretch that begins with block `first`. */
function endOfStretch({ index }: Table, first: number): number {
  let end = first + 1;
  while (end < index.blocks && index.offset(end + 1) - index.offset(first) <= STRETCH_BYTES) end++;
  return end;
}
