// A version of the tree: which runs make it up, in the order in which a read asks them (the latest writes first). Versions are
// immutable; a flush or a merge installs the next one. Whoever reads across turns of the event loop holds the version it began with, and so
// keeps its tables open; a table that the last version leaves is closed, and removed if the manifest no longer names it.
//
// Level 0 has a run for each flush, and they overlap. Each deeper level is one run. Every entry of a key in an earlier run is newer
// than those in later runs.
import { assert } from '@distrokv/base';
import type { KeptRanges } from './range-ledger.ts';
import { type Run, areDisjoint, makeRun } from './run.ts';
import type { Table } from './table.ts';

/** The deepest level, and the first that is filled. */
export const LAST_LEVEL = 6;

export interface TableChange {
  /** Where the new tables go. Tables that only move there are among both. */
  readonly level: number;
  readonly added: readonly Table[];
  readonly removed: readonly Table[];
  /** The number of the run that they become in level 0. */
  readonly run: number;
}

/** A merge that spares reads some of the runs. */
export interface Shortcut {
  /** The level that it empties; of a deeper one than 0 it takes a table. */
  readonly from: number;
  readonly to: number;
  /** What it reads, about. */
  readonly bytes: number;
}

/** Level 0 that is merged for the sake of reads gets a level of its own above one that has more than so many times its bytes. */
const MUCH = 8;

export class Version {
  readonly runs: readonly Run[];
  readonly rangeDeletes: KeptRanges;
  /** How many of them are in level 0; every write asks for it. */
  readonly freshRuns: number;
  /** Of all its tables. */
  readonly byteLength: number;
  /** The cheapest one; undefined where reads ask one run at most. Reads ask for it. */
  readonly shortcut: Shortcut | undefined;
  readonly #release: (table: Table) => void;
  #holders = 1;

  /** Held once by its maker. `release` gets each table that no version holds any more. */
  constructor(runs: readonly Run[], rangeDeletes: KeptRanges, release: (table: Table) => void) {
    this.rangeDeletes = rangeDeletes;
    this.runs = runs.toSorted((a, b) => a.level - b.level || b.number - a.number);
    this.freshRuns = this.runsAt(0).length;
    this.shortcut = this.#shortcut();
    this.#release = release;
    let bytes = 0;
    for (const table of this.tables()) {
      table.holders++;
      bytes += table.byteLength;
    }
    this.byteLength = bytes;
  }

  *tables(): Generator<Table> {
    for (const run of this.runs) yield* run.tables;
  }

  runsAt(level: number): Run[] {
    return this.runs.filter((run) => run.level === level);
  }

  /** The tables of a level below 0, in the order of their keys. */
  tablesAt(level: number): readonly Table[] {
    assert(level > 0, 'level 0 has many runs');
    return this.runsAt(level)[0]?.tables ?? [];
  }

  bytesAt(level: number): number {
    let sum = 0;
    for (const run of this.runsAt(level)) for (const table of run.tables) sum += table.byteLength;
    return sum;
  }

  /** The runs of the version after a change. */
  changed({ level, added, removed, run }: TableChange): Run[] {
    const gone = new Set(removed);
    const runs: Run[] = [];
    let joins: readonly Table[] = added;
    for (const each of this.runs) {
      let tables = each.tables.filter((table) => !gone.has(table));
      if (level > 0 && each.level === level) {
        tables = [...tables, ...added];
        joins = [];
      }
      if (tables.length > 0) runs.push(makeRun(each.level, each.number, tables));
    }
    if (joins.length > 0) runs.push(makeRun(level, level === 0 ? run : 0, joins));
    for (const { tables } of runs) assert(areDisjoint(tables), 'tables of a run do not overlap');
    return runs;
  }

  /** Level 0 becomes one run at once, that or part of the next; a deeper level goes down table by table. */
  #shortcut(): Shortcut | undefined {
    const { runs, freshRuns } = this;
    if (runs.length < 2) return undefined;
    const below = runs[freshRuns];
    const fresh = this.bytesAt(0);
    if (below === undefined) return { from: 0, to: LAST_LEVEL, bytes: fresh };
    const bytes = this.bytesAt(below.level);
    if (freshRuns > 0) {
      if (below.level > 1 && bytes > MUCH * fresh) return { from: 0, to: below.level - 1, bytes: fresh };
      return { from: 0, to: below.level, bytes: fresh + bytes };
    }
    return { from: below.level, to: below.level + 1, bytes: (bytes + this.bytesAt((runs[1] as Run).level)) / below.tables.length };
  }

  hold(): this {
    assert(this.#holders > 0, 'a version that is held has not been let go');
    this.#holders++;
    return this;
  }

  letGo(): void {
    this.#holders--;
    assert(this.#holders >= 0, 'a version is let go as often as it is held');
    if (this.#holders > 0) return;
    for (const table of this.tables()) if (--table.holders === 0) this.#release(table);
  }
}
