// What the family's suite does not ask: durability, locks, long ranges, and a real disk.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { DistroLevel } from './index.ts';

test('a database on a real disk is there again when it is opened again', async (t) => {
  const location = mkdtempSync(join(tmpdir(), 'distrokv-level-'));
  t.after(() => rmSync(location, { recursive: true }));
  const first = new DistroLevel<string, object>(location, { valueEncoding: 'json' });
  await first.put('a', { n: 1 });
  await first.sublevel('inner').put('a', 'of the sublevel');
  const second = new DistroLevel(location);
  await assert.rejects(second.open(), (error: Error) => /locked/.test((error.cause as Error).message));
  await first.close();
  const again = new DistroLevel<string, object>(location, { valueEncoding: 'json' });
  assert.deepEqual(await again.get('a'), { n: 1 });
  assert.deepEqual(again.getSync('a'), { n: 1 });
  assert.equal(await again.sublevel('inner').get('a'), 'of the sublevel');
  await again.close();
});

test('a write that resolved survives the loss of power', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const db = new DistroLevel('/db', { env });
  await db.batch([
    { type: 'put', key: 'a', value: '1' },
    { type: 'put', key: 'b', value: '2' },
  ]);
  const after = createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
  const again = new DistroLevel('/db', { env: after });
  assert.deepEqual(await again.getMany(['a', 'b', 'c']), ['1', '2', undefined]);
  await again.close();
});

test('ranges longer than a slice are walked and cleared whole, as of their snapshot', async () => {
  const db = new DistroLevel('/db', { env: createMemoryEnv({ seed: 1 }), memtableBytes: 64 << 10 });
  const keys = Array.from({ length: 2500 }, (_, i) => `k${String(i).padStart(5, '0')}`);
  await db.batch(keys.map((key) => ({ type: 'put', key, value: 'x'.repeat(300) })));
  const snapshot = db.snapshot();
  await db.put('k00000x', 'later');
  await db.clear({ snapshot, gte: 'k00000', lt: 'k02400' });
  assert.deepEqual(await db.keys().all(), ['k00000x', ...keys.slice(2400)]);
  assert.deepEqual(await db.keys({ snapshot }).all(), keys);
  await db.clear({ limit: 1, reverse: true });
  assert.equal(await db.has('k02499'), false);
  await snapshot.close();
  await db.close();
});

test('a range is cleared by its bounds, whichever they are, at once', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const db = new DistroLevel('/clear', { env });
  const keys = ['a', 'b', 'b\u0000', 'c', 'd'];
  const left = async (range: object): Promise<string> => {
    await db.batch(keys.map((key) => ({ type: 'put', key, value: key })));
    await db.clear(range);
    return (await db.keys().all()).join();
  };
  assert.equal(await left({ gt: 'b', lt: 'd' }), 'a,b,d');
  assert.equal(await left({ gte: 'b', lte: 'c' }), 'a,d');
  assert.equal(await left({ gt: 'b\u0000' }), 'a,b,b\u0000');
  assert.equal(await left({ lte: 'b' }), 'b\u0000,c,d');
  assert.equal(await left({ gt: 'c', lt: 'b' }), keys.join());
  assert.equal(await left({ gt: 'b', lte: 'b' }), keys.join());
  assert.equal(await left({}), '');
  await db.close();
});
