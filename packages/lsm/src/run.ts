// A run: tables that follow each other without overlap, which is what one flush made, or a whole level below level 0.
// Its cursor walks from block to block and from table to table as if the run were one sorted array.
import { assert, compareBytes } from '@distrokv/base';
import { BlockCursor } from './block-cursor.ts';
import type { Block } from './block.ts';
import type { Cursor } from './cursor.ts';
import { headOf } from './memtable-view.ts';
import { commonPrefix, compareRanges } from './ranges.ts';
import type { TableIndex } from './table-index.ts';
import type { Table } from './table.ts';

export class Run {
  readonly level: number;
  /** In level 0 it rises with time: the run with the higher number holds the later writes. Elsewhere 0. */
  readonly number: number;
  /** In the order of their keys; one at least. */
  readonly tables: readonly Table[];
  /** How many bytes the largest keys of all tables have in common at their start, and the six that follow in each. */
  readonly #prefix: number;
  readonly #heads: Float64Array;
  /** The six bytes of the smallest keys; −1 where one begins otherwise. */
  readonly #starts: Float64Array;
  /** Of the key that `find` looked for last; infinite if it begins otherwise. */
  #head = 0;

  constructor(level: number, number: number, tables: readonly Table[]) {
    assert(tables.length > 0, 'a run has a table');
    this.level = level;
    this.number = number;
    this.tables = tables;
    const { largestKey: first } = tables[0] as Table;
    const { largestKey: last } = tables.at(-1) as Table;
    this.#prefix = commonPrefix(first, 0, first.length, last, 0, last.length);
    this.#heads = Float64Array.from(tables, ({ largestKey }) => headOf(largestKey, this.#prefix, largestKey.length));
    this.#starts = Float64Array.from(tables, ({ smallestKey }) =>
      commonPrefix(first, 0, first.length, smallestKey, 0, smallestKey.length) < this.#prefix
        ? -1
        : headOf(smallestKey, this.#prefix, smallestKey.length),
    );
  }

  /** The table that may have (key, version); undefined if none has. */
  tableOf(key: Uint8Array, keyEnd: number, version: number): Table | undefined {
    const place = this.find(key, keyEnd, version);
    // A level that reads have half emptied has gaps.
    return (this.#starts[place] as number) > this.#head ? undefined : this.tables[place];
  }

  /** The place in `tables` of the one that holds the first entry at or after (key, version); their number if none does. */
  find(key: Uint8Array, keyEnd: number, version: number): number {
    const { tables } = this;
    const prefix = this.#prefix;
    const sample = (tables[0] as Table).largestKey;
    this.#head = Infinity;
    for (let i = 0; i < prefix; i++) {
      if (i === keyEnd) return 0;
      const d = (key[i] as number) - (sample[i] as number);
      if (d !== 0) return d < 0 ? 0 : tables.length;
    }
    const heads = this.#heads;
    const head = headOf(key, prefix, keyEnd);
    this.#head = head;
    let low = 0;
    let high = heads.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const h = heads[middle] as number;
      if (h < head || (h === head && endsBefore(tables[middle] as Table, key, keyEnd, version))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether the table's last entry lies before (key, version). */
function endsBefore({ properties: { largestKey, largestVersion } }: Table, key: Uint8Array, keyEnd: number, version: number): boolean {
  const c = compareRanges(largestKey, 0, largestKey.length, key, 0, keyEnd);
  return c < 0 || (c === 0 && largestVersion > version);
}

/** A run of these tables, which come in any order. */
export function makeRun(level: number, number: number, tables: readonly Table[]): Run {
  return new Run(
    level,
    number,
    tables.toSorted((a, b) => compareBytes(a.smallestKey, b.smallestKey)),
  );
}

/** Whether no key lies within the bounds of two of these sorted tables. */
export function areDisjoint(tables: readonly Table[]): boolean {
  return tables.every((table, i) => i === 0 || compareBytes((tables[i - 1] as Table).largestKey, table.smallestKey) < 0);
}

/** Where a cursor gets its blocks from. */
export interface BlockSource {
  /** A page of the index, which is held. */
  index(table: Table, page: number): TableIndex;
  /** A block of a page, which is held. */
  block(table: Table, page: TableIndex, block: number): Block;
}

/** Through the cache, waiting for the disk: for reads. */
export const cachedBlocks: BlockSource = {
  index: (table, page) => table.indexSync(page, 1),
  block: (table, page, block) => {
    // Where it lies costs a walk through the page.
    const cached = table.cachedBlock(page, block);
    if (cached === undefined) {
      page.locate(block);
      return table.blockSync(page, block, page.childOffset, page.childBytes, 1);
    }
    cached.hold();
    return cached;
  },
};

export class RunCursor extends BlockCursor implements Cursor {
  readonly #run: Run;
  readonly #source: BlockSource;
  // The current block: its table, its page of the table's index and its place there.
  #table = 0;
  #page = 0;
  #block = 0;
  /** Held, too. */
  #index: TableIndex | undefined;
  /** The current block, which is held. */
  piece: Block | undefined;

  constructor(run: Run, source: BlockSource) {
    super();
    this.#run = run;
    this.#source = source;
  }

  seek(key: Uint8Array, version: number): void {
    this.#table = this.#run.find(key, key.length, version);
    const table = this.#run.tables[this.#table];
    if (table === undefined) {
      this.valid = false;
      return;
    }
    this.#enterPage(table, table.root.find(key, key.length, version));
    this.#block = (this.#index as TableIndex).find(key, key.length, version);
    this.seekInBlock(this.#blockOf(table), key, key.length, version);
    // The target lies behind the last entry of its block and before the first one of the next.
    if (!this.valid) this.#nextBlock();
  }

  seekBefore(key: Uint8Array, version: number): void {
    this.seek(key, version);
    if (this.valid) {
      this.prev();
      return;
    }
    this.#table = this.#run.tables.length - 1;
    this.#lastBlockOf(this.#run.tables[this.#table] as Table);
  }

  next(): void {
    this.nextInBlock();
    if (!this.valid) this.#nextBlock();
  }

  prev(): void {
    this.prevInBlock();
    if (!this.valid) this.#prevBlock();
  }

  /** It moves no more. */
  close(): void {
    this.piece?.letGo();
    this.piece = undefined;
    this.#index?.letGo();
    this.#index = undefined;
  }

  #enterPage(table: Table, page: number): void {
    this.#page = page;
    const index = this.#source.index(table, page);
    this.#index?.letGo();
    this.#index = index;
  }

  #nextBlock(): void {
    let table = this.#run.tables[this.#table] as Table;
    this.#block++;
    if (this.#block >= (this.#index as TableIndex).count) {
      this.#block = 0;
      if (this.#page + 1 < table.root.count) this.#enterPage(table, this.#page + 1);
      else {
        const following = this.#run.tables[this.#table + 1];
        if (following === undefined) return;
        this.#table++;
        table = following;
        this.#enterPage(table, 0);
      }
    }
    this.firstInBlock(this.#blockOf(table));
  }

  #prevBlock(): void {
    const table = this.#run.tables[this.#table] as Table;
    if (this.#block > 0) this.#block--;
    else if (this.#page > 0) {
      this.#enterPage(table, this.#page - 1);
      this.#block = (this.#index as TableIndex).count - 1;
    } else {
      const preceding = this.#run.tables[this.#table - 1];
      if (preceding === undefined) return;
      this.#table--;
      this.#lastBlockOf(preceding);
      return;
    }
    this.lastInBlock(this.#blockOf(table));
  }

  #lastBlockOf(table: Table): void {
    this.#enterPage(table, table.root.count - 1);
    this.#block = (this.#index as TableIndex).count - 1;
    this.lastInBlock(this.#blockOf(table));
  }

  #blockOf(table: Table): Block {
    const block = this.#source.block(table, this.#index as TableIndex, this.#block);
    this.piece?.letGo();
    this.piece = block;
    return block;
  }
}
