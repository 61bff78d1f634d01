// Feeds a merge with blocks, a stretch of each input at a time. `fill` reads them in the background between two slices, so that the
// slice itself hardly ever waits for the disk; a thread that has nothing else to do just waits. Nothing goes through the cache, which belongs
// to the readers.
import type { Block } from './block.ts';
import type { BlockSource } from './run.ts';
import type { TableIndex } from './table-index.ts';
import type { Table } from './table.ts';

const STRETCH_BYTES = 256 << 10;

/** Bytes of the data of a table. Where the thread may wait they lie in the memory of the stretch before: a merge has done with it when it goes on. */
interface Stretch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** How far a merge has come in a table: to this offset, where a block of at least so many bytes follows. */
interface Reached {
  readonly offset: number;
  readonly atLeast: number;
}

export class ReadAhead implements BlockSource {
  readonly #stretches = new Map<Table, Stretch>();
  readonly #reached = new Map<Table, Reached>();
  readonly #mayWait: boolean;

  /** `mayWait`: this thread may wait for the disk, and `fill` is not needed. */
  constructor(mayWait: boolean) {
    this.#mayWait = mayWait;
  }

  /** Reads what comes next in every table that the merge has reached. */
  async fill(): Promise<void> {
    for (const [table, { offset, atLeast }] of this.#reached) {
      if (offset >= table.dataBytes) {
        this.#reached.delete(table);
        continue;
      }
      const stretch = this.#stretches.get(table);
      // Half of the stretch is still ahead: enough for the next slice.
      if (stretch !== undefined && offset >= stretch.offset && offset - stretch.offset < stretch.bytes.length / 2) continue;
      this.#stretches.set(table, { offset, bytes: await table.readData(offset, stretchFrom(table, offset, atLeast)) });
    }
  }

  index(table: Table, page: number): TableIndex {
    return table.readIndexSync(page);
  }

  block(table: Table, page: TableIndex, block: number): Block {
    const offset = page.offset(block);
    const length = page.byteLength(block);
    const end = offset + length;
    if (!this.#mayWait) this.#reached.set(table, { offset: end, atLeast: block + 1 < page.count ? page.byteLength(block + 1) : 0 });
    let stretch = this.#stretches.get(table);
    if (stretch === undefined || offset < stretch.offset || end > stretch.offset + stretch.bytes.length) {
      if (!this.#mayWait) return table.readBlockSync(offset, length);
      stretch = { offset, bytes: table.readDataSync(offset, stretchFrom(table, offset, length), stretch?.bytes) };
      this.#stretches.set(table, stretch);
    }
    if (end === table.dataBytes) this.#stretches.delete(table);
    const at = offset - stretch.offset;
    return table.decodeBlock(stretch.bytes.subarray(at, at + length), offset);
  }
}

/** The length of a stretch from `offset` on. */
function stretchFrom({ dataBytes }: Table, offset: number, atLeast: number): number {
  return Math.min(Math.max(STRETCH_BYTES, atLeast), dataBytes - offset);
}
