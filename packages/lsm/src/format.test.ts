// The hex dumps of docs/format/lsm.md are what the engine writes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@distrokv/base';
import { type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import type { Engine } from './engine.ts';
import { openEngine } from './open.ts';
import { assertDumps } from './testing/dumps.ts';

/** A store of the chapter. */
async function storeOf(build: (engine: Engine) => Promise<void>): Promise<MemoryFileSystem> {
  const env = createMemoryEnv({ seed: 1 });
  const keyspaces = [
    { name: 'data', versions: 'caller' },
    { name: 'meta', versions: 'latest' },
  ] as const;
  const engine = await openEngine({ env, directory: '/db', wal: 'sync', keyspaces });
  await build(engine);
  await engine.close();
  return env.fs;
}

/** What most of the chapter shows. */
async function fruit(engine: Engine): Promise<void> {
  const [data, meta] = [engine.keyspace('data'), engine.keyspace('meta')];
  const first = engine.batch();
  first.put(data, utf8('apple'), utf8('red'), 7);
  first.put(data, utf8('apricot'), utf8('orange'), 7);
  first.delete(data, utf8('banana'), 7);
  await engine.write(first);
  await engine.flush();
  const second = engine.batch();
  second.put(data, utf8('cherry'), utf8('dark'), 8);
  second.put(meta, utf8('n'), utf8('8'));
  await engine.write(second);
}

/** Range deletes: one that was flushed, and one in the log; and a keyspace that came and went. */
async function ranges(engine: Engine): Promise<void> {
  const data = engine.keyspace('data');
  for (const write of [
    (batch: ReturnType<Engine['batch']>) => batch.put(data, utf8('apple'), utf8('red'), 1),
    (batch: ReturnType<Engine['batch']>) => batch.deleteRange(data, utf8('a'), utf8('b'), 2),
  ]) {
    const batch = engine.batch();
    write(batch);
    await engine.write(batch);
    await engine.flush();
  }
  const last = engine.batch();
  last.deleteRange(data, utf8('c'), undefined, 3);
  await engine.write(last);
  await engine.createKeyspace({ name: 'tmp', versions: 'latest' });
  await engine.dropKeyspace('tmp');
}

test('the worked examples of the format are what the engine writes', async () => {
  const stores = new Map([
    ['', await storeOf(fruit)],
    ['ranges/', await storeOf(ranges)],
  ]);
  assert.deepEqual(await stores.get('')?.readDirectory('/db'), ['000001.sst', '000002.wal', 'manifest']);
  await assertDumps('lsm.md', (name) => {
    const slash = name.indexOf('/') + 1;
    const fs = stores.get(name.slice(0, slash));
    assert.ok(fs !== undefined, `a store of ${name}`);
    return fs.readFile(`/db/${name.slice(slash)}`, 4096);
  });
});
