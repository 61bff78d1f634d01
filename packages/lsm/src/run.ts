// A run: tables that follow each other without overlap, which is what one flush made, or a whole level below level 0.
// Its cursor walks from block to block and from table to table as if the run were one sorted array.
import { assert, compareBytes } from '@distrokv/base';
import { type Block, BlockCursor } from './block-cursor.ts';
import type { Cursor } from './cursor.ts';
import { compareRanges } from './ranges.ts';
import type { Table } from './table.ts';

export interface Run {
  readonly level: number;
  /** In level 0 it rises with time: the run with the higher number holds the later writes. Elsewhere 0. */
  readonly number: number;
  /** In the order of their keys; one at least. */
  readonly tables: readonly Table[];
}

/** A run of these tables, which come in any order. */
export function makeRun(level: number, number: number, tables: readonly Table[]): Run {
  return { level, number, tables: tables.toSorted((a, b) => compareBytes(a.smallestKey, b.smallestKey)) };
}

/** Whether no key lies within the bounds of two of these sorted tables. */
export function areDisjoint(tables: readonly Table[]): boolean {
  return tables.every((table, i) => i === 0 || compareBytes((tables[i - 1] as Table).largestKey, table.smallestKey) < 0);
}

/** The place in `run.tables` of the table that holds the first entry at or after (key, version); their number if none does. */
export function findTable(run: Run, key: Uint8Array, keyEnd: number, version: number): number {
  let low = 0;
  let high = run.tables.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { index } = run.tables[middle] as Table;
    const largest = index.largestKey;
    const c = compareRanges(largest, 0, largest.length, key, 0, keyEnd);
    if (c < 0 || (c === 0 && index.largestVersion > version)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where a cursor gets its blocks from. */
export interface BlockSource {
  block(table: Table, index: number): Block;
}

/** Through the cache, waiting for the disk: for reads. */
export const cachedBlocks: BlockSource = { block: (table, index) => table.blockSync(index) };

export class RunCursor extends BlockCursor implements Cursor {
  readonly #run: Run;
  readonly #source: BlockSource;
  #table = 0;
  #block = 0;

  constructor(run: Run, source: BlockSource) {
    super();
    assert(run.tables.length > 0, 'a run has a table');
    this.#run = run;
    this.#source = source;
  }

  seek(key: Uint8Array, version: number): void {
    this.#table = findTable(this.#run, key, key.length, version);
    const table = this.#run.tables[this.#table];
    if (table === undefined) {
      this.valid = false;
      return;
    }
    this.#block = table.index.find(key, key.length, version);
    this.seekInBlock(this.#source.block(table, this.#block), key, key.length, version);
    // Only an index that disagrees with its block leads past the block's end; the entries that follow are still in order.
    if (!this.valid) this.#nextBlock();
  }

  seekBefore(key: Uint8Array, version: number): void {
    this.seek(key, version);
    if (this.valid) {
      this.prev();
      return;
    }
    this.#table = this.#run.tables.length - 1;
    const table = this.#run.tables[this.#table] as Table;
    this.#block = table.index.blocks - 1;
    this.lastInBlock(this.#source.block(table, this.#block));
  }

  next(): void {
    this.nextInBlock();
    if (!this.valid) this.#nextBlock();
  }

  prev(): void {
    this.prevInBlock();
    if (!this.valid) this.#prevBlock();
  }

  #nextBlock(): void {
    let table = this.#run.tables[this.#table] as Table;
    this.#block++;
    if (this.#block >= table.index.blocks) {
      const following = this.#run.tables[this.#table + 1];
      if (following === undefined) return;
      this.#table++;
      table = following;
      this.#block = 0;
    }
    this.firstInBlock(this.#source.block(table, this.#block));
  }

  #prevBlock(): void {
    let table = this.#run.tables[this.#table] as Table;
    this.#block--;
    if (this.#block < 0) {
      const preceding = this.#run.tables[this.#table - 1];
      if (preceding === undefined) {
        this.#block = 0;
        return;
      }
      this.#table--;
      table = preceding;
      this.#block = table.index.blocks - 1;
    }
    this.lastInBlock(this.#source.block(table, this.#block));
  }
}
