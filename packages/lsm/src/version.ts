// A version of the tree: which runs make it up, in the order in which a read asks them (the latest writes first). Versions are
// immutable; a flush or a merge installs the next one. Whoever reads across turns of the event loop holds the version it began with, and so
// keeps its tables open; a table that the last version leaves is closed, and removed if the manifest no longer names it.
import { assert } from '@distrokv/base';
import type { Run } from './run.ts';
import type { Table } from './table.ts';

export class Version {
  /** By level, then the latest run of a level first: every entry of a key in an earlier run is newer than those in later runs. */
  readonly runs: readonly Run[];
  readonly #release: (table: Table) => void;
  #holders = 1;

  /** Held once by its maker. `release` gets each table that no version holds any more. */
  constructor(runs: readonly Run[], release: (table: Table) => void) {
    this.runs = runs.toSorted((a, b) => a.level - b.level || b.number - a.number);
    this.#release = release;
    for (const table of this.tables()) table.holders++;
  }

  *tables(): Generator<Table> {
    for (const run of this.runs) yield* run.tables;
  }

  runsAt(level: number): Run[] {
    return this.runs.filter((run) => run.level === level);
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
