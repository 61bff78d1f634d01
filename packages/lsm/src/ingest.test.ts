// Tables that were made elsewhere become part of a store, or nothing happens at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_VARINT_BYTES, fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions } from './engine.ts';
import { LsmError } from './errors.ts';
import { inspectStore } from './inspect.ts';
import { openEngine } from './open.ts';
import { readUint32 } from './ranges.ts';
import { TableFileWriter } from './table-file.ts';
import { FOOTER_BYTES, TRAILER_BYTES, sealBlock } from './table-format.ts';
import { drain, keyspaces, textOf } from './testing/model.ts';
import { verifyStore } from './verify.ts';

function open(env: MemoryEnv, options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'sync', memtableBytes: 4096, blockBytes: 256, mergeFanIn: 1, ...options });
}

/** A file with keys `from` to `to`, excluded. */
async function makeFile(env: MemoryEnv, number: number, from: number, to: number, version?: number): Promise<string> {
  await env.fs.makeDirectory('/in');
  const path = `/in/${String(number).padStart(6, '0')}.sst`;
  const writer = await TableFileWriter.create({ env, path, blockBytes: 256 });
  for (let key = from; key < to; key++) await writer.put(keyOf(key), utf8(`ingested ${key}`), version);
  await writer.finish();
  return path;
}

function keyOf(key: number): Uint8Array {
  return utf8(`key${String(key).padStart(5, '0')}`);
}

async function put(engine: Engine, name: 'data' | 'meta', key: number, value: string, version?: number): Promise<void> {
  const batch = engine.batch();
  batch.put(engine.keyspace(name), keyOf(key), utf8(value), version);
  await engine.write(batch);
}

function read(engine: Engine, name: 'data' | 'meta', key: number, at?: number): string | undefined {
  return textOf(engine.keyspace(name).getSync(keyOf(key), at));
}

function crash(env: MemoryEnv): MemoryEnv {
  return createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
}

test('what is ingested counts as written at that moment, over all that was there, and under all that comes', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  for (let key = 0; key < 100; key += 3) await put(engine, 'meta', key, 'before');
  await engine.flush();
  await put(engine, 'meta', 4, 'before, in memory');
  const batch = engine.batch();
  batch.deleteRange(engine.keyspace('meta'), keyOf(10), keyOf(12));
  await engine.write(batch);
  const before = engine.snapshot();
  const files = [await makeFile(env, 2, 50, 400), await makeFile(env, 1, 0, 50)];
  const { entries, tables } = await engine.ingest(engine.keyspace('meta'), files);
  assert.deepEqual([entries, tables > 1], [400, true]);
  await put(engine, 'meta', 5, 'after');
  const check = (of: Engine): void => {
    assert.equal(read(of, 'meta', 0), 'ingested 0');
    assert.equal(read(of, 'meta', 4), 'ingested 4');
    assert.equal(read(of, 'meta', 11), 'ingested 11');
    assert.equal(read(of, 'meta', 5), 'after');
    assert.equal(of.keyspace('meta').count(), 400);
  };
  check(engine);
  assert.equal(engine.keyspace('meta').count({ snapshot: before }), 35);
  before.close();
  await engine.flush();
  await engine.settle();
  check(engine);
  assert.notEqual(await env.fs.sizeOf(files[0] as string), undefined, 'the files are left alone');
  await engine.close();
  const again = await open(env);
  check(again);
  await put(again, 'meta', 6, 'later still');
  assert.equal(read(again, 'meta', 6), 'later still');
  await again.close();
  assert.deepEqual((await verifyStore(env, '/db')).faults, []);
});

test('what was ingested is there after a crash', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  await put(engine, 'meta', 4, 'before');
  await engine.ingest(engine.keyspace('meta'), [await makeFile(env, 1, 0, 400)]);
  await put(engine, 'meta', 5, 'after');
  const again = await open(crash(env));
  assert.deepEqual([read(again, 'meta', 4), read(again, 'meta', 5), again.keyspace('meta').count()], ['ingested 4', 'after', 400]);
  await again.close();
});

test('tables go as deep as nothing older is in their way', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { mergeFanIn: 8 });
  const meta = engine.keyspace('meta');
  const levelOf = async (number: number, from: number, to: number): Promise<number> =>
    (await engine.ingest(meta, [await makeFile(env, number, from, to)])).level;
  assert.equal(await levelOf(1, 0, 100), 6);
  assert.equal(await levelOf(2, 200, 300), 6);
  assert.equal(await levelOf(3, 50, 150), 5);
  assert.equal(await levelOf(4, 100, 200), 4);
  await put(engine, 'meta', 310, 'v');
  assert.equal(await levelOf(5, 305, 320), 0, 'it was flushed first');
  assert.equal(await levelOf(6, 320, 330), 6);
  assert.equal(meta.count(), 325);
  await engine.close();
  const { levels } = await inspectStore(env, '/db');
  assert.deepEqual(
    levels.map(({ level }) => level),
    [0, 4, 5, 6],
  );
});

test('versions of the caller come with the file, and none may be too late', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const data = engine.keyspace('data');
  await env.fs.makeDirectory('/in');
  const writer = await TableFileWriter.create({ env, path: '/in/000001.sst' });
  void writer.put(keyOf(1), utf8('nine'), 9);
  void writer.put(keyOf(1), utf8('seven'), 7);
  void writer.delete(keyOf(2), 8);
  await writer.finish();
  await put(engine, 'data', 2, 'five', 5);
  await engine.ingest(data, ['/in/000001.sst']);
  assert.deepEqual([read(engine, 'data', 1), read(engine, 'data', 1, 8), read(engine, 'data', 1, 6)], ['nine', 'seven', undefined]);
  assert.deepEqual([read(engine, 'data', 2), read(engine, 'data', 2, 7)], [undefined, 'five']);
  await assert.rejects(put(engine, 'data', 3, 'v', 8), { code: 'invalid' });
  await assert.rejects(engine.ingest(data, ['/in/000001.sst']), { code: 'invalid' });
  const again = await open(crash(env));
  await assert.rejects(put(again, 'data', 3, 'v', 8), { code: 'invalid' });
  await put(again, 'data', 3, 'v', 9);
  await again.close();
});

test('files that do not suit are refused, and nothing is left of them', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const meta = engine.keyspace('meta');
  const [a, b, versioned] = [await makeFile(env, 1, 0, 10), await makeFile(env, 2, 9, 20), await makeFile(env, 3, 0, 10, 4)];
  const names = await env.fs.readDirectory('/db');
  await assert.rejects(engine.ingest(meta, []), { code: 'invalid' });
  await assert.rejects(engine.ingest(meta, [a, b]), { code: 'invalid' });
  await assert.rejects(engine.ingest(meta, [versioned]), { code: 'invalid' });
  await assert.rejects(engine.ingest(meta, ['/in/000009.sst']), { code: 'invalid' });
  await assert.rejects(engine.ingest(meta, ['/in/other']), { code: 'invalid' });
  await assert.rejects(TableFileWriter.create({ env, path: '/in/other' }), { code: 'invalid' });
  await assert.rejects(TableFileWriter.create({ env, path: a }), { code: 'invalid' });
  await assert.rejects((await TableFileWriter.create({ env, path: '/in/000010.sst' })).finish(), { code: 'invalid' });
  const writer = await TableFileWriter.create({ env, path: '/in/000011.sst' });
  void writer.put(keyOf(5), utf8('v'));
  assert.throws(() => writer.put(keyOf(5), utf8('v')), { code: 'invalid' });
  assert.throws(() => writer.put(keyOf(4), utf8('v')), { code: 'invalid' });
  await writer.abandon();
  assert.deepEqual(await env.fs.readDirectory('/db'), names);
  await engine.ingest(meta, [a]);
  await engine.ingest(meta, [b]);
  assert.equal(meta.count(), 20);
  await engine.close();
});

test('no byte of a file that changed gets into the store', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const path = await makeFile(env, 1, 0, 12);
  const bytes = await env.fs.readFile(path, 1 << 16);
  const random = seededRandom(1);
  const file = await env.fs.open(path, 'write');
  const rows = Array.from({ length: 12 }, (_, key) => [fromUtf8(keyOf(key)), `ingested ${key}`]);
  let [refused, ingested] = [0, 0];
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
    file.writeSync(damaged, 0);
    try {
      await engine.ingest(engine.keyspace('meta'), [path]);
      ingested++;
    } catch (error) {
      assert.ok(error instanceof LsmError, `byte ${at}`);
      refused++;
    }
    assert.deepEqual(drain(engine.keyspace('meta').iterator()), ingested > 0 ? rows : []);
  }
  // The filter is not read: the store makes one of its own.
  assert.ok(ingested < 100 && refused === bytes.length - ingested, `${refused} of ${bytes.length} were refused`);
  await file.close();
  await engine.close();
});

test('writers go on while files are ingested, and the end of the engine breaks it off', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const files = [await makeFile(env, 1, 0, 500), await makeFile(env, 2, 500, 1000)];
  let isDone = false;
  const ingesting = engine.ingest(engine.keyspace('meta'), files).finally(() => (isDone = true));
  let written = 0;
  while (!isDone) await put(engine, 'meta', 2000 + written++, 'w');
  await ingesting;
  assert.ok(written > 5, `${written} writes meanwhile`);
  assert.equal(engine.keyspace('meta').count(), 1000 + written);
  const late = assert.rejects(engine.ingest(engine.keyspace('meta'), files), LsmError);
  await engine.close();
  await late;
  const again = await open(env);
  assert.equal(again.keyspace('meta').count(), 1000 + written);
  assert.equal(drain(again.keyspace('meta').iterator({ limit: 1 })).length, 1);
  await again.close();
});

test('an engine without a log ingests too; what it ingested is there after a crash, what it wrote is not', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env, { wal: 'none' });
  const writer = engine.unlogged();
  writer.put(engine.keyspace('meta'), keyOf(1), utf8('before'));
  const file = await makeFile(env, 1, 0, 10);
  const ingesting = engine.ingest(engine.keyspace('meta'), [file]);
  writer.put(engine.keyspace('meta'), keyOf(20), utf8('same unit'));
  void writer.commit();
  await ingesting;
  writer.put(engine.keyspace('meta'), keyOf(2), utf8('after'));
  void writer.commit();
  assert.deepEqual([read(engine, 'meta', 1), read(engine, 'meta', 2)], ['ingested 1', 'after']);
  const again = await open(crash(env), { wal: 'none' });
  assert.deepEqual([read(again, 'meta', 1), read(again, 'meta', 2), read(again, 'meta', 20)], ['ingested 1', 'ingested 2', 'same unit']);
  await again.close();
});

test('what found no room when it was to count can be ingested again', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  await put(engine, 'data', 0, 'before', 3);
  const files = [await makeFile(env, 1, 0, 10, 4), await makeFile(env, 2, 10, 20, 9)];
  await engine.flush();
  env.fs.onOperation = ({ kind, path }) => (kind === 'write' && path.includes('manifest') ? 'no-space' : undefined);
  const ingest = (): Promise<unknown> => engine.ingest(engine.keyspace('data'), files);
  await assert.rejects(ingest(), { code: 'no-space' });
  env.fs.onOperation = undefined;
  await ingest();
  assert.equal(engine.keyspace('data').count(), 20);
  await assert.rejects(put(engine, 'data', 30, 'late', 8), { code: 'invalid' });
  await engine.close();
});

test('a version that no engine writes is damage, not an assertion', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  await env.fs.makeDirectory('/in');
  const path = '/in/000001.sst';
  const writer = await TableFileWriter.create({ env, path });
  await writer.put(keyOf(1), utf8('v'), Number.MAX_SAFE_INTEGER);
  const { byteLength } = await writer.finish();
  env.fs.damage(path, (bytes) => {
    // The block is the first section: its length stands first in the footer, its trailer of five bytes at its end.
    const length = readUint32(bytes, byteLength - FOOTER_BYTES) - TRAILER_BYTES;
    const lastOfVersion = 2 + MAX_VARINT_BYTES - 1;
    assert.equal(bytes[lastOfVersion], 0x0f);
    bytes[lastOfVersion] = 0x7f;
    sealBlock(bytes.subarray(0, length + TRAILER_BYTES), length, 0);
  });
  await assert.rejects(engine.ingest(engine.keyspace('data'), [path]), { code: 'corrupt' });
  await put(engine, 'data', 1, 'unharmed', 1);
  await engine.close();
});

test('a table file that was finished outlives a loss of power under its name, in a directory that does', async () => {
  const env = createMemoryEnv({ seed: 1 });
  await env.fs.makeDirectory('/in');
  await env.fs.syncDirectory('/');
  const path = await makeFile(env, 1, 0, 50);
  const after = crash(env);
  const engine = await open(after);
  assert.equal((await engine.ingest(engine.keyspace('meta'), [path])).entries, 50);
  await engine.close();
});
