// Segments of the log that are used again: how many there are, what is left of them, and what happens where that fails. That no crash
// brings an old record back is tried in crash.test.ts, whose synced workload goes through several lives of a segment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, WalMode } from './engine.ts';
import { MAX_FROZEN } from './generations.ts';
import { openEngine } from './open.ts';
import { seededTest } from './testing/seeds.ts';

const keyspaces = [{ name: 'data', versions: 'latest' }] as const;

function open(env: MemoryEnv, wal: WalMode): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal, memtableBytes: 4096 });
}

/** Fills and flushes `count` memtables. */
async function fill(engine: Engine, count: number, first = 0): Promise<void> {
  for (let i = first; i < first + count; i++) {
    for (let j = 0; j < 8; j++) await put(engine, `${i}/${j}`);
    await engine.flush();
  }
}

async function put(engine: Engine, key: string): Promise<void> {
  const batch = engine.batch();
  batch.put(engine.keyspace('data'), utf8(key), new Uint8Array(100).fill(7));
  await engine.write(batch);
}

const segmentsOf = async (env: MemoryEnv): Promise<string[]> => (await env.fs.readDirectory('/db')).filter((name) => name.endsWith('.wal'));

test('a synced log goes on in the segments that it has, and leaves one when it is closed', async () => {
  const env = createMemoryEnv({ seed: 1 });
  let engine = await open(env, 'sync');
  const calls = { renames: 0, removals: 0 };
  env.fs.onOperation = ({ kind, path }) => {
    if (kind === 'rename' && path.endsWith('.wal')) calls.renames++;
    if (kind === 'removeFile' && path.endsWith('.wal')) calls.removals++;
    return undefined;
  };
  await fill(engine, 10);
  assert.deepEqual(calls, { renames: 9, removals: 0 });
  assert.equal((await segmentsOf(env)).length, 2);
  await engine.close();
  assert.deepEqual(await segmentsOf(env), ['000011.wal']);
  engine = await open(env, 'sync');
  assert.equal(engine.keyspace('data').count(), 80);
  await engine.close();
});

test('a crash leaves a spare segment, which the next start removes', async () => {
  const env = createMemoryEnv({ seed: 1 });
  await fill(await open(env, 'sync'), 3);
  const after = createMemoryEnv({ seed: 2, fs: env.fs.crash('kept', seededRandom(1)) });
  assert.deepEqual(await segmentsOf(after), ['000003.wal', '000004.wal']);
  const engine = await open(after, 'sync');
  assert.deepEqual(await segmentsOf(after), ['000004.wal', '000005.wal']);
  assert.equal(engine.keyspace('data').count(), 24);
  await engine.close();
});

seededTest('no segment is forgotten, however a flush that lets one go meets the beginning of the next', 10, async (random, seed) => {
  const env = createMemoryEnv({ seed });
  const engine = await open(env, 'sync');
  const batchOf = async (i: number): Promise<void> => {
    const batch = engine.batch();
    batch.put(engine.keyspace('data'), utf8(`k${i}`), new Uint8Array(random.below(1000)));
    await engine.write(batch);
  };
  for (let i = 0; i < 200; i++) {
    await batchOf(i);
    // Those that wait for their flush, the one that is written, and the spare; one more while it is made, or removed.
    const segments = await segmentsOf(env);
    assert.ok(segments.length <= MAX_FROZEN + 3, segments.join());
  }
  await engine.flush();
  await env.time.settle();
  assert.ok((await segmentsOf(env)).length <= 2, (await segmentsOf(env)).join());
  await engine.close();
  assert.equal((await segmentsOf(env)).length, 1);
});

test('a log that is not synced makes no room ahead, and keeps no spare', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, 'nosync');
  await fill(engine, 3);
  assert.deepEqual(await segmentsOf(env), ['000004.wal']);
  await put(engine, 'k');
  assert.equal(await env.fs.sizeOf('/db/000004.wal'), engine.stats().walBytes);
  await engine.close();
});

test('a spare that cannot be used costs nothing but itself', async () => {
  for (const kind of ['open', 'write', 'rename'] as const) {
    const env = createMemoryEnv({ seed: 1 });
    let engine = await open(env, 'sync');
    await fill(engine, 2);
    let failures = 0;
    env.fs.onOperation = (operation) =>
      operation.kind === kind && operation.path.endsWith('000002.wal') && failures++ === 0 ? 'no-space' : undefined;
    await put(engine, 'before');
    await assert.rejects(engine.flush(), { code: 'no-space' }, kind);
    assert.equal(failures, 1);
    await put(engine, 'between');
    await fill(engine, 2, 2);
    await engine.close();
    engine = await open(env, 'sync');
    assert.equal(engine.keyspace('data').count(), 2 * 8 + 2 + 2 * 8, kind);
    await engine.close();
  }
});
