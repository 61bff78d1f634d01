// Blocks, filters and whole tables: what goes in comes out, in both directions and from anywhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, type Random, compareBytes, hex, utf8 } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { BlockCache } from './block-cache.ts';
import { BlockCursor } from './block-cursor.ts';
import { LINE_BYTES, addToLine, hashKey, lineOf, linesFor, mayBeInLine } from './bloom.ts';
import { NEWEST } from './cursor.ts';
import { FilePool } from './file-pool.ts';
import { Below } from './key-bounds.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { Memtable } from './memtable.ts';
import { MergingCursor } from './merging-cursor.ts';
import { KEEP_ALL, Retention } from './retention.ts';
import { type Run, RunCursor, cachedBlocks, makeRun } from './run.ts';
import { writeRun } from './run-writer.ts';
import { TableSearch } from './table-search.ts';
import { Table, mayContain } from './table.ts';
import { seededTest } from './testing/seeds.ts';
import type { Version } from './version.ts';

interface Entry {
  readonly key: Uint8Array;
  readonly version: number;
  readonly value: Uint8Array | undefined;
}

const order = (a: Entry, b: Entry): number => compareBytes(a.key, b.key) || b.version - a.version;

/** Distinct entries of keyspace 1, sorted; several versions of some keys, values of all sizes. */
function randomEntries(random: Random, count: number): Entry[] {
  const entries = new Map<string, Entry>();
  for (let i = 0; i < count; i++) {
    const key = utf8(`${'p'.repeat(random.below(3))}/${random.below(count / 2)}`);
    const version = random.below(5) * 2 ** 40 + random.below(3);
    const value = random.chance(0.2) ? undefined : new Uint8Array(random.chance(0.02) ? 3000 : random.below(30)).fill(i);
    entries.set(`${hex(key)}@${version}`, { key: Uint8Array.of(1, ...key), version, value });
  }
  return [...entries.values()].sort(order);
}

async function writeTables(random: Random, entries: readonly Entry[]): Promise<{ run: Run; cache: BlockCache }> {
  const env = createMemoryEnv({ seed: 1 });
  const memtable = new Memtable(1 << 16);
  for (const { key, version, value } of entries) {
    const bytes = value ?? EMPTY;
    memtable.insert(1, key, 1, key.length, version, value === undefined, bytes, 0, bytes.length);
  }
  memtable.publish();
  const cursor = new MergingCursor([new MemtableCursor(memtable)], false);
  cursor.seek(EMPTY, NEWEST);
  let number = 1;
  const written = await writeRun(cursor, new Retention(new Map([[1, KEEP_ALL]]), new Below([])), {
    env,
    directory: '',
    blockBytes: 64 << random.below(5),
    codec: random.chance(0.5) ? 'none' : 'lz4',
    tableBytes: 2000 << random.below(4),
    nextNumber: () => number++,
    beforeSlice: () => Promise.resolve(),
  });
  const files = new FilePool(env.fs, random.between(1, 4));
  const cache = new BlockCache(random.below(20_000));
  const tables = await Promise.all(written.map((table) => Table.open(files, '', table.number, table.byteLength, cache)));
  return { run: makeRun(0, 1, tables), cache };
}

function seen(cursor: RunCursor): Entry {
  const { keyBytes, keyStart, keyEnd, version, tombstone, valueBytes, valueStart, valueEnd } = cursor;
  return { key: keyBytes.slice(keyStart, keyEnd), version, value: tombstone ? undefined : valueBytes.slice(valueStart, valueEnd) };
}

seededTest('a run of tables is walked both ways, and from anywhere', 12, async (random) => {
  const entries = randomEntries(random, 600);
  const { run, cache } = await writeTables(random, entries);
  const cursor = new RunCursor(run, cachedBlocks);
  const found: Entry[] = [];
  for (cursor.seek(EMPTY, NEWEST); cursor.valid; cursor.next()) found.push(seen(cursor));
  assert.deepEqual(found, entries);
  found.length = 0;
  for (cursor.seekBefore(Uint8Array.of(2), NEWEST); cursor.valid; cursor.prev()) found.push(seen(cursor));
  assert.deepEqual(found, entries.toReversed());
  for (let i = 0; i < 100; i++) {
    const { key } = entries[random.below(entries.length)] as Entry;
    const target = {
      key: random.chance(0.5) ? key : Uint8Array.of(1, ...random.bytes(2)),
      version: random.below(5) * 2 ** 40,
      value: undefined,
    };
    const at = entries.findIndex((entry) => order(entry, target) >= 0);
    cursor.seek(target.key, target.version);
    assert.deepEqual(cursor.valid ? seen(cursor) : undefined, entries[at]);
    cursor.seekBefore(target.key, target.version);
    assert.deepEqual(cursor.valid ? seen(cursor) : undefined, at < 0 ? entries.at(-1) : entries[at - 1]);
  }
  for (const { key } of entries) {
    const hash = hashKey(key, 0, key.length);
    assert.ok(
      run.tables.some((table) => {
        const line = table.filterLine(hash);
        return mayContain(table.filterSync(line), line, hash);
      }),
    );
  }
  for (const table of run.tables) await table.close();
  assert.equal(cache.dataBytes + cache.metadataBytes, 0, 'a closed table leaves the cache');
});

seededTest(
  'a run with gaps is asked for the keys between its bounds, and for none that begins otherwise than what it has there',
  6,
  async (random) => {
    const entries = randomEntries(random, 600);
    const { run: whole } = await writeTables(random, entries);
    const { tables } = whole;
    const kept = tables.filter((_, i) => i === 0 || i === tables.length - 1 || random.chance(0.5));
    const run = makeRun(0, 1, kept);
    let spared = 0;
    for (const { key, version } of entries) {
      const owner = whole.tableOf(key, key.length, version);
      assert.ok(owner !== undefined, 'without gaps every key that is there has a table');
      const found = run.tableOf(key, key.length, version);
      if (kept.includes(owner)) assert.equal(found, owner);
      else if (found === undefined) spared++;
    }
    // Within six bytes keys may begin like the table that follows the gap.
    if (kept.length < tables.length) assert.ok(spared > 0);
    for (const table of tables) await table.close();
  },
);

seededTest('versions of one key that are torn apart over blocks and pages are found as of any version', 4, async (random) => {
  const entryOf = (key: string, version: number): Entry => ({ key: Uint8Array.of(1, ...utf8(key)), version, value: random.bytes(5) });
  const versions = Array.from({ length: 500 }, (_, i) => 2 * i + 2);
  const entries = [entryOf('j', 7), ...versions.map((version) => entryOf('k', version)), entryOf('ka', 7), entryOf('l', 9)].sort(order);
  const { run } = await writeTables(random, entries);
  const cursor = new RunCursor(run, cachedBlocks);
  const key = Uint8Array.of(1, ...utf8('k'));
  for (let at = 0; at <= 1002; at++) {
    cursor.seek(key, at);
    const expected = entries.find((entry) => order(entry, { key, version: at, value: undefined }) >= 0);
    assert.deepEqual(seen(cursor), expected, `as of ${at}`);
    const search = new TableSearch();
    search.start({ runs: [run] } as unknown as Version, key, key.length, at, hashKey(key, 0, key.length));
    let found = false;
    const block = new BlockCursor();
    while (!search.isOver && !found) {
      const candidate = search.next() ?? (search.isOver ? undefined : search.loadSync(0));
      found = candidate !== undefined && block.seekInBlock(candidate, key, key.length, at);
    }
    assert.equal(found ? block.version : undefined, at < 2 ? undefined : Math.min(1000, at - (at % 2)));
  }
  for (const table of run.tables) await table.close();
});

test('a filter knows its keys, and has about one false alarm in a hundred', () => {
  const hashes = Array.from({ length: 20_000 }, (_, i) => utf8(`key${i}`)).map((key) => hashKey(key, 0, key.length));
  const lines = linesFor(hashes.length);
  const filter = new Uint8Array(lines * LINE_BYTES);
  for (const hash of hashes) addToLine(filter, lineOf(hash, lines) * LINE_BYTES, hash);
  const mayBeThere = (hash: number): boolean => mayBeInLine(filter, lineOf(hash, lines) * LINE_BYTES, hash);
  assert.ok(hashes.every(mayBeThere));
  let alarms = 0;
  for (let i = 0; i < 20_000; i++) {
    const key = utf8(`other${i}`);
    if (mayBeThere(hashKey(key, 0, key.length))) alarms++;
  }
  assert.ok(alarms < 400, `${alarms} of 20,000`);
});
