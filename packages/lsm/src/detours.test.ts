// Runs that reads ask in vain are merged once the detours have cost as much as the merge, and not before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@distrokv/base';
import { type Env, createMemoryEnv } from '@distrokv/env';
import type { Engine } from './engine.ts';
import { ManifestState, readManifest } from './manifest.ts';
import { openEngine } from './open.ts';
import { keyspaces } from './testing/model.ts';

/** An engine whose level 0 has so many runs, of which each reaches from `a` to `z`. */
async function openWith(runs: number): Promise<Engine> {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await openEngine({ env, directory: '/db', keyspaces, wal: 'nosync', mergeFanIn: 8 });
  for (let run = 0; run < runs; run++) {
    const batch = engine.batch();
    for (const key of ['a', `m${run}`, 'z']) batch.put(engine.keyspace('meta'), utf8(key), utf8(`${run}`));
    await engine.write(batch);
    await engine.flush();
  }
  return engine;
}

/** Looks for a key that no run has, so often. */
function miss(engine: Engine, times: number): void {
  const key = utf8('missing');
  for (let i = 0; i < times; i++) assert.equal(engine.keyspace('meta').getSync(key), undefined);
}

async function mergesOf(engine: Engine): Promise<number> {
  await engine.settle();
  return engine.stats().merges;
}

// 4 MiB at 64 bytes a run that is asked in vain.
const DUE = (4 << 20) / 64;

test('keys that are missing in four runs bring their merge about, once', async () => {
  const engine = await openWith(4);
  // One of the four has to be asked.
  miss(engine, Math.floor(DUE / 3));
  assert.equal(await mergesOf(engine), 0);
  miss(engine, 1);
  assert.equal(await mergesOf(engine), 1);
  assert.equal(engine.stats().tables, 1);
  miss(engine, DUE);
  assert.equal(await mergesOf(engine), 1, 'one run is left, below level 0');
  assert.equal(engine.keyspace('meta').count(), 6);
  await engine.close();
});

test('so do awaited reads, and iterators', async () => {
  const [byGets, byIterators] = [await openWith(2), await openWith(2)];
  const key = utf8('m0');
  // It lies in the older of the two; the first time it comes from the disk.
  await byGets.keyspace('meta').get(key);
  for (let i = 1; i < DUE; i++) void byGets.keyspace('meta').get(key);
  assert.equal(await mergesOf(byGets), 1);
  for (let i = 0; i < (4 << 20) / 2048; i++) byIterators.keyspace('meta').iterator().close();
  assert.equal(await mergesOf(byIterators), 1);
  await byGets.close();
  await byIterators.close();
});

test('reads that find their key in the newest run, those of an old snapshot, and a single run ask for no merge', async () => {
  const [newest, held, single] = [await openWith(2), await openWith(2), await openWith(1)];
  const key = utf8('m1');
  for (let i = 0; i < DUE; i++) assert.ok(newest.keyspace('meta').getSync(key) !== undefined);
  assert.equal(await mergesOf(newest), 0);
  const snapshot = held.snapshot();
  const batch = held.batch();
  batch.put(held.keyspace('meta'), utf8('m9'), utf8('later'));
  await held.write(batch);
  await held.flush();
  for (let i = 0; i < DUE; i++) assert.equal(held.keyspace('meta').getSync(utf8('missing'), undefined, snapshot), undefined);
  assert.equal(await mergesOf(held), 0);
  snapshot.close();
  miss(single, DUE);
  assert.equal(await mergesOf(single), 0);
  for (const engine of [newest, held, single]) await engine.close();
});

/** Tables of each level, as the manifest has it. */
async function tablesOf(env: Env): Promise<number[]> {
  const { state } = (await readManifest(env, '/db')) ?? { state: new ManifestState() };
  const levels = Array.from({ length: 7 }, () => 0);
  for (const { level } of state.tables.values()) levels[level] = (levels[level] as number) + 1;
  return levels;
}

test('a small level 0 becomes a level of its own, which goes down table by table, each when it is paid for', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await openEngine({ env, directory: '/db', keyspaces, wal: 'nosync', mergeFanIn: 8, memtableBytes: 64 << 10 });
  const keyspace = engine.keyspace('meta');
  const keyOf = (i: number): Uint8Array => utf8(`key${String(i).padStart(6, '0')}`);
  /** Every `step`-th key of 20,000, in runs of so many flushes. */
  const write = async (step: number, flushes: number, value: string): Promise<void> => {
    for (let flush = 0; flush < flushes; flush++) {
      const batch = engine.batch();
      for (let i = flush * step; i < 20_000; i += flushes * step) batch.put(keyspace, keyOf(i), utf8(value));
      await engine.write(batch);
      await engine.flush();
    }
    await engine.settle();
  };
  await write(1, 20, 'a value of some length, so that the last level has some tables');
  while ((await tablesOf(env))[0] !== 0) await write(1000, 1, 'a');
  const large = (await tablesOf(env))[6] as number;
  await write(25, 2, 'written later, and spread over all of the last level, in tables of their own there');
  assert.deepEqual(await tablesOf(env), [(await tablesOf(env))[0], 0, 0, 0, 0, 0, large]);
  // Two runs that are asked in vain.
  miss(engine, DUE / 2);
  await engine.settle();
  const [fresh, , , , , small] = (await tablesOf(env)) as [number, number, number, number, number, number, number];
  assert.equal(fresh, 0);
  assert.ok(small > 1 && large > 8 * small, `${small} tables above ${large}`);
  const merges = engine.stats().merges;
  for (let left = small - 1; left >= 0; left--) {
    miss(engine, DUE);
    await engine.settle();
    assert.equal((await tablesOf(env))[5], left);
    for (let i = 0; i < 20_000; i += 125)
      assert.match(Buffer.from(keyspace.getSync(keyOf(i)) ?? '').toString(), i % 25 === 0 ? /later/ : /^a/);
  }
  assert.equal(engine.stats().merges, merges + small);
  miss(engine, 3 * DUE);
  await engine.settle();
  assert.equal(engine.stats().merges, merges + small, 'one run is left');
  assert.equal(keyspace.count(), 20_000);
  await engine.close();
});
