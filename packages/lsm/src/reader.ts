// Reads: memtables first, then the runs of the tree, the latest writes first. For a single key the first source that has a
// version ≤ `at` of the key has the answer, because versions never decrease from an older source to a newer one.
import { compareBytes } from '@distrokv/base';
import { type Block, BlockCursor } from './block-cursor.ts';
import { hashKey } from './bloom.ts';
import type { Cursor } from './cursor.ts';
import type { KeyIterator, KeyValue } from './engine.ts';
import type { Health } from './fail-stop.ts';
import type { Generations } from './generations.ts';
import { type KeyRange, RangeIterator } from './key-iterator.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import type { Memtable } from './memtable.ts';
import { MergingCursor } from './merging-cursor.ts';
import { compareRanges } from './ranges.ts';
import { type Run, RunCursor, cachedBlocks, findTable } from './run.ts';
import type { Table } from './table.ts';
import type { Tree } from './tree.ts';
import type { Version } from './version.ts';

/** What a source says of a key: its newest version ≤ `at`, which may be a tombstone; undefined if it has none. */
type Answer = { readonly found: KeyValue | undefined } | undefined;

const DELETED: Answer = { found: undefined };

export class Reader {
  readonly #generations: Generations;
  readonly #tree: Tree;
  readonly #health: Health;
  /** Reused by reads that finish within the turn. */
  readonly #cursor = new BlockCursor();

  constructor(generations: Generations, tree: Tree, health: Health) {
    this.#generations = generations;
    this.#tree = tree;
    this.#health = health;
  }

  /** `key[0, keyEnd)` is an internal key. */
  getSync(key: Uint8Array, keyEnd: number, at: number): KeyValue | undefined {
    this.#health.checkOpen();
    const answer = this.#fromMemtables(key, keyEnd, at);
    if (answer !== undefined) return answer.found;
    const places = new Places(this.#tree.version, key, keyEnd, at);
    while (places.next()) {
      const inTable = this.#fromBlock(places, places.table.blockSync(places.block));
      if (inTable !== undefined) return inTable.found;
    }
    return undefined;
  }

  /** As `getSync`; `key` must stay as it is. */
  async get(key: Uint8Array, at: number): Promise<KeyValue | undefined> {
    this.#health.checkOpen();
    return (this.#fromMemtables(key, key.length, at) ?? (await this.#fromTables(key, at)))?.found;
  }

  /** As `get`, from tables alone. */
  async getFlushed(key: Uint8Array, at: number): Promise<KeyValue | undefined> {
    this.#health.checkOpen();
    return (await this.#fromTables(key, at))?.found;
  }

  iterator(range: KeyRange): KeyIterator {
    this.#health.checkOpen();
    const version = this.#tree.version.hold();
    const sources: Cursor[] = this.#generations.newestFirst().map((memtable) => new MemtableCursor(memtable));
    for (const run of version.runs) if (mayOverlap(run, range)) sources.push(new RunCursor(run, cachedBlocks));
    return new RangeIterator(
      new MergingCursor(sources, range.reverse),
      range,
      () => this.#health.checkOpen(),
      () => version.letGo(),
    );
  }

  #fromMemtables(key: Uint8Array, keyEnd: number, at: number): Answer {
    const { active, frozen } = this.#generations;
    let answer = fromMemtable(active, key, keyEnd, at);
    for (let i = frozen.length - 1; i >= 0 && answer === undefined; i--) {
      answer = fromMemtable((frozen[i] as { memtable: Memtable }).memtable, key, keyEnd, at);
    }
    return answer;
  }

  async #fromTables(key: Uint8Array, at: number): Promise<Answer> {
    const version = this.#tree.version.hold();
    try {
      const places = new Places(version, key, key.length, at);
      while (places.next()) {
        const block = places.table.cachedBlock(places.block) ?? (await places.table.block(places.block));
        const answer = this.#fromBlock(places, block);
        if (answer !== undefined) return answer;
      }
      return undefined;
    } finally {
      version.letGo();
    }
  }

  #fromBlock({ key, keyEnd, at }: Places, block: Block): Answer {
    const cursor = this.#cursor;
    cursor.seekInBlock(block, key, keyEnd, at);
    if (!cursor.valid || compareRanges(cursor.keyBytes, 0, cursor.keyEnd, key, 0, keyEnd) !== 0) return undefined;
    return cursor.tombstone
      ? DELETED
      : { found: { value: copy(cursor.valueBytes, cursor.valueStart, cursor.valueEnd), version: cursor.version } };
  }
}

function mayOverlap({ tables }: Run, { start, end }: KeyRange): boolean {
  const { smallestKey } = tables[0] as Table;
  const { largestKey } = tables.at(-1) as Table;
  return compareBytes(smallestKey, end) < 0 && compareBytes(largestKey, start) >= 0;
}

function fromMemtable(memtable: Memtable, key: Uint8Array, keyEnd: number, at: number): Answer {
  const ref = memtable.find(key, keyEnd, at);
  if (ref < 0) return undefined;
  if (memtable.isTombstone(ref)) return DELETED;
  return { found: { value: copy(memtable.bytes, memtable.keyEnd(ref), memtable.valueEnd(ref)), version: memtable.version(ref) } };
}

/** Not `slice`, which takes four times as long on short ranges. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out = new Uint8Array(end - start);
  out.set(bytes.subarray(start, end));
  return out;
}

/** The blocks in which a key may lie, in the order in which they have to be asked. */
class Places {
  readonly key: Uint8Array;
  readonly keyEnd: number;
  readonly at: number;
  readonly #version: Version;
  readonly #hash: number;
  #run = 0;
  #table: Table | undefined;
  block = 0;

  constructor(version: Version, key: Uint8Array, keyEnd: number, at: number) {
    this.#version = version;
    this.key = key;
    this.keyEnd = keyEnd;
    this.at = at;
    this.#hash = hashKey(key, 0, keyEnd);
  }

  /** Only after `next` returned true. */
  get table(): Table {
    return this.#table as Table;
  }

  next(): boolean {
    const { runs } = this.#version;
    while (this.#run < runs.length) {
      const run = runs[this.#run] as (typeof runs)[number];
      this.#run++;
      const table = run.tables[findTable(run, this.key, this.keyEnd, this.at)];
      if (table === undefined || !table.mayContain(this.key, this.keyEnd, this.#hash)) continue;
      this.#table = table;
      this.block = table.index.find(this.key, this.keyEnd, this.at);
      return true;
    }
    return false;
  }
}
