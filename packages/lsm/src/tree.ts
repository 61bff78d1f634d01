// The tree of tables: the current version, and the one way to change it. A change is durable in the manifest before reads see it.
import type { BlockCache } from './block-cache.ts';
import { messageOf } from '@distrokv/base';
import type { Manifest } from './manifest.ts';
import { tableName } from './names.ts';
import type { Settings } from './options.ts';
import type { Run } from './run.ts';
import type { WrittenTable } from './table-writer.ts';
import { Table } from './table.ts';
import type { TableRecord, VersionEdit } from './version-edit.ts';
import { Version } from './version.ts';

export interface TreeChange {
  /** Tables of one new run. */
  readonly added: readonly WrittenTable[];
  readonly level: number;
  /** Runs that the new one takes the place of. */
  readonly removed: readonly Run[];
  readonly edit?: VersionEdit;
}

export class Tree {
  readonly #settings: Settings;
  readonly #manifest: Manifest;
  readonly #cache: BlockCache;
  #version: Version;
  #nextNumber: number;
  readonly #open: Set<Table>;
  /** Closings and removals under way. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(settings: Settings, manifest: Manifest, cache: BlockCache, runs: readonly Run[]) {
    this.#settings = settings;
    this.#manifest = manifest;
    this.#cache = cache;
    this.#nextNumber = manifest.state.nextNumber;
    this.#version = new Version(runs, (table) => this.#leave(table));
    this.#open = new Set(this.#version.tables());
  }

  /** The current version; `hold` it to use it after this turn. */
  get version(): Version {
    return this.#version;
  }

  /** A number for a file or a run. */
  nextNumber(): number {
    return this.#nextNumber++;
  }

  /** Makes a change durable, then visible. Throws FsError when the disk is full: then nothing has changed. */
  async change(change: TreeChange): Promise<void> {
    const { env, directory } = this.#settings;
    const { level } = change;
    const number = this.nextNumber();
    const tables: Table[] = [];
    try {
      for (const table of change.added) tables.push(await Table.open(env.fs, directory, table.number, table.byteLength, this.#cache));
      const added: TableRecord[] = change.added.map((table) => ({
        number: table.number,
        level,
        run: number,
        byteLength: table.byteLength,
      }));
      const removed = change.removed.flatMap((run) => run.tables.map((table) => table.number));
      await this.#manifest.append({ ...change.edit, added, removed, nextNumber: this.#nextNumber });
    } catch (error) {
      for (const table of tables) await table.close();
      throw error;
    }
    const kept = this.#version.runs.filter((run) => !change.removed.includes(run));
    for (const run of change.removed) for (const table of run.tables) table.obsolete = true;
    for (const table of tables) this.#open.add(table);
    const before = this.#version;
    this.#version = new Version(tables.length > 0 ? [...kept, { level, number, tables }] : kept, (table) => this.#leave(table));
    before.letGo();
  }

  /** Closes every table, also those that a reader still holds. */
  async close(): Promise<void> {
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
