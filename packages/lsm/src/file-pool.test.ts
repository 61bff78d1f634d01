// Many tables over few handles: reads find what they always found, and never more files are open than allowed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryEnv } from '@distrokv/env';
import { seededRandom, utf8 } from '@distrokv/base';
import { FilePool } from './file-pool.ts';
import { openEngine } from './open.ts';
import { Model, assertEqual, keyspaces, randomOperations, writeTo } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

seededTest('files are read through few handles, by both kinds of reads at once', 20, async (random, seed) => {
  const env = createMemoryEnv({ seed });
  const pool = new FilePool(env.fs, 3);
  const files = await Promise.all(
    Array.from({ length: 12 }, async (_, i) => {
      const made = await env.fs.open(`/f${i}`, 'create');
      made.writeSync(utf8(`content ${String.fromCodePoint(65 + i)}`), 0);
      await made.close();
      return pool.open(`/f${i}`);
    }),
  );
  assert.ok(pool.openFiles <= 3);
  const reads: Promise<void>[] = [];
  for (let i = 0; i < 200; i++) {
    const place = random.below(files.length);
    const file = files[place];
    const into = new Uint8Array(1);
    if (random.chance(0.5)) {
      assert.equal(file?.readSync(into, 8), 1);
      assert.equal(into[0], 65 + place);
    } else {
      reads.push(
        (async () => {
          assert.equal(await file?.read(into, 8), 1);
          assert.equal(into[0], 65 + place);
        })(),
      );
    }
    if (random.chance(0.1)) await Promise.all(reads.splice(0));
    if (reads.length === 0) files[0]?.readSync(into, 8);
    assert.ok(pool.openFiles <= 3 + reads.length + 1, `${pool.openFiles} are open`);
  }
  await Promise.all(reads);
  for (const file of files) {
    await file.close();
    await file.close();
    assert.throws(() => file.readSync(new Uint8Array(1), 0), { code: 'closed' });
    await assert.rejects(file.read(new Uint8Array(1), 0), { code: 'closed' });
  }
  assert.equal(pool.openFiles, 0);
});

test('a file that is closed while it is opened again is not read', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const pool = new FilePool(env.fs, 1);
  for (const name of ['/a', '/b']) await (await env.fs.open(name, 'create')).close();
  const a = await pool.open('/a');
  await pool.open('/b');
  const reading = a.read(new Uint8Array(1), 0);
  await a.close();
  await assert.rejects(reading, { code: 'closed' });
});

test('an engine of many tables opens few of them', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const model = new Model();
  const options = { env, directory: '/db', keyspaces, wal: 'none', memtableBytes: 1024, blockCacheBytes: 0, mergeFanIn: 3 } as const;
  let engine = await openEngine({ ...options, maxOpenFiles: 8 });
  for (let version = 1; version <= 800; version++) {
    const operations = randomOperations(seededRandom(version), version);
    model.apply(operations);
    writeTo(engine.unlogged(), engine, operations);
    await engine.unlogged().commit();
  }
  await engine.flush();
  await engine.settle();
  await engine.close();
  engine = await openEngine({ ...options, maxOpenFiles: 8 });
  assert.ok(engine.stats().tables > 20, `${engine.stats().tables} tables`);
  await assertEqual(engine, model, 800, seededRandom(1));
  assert.ok(engine.stats().openFiles <= 8, `${engine.stats().openFiles} files`);
  await engine.close();
});
