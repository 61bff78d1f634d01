// Blocks for an iterator whose user may not wait for a slow disk. What memory lacks is read at once if it is likely in the host's page cache
// (disk-waits.ts); else the iterator is stopped where it is, by an exception, the bytes are brought into the page cache in the background, and the
// iterator goes there again. So nothing between here and the iterator knows of waiting, and a step that had to wait costs a second seek, which
// is little beside a disk.
//
// Who reads on gets more with each wait, as from the kernel: twice the bytes that it waited for before, up to `MOST_WARMED_BYTES`.
import type { Block } from './block.ts';
import type { DiskWaits } from './disk-waits.ts';
import type { BlockSource } from './run.ts';
import type { TableIndex } from './table-index.ts';
import { MOST_WARMED_BYTES, type Table } from './table.ts';

/** Waits in a row that brought the iterator no further: a page cache that holds nothing. Then it waits as others do. */
const MOST_IN_VAIN = 64;

/** What stops the iterator; there is one, since nobody needs to know where it was thrown. */
const MISSING = new Error('a block is not in memory');

/** Bytes of a table that were brought into the page cache. */
interface Warm {
  start: number;
  end: number;
  /** How many of them came last. */
  stretch: number;
}

interface Missing {
  readonly table: Table;
  readonly offset: number;
  readonly length: number;
}

export class PatientBlocks implements BlockSource {
  readonly #waits: DiskWaits;
  /** For the data of tables, and for their indexes: an iterator needs a place in both at the same time. */
  readonly #data = new Map<Table, Warm>();
  readonly #indexes = new Map<Table, Warm>();
  /** Undefined: what is missing is a turn of the event loop. */
  #missing: Missing | undefined;
  #inVain = 0;

  constructor(waits: DiskWaits) {
    this.#waits = waits;
  }

  index(table: Table, page: number): TableIndex {
    const cached = table.cachedIndex(page);
    if (cached !== undefined) {
      cached.hold();
      return cached;
    }
    const isTimed = this.#enter(this.#indexes, table, table.root.offset(page), table.root.byteLength(page));
    const index = table.indexSync(page, 1);
    if (isTimed) this.#waits.end();
    return index;
  }

  block(table: Table, page: TableIndex, place: number): Block {
    const cached = table.cachedBlock(page, place);
    if (cached !== undefined) {
      cached.hold();
      return cached;
    }
    const [offset, length] = [page.offset(place), page.byteLength(place)];
    const isTimed = this.#enter(this.#data, table, offset, length);
    const block = table.blockSync(page, place, offset, length, 1);
    if (isTimed) this.#waits.end();
    return block;
  }

  /** Whether `error` is what stopped the iterator. Then there is something to wait for. */
  isMissing(error: unknown): boolean {
    return error === MISSING;
  }

  /** The iterator has come further. */
  noteProgress(): void {
    this.#inVain = 0;
  }

  /** Resolves when the iterator is worth another try. What cannot be read is for that to find out. */
  arrival(): Promise<void> {
    this.#inVain++;
    return this.#missing === undefined ? this.#waits.nextTurn() : this.#missing.table.warm(this.#missing.offset, this.#missing.length);
  }

  /** Throws unless the bytes may be read at once; whether that is to be timed. */
  #enter(warmed: Map<Table, Warm>, table: Table, offset: number, length: number): boolean {
    const warm = warmed.get(table);
    if ((warm !== undefined && offset >= warm.start && offset + length <= warm.end) || this.#inVain > MOST_IN_VAIN) return false;
    const way = this.#waits.begin();
    if (way === 'now') return true;
    this.#missing = way === 'next-turn' ? undefined : stretchOf(warmed, table, warm, offset, length);
    throw MISSING;
  }
}

/** What to bring in so that `length` bytes at `offset` are there, which are warm from then on. */
function stretchOf(warmed: Map<Table, Warm>, table: Table, warm: Warm | undefined, offset: number, length: number): Missing {
  const end = offset + length;
  // Not quite adjacent: in between may be what memory had.
  if (warm !== undefined && offset >= warm.start && offset <= warm.end + warm.stretch) {
    warm.stretch = Math.max(length, Math.min(2 * warm.stretch, MOST_WARMED_BYTES));
    warm.end = offset + warm.stretch;
    return { table, offset, length: warm.stretch };
  }
  if (warm !== undefined && end <= warm.end && end >= warm.start - warm.stretch) {
    warm.stretch = Math.min(end, Math.max(length, Math.min(2 * warm.stretch, MOST_WARMED_BYTES)));
    warm.start = end - warm.stretch;
    return { table, offset: warm.start, length: warm.stretch };
  }
  warmed.set(table, { start: offset, end, stretch: length });
  return { table, offset, length };
}
