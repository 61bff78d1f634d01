// A snapshot: what makes up the store at one moment, held on to. Tables and frozen memtables never change; of the live
// memtable a snapshot remembers how far it reached, for entries are only ever appended.
import type { Cursor } from './cursor.ts';
import type { Snapshot } from './engine.ts';
import { LsmError } from './errors.ts';
import type { Generations } from './generations.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import type { Memtable } from './memtable.ts';
import type { Version } from './version.ts';

export class EngineSnapshot implements Snapshot {
  readonly sequence: number;
  /** Who made it. */
  readonly owner: object;
  readonly #version: Version;
  readonly #memtables: readonly { readonly memtable: Memtable; readonly end: number }[];
  #closed = false;

  constructor(owner: object, generations: Generations, version: Version) {
    this.owner = owner;
    this.sequence = generations.sequence;
    this.#version = version.hold();
    this.#memtables = generations.newestFirst().map((memtable) => ({ memtable, end: memtable.published }));
  }

  /** The version of the tree; `hold` it to use it after this turn. */
  get version(): Version {
    if (this.#closed) throw new LsmError('closed', 'the snapshot is closed');
    return this.#version;
  }

  /** Cursors over the memtables, the newest first. */
  memtables(): Cursor[] {
    return this.#memtables.map(({ memtable, end }) => new MemtableCursor(memtable, end));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#version.letGo();
  }
}
