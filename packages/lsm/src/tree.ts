// The tree of tables: the current version, and the one way to change it. A change is durable in the manifest before reads see it.
import type { BlockCache } from './block-cache.ts';
import { messageOf } from '@distrokv/base';
import type { FilePool } from './file-pool.ts';
import { writeCheckpoint } from './checkpoint.ts';
import type { Keyspaces } from './keyspaces.ts';
import type { Manifest } from './manifest.ts';
import { tableName } from './names.ts';
import type { Settings } from './options.ts';
import { type RangeDelete, RangeDeletes } from './range-deletes.ts';
import { ledgerEdit } from './range-ledger.ts';
import type { Run } from './run.ts';
import type { WrittenTable } from './table-writer.ts';
import { Table } from './table.ts';
import type { TableRecord, VersionEdit } from './version-edit.ts';
import { Version } from './version.ts';

export interface TreeChange {
  readonly level: number;
  /** Tables that were written for it: in level 0 they become a run, elsewhere they join the level's. */
  readonly added: readonly WrittenTable[];
  /** Tables that the added ones take the place of. */
  readonly removed: readonly Table[];
  /** Tables that change their level, and nothing else. */
  readonly moved?: readonly Table[];
  /** Of a flush: the range deletes of its memtable. */
  readonly written?: readonly RangeDelete[];
  /** Of a merge that wrote tables: the version that it read, and with it the range deletes that it knew, be they none. */
  readonly basis?: Version;
  /** Of a flush and an ingestion: what is added was in no table before. */
  readonly arrives?: boolean;
  /** Their run in level 0; default: one behind all others. */
  readonly run?: number;
  readonly edit?: VersionEdit;
}

export class Tree {
  readonly #settings: Settings;
  readonly #manifest: Manifest;
  readonly #files: FilePool;
  readonly #cache: BlockCache;
  readonly #keyspaces: Keyspaces;
  #version: Version;
  #nextNumber: number;
  readonly #open: Set<Table>;
  /** The end of the line of changes: one at a time. */
  #line: Promise<void> = Promise.resolve();
  /** Closings and removals under way. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(settings: Settings, manifest: Manifest, files: FilePool, cache: BlockCache, keyspaces: Keyspaces, runs: readonly Run[]) {
    this.#settings = settings;
    this.#manifest = manifest;
    this.#files = files;
    this.#cache = cache;
    this.#keyspaces = keyspaces;
    this.#nextNumber = manifest.state.nextNumber;
    this.#version = new Version(runs, RangeDeletes.of([...manifest.state.ranges.values()]), (table) => this.#leave(table));
    this.#open = new Set(this.#version.tables());
  }

  /** The current version; `hold` it to use it after this turn. */
  get version(): Version {
    return this.#version;
  }

  /** A number for a file or a run. */
  nextNumber(): number {
    return this.reserve(1);
  }

  /** So many numbers, the first of which is returned. */
  reserve(count: number): number {
    const first = this.#nextNumber;
    this.#nextNumber += count;
    return first;
  }

  /** The watermarks of retention that are durable. */
  get retentions(): ReadonlyMap<number, number> {
    return this.#manifest.state.retentions;
  }

  /** Makes a change durable, then visible. Throws FsError when the disk is full: then nothing has changed. */
  change(change: TreeChange): Promise<void> {
    return this.#inLine(() => this.#change(change));
  }

  /** Links what the manifest names into `target`, as a store of its own; no change happens meanwhile. */
  checkpoint(target: string): Promise<void> {
    const { env, directory } = this.#settings;
    return this.#inLine(() => writeCheckpoint(env, directory, target, this.#manifest.state));
  }

  #inLine(work: () => Promise<void>): Promise<void> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => {});
    return done;
  }

  async #change({ level, added, removed, moved = [], written, basis, arrives = false, run: given, edit }: TreeChange): Promise<void> {
    const { directory } = this.#settings;
    const { state } = this.#manifest;
    const before = this.#version;
    let { rangeDeletes } = before;
    const run = level === 0 ? (given ?? this.nextNumber()) : 0;
    const opened: Table[] = [];
    let runs: Run[];
    try {
      for (const { number, byteLength } of added) opened.push(await Table.open(this.#files, directory, number, byteLength, this.#cache));
      const records: TableRecord[] = [...opened, ...moved].map(({ number, byteLength }) => ({ number, level, run, byteLength }));
      const numbers = [...removed, ...moved].map((table) => table.number);
      runs = before.changed({ level, run, added: [...opened, ...moved], removed: [...removed, ...moved] });
      const retentions = new Map([...state.retentions, ...(edit?.retentions ?? [])]);
      const ranges = ledgerEdit({
        kept: rangeDeletes,
        written,
        known: basis ? basis.rangeDeletes : rangeDeletes,
        added: opened,
        removed,
        runs,
        before: this.#keyspaces.watermarks(state.retentions),
        after: this.#keyspaces.watermarks(retentions),
        nextNumber: () => this.nextNumber(),
      });
      const counted = this.#count(opened, level, arrives);
      await this.#manifest.append({ ...edit, ...ranges, ...counted, added: records, removed: numbers, nextNumber: this.#nextNumber });
      if (ranges.rangesAdded.length + ranges.rangesRemoved.length > 0) rangeDeletes = RangeDeletes.of([...state.ranges.values()]);
    } catch (error) {
      for (const table of opened) await table.close();
      throw error;
    }
    for (const table of removed) table.obsolete = true;
    for (const table of opened) this.#open.add(table);
    this.#version = new Version(runs, rangeDeletes, (table) => this.#leave(table));
    before.letGo();
  }

  /** What the manifest has to say of tables that were written. */
  #count(tables: readonly Table[], level: number, arrives: boolean): VersionEdit {
    const { written, arrived } = this.#manifest.state;
    const bytes = tables.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (bytes === 0) return {};
    const edit = { written: new Map([[level, (written.get(level) ?? 0) + bytes]]) };
    return arrives ? { ...edit, arrived: arrived + bytes } : edit;
  }

  /** Closes every table, also those that a reader still holds. */
  async close(): Promise<void> {
    await this.#line;
    for (const table of this.#open) this.#leave(table);
    await Promise.all(this.#leaving);
  }

  #leave(table: Table): void {
    // A reader that lets go after the engine was closed has nothing left to close.
    if (!this.#open.delete(table)) return;
    const leaving = this.#closeAndRemove(table);
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  async #closeAndRemove(table: Table): Promise<void> {
    const { env, directory, logger } = this.#settings;
    try {
      await table.close();
      if (table.obsolete) await env.fs.removeFile(`${directory}/${tableName(table.number)}`);
    } catch (error) {
      logger.warn('a table that is no longer needed could not be removed; it will be when the engine is opened again', {
        table: table.path,
        error: messageOf(error),
      });
    }
  }
}
