// Keyspaces that come and go while the engine is open.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions } from './engine.ts';
import { openEngine } from './open.ts';
import { drain, textOf } from './testing/model.ts';
import { verifyStore } from './verify.ts';

const keyspaces = [{ name: 'data', versions: 'caller' }] as const;

function open(env: MemoryEnv, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'sync', memtableBytes: 4096, mergeFanIn: 1, ...options });
}

async function put(engine: Engine, keyspace: string, key: string, value: string, version?: number): Promise<void> {
  const batch = engine.batch();
  batch.put(engine.keyspace(keyspace), utf8(key), utf8(value), version);
  await engine.write(batch);
}

/** Fills a keyspace with so many keys. */
async function fill(engine: Engine, keyspace: string, keys: number): Promise<void> {
  for (let i = 0; i < keys; i++) await put(engine, keyspace, `key${i}`, 'v'.repeat(100));
}

function read(engine: Engine, keyspace: string, key: string): string | undefined {
  return textOf(engine.keyspace(keyspace).getSync(utf8(key)));
}

/** The power fails: nothing stays that was not synced. */
function crash(env: MemoryEnv): MemoryEnv {
  return createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
}

test('a keyspace that was made is there after a crash, and so is what was written to it', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const made = await engine.createKeyspace({ name: 'sessions', versions: 'latest' });
  assert.equal(engine.keyspace('sessions'), made);
  await put(engine, 'sessions', 'k', 'v');
  const again = await open(crash(env));
  assert.deepEqual(
    again.keyspaces().map(({ name, versions }) => [name, versions]),
    [
      ['data', 'caller'],
      ['sessions', 'latest'],
    ],
  );
  assert.equal(read(again, 'sessions', 'k'), 'v');
  await again.close();
});

test('of a dropped keyspace nothing can be read or written, after a crash too, and iterators that are open go on', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { memtableBytes: 1 << 20 });
  const made = await engine.createKeyspace({ name: 'sessions', versions: 'latest' });
  await put(engine, 'sessions', 'flushed', 'v');
  await engine.flush();
  await put(engine, 'sessions', 'logged', 'v');
  await put(engine, 'data', 'k', 'v', 1);
  const iterator = made.iterator();
  const snapshot = engine.snapshot();
  const [late, next] = [engine.batch(), engine.batch()];
  late.put(made, utf8('late'), utf8('v'));
  late.put(engine.keyspace('data'), utf8('late'), utf8('v'), 2);
  await engine.dropKeyspace('sessions');
  assert.throws(() => engine.keyspace('sessions'), { code: 'invalid' });
  assert.throws(() => made.getSync(utf8('logged')), { code: 'invalid' });
  assert.throws(() => made.getSync(utf8('logged'), undefined, snapshot), { code: 'invalid' });
  assert.throws(() => made.iterator(), { code: 'invalid' });
  assert.throws(() => made.count(), { code: 'invalid' });
  assert.throws(() => next.put(made, utf8('k'), utf8('v')), { code: 'invalid' });
  await assert.rejects(made.get(utf8('k')), { code: 'invalid' });
  await assert.rejects(made.getMany([utf8('k')]), { code: 'invalid' });
  await engine.write(late);
  assert.equal(drain(iterator).length, 2);
  snapshot.close();
  const again = await open(crash(env));
  assert.throws(() => again.keyspace('sessions'), { code: 'invalid' });
  assert.equal(read(again, 'data', 'k'), 'v');
  assert.equal(read(again, 'data', 'late'), 'v');
  await again.close();
});

test('a name may be given again, and what was there before does not come back', async () => {
  let env = createMemoryEnv({ seed: 1 });
  let engine = await open(env);
  for (let round = 0; round < 5; round++) {
    await engine.createKeyspace({ name: 'sessions', versions: round % 2 === 0 ? 'latest' : 'caller' });
    assert.equal(engine.keyspace('sessions').count(), 0);
    await put(engine, 'sessions', `k${round}`, 'v', round % 2 === 0 ? undefined : 1);
    if (round % 2 === 1) await engine.flush();
    if (round === 2) {
      env = crash(env);
      engine = await open(env);
    }
    assert.equal(engine.keyspace('sessions').count(), 1);
    await engine.dropKeyspace('sessions');
  }
  await engine.close();
  assert.deepEqual((await verifyStore(env, '/db')).faults, []);
});

test('tables that hold nothing but dropped keyspaces go at once, others as they are merged, and memory with the next flush', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  await engine.createKeyspace({ name: 'a', versions: 'latest' });
  await engine.createKeyspace({ name: 'b', versions: 'latest' });
  await fill(engine, 'a', 200);
  await engine.flush();
  await engine.settle();
  await engine.dropKeyspace('a');
  const before = engine.stats().bytesWritten;
  await engine.settle();
  assert.equal(engine.stats().tables, 0);
  assert.equal(engine.stats().bytesWritten, before, 'nothing was written for it');
  // Together in one table, more than a quarter of which can go now.
  await put(engine, 'data', 'k', 'v'.repeat(1000), 1);
  await fill(engine, 'b', 5);
  await engine.flush();
  await put(engine, 'data', 'k2', 'v', 2);
  await engine.flush();
  await engine.settle();
  const { tableBytes } = engine.stats();
  await engine.dropKeyspace('b');
  await engine.settle();
  assert.ok(engine.stats().tableBytes < tableBytes - 400, `${tableBytes} bytes became ${engine.stats().tableBytes}`);
  await engine.close();
});

test('names and modes are checked, and 127 keyspaces in all', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  await assert.rejects(engine.createKeyspace({ name: '', versions: 'latest' }), { code: 'invalid' });
  await assert.rejects(engine.createKeyspace({ name: 'x', versions: 'other' as 'latest' }), { code: 'invalid' });
  await assert.rejects(engine.createKeyspace({ name: 'data', versions: 'caller' }), { code: 'invalid' });
  await assert.rejects(engine.dropKeyspace('x'), { code: 'invalid' });
  const twice = [1, 2].map(() => engine.createKeyspace({ name: 'x', versions: 'latest' }));
  assert.deepEqual(
    (await Promise.allSettled(twice)).map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await engine.dropKeyspace('x');
  for (let id = 3; id <= 127; id++) {
    await engine.createKeyspace({ name: 'x', versions: 'latest' });
    await engine.dropKeyspace('x');
  }
  await assert.rejects(engine.createKeyspace({ name: 'x', versions: 'latest' }), { code: 'invalid' });
  await engine.close();
});

test('a disk that is full leaves the keyspaces as they were; a failed sync is final', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  env.fs.onOperation = ({ kind, path }) => (kind === 'write' && path.includes('manifest') ? 'no-space' : undefined);
  await assert.rejects(engine.createKeyspace({ name: 'x', versions: 'latest' }), { code: 'no-space' });
  await assert.rejects(engine.dropKeyspace('data'), { code: 'no-space' });
  env.fs.onOperation = undefined;
  await engine.createKeyspace({ name: 'x', versions: 'latest' });
  await put(engine, 'data', 'k', 'v', 1);
  env.fs.onOperation = ({ kind, path }) => (kind === 'sync' && path.includes('manifest') ? 'io' : undefined);
  await assert.rejects(engine.dropKeyspace('data'), { code: 'failed' });
  await assert.rejects(put(engine, 'data', 'k', 'v', 2), { code: 'failed' });
  await engine.close();
});

test('keyspaces that a full disk refuses cost no ids', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  env.fs.onOperation = ({ kind, path }) => (kind === 'write' && path.includes('manifest') ? 'no-space' : undefined);
  for (let i = 0; i < 200; i++) await assert.rejects(engine.createKeyspace({ name: 'late', versions: 'latest' }), { code: 'no-space' });
  env.fs.onOperation = undefined;
  await engine.createKeyspace({ name: 'late', versions: 'latest' });
  await engine.close();
});
