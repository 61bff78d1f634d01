// Reads: memtables first, then the runs of the tree, the latest writes first. For a single key the first source that has a
// version ≤ `at` of the key has the answer, because versions never decrease from an older source to a newer one.
//
// A read of one key allocates nothing but its result while memory has the answer, whether it was asked to be synchronous or not:
// a trip through Node's thread pool costs ten times as much as the read. The host's page cache is memory, too (disk-waits.ts).
import { BlockCursor } from './block-cursor.ts';
import type { Block } from './block.ts';
import { hashKey } from './bloom.ts';
import { copyOut } from './copy-out.ts';
import type { Cursor } from './cursor.ts';
import type { Detours } from './detours.ts';
import type { DiskWaits, Way } from './disk-waits.ts';
import type { KeyIterator, KeyValue, Peek, Snapshot } from './engine.ts';
import { LsmError } from './errors.ts';
import type { Health } from './fail-stop.ts';
import type { Generations } from './generations.ts';
import { PatientBlocks } from './patient-blocks.ts';
import { type HidingRanges, RangeIterator } from './key-iterator.ts';
import type { KeyRange } from './key-range.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import type { Memtable } from './memtable.ts';
import { MergingCursor } from './merging-cursor.ts';
import { NOT_DELETED } from './range-deletes.ts';
import { compareRanges } from './ranges.ts';
import { type Run, RunCursor, cachedBlocks } from './run.ts';
import { EngineSnapshot, holdAgain, holdFilled, letGo } from './snapshot.ts';
import { TableSearch } from './table-search.ts';
import type { Table } from './table.ts';
import type { Tree } from './tree.ts';
import type { Version } from './version.ts';

/** What is read, and as of when: `key[0, keyEnd)` is an internal key. A caller may use it again after the call. */
export interface Wanted {
  key: Uint8Array;
  keyEnd: number;
  at: number;
  snapshot: EngineSnapshot | undefined;
}

export class Reader {
  readonly #generations: Generations;
  readonly #tree: Tree;
  readonly #health: Health;
  readonly #detours: Detours;
  readonly #waits: DiskWaits;
  /** How many keys were asked for so far. */
  reads = 0;
  // Used by one read after the other, each within its turn.
  readonly #cursor = new BlockCursor();
  readonly #search = new TableSearch();
  // What the last read found: a range of a memtable or of a block.
  #isThere = false;
  #bytes: Uint8Array = this.#cursor.keyBytes;
  #start = 0;
  #end = 0;
  #version = 0;
  /** Of the key that is read. */
  #hash = 0;
  /** Copies of it. */
  readonly #value = (): Uint8Array | undefined => (this.#isThere ? copyOut(this.#bytes, this.#start, this.#end) : undefined);
  readonly #entry = (): KeyValue | undefined => {
    const value = this.#value();
    return value === undefined ? undefined : { value, version: this.#version };
  };
  readonly #peek = { bytes: this.#bytes, start: 0, end: 0, version: 0 };

  constructor(generations: Generations, tree: Tree, health: Health, detours: Detours, waits: DiskWaits) {
    this.#generations = generations;
    this.#tree = tree;
    this.#health = health;
    this.#detours = detours;
    this.#waits = waits;
  }

  getSync(wanted: Wanted): Uint8Array | undefined {
    this.#find(wanted);
    return this.#value();
  }

  getEntrySync(wanted: Wanted): KeyValue | undefined {
    this.#find(wanted);
    return this.#entry();
  }

  peekSync(wanted: Wanted): Peek | undefined {
    this.#find(wanted);
    if (!this.#isThere) return undefined;
    const peek = this.#peek;
    peek.bytes = this.#bytes;
    peek.start = this.#start;
    peek.end = this.#end;
    peek.version = this.#version;
    return peek;
  }

  /** The value, or, if something has to be read for it that is likely not in memory, the promise of it. */
  get(wanted: Wanted): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    return this.#read(wanted, this.#value);
  }

  /** As `get`, with the version. */
  getEntry(wanted: Wanted): KeyValue | undefined | Promise<KeyValue | undefined> {
    return this.#read(wanted, this.#entry);
  }

  /** `copy`: of what was found. */
  #read<T>(wanted: Wanted, copy: () => T | undefined): T | undefined | Promise<T | undefined> {
    this.#health.checkOpen();
    const { key, keyEnd, at, snapshot } = wanted;
    const version = snapshot?.version ?? this.#tree.version;
    if (this.#inMemtables(wanted)) {
      this.#hide(wanted, version);
      return copy();
    }
    const search = this.#search;
    search.start(version, key, keyEnd, at, this.#hash);
    while (!search.isOver) {
      let block = search.next();
      if (block === undefined && !search.isOver) {
        const way = this.#waits.begin();
        if (way !== 'now') {
          const deleted = this.#newestWritten(wanted, NOT_DELETED);
          return this.#fromTables(version, key.slice(0, keyEnd), at, this.#hash, deleted, copy, way);
        }
        block = search.loadSync(0);
        this.#waits.end();
      }
      if (block !== undefined && this.#inBlock(block, key, keyEnd, at)) {
        this.#noteDetour(version, search);
        this.#hide(wanted, version);
        return copy();
      }
    }
    this.#noteDetour(version, search);
    return undefined;
  }

  /** As `get`, from tables alone. */
  async getFlushed({ key, keyEnd, at }: Wanted): Promise<Uint8Array | undefined> {
    this.#health.checkOpen();
    return this.#fromTables(this.#tree.version, key.slice(0, keyEnd), at, hashKey(key, 0, keyEnd), NOT_DELETED, this.#value, 'background');
  }

  iterator(range: KeyRange, snapshot: EngineSnapshot | undefined): KeyIterator {
    this.#health.checkOpen();
    const version = (snapshot?.version ?? this.#tree.version).hold();
    const filled = snapshot === undefined ? holdFilled(this.#generations) : holdAgain(snapshot.filled);
    const sources: Cursor[] = [];
    const runCursors: RunCursor[] = [];
    const hiding: HidingRanges[] = version.rangeDeletes === undefined ? [] : [{ ranges: version.rangeDeletes, limit: Infinity }];
    for (const { memtable, limit } of filled) {
      if (memtable.entries === 0) continue;
      sources.push(new MemtableCursor(memtable, limit));
      if (memtable.rangeDeletes !== undefined) hiding.push({ ranges: memtable.rangeDeletes, limit });
    }
    const blocks = range.patient ? new PatientBlocks(this.#waits) : undefined;
    for (const run of version.runs) {
      if (!mayOverlap(run, range)) continue;
      const cursor = new RunCursor(run, blocks ?? cachedBlocks);
      sources.push(cursor);
      runCursors.push(cursor);
    }
    if (version === this.#tree.version) this.#detours.noteSeek(version, runCursors.length);
    return new RangeIterator(
      new MergingCursor(sources, range.reverse),
      hiding,
      range,
      blocks,
      () => this.#health.checkOpen(),
      () => {
        for (const cursor of runCursors) cursor.close();
        version.letGo();
        letGo(filled);
      },
    );
  }

  snapshot(): EngineSnapshot {
    this.#health.checkOpen();
    return new EngineSnapshot(this, this.#generations, this.#tree.version);
  }

  /** Throws LsmError `invalid` if the snapshot is of another engine. */
  checkOwn(snapshot: Snapshot | undefined): EngineSnapshot | undefined {
    if (snapshot === undefined || (snapshot instanceof EngineSnapshot && snapshot.owner === this)) return snapshot;
    throw new LsmError('invalid', 'the snapshot is of another engine');
  }

  /** Notes what there is of the key, blocking for blocks that are not in memory. */
  #find(wanted: Wanted): void {
    this.#health.checkOpen();
    const { key, keyEnd, at, snapshot } = wanted;
    const version = snapshot?.version ?? this.#tree.version;
    if (!this.#inMemtables(wanted)) {
      const search = this.#search;
      search.start(version, key, keyEnd, at, this.#hash);
      for (;;) {
        const block = search.next() ?? (search.isOver ? undefined : search.loadSync(0));
        if (block !== undefined) {
          if (this.#inBlock(block, key, keyEnd, at)) break;
        } else if (search.isOver) break;
      }
      this.#noteDetour(version, search);
    }
    this.#hide(wanted, version);
  }

  /** `first`: how the first of its reads goes. `key` stays as it is; `deleted`: the newest version ≤ `at` as of which a range delete in memory holds it. */
  async #fromTables<T>(
    version: Version,
    key: Uint8Array,
    at: number,
    hash: number,
    deleted: number,
    copy: () => T | undefined,
    first: Way | undefined,
  ): Promise<T | undefined> {
    version.hold();
    let loaded: Block | undefined;
    try {
      const search = new TableSearch();
      search.start(version, key, key.length, at, hash);
      for (;;) {
        let block = search.next();
        if (block === undefined && !search.isOver) {
          loaded?.letGo();
          loaded = undefined;
          block = loaded = await this.#load(search, first ?? this.#waits.begin());
          first = undefined;
        }
        if (block !== undefined) {
          if (!this.#inBlock(block, key, key.length, at)) continue;
          this.#noteDetour(version, search);
          if (version.rangeDeletes !== undefined) deleted = version.rangeDeletes.newest(key, 0, key.length, at, deleted);
          return deleted > this.#version ? undefined : copy();
        } else if (search.isOver) {
          this.#noteDetour(version, search);
          return undefined;
        }
      }
    } finally {
      loaded?.letGo();
      version.letGo();
    }
  }

  /** As `TableSearch.load`. */
  async #load(search: TableSearch, way: Way): Promise<Block | undefined> {
    for (; way === 'next-turn'; way = this.#waits.begin()) await this.#waits.nextTurn();
    if (way === 'background') return search.load();
    const block = search.loadSync(1);
    this.#waits.end();
    return block;
  }

  #noteDetour(version: Version, search: TableSearch): void {
    // What a snapshot holds no merge makes less.
    if (version === this.#tree.version) this.#detours.noteSearch(version, search.passed);
  }

  /** Forgets what was found if a range delete hides it. */
  #hide(wanted: Wanted, { rangeDeletes }: Version): void {
    if (!this.#isThere) return;
    const found = this.#version;
    let newest = this.#newestWritten(wanted, found);
    if (rangeDeletes !== undefined) newest = rangeDeletes.newest(wanted.key, 0, wanted.keyEnd, wanted.at, newest);
    if (newest > found) this.#isThere = false;
  }

  /** The newest version as of which a range delete in memory holds the key, if it is above `best`; else `best`. */
  #newestWritten({ key, keyEnd, at, snapshot }: Wanted, best: number): number {
    if (snapshot !== undefined) {
      for (const { memtable, limit } of snapshot.filled) best = memtable.rangeDeletes?.newest(key, 0, keyEnd, at, best, limit) ?? best;
      return best;
    }
    const { active, frozen } = this.#generations;
    if (active.rangeDeletes !== undefined) best = active.rangeDeletes.newest(key, 0, keyEnd, at, best, active.published);
    for (let i = 0; i < frozen.length; i++) {
      const { rangeDeletes } = (frozen[i] as { memtable: Memtable }).memtable;
      if (rangeDeletes !== undefined) best = rangeDeletes.newest(key, 0, keyEnd, at, best, Infinity);
    }
    return best;
  }

  /** Whether a memtable has the answer, which may be that the key was deleted. */
  #inMemtables({ key, keyEnd, at, snapshot }: Wanted): boolean {
    this.reads++;
    this.#isThere = false;
    this.#hash = hashKey(key, 0, keyEnd);
    if (snapshot !== undefined) {
      const cursor = snapshot.findInMemtables(key, keyEnd, at, this.#hash);
      if (cursor !== undefined) this.#note(cursor);
      return cursor !== undefined;
    }
    const { active, frozen } = this.#generations;
    if (this.#inMemtable(active, key, keyEnd, at)) return true;
    for (let i = frozen.length - 1; i >= 0; i--)
      if (this.#inMemtable((frozen[i] as { memtable: Memtable }).memtable, key, keyEnd, at)) return true;
    return false;
  }

  #inMemtable(memtable: Memtable, key: Uint8Array, keyEnd: number, at: number): boolean {
    if (!memtable.mayContain(this.#hash)) return false;
    const ref = memtable.find(key, keyEnd, at);
    if (ref < 0) return false;
    this.#isThere = !memtable.isTombstone(ref);
    this.#bytes = memtable.bytes;
    this.#start = memtable.keyEnd(ref);
    this.#end = memtable.valueEnd(ref);
    this.#version = memtable.version(ref);
    return true;
  }

  /** Whether the block has the answer. */
  #inBlock(block: Block, key: Uint8Array, keyEnd: number, at: number): boolean {
    this.#isThere = false;
    const isOfKey = this.#cursor.seekInBlock(block, key, keyEnd, at);
    if (isOfKey) this.#note(this.#cursor);
    return isOfKey;
  }

  #note(found: Pick<Cursor, 'tombstone' | 'valueBytes' | 'valueStart' | 'valueEnd' | 'version'>): void {
    this.#isThere = !found.tombstone;
    this.#bytes = found.valueBytes;
    this.#start = found.valueStart;
    this.#end = found.valueEnd;
    this.#version = found.version;
  }
}

function mayOverlap({ tables }: Run, { start, end }: KeyRange): boolean {
  const { smallestKey } = tables[0] as Table;
  const { largestKey } = tables.at(-1) as Table;
  return (
    compareRanges(smallestKey, 0, smallestKey.length, end, 0, end.length) < 0 &&
    compareRanges(largestKey, 0, largestKey.length, start, 0, start.length) >= 0
  );
}
