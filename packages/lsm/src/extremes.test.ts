// Keys and values of the smallest and the largest sizes, through every place that an entry can lie in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions } from './engine.ts';
import { openEngine } from './open.ts';

const MiB = 1 << 20;
const options: Omit<EngineOptions, 'env'> = {
  directory: '/db',
  keyspaces: [
    { name: 'kv', versions: 'latest' },
    { name: 'past', versions: 'caller' },
  ],
  wal: 'sync',
  memtableBytes: 4 * MiB,
  mergeFanIn: 1,
};

/** Large ones that differ in their last byte alone, and such as begin others. */
function extremes(): Map<Uint8Array, Uint8Array> {
  const random = seededRandom(1);
  const long = random.bytes(MiB);
  const other = long.slice();
  other[MiB - 1] = (other[MiB - 1] as number) ^ 1;
  const keys = [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(255), new Uint8Array(MiB).fill(255), long, other];
  const sizes = [0, 1, 16 * MiB, 0, 3, 0, 5 * MiB];
  return new Map(keys.map((key, i) => [key, Buffer.alloc(sizes[i] as number, random.bytes(251))]));
}

async function assertThere(engine: Engine, expected: ReadonlyMap<Uint8Array, Uint8Array>, at: number): Promise<void> {
  const keys = [...expected.keys()].sort((a, b) => Buffer.compare(a, b));
  for (const name of ['kv', 'past']) {
    const keyspace = engine.keyspace(name);
    const of = name === 'kv' ? {} : { at };
    const many = await keyspace.getMany(keys, of.at);
    for (const [i, key] of keys.entries()) {
      const value = expected.get(key);
      for (const found of [keyspace.getSync(key, of.at), many[i], await keyspace.get(key, of.at)])
        assert.ok(value !== undefined && found !== undefined && Buffer.compare(found, value) === 0, `${name}, key ${i}`);
    }
    assert.equal(keyspace.count(of), keys.length);
    for (const reverse of [false, true]) {
      const iterator = keyspace.iterator({ ...of, reverse });
      for (const key of reverse ? keys.toReversed() : keys) {
        assert.ok(iterator.next() && Buffer.compare(iterator.key, key) === 0);
        assert.equal(Buffer.compare(iterator.value, expected.get(key) as Uint8Array), 0);
      }
      assert.equal(iterator.next(), false);
      iterator.close();
    }
  }
}

test('keys of no bytes and of a mebibyte, values of none and of sixteen, are what they were, wherever they lie', async () => {
  let env = createMemoryEnv({ seed: 1 });
  let engine = await openEngine({ env, ...options });
  const expected = extremes();
  for (const [key, value] of expected) {
    const batch = engine.batch();
    batch.put(engine.keyspace('kv'), key, value);
    batch.put(engine.keyspace('past'), key, value, 7);
    await engine.write(batch);
  }
  const batch = engine.batch();
  for (const key of expected.keys()) batch.delete(engine.keyspace('past'), key, 9);
  await engine.write(batch);
  await assertThere(engine, expected, 8);
  assert.equal(engine.keyspace('past').count(), 0);
  // From the log.
  env = createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
  engine = await openEngine({ env, ...options });
  await assertThere(engine, expected, 8);
  await engine.flush();
  await engine.settle();
  await assertThere(engine, expected, 8);
  assert.deepEqual((await engine.verify()).faults, []);
  await engine.close();
  engine = await openEngine({ env, ...options, blockCacheBytes: 0 });
  await assertThere(engine, expected, 8);
  await engine.close();
});

test('a key that is a byte too long is refused, and nothing is written', async () => {
  const engine = await openEngine({ env: createMemoryEnv({ seed: 1 }), ...options });
  const batch = engine.batch();
  assert.throws(() => batch.put(engine.keyspace('kv'), new Uint8Array(MiB + 1), new Uint8Array(0)), { code: 'invalid' });
  assert.equal(engine.keyspace('kv').count(), 0);
  await engine.close();
});
