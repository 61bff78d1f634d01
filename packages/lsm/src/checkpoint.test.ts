// Checkpoints: whole, of one moment, independent of the store that they were made from, and never mistaken for one when they are not whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, WalMode } from './engine.ts';
import { openEngine } from './open.ts';
import { Model, type Operation, assertEqual, keyspaces, randomOperations, textOf, writeTo } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

function open(env: MemoryEnv, directory: string, wal: WalMode = 'sync'): Promise<Engine> {
  return openEngine({ env, directory, keyspaces, wal, memtableBytes: 1024, blockBytes: 128, mergeFanIn: 1 });
}

/** What makes the store's `version`-th state: `version` itself is in it. */
function operationsOf(version: number): Operation[] {
  const operations = randomOperations(seededRandom(version), version);
  return [...operations, { keyspace: 'meta', key: 'last', value: String(version), version: undefined }];
}

async function write(engine: Engine, version: number): Promise<void> {
  const batch = engine.batch();
  writeTo(batch, engine, operationsOf(version));
  await engine.write(batch);
}

function modelAfter(versions: number): Model {
  const model = new Model();
  for (let version = 1; version <= versions; version++) model.apply(operationsOf(version));
  return model;
}

seededTest('a checkpoint is the store as it was, while both go on', 10, async (random, seed) => {
  const env = createMemoryEnv({ seed });
  const engine = await open(env, '/db');
  const at = random.between(1, 60);
  for (let version = 1; version <= at; version++) await write(engine, version);
  if (random.chance(0.5)) engine.keyspace('data').setRetention(1);
  const made = engine.checkpoint('/copies/one');
  // Writes, flushes and merges go on meanwhile; what of them comes in too is whole.
  for (let version = at + 1; version <= at + 40; version++) await write(engine, version);
  await made;
  await engine.flush();
  await engine.settle();
  await engine.close();
  const copy = await open(env, '/copies/one');
  const versions = Number(textOf(copy.keyspace('meta').getSync(utf8('last'))));
  assert.ok(versions >= at, `${versions} of ${at} versions are there`);
  const model = modelAfter(versions);
  model.retention = 1;
  await assertEqual(copy, model, versions, seededRandom(seed));
  await write(copy, at + 41);
  await copy.flush();
  await copy.settle();
  await copy.close();
  const again = await open(env, '/db');
  const whole = modelAfter(at + 40);
  whole.retention = 1;
  await assertEqual(again, whole, at + 40, seededRandom(seed));
  await again.close();
});

test('without a log a checkpoint holds every unit that was committed', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, '/db', 'none');
  engine.unlogged().put(engine.keyspace('meta'), utf8('k'), utf8('v'));
  void engine.unlogged().commit();
  await engine.checkpoint('/copy');
  await engine.close();
  const copy = await open(env, '/copy', 'none');
  assert.equal(textOf(copy.keyspace('meta').getSync(utf8('k'))), 'v');
  await copy.close();
});

test('a checkpoint is durable when it is made, and a directory with something in it is left alone', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, '/db');
  await write(engine, 1);
  await engine.checkpoint('/copy');
  const before = env.fs.dump();
  await assert.rejects(engine.checkpoint('/copy'), { code: 'invalid' });
  assert.equal(env.fs.dump(), before);
  const after = createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
  const copy = await open(after, '/copy');
  await assertEqual(copy, modelAfter(1), 1, seededRandom(1));
  await copy.close();
});

test('a checkpoint is durable, too, in a directory that its user made and never synced', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, '/db');
  await write(engine, 1);
  // To take a lock makes a directory, and leaves its entry to chance.
  for (const directory of ['/backups', '/backups/monday']) await (await env.fs.lock(directory)).release();
  assert.match(env.fs.dump(), /monday\/: .*entry unsynced/);
  await engine.checkpoint('/backups/monday');
  const after = createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
  const copy = await open(after, '/backups/monday');
  await assertEqual(copy, modelAfter(1), 1, seededRandom(1));
  await copy.close();
});

test('one that a failing call breaks off leaves nothing behind, and the engine works on', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, '/db');
  for (let version = 1; version <= 20; version++) await write(engine, version);
  await engine.flush();
  await engine.settle();
  let made = false;
  for (let n = 0; !made; n++) {
    let calls = 0;
    env.fs.onOperation = ({ path, kind }) => (path.startsWith('/copy') && kind !== 'removeFile' && calls++ === n ? 'no-space' : undefined);
    made = await engine.checkpoint('/copy').then(
      () => true,
      () => false,
    );
    env.fs.onOperation = undefined;
    assert.ok(n < 100);
    if (made) assert.ok(n > 5, `${n} calls failed in turn`);
    else if ((await env.fs.readDirectory('/')).includes('copy')) assert.deepEqual(await env.fs.readDirectory('/copy'), [], `call ${n}`);
  }
  await write(engine, 21);
  await engine.close();
});

const modes: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];

test('a crash at any moment of it leaves a whole checkpoint, or one that does not open and has no manifest', async () => {
  for (let n = 0, whole = 0; whole < 3; n++) {
    assert.ok(n < 200);
    const env = createMemoryEnv({ seed: n });
    const engine = await open(env, '/db');
    for (let version = 1; version <= 12; version++) await write(engine, version);
    await engine.flush();
    await engine.settle();
    let mutations = 0;
    env.fs.onOperation = ({ mutation }) => (mutation !== undefined && mutations++ === n ? 'crash' : undefined);
    await engine.checkpoint('/copy').then(
      () => whole++,
      () => {},
    );
    const random = seededRandom(n);
    for (const mode of [...modes, ...modes, ...modes]) {
      const after = createMemoryEnv({ seed: n, fs: env.fs.crash(mode, random) });
      try {
        const copy = await open(after, '/copy');
        // Nothing there, which is an empty store, or all of it.
        const isEmpty = copy.stats().tables === 0;
        assert.ok(!(isEmpty && whole > 0));
        await assertEqual(copy, isEmpty ? new Model() : modelAfter(12), 12, seededRandom(n));
        await copy.close();
      } catch (error) {
        assert.ok(whole === 0 && error instanceof Error && 'code' in error && error.code === 'corrupt', String(error));
        assert.ok(!(await after.fs.readDirectory('/copy')).includes('manifest'), `${mode}: ${String(error)}`);
      }
    }
  }
});
