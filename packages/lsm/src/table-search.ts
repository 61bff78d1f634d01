// The way of one key through the tables, the latest run first: of each run the table that may have it, then the line of the table's
// filter, then the page of its index, then the block. It goes as far as memory takes it; what is missing is for its user to load,
// waiting for the disk or in the background. The hash of the key serves the filters of all tables.
import type { Block } from './block.ts';
import type { Run } from './run.ts';
import type { TableIndex } from './table-index.ts';
import { type FilterPage, type Table, mayContain } from './table.ts';
import type { Version } from './version.ts';

/** What the search does next. */
type Step = 'table' | 'filter' | 'index' | 'block' | 'end';

export class TableSearch {
  #runs: readonly Run[] = [];
  #key: Uint8Array = new Uint8Array(0);
  #keyEnd = 0;
  #at = 0;
  #hash = 0;
  #step: Step = 'end';
  #run = 0;
  #table: Table | undefined;
  #line = 0;
  #page = 0;
  #index: TableIndex | undefined;
  #block = 0;
  /** Where the block lies, once the page was asked: it may leave before the block is read. A length of 0: it was not. */
  #offset = 0;
  #length = 0;

  /** `key[0, keyEnd)` is an internal key, and stays as it is until the search ends; `hash` is its hash. */
  start(version: Version, key: Uint8Array, keyEnd: number, at: number, hash: number): void {
    this.#runs = version.runs;
    this.#key = key;
    this.#keyEnd = keyEnd;
    this.#at = at;
    this.#hash = hash;
    this.#run = 0;
    this.#step = 'table';
  }

  /** No block is left where the key might be. */
  get isOver(): boolean {
    return this.#step === 'end';
  }

  /** How many runs were asked in vain so far, once `next` gave a block or the search is over. */
  get passed(): number {
    return this.#run - 1;
  }

  /** The next block where the key may be; undefined at the end, and where something has to be loaded before. */
  next(): Block | undefined {
    const runs = this.#runs;
    for (;;) {
      switch (this.#step) {
        case 'table': {
          const run = runs[this.#run++];
          if (run === undefined) {
            this.#step = 'end';
            return undefined;
          }
          const table = run.tableOf(this.#key, this.#keyEnd, this.#at);
          if (table === undefined) break;
          this.#table = table;
          this.#line = table.filterLine(this.#hash);
          this.#step = 'filter';
          break;
        }
        case 'filter': {
          const table = this.#table as Table;
          const filter = table.cachedFilter(this.#line);
          if (filter === undefined) return undefined;
          this.#judge(table, filter);
          break;
        }
        case 'index': {
          const index = (this.#table as Table).cachedIndex(this.#page);
          if (index === undefined) return undefined;
          this.#toBlock(index);
          break;
        }
        case 'block': {
          const block = (this.#table as Table).cachedBlock(this.#index as TableIndex, this.#block);
          if (block !== undefined) this.#step = 'table';
          // The page is as it was found above, or was asked when it was loaded.
          else if (this.#length === 0) this.#locate(this.#index as TableIndex);
          return block;
        }
        default:
          return undefined;
      }
    }
  }

  /** Loads what `next` missed, waiting for the disk; the block, if that is what it was, held so often. */
  loadSync(holders: number): Block | undefined {
    const table = this.#table as Table;
    if (this.#step === 'filter') this.#judge(table, table.filterSync(this.#line));
    else if (this.#step === 'index') {
      const index = table.indexSync(this.#page, 0);
      this.#toBlock(index);
      this.#locate(index);
    } else {
      this.#step = 'table';
      return table.blockSync(this.#index as TableIndex, this.#block, this.#offset, this.#length, holders);
    }
    return undefined;
  }

  /** As `loadSync`, in the background; the block is held, and the caller's to let go. */
  load(): Promise<Block | undefined> {
    const table = this.#table as Table;
    if (this.#step !== 'block') return this.#loadWay(table);
    this.#step = 'table';
    return table.block(this.#index as TableIndex, this.#block, this.#offset, this.#length);
  }

  /** What tells where the block is. */
  async #loadWay(table: Table): Promise<undefined> {
    const ahead = table.readMetadata();
    if (ahead !== undefined) await ahead;
    else if (this.#step === 'index') {
      const index = await table.index(this.#page);
      this.#toBlock(index);
      this.#locate(index);
      index.letGo();
    } else {
      const filter = await table.filter(this.#line);
      this.#judge(table, filter);
      filter.letGo();
    }
  }

  #judge(table: Table, filter: FilterPage): void {
    if (mayContain(filter, this.#line, this.#hash)) this.#toIndex(table);
    else this.#step = 'table';
  }

  #toIndex({ root }: Table): void {
    this.#page = root.find(this.#key, this.#keyEnd, this.#at);
    this.#step = 'index';
  }

  #toBlock(index: TableIndex): void {
    this.#index = index;
    this.#block = index.find(this.#key, this.#keyEnd, this.#at);
    this.#length = 0;
    this.#step = 'block';
  }

  #locate(index: TableIndex): void {
    index.locate(this.#block);
    this.#offset = index.childOffset;
    this.#length = index.childBytes;
  }
}
