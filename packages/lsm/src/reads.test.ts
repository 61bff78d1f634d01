// What engine.ts promises of reads: snapshots, iterators that go anywhere, and that memory answers at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions } from './engine.ts';
import { openEngine } from './open.ts';
import { drain, keyspaces, textOf } from './testing/model.ts';

function open(env: MemoryEnv, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'nosync', ...options });
}

async function put(engine: Engine, entries: Readonly<Record<string, string | undefined>>): Promise<void> {
  const batch = engine.batch();
  for (const [key, value] of Object.entries(entries)) {
    if (value === undefined) batch.delete(engine.keyspace('meta'), utf8(key));
    else batch.put(engine.keyspace('meta'), utf8(key), utf8(value));
  }
  await engine.write(batch);
}

async function tableFiles(env: MemoryEnv): Promise<number> {
  await env.time.settle();
  return (await env.fs.readDirectory('/db')).filter((name) => name.endsWith('.sst')).length;
}

test('a snapshot shows its moment to every kind of read, and keeps its tables until it is closed', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { mergeFanIn: 1 });
  const meta = engine.keyspace('meta');
  await put(engine, { a: 'old', b: 'old', gone: 'old' });
  await engine.flush();
  await put(engine, { b: 'newer', gone: undefined });
  const snapshot = engine.snapshot();
  await put(engine, { a: 'later', b: 'later', c: 'later', gone: 'later' });
  for (const flushed of [false, true]) {
    if (flushed) {
      await engine.flush();
      await engine.settle();
    }
    const read = ['a', 'b', 'c', 'gone'].map((key) => textOf(meta.getSync(utf8(key), undefined, snapshot)));
    assert.deepEqual(read, ['old', 'newer', undefined, undefined]);
    assert.equal(textOf(await meta.get(utf8('b'), undefined, snapshot)), 'newer');
    assert.deepEqual((await meta.getMany([utf8('a'), utf8('c')], undefined, snapshot)).map(textOf), ['old', undefined]);
    assert.equal(meta.getEntrySync(utf8('gone'), undefined, snapshot), undefined);
    assert.equal(meta.count({ snapshot }), 2);
  }
  assert.equal(await tableFiles(env), 2, 'the merged table, and the one that the snapshot holds');
  const iterator = meta.iterator({ snapshot });
  snapshot.close();
  assert.throws(() => meta.getSync(utf8('a'), undefined, snapshot), { code: 'closed' });
  assert.equal(await tableFiles(env), 2, 'an iterator of the snapshot holds it too');
  assert.deepEqual(drain(iterator), [
    ['a', 'old'],
    ['b', 'newer'],
  ]);
  assert.equal(await tableFiles(env), 1);
  {
    using scoped = engine.snapshot();
    assert.equal(meta.count({ snapshot: scoped }), 4);
  }
  await engine.close();
});

test('a snapshot of another engine, a limit that is none, and reads of what is closed are refused', async () => {
  const [engine, other] = [await open(createMemoryEnv({ seed: 1 })), await open(createMemoryEnv({ seed: 2 }))];
  const meta = engine.keyspace('meta');
  const snapshot = other.snapshot();
  assert.throws(() => meta.getSync(utf8('a'), undefined, snapshot), { code: 'invalid' });
  await assert.rejects(meta.get(utf8('a'), undefined, snapshot), { code: 'invalid' });
  await assert.rejects(meta.getMany([utf8('a')], 3), { code: 'invalid' });
  assert.throws(() => meta.iterator({ snapshot }), { code: 'invalid' });
  assert.throws(() => meta.iterator({ limit: -1 }), { code: 'invalid' });
  const iterator = meta.iterator();
  iterator.close();
  assert.throws(() => iterator.seek(utf8('a')), { code: 'closed' });
  const late = engine.snapshot();
  await engine.close();
  assert.throws(() => engine.snapshot(), { code: 'closed' });
  await assert.rejects(meta.get(utf8('a')), { code: 'closed' });
  late.close();
  snapshot.close();
  await other.close();
});

test('the tightest of several bounds counts, and a limit counts keys, not seeks', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  await put(engine, { a: '1', b: '2', ba: '3', 'b\0': '4', c: '5' });
  const meta = engine.keyspace('meta');
  const keys = (range: Parameters<typeof meta.iterator>[0]): string[] => drain(meta.iterator(range)).map(([key]) => key);
  assert.deepEqual(keys({ gt: utf8('b') }), ['b\0', 'ba', 'c']);
  assert.deepEqual(keys({ lte: utf8('b') }), ['a', 'b']);
  assert.deepEqual(keys({ gte: utf8('a'), gt: utf8('b'), lt: utf8('z'), lte: utf8('ba') }), ['b\0', 'ba']);
  assert.deepEqual(keys({ prefix: utf8('b'), reverse: true }), ['ba', 'b\0', 'b']);
  assert.deepEqual(keys({ prefix: utf8('b'), gt: utf8('b'), limit: 1 }), ['b\0']);
  const many = meta.iterator({ gt: utf8('a') });
  const taken = [many.nextMany(2), many.nextMany(10, 1), many.nextMany(10), many.nextMany(10)];
  many.close();
  assert.deepEqual(
    taken.map((entries) => entries.map(({ key, value }) => [fromUtf8(key), fromUtf8(value)].join('='))),
    [['b=2', 'b\0=4'], ['ba=3'], ['c=5'], []],
  );
  const iterator = meta.iterator({ limit: 3 });
  const visited: string[] = [];
  for (const target of ['c', 'a']) {
    iterator.seek(utf8(target));
    while (iterator.next()) visited.push(fromUtf8(iterator.key));
  }
  iterator.close();
  assert.deepEqual(visited, ['c', 'a', 'b']);
  await engine.close();
});

test('what memory has is read without the disk; a block that many miss at the same time is read once', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const meta = engine.keyspace('meta');
  await put(engine, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i + 10}`, `v${i + 10}`])));
  await engine.flush();
  let reads = 0;
  env.fs.onOperation = ({ kind }) => void (reads += kind === 'read' ? 1 : 0);
  const keys = Array.from({ length: 20 }, (_, i) => utf8(`k${i + 10}`));
  const [values, one] = await Promise.all([meta.getMany(keys), meta.get(utf8('k13'))]);
  assert.deepEqual(
    values.map(textOf),
    Array.from({ length: 20 }, (_, i) => `v${i + 10}`),
  );
  assert.equal(textOf(one), 'v13');
  assert.equal(reads, 3, 'a page of the filter, a page of the index, and the block');
  assert.equal(textOf(await meta.get(utf8('k20'))), 'v20');
  assert.equal(reads, 3);
  env.fs.onOperation = undefined;
  await engine.close();
});

test('values that were read are copies: neither the next read nor the caller changes them', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const meta = engine.keyspace('meta');
  const sizes = [0, 1, 24, 25, 100, 2048, 2049, 8192, 100_000];
  await put(engine, Object.fromEntries(sizes.map((size) => [`k${size}`, `${size % 10}`.repeat(size)])));
  for (const flushed of [false, true]) {
    if (flushed) await engine.flush();
    for (let round = 0; round < 10; round++) {
      const read = sizes.map((size) => meta.getSync(utf8(`k${size}`)));
      for (const [i, size] of sizes.entries()) {
        assert.equal(textOf(read[i]), `${size % 10}`.repeat(size));
        read[i]?.fill(0);
      }
    }
  }
  await engine.close();
});

test('memory keeps its limit while data far beyond it is written and read', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { memoryLimitBytes: 1 << 20, wal: 'none' });
  const writer = engine.unlogged();
  const meta = engine.keyspace('meta');
  let most = 0;
  const key = (i: number): Uint8Array => utf8(String((i * 7919) % 20_000).padStart(8, '0'));
  for (let i = 0; i < 20_000; i++) {
    writer.put(meta, key(i), new Uint8Array(200).fill(i));
    if (i % 100 === 99) await writer.commit();
    most = Math.max(most, engine.stats().memoryBytes);
  }
  await engine.flush();
  await engine.settle();
  assert.ok(engine.stats().tableBytes > 3 << 20);
  for (let i = 0; i < 20_000; i += 3) {
    assert.equal(meta.getSync(key(i))?.[199], i & 0xff);
    most = Math.max(most, engine.stats().memoryBytes);
  }
  const { memoryLimitBytes, blockCacheBytes, tableIndexBytes } = engine.stats();
  assert.ok(most <= memoryLimitBytes, `${most} of ${memoryLimitBytes}`);
  assert.ok(blockCacheBytes + tableIndexBytes > memoryLimitBytes / 3, 'and it is used');
  await engine.close();
  assert.deepEqual([engine.stats().blockCacheBytes, engine.stats().tableIndexBytes], [0, 0]);
});

test('the parts of the memory come to the limit at most: parts that are given alone make it, others are refused', async () => {
  const MiB = 1 << 20;
  const limitOf = async (options: Partial<EngineOptions>): Promise<number> => {
    const engine = await open(createMemoryEnv({ seed: 1 }), options);
    await engine.close();
    return engine.stats().memoryLimitBytes;
  };
  assert.equal(await limitOf({}), 256 * MiB);
  assert.equal(await limitOf({ memtableBytes: 4 * MiB, blockCacheBytes: MiB }), 256 * MiB);
  assert.equal(await limitOf({ memtableBytes: 100 * MiB }), 375 * MiB, 'three memtables, and a quarter more');
  assert.equal(await limitOf({ memtableBytes: 100 * MiB, blockCacheBytes: MiB }), 376 * MiB);
  assert.equal(await limitOf({ memoryLimitBytes: 16 * MiB, memtableBytes: 4 * MiB, blockCacheBytes: MiB }), 16 * MiB);
  for (const part of [{ memtableBytes: 5 * MiB }, { memtableBytes: 4 * MiB, blockCacheBytes: MiB + 1 }, { blockCacheBytes: 16 * MiB }])
    await assert.rejects(limitOf({ memoryLimitBytes: 16 * MiB, ...part }), {
      code: 'invalid',
      message: /memoryLimitBytes is 16777216, but/,
    });
});

test('indexes and filters that are several times as large as the memory come and go, and nothing is missed', async () => {
  const env = createMemoryEnv({ seed: 1 });
  // Blocks of one entry: the index is as large as it gets.
  const settings = { blockCacheBytes: 300_000, memtableBytes: 256 << 10, blockBytes: 256, wal: 'none' } as const;
  let engine = await open(env, settings);
  const writer = engine.unlogged();
  const count = 40_000;
  const key = (i: number): Uint8Array => utf8(`key/${String(i * 7).padStart(9, '0')}`);
  const order = (i: number): number => (i * 7919) % count;
  let most = 0;
  const look = (): void => {
    const { blockCacheBytes, tableIndexBytes } = engine.stats();
    most = Math.max(most, blockCacheBytes + tableIndexBytes);
  };
  for (let i = 0; i < count; i++) {
    writer.put(engine.keyspace('meta'), key(order(i)), new Uint8Array(240).fill(order(i)));
    if (i % 50 === 49) await writer.commit();
    look();
  }
  await engine.flush();
  await engine.settle();
  const { tableBytes } = engine.stats();
  await engine.close();
  engine = await open(env, settings);
  assert.ok(engine.stats().tableIndexBytes < 250_000, `${engine.stats().tableIndexBytes} when it was opened`);
  const meta = engine.keyspace('meta');
  for (let i = 0; i < count; i += 7) {
    const found = i % 2 === 0 ? meta.getSync(key(order(i))) : await meta.get(key(order(i)));
    assert.equal(found?.[239], order(i) & 0xff);
    assert.equal(meta.getSync(utf8(`key/${String(i * 7 + 1).padStart(9, '0')}`)), undefined);
    look();
  }
  assert.equal(meta.count(), count);
  look();
  assert.ok(most <= settings.blockCacheBytes, `${most} of ${settings.blockCacheBytes}`);
  // A block for each entry: sixteen bytes of arrays, and a key that tells it from the one before it; ten bits of filter.
  const needed = count * (16 + 6 + 10 / 8);
  assert.ok(needed > 3 * settings.blockCacheBytes);
  assert.ok(tableBytes > 4 << 20);
  await engine.close();
});

test('what only snapshots and iterators keep in memory is told, until they let go', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const held = (): number => engine.stats().heldMemtableBytes;
  await put(engine, { a: '1' });
  const snapshot = engine.snapshot();
  const iterator = engine.keyspace('meta').iterator();
  await engine.flush();
  const { memtableBytes, blockCacheBytes, tableIndexBytes, memoryBytes } = engine.stats();
  assert.ok(held() > 0);
  assert.equal(memoryBytes, memtableBytes + held() + blockCacheBytes + tableIndexBytes);
  const later = engine.keyspace('meta').iterator({ snapshot });
  snapshot.close();
  iterator.close();
  assert.ok(held() > 0, 'the iterator of the snapshot goes on without it');
  assert.deepEqual(drain(later), [['a', '1']]);
  assert.equal(held(), 0);
  await put(engine, { b: '2' });
  await engine.flush();
  assert.equal(held(), 0);
  await engine.close();
});

test('a read of the past stops at the end of its range, whatever was written behind it since', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { blockCacheBytes: 0, blockBytes: 256 });
  const data = engine.keyspace('data');
  const batch = engine.batch();
  batch.put(data, utf8('a'), utf8('old'), 1);
  for (let i = 0; i < 2000; i++) batch.put(data, utf8(`b${i}`), utf8('later'), 2);
  await engine.write(batch);
  await engine.flush();
  let reads = 0;
  env.fs.onOperation = ({ kind }) => {
    if (kind === 'read') reads++;
    return undefined;
  };
  assert.deepEqual(drain(data.iterator({ at: 1, lt: utf8('b') })), [['a', 'old']]);
  assert.ok(reads <= 4, `${reads} reads`);
  await engine.close();
});

test('an iterator that could not read a block does not pass over it', async () => {
  for (const reverse of [false, true]) {
    const env = createMemoryEnv({ seed: 1 });
    const engine = await open(env, { blockCacheBytes: 0, blockBytes: 64 });
    const names = Array.from({ length: 50 }, (_, i) => String(100 + i));
    await put(engine, Object.fromEntries(names.map((name) => [name, 'v'.repeat(40)])));
    await engine.flush();
    const keys = engine.keyspace('meta').iterator({ reverse });
    const wanted = reverse ? names.toReversed() : names;
    for (const name of wanted.slice(0, 10)) assert.equal(keys.next() && fromUtf8(keys.key), name);
    env.fs.onOperation = ({ kind }) => (kind === 'read' ? 'io' : undefined);
    assert.throws(() => keys.nextMany(10), { code: 'io' });
    env.fs.onOperation = undefined;
    assert.throws(() => keys.next(), { code: 'invalid' });
    keys.seek(utf8(wanted[10] as string));
    assert.deepEqual(
      keys.nextMany(100).map(({ key }) => fromUtf8(key)),
      wanted.slice(10),
    );
    keys.close();
    await engine.close();
  }
});
