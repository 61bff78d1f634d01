// The memtables: one that takes the writes, and frozen ones that wait to be flushed, of all keyspaces together. So a
// flush makes one moment of the whole engine durable.
import { assert, defined } from '@distrokv/base';
import type { KeyspaceState } from './keyspace-state.ts';
import { Memtable, type MemtableMemory } from './memtable.ts';
import { MAX_RANGES } from './range-deletes.ts';

/** A memtable that takes no more writes, and what the manifest has to say once it is flushed. */
export interface Frozen {
  readonly memtable: Memtable;
  /** Counts the freezes of this engine from 1. */
  readonly generation: number;
  readonly sequence: number;
  readonly lastVersions: ReadonlyMap<number, number>;
  /** The watermarks of retention, by the id of a keyspace. Only those that are not 0. */
  readonly retentions: ReadonlyMap<number, number>;
  /** The first segment of the log that is needed when this generation is in tables. */
  readonly walFrom: number;
}

/** Writers wait while this many generations do. */
export const MAX_FROZEN = 2;

/** Memory beyond a memtable's that is not worth a thought. */
const SMALL_BYTES = 64 << 10;

export class Generations {
  active: Memtable;
  /** The oldest first. */
  readonly frozen: Frozen[] = [];
  /** The engine's own version counter: each write takes the next. */
  sequence: number;
  readonly #memtableBytes: number;
  readonly #keyspaces: readonly (KeyspaceState | undefined)[];
  /** Of a memtable that was flushed, for the next one: neither thread's garbage collector would see soon enough how much it is. */
  #spare: MemtableMemory | undefined;
  /** Memtables that were flushed, and that only readers still hold. */
  readonly #held = new Set<Memtable>();
  #generation = 0;

  constructor(memtableBytes: number, sequence: number, keyspaces: readonly (KeyspaceState | undefined)[]) {
    this.#memtableBytes = memtableBytes;
    this.sequence = sequence;
    this.#keyspaces = keyspaces;
    this.active = this.#newMemtable();
  }

  get isFull(): boolean {
    return this.active.byteLength >= this.#memtableBytes || this.active.ranges.length >= MAX_RANGES;
  }

  /** While nothing can be flushed deletes go on beyond the end, up to a second one. */
  get hasRoomForDeletes(): boolean {
    return this.active.byteLength < 2 * this.#memtableBytes;
  }

  /** The generation of the latest freeze. */
  get generation(): number {
    return this.#generation;
  }

  /** Freezes the active memtable, which holds something. `walFrom`: the first segment that holds none of it. */
  freeze(walFrom: number): void {
    assert(this.active.published === this.active.end, 'what is frozen has been published');
    const lastVersions = new Map<number, number>();
    const retentions = new Map<number, number>();
    for (const keyspace of this.#keyspaces) {
      if (keyspace === undefined || keyspace.isDropped || keyspace.versions === 'latest') continue;
      lastVersions.set(keyspace.id, keyspace.lastWritten);
      if (keyspace.retention > 0) retentions.set(keyspace.id, keyspace.retention);
    }
    this.#generation++;
    this.frozen.push({ memtable: this.active, generation: this.#generation, sequence: this.sequence, lastVersions, retentions, walFrom });
    this.active = this.#newMemtable();
  }

  /** Takes away the oldest that is frozen, once it is in tables. */
  unfreeze(): Frozen {
    const first = defined(this.frozen.shift(), 'a generation that was flushed');
    this.#held.add(first.memtable);
    first.memtable.letGo();
    return first;
  }

  /** What snapshots and iterators keep in memory beside the memtables that are there anyway. */
  get heldBytes(): number {
    let sum = 0;
    for (const { byteLength } of this.#held) sum += byteLength;
    return sum;
  }

  #newMemtable(): Memtable {
    const room = this.#spare ?? this.#memtableBytes;
    this.#spare = undefined;
    const memtable = new Memtable(room, (free) => {
      this.#held.delete(memtable);
      // One that had to grow is not kept.
      if (free.arena.byteLength + free.nodes.byteLength <= 2 * this.#memtableBytes + SMALL_BYTES) this.#spare = free;
    });
    return memtable;
  }

  /** All memtables, the newest first. */
  newestFirst(): Memtable[] {
    const all = [this.active];
    for (let i = this.frozen.length - 1; i >= 0; i--) all.push((this.frozen[i] as Frozen).memtable);
    return all;
  }
}
