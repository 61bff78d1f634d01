// The way of one key through the tables: the places (a block of a table) where it may lie, in the order in which they have
// to be asked, the latest run first. The hash of the key is taken once for the filters of all tables.
import { hashKey } from './bloom.ts';
import { type Run, findTable } from './run.ts';
import type { Table } from './table.ts';
import type { Version } from './version.ts';

export class TableSearch {
  #runs: readonly Run[] = [];
  #key: Uint8Array = new Uint8Array(0);
  #keyEnd = 0;
  #at = 0;
  #hash = 0;
  #run = 0;
  #table: Table | undefined;
  /** After `next` returned true. */
  block = 0;

  /** `key[0, keyEnd)` is an internal key, and stays as it is until the search ends. */
  start(version: Version, key: Uint8Array, keyEnd: number, at: number): void {
    this.#runs = version.runs;
    this.#key = key;
    this.#keyEnd = keyEnd;
    this.#at = at;
    this.#run = 0;
    if (version.runs.length > 0) this.#hash = hashKey(key, 0, keyEnd);
  }

  /** Only after `next` returned true. */
  get table(): Table {
    return this.#table as Table;
  }

  next(): boolean {
    const runs = this.#runs;
    while (this.#run < runs.length) {
      const run = runs[this.#run++] as Run;
      const table = run.tables[findTable(run, this.#key, this.#keyEnd, this.#at)];
      if (table === undefined || !table.mayContain(this.#key, this.#keyEnd, this.#hash)) continue;
      this.#table = table;
      this.block = table.index.find(this.#key, this.#keyEnd, this.#at);
      return true;
    }
    return false;
  }
}
