// A snapshot: the memtables with how far they were filled, and the version of the tree, of one moment. It copies nothing and
// locks nothing; what it costs is that the memtables and tables it holds stay where they are until it is closed.
import type { Snapshot } from './engine.ts';
import { LsmError } from './errors.ts';
import type { Generations } from './generations.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import type { Memtable } from './memtable.ts';
import type { Version } from './version.ts';

export interface Filled {
  readonly memtable: Memtable;
  /** Refs from here on are later writes. */
  readonly limit: number;
}

/** The memtables as they are now, the newest first; held, until they are let go. */
export function holdFilled(generations: Generations): Filled[] {
  return holdAgain(generations.newestFirst().map((memtable) => ({ memtable, limit: memtable.published })));
}

/** Holds memtables, which somebody holds already, once more. */
export function holdAgain(filled: Filled[]): Filled[] {
  for (const { memtable } of filled) memtable.hold();
  return filled;
}

export function letGo(filled: readonly Filled[]): void {
  for (const { memtable } of filled) memtable.letGo();
}

export class EngineSnapshot implements Snapshot {
  /** The engine that the snapshot is of. */
  readonly owner: object;
  readonly #version: Version;
  /** The memtables, the newest first. */
  readonly filled: Filled[];
  /** For reads of single keys. */
  readonly #cursors: readonly MemtableCursor[];
  #isClosed = false;

  /** Of this moment. */
  constructor(owner: object, generations: Generations, version: Version) {
    this.owner = owner;
    this.#version = version.hold();
    this.filled = holdFilled(generations);
    this.#cursors = this.filled.map(({ memtable, limit }) => new MemtableCursor(memtable, limit));
  }

  get version(): Version {
    if (this.#isClosed) throw new LsmError('closed', 'the snapshot is closed');
    return this.#version;
  }

  /** A cursor on the key's newest version ≤ `at` in the newest memtable that has one, `hash` being the key's; good until the next call. */
  findInMemtables(key: Uint8Array, keyEnd: number, at: number, hash: number): MemtableCursor | undefined {
    return this.#cursors.find((cursor, i) => (this.filled[i] as Filled).memtable.mayContain(hash) && cursor.find(key, keyEnd, at));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#version.letGo();
    letGo(this.filled);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
