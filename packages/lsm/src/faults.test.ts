// Calls of the file system that fail: a full disk is outlived, a failed sync is final, and no single failure, wherever it
// strikes, loses what was acknowledged (testing/fault-runs.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { type FsErrorCode, type FsOperationKind, type MemoryEnv, MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import { openEngine } from './open.ts';
import type { Engine, EngineOptions } from './engine.ts';
import type { FaultTask } from './testing/fault-runs.ts';
import { inThreads } from './testing/in-threads.ts';
import { Model, type Operation, assertEqual, drain, keyspaces, randomOperations, textOf, writeTo } from './testing/model.ts';

function open(env: MemoryEnv, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'sync', memtableBytes: 1024, mergeFanIn: 1, ...options });
}

async function write(engine: Engine, operations: readonly Operation[]): Promise<void> {
  const batch = engine.batch();
  writeTo(batch, engine, operations);
  await engine.write(batch);
}

test('a full disk leaves reads working, loses nothing, and is recovered from when there is room', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { wal: 'none' });
  const model = new Model();
  const unit = (version: number): Promise<void> | undefined => {
    const operations = randomOperations(seededRandom(version), version);
    model.apply(operations);
    writeTo(engine.unlogged(), engine, operations);
    return engine.unlogged().commit();
  };
  env.fs.onOperation = ({ kind, path }) => (kind === 'write' && path.includes('.sst') ? 'no-space' : undefined);
  let version = 1;
  let held: Promise<void> | undefined;
  while (held === undefined) held = unit(version++);
  let isHeld = true;
  void held.then(() => (isHeld = false));
  await env.time.advance(60_000);
  assert.ok(isHeld, 'the writer waits for room');
  await assertEqual(engine, model, version, seededRandom(1));
  env.fs.onOperation = undefined;
  await env.time.advance(10_000);
  await held;
  await engine.flush();
  await assertEqual(engine, model, version, seededRandom(2));
  await engine.close();
});

test('a logged write on a full disk is refused and can be tried again', async () => {
  for (const wal of ['sync', 'nosync'] as const) {
    const env = createMemoryEnv({ seed: 1 });
    let engine = await open(env, { wal });
    const operation = { keyspace: 'data', key: 'k', value: 'v', version: 1 } as const;
    env.fs.onOperation = ({ kind }) => (kind === 'write' ? 'no-space' : undefined);
    for (let i = 0; i < 3; i++) await assert.rejects(write(engine, [operation]), { code: 'no-space' });
    assert.equal(engine.keyspace('data').getSync(utf8('k')), undefined);
    env.fs.onOperation = undefined;
    await write(engine, [operation]);
    await engine.close();
    engine = await open(env, { wal });
    assert.equal(textOf(engine.keyspace('data').getSync(utf8('k'))), 'v', wal);
    await engine.close();
  }
});

test('a write that comes while another is taken back waits for that, and is whole', async () => {
  const env = createMemoryEnv({ seed: 1 });
  let engine = await open(env, { wal: 'nosync' });
  const operation = (key: string): Operation => ({ keyspace: 'meta', key, value: 'v', version: undefined });
  await write(engine, [operation('before')]);
  env.fs.onOperation = ({ kind }) => (kind === 'write' ? 'no-space' : undefined);
  const refused = assert.rejects(write(engine, [operation('refused')]), { code: 'no-space' });
  env.fs.onOperation = undefined;
  await write(engine, [operation('after')]);
  await refused;
  await engine.close();
  engine = await open(env, { wal: 'nosync' });
  assert.deepEqual(drain(engine.keyspace('meta').iterator()), [
    ['after', 'v'],
    ['before', 'v'],
  ]);
  await engine.close();
});

test('on a full disk deletes of a synced log go on, in room that is kept for them', async () => {
  const env = createMemoryEnv({ seed: 1, fs: new MemoryFileSystem({ capacityBytes: 64 << 10 }) });
  const ballast = await env.fs.open('/ballast', 'create');
  ballast.writeSync(new Uint8Array(32 << 10), 0);
  const options = { memtableBytes: 8 << 10 };
  let engine = await open(env, options);
  const meta = engine.keyspace('meta');
  const put = async (key: string): Promise<void> => {
    const batch = engine.batch();
    batch.put(meta, utf8(key), new Uint8Array(500));
    await engine.write(batch);
  };
  const remove = async (key: string): Promise<void> => {
    const batch = engine.batch();
    batch.delete(meta, utf8(key));
    await engine.write(batch);
  };
  let count = 0;
  await assert.rejects(
    async () => {
      for (;;) {
        const written = put(`k${count}`);
        written.catch(() => {});
        await env.time.advance(100);
        await written;
        count++;
      }
    },
    { code: 'no-space' },
  );
  assert.ok(count > 10, `${count} puts`);
  for (let i = 0; i < 8; i++) {
    await Promise.all([assert.rejects(put('more'), { code: 'no-space' }), remove(`k${i}`)]);
    assert.equal(meta.getSync(utf8(`k${i}`)), undefined);
  }
  assert.equal(meta.count(), count - 8);
  await ballast.truncate(0);
  for (let isBack = false; !isBack;) {
    const written = put('more').then(
      () => true,
      () => false,
    );
    await env.time.advance(10_000);
    isBack = await written;
  }
  await engine.close();
  engine = await open(env, options);
  assert.equal(engine.keyspace('meta').count(), count - 8 + 1);
  await engine.close();
});

test('where the log itself has no room for puts any more, it has some left for deletes', async () => {
  // Nothing is flushed: the log alone fills the disk.
  const env = createMemoryEnv({ seed: 1, fs: new MemoryFileSystem({ capacityBytes: 400 << 10 }) });
  const engine = await open(env, { memtableBytes: 1 << 20 });
  let count = 0;
  const put = (): Promise<void> => write(engine, [{ keyspace: 'meta', key: `k${count}`, value: 'v'.repeat(500), version: undefined }]);
  await assert.rejects(
    async () => {
      for (; ; count++) await put();
    },
    { code: 'no-space' },
  );
  assert.equal(engine.stats().flushes + engine.stats().frozenMemtables, 0);
  for (let i = 0; i < 50; i++) {
    await write(engine, [{ keyspace: 'meta', key: `k${i}`, value: undefined, version: undefined }]);
    await assert.rejects(put(), { code: 'no-space' });
  }
  assert.equal(engine.keyspace('meta').count(), count - 50);
  await engine.close();
});

for (const [what, pattern] of [
  ['log', /\.wal$/],
  ['table', /\.sst\.tmp$/],
  ['manifest', /manifest$|manifest\.tmp$/],
] as const) {
  test(`a failed sync of the ${what} is final, even if later ones succeed`, async () => {
    const env = createMemoryEnv({ seed: 1 });
    const fatal: Error[] = [];
    const engine = await open(env, { onFatal: (error) => fatal.push(error) });
    await write(engine, [{ keyspace: 'meta', key: 'before', value: 'v', version: undefined }]);
    let failures = 0;
    env.fs.onOperation = ({ kind, path }) => (kind === 'sync' && pattern.test(path) && failures++ === 0 ? 'io' : undefined);
    await assert.rejects(
      async () => {
        await write(engine, [{ keyspace: 'meta', key: 'after', value: 'v', version: undefined }]);
        await engine.flush();
      },
      { code: 'failed' },
    );
    await assert.rejects(write(engine, []), { code: 'failed' });
    await assert.rejects(engine.flush(), { code: 'failed' });
    assert.equal(fatal.length, 1);
    assert.equal(textOf(engine.keyspace('meta').getSync(utf8('before'))), 'v', 'reads still work');
    const isRefused = what === 'log';
    assert.equal(textOf(await engine.keyspace('meta').get(utf8('after'))), isRefused ? undefined : 'v', 'what was not synced is not seen');
    assert.equal(drain(engine.keyspace('meta').iterator()).length, isRefused ? 1 : 2);
    await engine.close();
  });
}

test('without syncs of each write the log is synced behind the writers, and a failure of that is final', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const fatal: Error[] = [];
  const engine = await open(env, { wal: 'nosync', memtableBytes: 32 << 20, onFatal: (error) => fatal.push(error) });
  const value = 'v'.repeat(1 << 20);
  const writeMany = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await write(engine, [{ keyspace: 'meta', key: `${i}`, value, version: undefined }]);
  };
  let syncs = 0;
  env.fs.onOperation = ({ kind, path }) => {
    if (kind === 'sync' && path.endsWith('.wal')) syncs++;
    return undefined;
  };
  await writeMany(3);
  await env.time.advance(100);
  assert.equal(syncs, 0);
  await writeMany(2);
  await env.time.advance(100);
  assert.equal(syncs, 1);
  env.fs.onOperation = ({ kind, path }) => (kind === 'sync' && path.endsWith('.wal') && syncs++ === 1 ? 'io' : undefined);
  await writeMany(2);
  await env.time.advance(100);
  assert.equal(syncs, 1);
  await writeMany(1);
  await env.time.advance(100);
  assert.equal(syncs, 2);
  await assert.rejects(writeMany(1), { code: 'failed' });
  await assert.rejects(engine.flush(), { code: 'failed' });
  assert.equal(fatal.length, 1);
  assert.equal(textOf(engine.keyspace('meta').getSync(utf8('1'))), value, 'reads still work');
  await engine.close();
});

test('an edit of the manifest that waited behind a sync that failed is not acknowledged', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const env = createMemoryEnv({ seed });
    const engine = await open(env);
    let failures = 0;
    env.fs.onOperation = ({ kind, path }) => (kind === 'sync' && path.includes('manifest') && failures++ === 0 ? 'io' : undefined);
    const made = ['one', 'two'].map((name) => engine.createKeyspace({ name, versions: 'latest' }));
    for (const { status } of await Promise.allSettled(made)) assert.equal(status, 'rejected');
    // What was in the page cache when the sync failed is lost, whatever later syncs said.
    const afterCrash = createMemoryEnv({ seed, fs: env.fs.crash('lost', seededRandom(seed)) });
    await (await open(afterCrash)).close();
  }
});

test('a sync of the log that fails while a large group is being applied is told to its writer alone', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { memtableBytes: 4 << 20 });
  const batch = engine.batch();
  for (let i = 0; i < 10_000; i++) batch.put(engine.keyspace('meta'), utf8(String(i)), utf8('v'));
  env.fs.onOperation = ({ kind, path }) => (kind === 'sync' && path.endsWith('.wal') ? 'io' : undefined);
  // A rejection that nobody handles in time would end the process, and fails this test.
  await assert.rejects(engine.write(batch), { code: 'failed' });
  await engine.close();
});

test('a full disk does not keep an engine from being closed', async () => {
  for (const wal of ['sync', 'nosync', 'none'] as const) {
    const env = createMemoryEnv({ seed: 1 });
    let engine = await open(env, { wal });
    if (wal === 'none') {
      engine.unlogged().put(engine.keyspace('meta'), utf8('k'), utf8('v'));
      await engine.unlogged().commit();
      await engine.flush();
    } else await write(engine, [{ keyspace: 'meta', key: 'k', value: 'v', version: undefined }]);
    env.fs.onOperation = ({ kind }) => (kind === 'write' ? 'no-space' : undefined);
    await engine.close();
    env.fs.onOperation = undefined;
    engine = await open(env, { wal });
    assert.equal(textOf(engine.keyspace('meta').getSync(utf8('k'))), 'v', wal);
    await engine.close();
  }
});

const faults: readonly (readonly [FsOperationKind, readonly (FsErrorCode | 'short')[]])[] = [
  ['open', ['io', 'too-many-files', 'no-space']],
  // A part may be written: it is a short write that is told.
  ['write', ['io', 'no-space']],
  ['read', ['io', 'short']],
  ['readFile', ['io', 'too-many-files']],
  ['truncate', ['io', 'no-space']],
  ['sync', ['io', 'no-space']],
  ['syncDirectory', ['io', 'no-space']],
  ['rename', ['io', 'no-space']],
  ['removeFile', ['io', 'no-space']],
  ['link', ['io', 'no-space']],
  ['makeDirectory', ['io', 'no-space']],
  ['readDirectory', ['io', 'too-many-files']],
  ['sizeOf', ['io']],
  ['close', ['io', 'no-space']],
];

const tasks = faults.flatMap(([kind, codes]) =>
  codes.flatMap((code) => [false, true].map((lasting): FaultTask => ({ kind, code, lasting }))),
);
const calls = inThreads<FaultTask, number>('fault-runs.js', tasks);
for (const [i, { kind, code, lasting }] of tasks.entries()) {
  test(`any one ${kind} that fails with ${code}${lasting ? ', and all after it,' : ''} loses nothing that was acknowledged`, async (t) => {
    const count = (await calls[i]) ?? 0;
    t.diagnostic(`each of ${count} calls`);
    assert.ok(count > 0, `the workload makes a call of ${kind}`);
  });
}
