// Range deletes: the search for those that hold a key, against looking at each; and when they and what they hide go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions } from './engine.ts';
import { openEngine } from './open.ts';
import { NOT_DELETED, RangeDeletes, type WrittenRange, WrittenRanges, holds } from './range-deletes.ts';
import { drain, keyspaces, textOf } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';
import { verifyStore } from './verify.ts';

function randomRanges(random: Random, count: number): WrittenRange[] {
  return Array.from({ length: count }, (_, i) => {
    const from = random.below(60);
    const to = from + random.between(1, random.chance(0.2) ? 60 : 6);
    return { start: Uint8Array.of(1, from), end: Uint8Array.of(1, to), version: random.below(20), ref: 10 * i };
  });
}

seededTest('the newest range that holds a key is the one that looking at each finds', 200, (random) => {
  const ranges = randomRanges(random, random.between(1, 150));
  const written = new WrittenRanges();
  for (const range of ranges) written.add(range);
  const sorted = RangeDeletes.of(ranges);
  for (let key = 0; key < 70; key++) {
    const [at, best] = [random.below(22), random.between(NOT_DELETED, 8)];
    const limit = random.chance(0.5) ? Infinity : random.below(10 * ranges.length);
    const bytes = Uint8Array.of(1, key);
    const found = ranges.filter((range) => holds(range, bytes, 0, 2) && range.version <= at && range.ref < limit);
    const expected = Math.max(best, ...found.map(({ version }) => version));
    assert.equal(sorted?.newest(bytes, 0, 2, at, best, limit), expected);
    assert.equal(written.newest(bytes, 0, 2, at, best, limit), expected);
  }
  const [from, to] = [Uint8Array.of(1, random.below(60)), Uint8Array.of(1, random.below(60))];
  const overlapping = new Set(sorted?.overlapping(from, to));
  for (const range of ranges) {
    const meets = Buffer.compare(range.end, from) > 0 && Buffer.compare(range.start, to) <= 0;
    assert.equal(overlapping.has(range), meets);
  }
});

function open(env: MemoryEnv, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'sync', memtableBytes: 16 << 10, mergeFanIn: 1, ...options });
}

async function fill(engine: Engine, name: 'data' | 'meta', keys: number, version?: number): Promise<void> {
  for (let first = 0; first < keys; first += 100) {
    const batch = engine.batch();
    const end = Math.min(keys, first + 100);
    for (let key = first; key < end; key++) batch.put(engine.keyspace(name), keyOf(key), seededRandom(key).bytes(100), version);
    await engine.write(batch);
  }
}

function keyOf(key: number): Uint8Array {
  return utf8(`key${String(key).padStart(5, '0')}`);
}

async function deleteRange(engine: Engine, name: 'data' | 'meta', from: number, to: number | undefined, version?: number): Promise<void> {
  const batch = engine.batch();
  batch.deleteRange(engine.keyspace(name), keyOf(from), to === undefined ? undefined : keyOf(to), version);
  await engine.write(batch);
}

async function settle(engine: Engine): Promise<void> {
  await engine.flush();
  await engine.settle();
}

test('a range delete hides what was before it, from each kind of read, and from no snapshot before it', async () => {
  const env = createMemoryEnv({ seed: 1 });
  let engine = await open(env);
  await fill(engine, 'meta', 100);
  await engine.flush();
  await fill(engine, 'meta', 50);
  const before = engine.snapshot();
  await deleteRange(engine, 'meta', 10, 90);
  const after = engine.batch();
  after.put(engine.keyspace('meta'), keyOf(20), utf8('again'));
  await engine.write(after);
  const check = async (): Promise<void> => {
    const meta = engine.keyspace('meta');
    assert.equal(meta.getSync(keyOf(10)), undefined);
    assert.equal(meta.getEntrySync(keyOf(89)), undefined);
    assert.equal(await meta.get(keyOf(70)), undefined);
    assert.equal(textOf(meta.getSync(keyOf(20))), 'again');
    assert.notEqual(meta.getSync(keyOf(9)), undefined);
    assert.notEqual(await meta.get(keyOf(90)), undefined);
    assert.equal((await meta.getMany([keyOf(9), keyOf(20), keyOf(21), keyOf(95)])).filter((value) => value !== undefined).length, 3);
    assert.equal(meta.count(), 21);
    assert.deepEqual(
      drain(meta.iterator()).map(([key]) => key),
      drain(meta.iterator({ reverse: true }))
        .map(([key]) => key)
        .reverse(),
    );
    assert.equal(meta.count({ gte: keyOf(10), lt: keyOf(90), reverse: true }), 1);
  };
  await check();
  assert.equal(engine.keyspace('meta').count({ snapshot: before }), 100);
  assert.notEqual(engine.keyspace('meta').getSync(keyOf(10), undefined, before), undefined);
  await engine.flush();
  await check();
  await engine.settle();
  await check();
  assert.equal(engine.keyspace('meta').count({ snapshot: before }), 100);
  assert.notEqual(await engine.keyspace('meta').get(keyOf(80), undefined, before), undefined);
  before.close();
  await deleteRange(engine, 'meta', 0, 9);
  await engine.close();
  engine = await open(env);
  assert.equal(engine.keyspace('meta').count(), 12);
  await deleteRange(engine, 'meta', 0, undefined);
  assert.equal(engine.keyspace('meta').count(), 0);
  await engine.close();
  assert.deepEqual((await verifyStore(env, '/db')).faults, []);
});

test('the past is there as of every version, until the watermark passes the range delete', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const data = engine.keyspace('data');
  await fill(engine, 'data', 50, 1);
  await deleteRange(engine, 'data', 10, 20, 5);
  const both = engine.batch();
  both.put(data, keyOf(10), utf8('same version'), 7);
  both.deleteRange(data, keyOf(0), keyOf(30), 7);
  both.put(data, keyOf(11), utf8('same version'), 7);
  await engine.write(both);
  for (let round = 0; round < 2; round++) {
    assert.equal(data.count({ at: 4 }), 50);
    assert.equal(data.count({ at: 5 }), 40);
    assert.equal(data.count({ at: 7 }), 22);
    assert.equal(data.count(), 22);
    assert.notEqual(data.getSync(keyOf(12), 4), undefined);
    assert.equal(data.getSync(keyOf(12), 5), undefined);
    assert.equal(textOf(await data.get(keyOf(10), 7)), 'same version');
    await settle(engine);
  }
  assert.equal(engine.stats().rangeDeletes, 2);
  data.setRetention(7);
  await fill(engine, 'data', 1, 8);
  await settle(engine);
  await fill(engine, 'data', 1, 9);
  await settle(engine);
  assert.equal(engine.stats().rangeDeletes, 0, 'nothing is left that they could hide');
  assert.equal(data.count({ at: 7 }), 22);
  await engine.close();
});

test('tables that a range delete hides whole go without a byte written for it', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  await fill(engine, 'meta', 2000);
  await settle(engine);
  const { tables, bytesWritten } = engine.stats();
  assert.ok(tables > 10, `${tables} tables`);
  await deleteRange(engine, 'meta', 0, undefined);
  await settle(engine);
  assert.equal(engine.stats().tables, 0);
  assert.ok(engine.stats().bytesWritten < bytesWritten + 200, 'the record of the log');
  await fill(engine, 'meta', 10);
  await settle(engine);
  assert.equal(engine.keyspace('meta').count(), 10);
  assert.equal(engine.stats().rangeDeletes, 0);
  await engine.close();
});

test('the space of a part of a table comes back, and range deletes go when nothing is left that they hide', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  await fill(engine, 'meta', 2000);
  await settle(engine);
  const before = engine.stats().tableBytes;
  for (let key = 0; key < 2000; key += 20) await deleteRange(engine, 'meta', key, key + 15);
  await settle(engine);
  const { tableBytes, rangeDeletes } = engine.stats();
  assert.ok(tableBytes < before / 2.5, `${before} bytes became ${tableBytes}`);
  assert.ok(rangeDeletes <= 20, `${rangeDeletes} of 100 range deletes are left`);
  assert.equal(engine.keyspace('meta').count(), 500);
  await engine.close();
});

test('range deletes that merges may obey do not pile up', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  await fill(engine, 'meta', 2000);
  await settle(engine);
  for (let round = 0; round < 20; round++) {
    const batch = engine.batch();
    // Each hides one key of many, which is not worth a merge.
    for (let i = 0; i < 100; i++) batch.deleteRange(engine.keyspace('meta'), keyOf(20 * i + round), keyOf(20 * i + round + 1));
    await engine.write(batch);
    await engine.flush();
  }
  await engine.settle();
  assert.ok(engine.stats().rangeDeletes <= 512, `${engine.stats().rangeDeletes} range deletes`);
  assert.equal(engine.keyspace('meta').count(), 0);
  await engine.close();
});

test('one range that is deleted again and again is kept once', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }), { mergeFanIn: 64 });
  for (let round = 0; round < 30; round++) {
    await fill(engine, 'meta', 30);
    await deleteRange(engine, 'meta', 0, 29);
    if (round % 3 === 0) await engine.flush();
  }
  await engine.flush();
  assert.ok(engine.stats().rangeDeletes <= 1, `${engine.stats().rangeDeletes} range deletes`);
  assert.equal(engine.keyspace('meta').count(), 1);
  await engine.close();
});

test('a merge that began when there was no range delete takes none away that came meanwhile', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { mergeFanIn: 3 });
  let isFlushed = false;
  let letGo = (): void => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  // What writes tables when nothing is left to flush is a merge; those that it has not begun get their numbers later.
  const reached = new Promise<'merging'>((resolve) =>
    env.fs.delayBy((_kind, path) => {
      if (!isFlushed || !path.endsWith('.sst')) return undefined;
      resolve('merging');
      return held;
    }),
  );
  let state: 'merging' | undefined;
  for (let round = 0; state === undefined && round < 50; round++) {
    isFlushed = false;
    await fill(engine, 'meta', 120);
    await engine.flush();
    isFlushed = true;
    state = await Promise.race([reached, engine.settle().then(() => undefined)]);
  }
  assert.equal(state, 'merging');
  await deleteRange(engine, 'meta', 0, 110);
  await engine.flush();
  letGo();
  await engine.settle();
  assert.ok(engine.stats().merges > 0);
  assert.equal(engine.keyspace('meta').count(), 10);
  await engine.close();
});

test('what an unlogged writer deletes is there after its flush', async () => {
  const env = createMemoryEnv({ seed: 1 });
  let engine = await open(env, { wal: 'none' });
  const writer = engine.unlogged();
  for (let key = 0; key < 10; key++) writer.put(engine.keyspace('data'), keyOf(key), utf8('v'), 1);
  await writer.commit();
  await engine.flush();
  writer.deleteRange(engine.keyspace('data'), keyOf(2), keyOf(8), 2);
  assert.equal(engine.keyspace('data').count(), 4);
  assert.notEqual(await engine.keyspace('data').getFlushed(keyOf(2)), undefined);
  await writer.commit();
  assert.throws(() => writer.deleteRange(engine.keyspace('data'), keyOf(2), keyOf(8), 1), { code: 'invalid' }, 'too late');
  await engine.flush();
  assert.equal(await engine.keyspace('data').getFlushed(keyOf(2)), undefined);
  await engine.close();
  engine = await open(env, { wal: 'none' });
  assert.equal(engine.keyspace('data').count(), 4);
  assert.equal(engine.keyspace('data').count({ at: 1 }), 10);
  await engine.close();
});

test('a range has a start before its end, and a batch at most a thousand of them', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const batch = engine.batch();
  const [data, meta] = [engine.keyspace('data'), engine.keyspace('meta')];
  assert.throws(() => batch.deleteRange(meta, keyOf(2), keyOf(2)), { code: 'invalid' });
  assert.throws(() => batch.deleteRange(meta, keyOf(2), keyOf(1)), { code: 'invalid' });
  assert.throws(() => batch.deleteRange(meta, keyOf(1), keyOf(2), 1), { code: 'invalid' });
  assert.throws(() => batch.deleteRange(data, keyOf(1), keyOf(2)), { code: 'invalid' });
  assert.equal(batch.count, 0);
  for (let i = 0; i < 1000; i++) batch.deleteRange(meta, keyOf(i), undefined);
  assert.throws(() => batch.deleteRange(meta, keyOf(1), undefined), { code: 'invalid' });
  await engine.write(batch);
  await fill(engine, 'meta', 1);
  assert.equal(engine.stats().frozenMemtables + engine.stats().flushes, 1, 'a memtable with so many is frozen');
  await engine.close();
});

test('range deletes with long bounds are refused when those that are kept have too many bytes', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await openEngine({ env, directory: '/db', keyspaces, wal: 'none', memtableBytes: 4 << 20 });
  const data = engine.keyspace('data');
  const writer = engine.unlogged();
  const long = (first: string): Uint8Array => utf8(first.padEnd(1 << 20, '.'));
  writer.put(data, utf8('b'), utf8('v'), 1);
  let version = 2;
  const deleteRange = async (): Promise<void> => {
    writer.deleteRange(data, long('a'), long('c'), version++);
    await writer.commit();
  };
  await assert.rejects(
    async () => {
      for (let i = 0; i < 20; i++) {
        await deleteRange();
        await engine.flush();
      }
    },
    { code: 'no-space' },
  );
  // Nobody reads the past any more: merges may obey them, and do, for there are too many.
  data.setRetention(version);
  writer.put(data, utf8('b'), utf8('v'), version);
  await writer.commit();
  await engine.flush();
  await engine.settle();
  await deleteRange();
  await engine.close();
});
