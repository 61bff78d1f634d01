// What the engine promises in engine.ts, one promise a test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, fromUtf8, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import { openEngine } from './open.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { drain, keyspaces, textOf } from './testing/model.ts';

function open(env: MemoryEnv, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'sync', ...options });
}

async function put(engine: Engine, key: string, value: string | undefined, version?: number): Promise<void> {
  const batch = engine.batch();
  const keyspace = engine.keyspace(version === undefined ? 'meta' : 'data');
  if (value === undefined) batch.delete(keyspace, utf8(key), version);
  else batch.put(keyspace, utf8(key), utf8(value), version);
  await engine.write(batch);
}

test('a key has its value as of any version, tombstones included', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const data = engine.keyspace('data');
  await put(engine, 'k', 'two', 2);
  await put(engine, 'k', undefined, 4);
  await put(engine, 'k', 'six', 6);
  for (const flushed of [false, true]) {
    if (flushed) await engine.flush();
    const found = [1, 2, 3, 4, 5, 6, 7].map((at) => textOf(data.getSync(utf8('k'), at)));
    assert.deepEqual(found, [undefined, 'two', 'two', undefined, undefined, 'six', 'six']);
    assert.deepEqual(data.getEntrySync(utf8('k'), 3), { value: utf8('two'), version: 2 });
    assert.equal(textOf(await data.get(utf8('k'))), 'six');
  }
  await engine.close();
});

test('concurrent writes share one sync', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  let syncs = 0;
  env.fs.onOperation = ({ kind }) => void (syncs += kind === 'sync' ? 1 : 0);
  await Promise.all(Array.from({ length: 100 }, (_, i) => put(engine, `k${i}`, 'v', 1)));
  assert.equal(syncs, 1);
  await engine.close();
});

test('the memtable takes a write while the disk syncs, and reads see it only when it is durable', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const meta = engine.keyspace('meta');
  await put(engine, 'k', 'old');
  const before = engine.stats().memtableEntries;
  const written = put(engine, 'k', 'new');
  while (engine.stats().memtableEntries === before) await new Promise<void>((resolve) => env.timers.defer(resolve));
  const [iterator, during] = [meta.iterator(), textOf(meta.getSync(utf8('k')))];
  await written;
  assert.equal(during, 'old');
  assert.deepEqual(drain(iterator), [['k', 'old']]);
  assert.equal(textOf(meta.getSync(utf8('k'))), 'new');
  await engine.close();
});

test('writes without a sync go to the log in groups, and let other events have their turn', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { wal: 'nosync' });
  let writes = 0;
  env.fs.onOperation = ({ kind }) => void (writes += kind === 'write' ? 1 : 0);
  const first = put(engine, 'first', 'v');
  assert.equal(writes, 0, 'the turn of the first writers is long enough as it is');
  await first;
  assert.equal(writes, 1);
  writes = 0;
  const hundred = (): Promise<unknown> => Promise.all(Array.from({ length: 100 }, (_, i) => put(engine, `k${i}`, 'v')));
  await hundred();
  assert.equal(writes, 2, 'the first one had nobody to wait for');
  await hundred();
  assert.equal(writes, 3, 'it is known now that there are others');
  // One after the other again: the first of them finds out that it is alone, those that follow are written at once.
  await put(engine, 'alone', 'v');
  const alone = put(engine, 'alone', 'w');
  assert.equal(writes, 5);
  assert.equal(textOf(engine.keyspace('meta').getSync(utf8('alone'))), 'w');
  await alone;
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) env.timers.defer(count);
  };
  env.timers.defer(count);
  for (let i = 0; i < 2000; i++) await put(engine, `k${i}`, 'v', 2);
  isDone = true;
  assert.ok(turns >= 7, `${turns} turns of the event loop during 2000 writes, one after the other`);
  await engine.close();
});

test('an iterator sees the store as it was, through writes, flushes and merges', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }), { mergeFanIn: 1 });
  for (let i = 0; i < 50; i++) await put(engine, `k${i % 10}`, `old${i}`);
  await engine.flush();
  await put(engine, 'k3', undefined);
  const [iterator, reverse] = [engine.keyspace('meta').iterator(), engine.keyspace('meta').iterator({ reverse: true })];
  assert.ok(iterator.next() && reverse.next());
  for (let i = 0; i < 50; i++) {
    await put(engine, `k${i % 20}`, `new${i}`);
    if (i % 10 === 0) await engine.flush();
  }
  await engine.settle();
  const expected = [0, 1, 2, 4, 5, 6, 7, 8, 9].map((i) => [`k${i}`, `old${40 + i}`]);
  assert.deepEqual([[fromUtf8(iterator.key), fromUtf8(iterator.value)], ...drain(iterator)], expected);
  assert.deepEqual([[fromUtf8(reverse.key), fromUtf8(reverse.value)], ...drain(reverse)], expected.toReversed());
  assert.equal(engine.keyspace('meta').getSync(utf8('k3'))?.length, 5);
  await engine.close();
});

test('tables go when the last iterator that needs them is closed', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { mergeFanIn: 1 });
  await put(engine, 'a', '1');
  await engine.flush();
  const iterator = engine.keyspace('meta').iterator();
  await put(engine, 'a', '2');
  await engine.flush();
  await engine.settle();
  await env.time.settle();
  const tables = async (): Promise<number> => (await env.fs.readDirectory('/db')).filter((name) => name.endsWith('.sst')).length;
  assert.equal(await tables(), 2, 'the merged table, and the one that the iterator holds');
  assert.deepEqual(drain(iterator), [['a', '1']]);
  await env.time.settle();
  assert.equal(await tables(), 1);
  await engine.close();
});

test('merges leave out shadowed values and tombstones of latest-only keyspaces, and keep every version of the others', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }), { mergeFanIn: 1 });
  for (let i = 1; i <= 20; i++) {
    await put(engine, 'meta', 'x'.repeat(1000));
    await put(engine, 'gone', i < 20 ? 'x' : undefined);
    await put(engine, 'data', `v${i}`, i);
    await engine.flush();
  }
  await engine.settle();
  assert.ok(engine.stats().tableBytes < 5000, `${engine.stats().tableBytes} bytes`);
  assert.deepEqual(
    Array.from({ length: 20 }, (_, i) => textOf(engine.keyspace('data').getSync(utf8('data'), i + 1))),
    Array.from({ length: 20 }, (_, i) => `v${i + 1}`),
  );
  assert.deepEqual(drain(engine.keyspace('meta').iterator()), [['meta', 'x'.repeat(1000)]]);
  await engine.close();
});

test('a unit without a log is never split by a flush', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { wal: 'none', memtableBytes: 1024 });
  const writer = engine.unlogged();
  const meta = engine.keyspace('meta');
  writer.put(meta, utf8('a'), utf8('x'.repeat(3000)));
  const flushed = engine.flush();
  await env.time.settle();
  assert.equal(await meta.getFlushed(utf8('a')), undefined, 'the unit is still open');
  writer.put(meta, utf8('b'), utf8('y'));
  void writer.commit();
  await flushed;
  assert.equal((await meta.getFlushed(utf8('a')))?.length, 3000);
  assert.equal(textOf(await meta.getFlushed(utf8('b'))), 'y');
  await engine.close();
});

test('a value in two pieces is one, and a peek shows it where it lies, in memory and in a table', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }), { wal: 'none' });
  const data = engine.keyspace('data');
  const peeked = (key: string): [string, number] | undefined => {
    const found = data.peekSync(utf8(key));
    return found && [fromUtf8(found.bytes.slice(found.start, found.end)), found.version];
  };
  engine.unlogged().putParts(data, utf8('[a]'), 1, 2, utf8('head and more'), 4, utf8(`<${'x'.repeat(100)}>`), 1, 101, 3);
  engine.unlogged().putParts(data, utf8('b'), 0, 1, EMPTY, 0, utf8('y'), 0, 1, 4);
  engine.unlogged().delete(data, utf8('c'), 5);
  void engine.unlogged().commit();
  for (const where of ['memtable', 'table']) {
    assert.deepEqual(peeked('a'), [`head${'x'.repeat(100)}`, 3], where);
    assert.deepEqual([peeked('b'), peeked('c'), peeked('d')], [['y', 4], undefined, undefined], where);
    if (where === 'memtable') await engine.flush();
  }
  await engine.close();
});

test('a writer without a log is held up when two memtables wait, until one is flushed', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }), { wal: 'none', memtableBytes: 4096 });
  const writer = engine.unlogged();
  const held: (Promise<void> | undefined)[] = [];
  for (let i = 0; i < 2; i++) {
    writer.put(engine.keyspace('meta'), utf8('k'), new Uint8Array(4000));
    held.push(writer.commit());
  }
  assert.deepEqual([held[0] === undefined, engine.stats().frozenMemtables], [true, 2]);
  await held[1];
  assert.ok(engine.stats().frozenMemtables < 2);
  assert.equal(engine.stats().writeStalls, 1);
  await engine.close();
});

test('flush listeners hear of each flush', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  let heard = 0;
  engine.onFlush(() => heard++);
  await put(engine, 'k', 'v');
  await engine.flush();
  await engine.flush();
  assert.equal(heard, 1, 'a flush of nothing is none');
  await engine.close();
});

test('what was written under a log is there when the engine goes on without one, and the log goes with the next flush', async () => {
  const env = createMemoryEnv({ seed: 1 });
  let engine = await open(env);
  await put(engine, 'k', 'v');
  await engine.close();
  engine = await open(env, { wal: 'none' });
  assert.equal(textOf(engine.keyspace('meta').getSync(utf8('k'))), 'v');
  await engine.flush();
  await env.time.settle();
  assert.equal(engine.stats().walBytes, 0);
  await engine.close();
  engine = await open(env, { wal: 'nosync' });
  assert.equal(textOf(engine.keyspace('meta').getSync(utf8('k'))), 'v');
  await engine.close();
});

test('a keyspace keeps the mode that it was made with, and keyspaces can be added', async () => {
  const env = createMemoryEnv({ seed: 1 });
  await (await open(env, { keyspaces: [{ name: 'meta', versions: 'latest' }] })).close();
  await assert.rejects(open(env, { keyspaces: [{ name: 'meta', versions: 'caller' }] }), { code: 'invalid' });
  const engine = await open(env);
  await put(engine, 'k', 'v', 1);
  await engine.close();
});

test('mistakes of the caller are refused before anything is written', async () => {
  const [engine, other] = [await open(createMemoryEnv({ seed: 1 })), await open(createMemoryEnv({ seed: 2 }))];
  const [data, meta] = [engine.keyspace('data'), engine.keyspace('meta')];
  const batch = engine.batch();
  const invalid = { code: 'invalid' };
  assert.throws(() => batch.put(data, utf8('k'), utf8('v')), invalid, 'no version');
  assert.throws(() => batch.put(data, utf8('k'), utf8('v'), -1), invalid);
  assert.throws(() => batch.put(data, utf8('k'), utf8('v'), 1.5), invalid);
  assert.throws(() => batch.put(meta, utf8('k'), utf8('v'), 1), invalid, 'a version');
  assert.throws(() => batch.put(other.keyspace('meta'), utf8('k'), utf8('v')), invalid);
  assert.throws(() => batch.put(meta, new Uint8Array(2 << 20), utf8('v')), invalid, 'a giant key');
  assert.throws(() => engine.keyspace('unknown'), invalid);
  assert.throws(() => engine.unlogged(), invalid);
  assert.throws(() => meta.getSync(utf8('k'), 3), invalid);
  assert.throws(() => data.getSync(utf8('k'), Number.NaN), invalid);
  assert.equal(batch.count, 0);
  await put(engine, 'k', 'v', 5);
  await assert.rejects(put(engine, 'k', 'v', 4), invalid, 'a version that decreases');
  await assert.rejects(engine.write(other.batch()), invalid);
  await engine.write(batch);
  await assert.rejects(engine.write(batch), invalid, 'a batch twice');
  await assert.rejects(open(createMemoryEnv({ seed: 3 }), { blockBytes: 1 }), invalid);
  await Promise.all([engine.close(), other.close()]);
});

test('a closed engine says so', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const iterator = engine.keyspace('meta').iterator();
  await engine.close();
  await engine.close();
  const closed = { code: 'closed' };
  assert.throws(() => iterator.next(), closed);
  assert.throws(() => engine.keyspace('meta').getSync(utf8('k')), closed);
  await assert.rejects(put(engine, 'k', 'v'), closed);
  await assert.rejects(engine.flush(), closed);
});

test('a large batch goes into memory in slices, and is seen whole or not at all', async () => {
  for (const wal of ['sync', 'nosync'] as const) {
    const env = createMemoryEnv({ seed: 1 });
    const engine = await open(env, { wal });
    const meta = engine.keyspace('meta');
    const count = 20_000;
    const batch = engine.batch();
    for (let i = 0; i < count; i++) batch.put(meta, utf8(`k${i}`), utf8('v'));
    let isWritten = false;
    const written = engine.write(batch).then(() => (isWritten = true));
    let turns = 0;
    for (; !isWritten; turns++) {
      const seen = [0, count / 2, count - 1].map((i) => meta.getSync(utf8(`k${i}`)) !== undefined);
      assert.equal(new Set(seen).size, 1, `${wal}, turn ${turns}: ${seen.join()}`);
      await env.timers.yield();
    }
    await written;
    assert.ok(turns > 3, `${wal}: ${turns} turns`);
    assert.equal(meta.count(), count);
    await engine.close();
  }
});

test('where each entry takes long, other events get their turn after a few of them', async () => {
  for (const wal of ['sync', 'nosync'] as const) {
    // A quarter of a millisecond passes whenever the clock is read.
    let ms = 0;
    const env = createMemoryEnv({ seed: 1 });
    const slow = { ...env, clock: { ...env.clock, monotonicMs: () => (ms += 0.25) } };
    const engine = await openEngine({ env: slow, directory: '/db', keyspaces, wal });
    const batch = engine.batch();
    for (let i = 0; i < 8000; i++) batch.put(engine.keyspace('meta'), utf8(`k${i}`), utf8('v'));
    let isWritten = false;
    void engine.write(batch).then(() => (isWritten = true));
    let turns = 0;
    for (; !isWritten; turns++) await env.timers.yield();
    assert.ok(turns >= 8, `${wal}: ${turns} turns`);
    await engine.close();
  }
});

test('what a snapshot and an iterator see stays as it is while memtables come and go', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { wal: 'nosync', memtableBytes: 1 << 20 });
  const meta = engine.keyspace('meta');
  const fill = async (text: string): Promise<void> => {
    const batch = engine.batch();
    for (let i = 0; i < 100; i++) batch.put(meta, utf8(`k${i}`), utf8(text));
    await engine.write(batch);
  };
  await fill('first');
  const snapshot = engine.snapshot();
  const keys = meta.iterator();
  assert.ok(keys.next());
  for (const text of ['second', 'third', 'fourth', 'fifth']) {
    await engine.flush();
    await fill(text);
    assert.equal(fromUtf8(meta.getSync(utf8('k7'), undefined, snapshot) as Uint8Array), 'first');
  }
  let count = 1;
  for (; keys.next(); count++) assert.equal(fromUtf8(keys.value), 'first');
  assert.equal(count, 100);
  keys.close();
  snapshot.close();
  for (const text of ['sixth', 'seventh']) {
    await engine.flush();
    await fill(text);
  }
  assert.equal(fromUtf8(meta.getSync(utf8('k7')) as Uint8Array), 'seventh');
  await engine.close();
});
