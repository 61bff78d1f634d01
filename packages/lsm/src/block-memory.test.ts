// Memory of blocks is used again: reads of a store that is larger than its cache take no more than the cache, and nobody sees a block change
// under his hands.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Random, fromUtf8, seededRandom } from '@distrokv/base';
import { type Env, createNodeEnv } from '@distrokv/env';
import { BlockMemory } from './block-memory.ts';
import type { Engine, EngineOptions, KeyIterator, Keyspace } from './engine.ts';
import { openEngine } from './open.ts';
import { seededTest } from './testing/seeds.ts';

const MiB = 2 ** 20;

test('memory that was given back is taken again, by size and within a bound', () => {
  const memory = new BlockMemory(10_000);
  const [small, other, large] = [memory.take(4200), memory.take(4352), memory.take(2 * MiB)];
  assert.deepEqual([small.length, other.length, large.length], [4352, 4352, 2 * MiB]);
  for (const bytes of [small, other, large, new Uint8Array(4352)]) memory.give(bytes);
  assert.equal(memory.freeBytes, 2 * 4352, 'no more than the bound, and nothing large');
  assert.equal(memory.take(4400).length, 4608, 'another size is made');
  assert.deepEqual(new Set([memory.take(4097), memory.take(4300)]), new Set([small, other]));
  assert.equal(memory.freeBytes, 0);
  for (let length = 1; length <= MiB; length = Math.ceil(length * 1.01)) {
    const { length: taken } = new BlockMemory(0).take(length);
    assert.ok(taken >= length && taken - length < Math.max(256, length / 16), `${taken} bytes for ${length}`);
  }
});

const KEY = Buffer.from('key00000000');
/** Good until the next one: what is measured is not the test's own garbage. */
function keyOf(i: number): Buffer {
  for (let at = KEY.length - 1, rest = i; at >= 3; at--, rest = Math.floor(rest / 10)) KEY[at] = 48 + (rest % 10);
  return KEY;
}

const lengthOf = (i: number): number => 80 + (i % 40);
const byteOf = (i: number, version: number, at: number): number => (i + (i >>> 8) * 31 + version * 101 + (at >>> 4)) & 0xff;
function valueOf(i: number, version: number): Uint8Array {
  const value = new Uint8Array(lengthOf(i));
  for (let at = 0; at < value.length; at++) value[at] = byteOf(i, version, at);
  return value;
}

function assertValue(i: number, at: number, bytes: Uint8Array | undefined, start = 0, end = bytes?.length): void {
  const version = at > 1 && i % 3 === 0 ? 2 : 1;
  let isRight = bytes !== undefined && end === start + lengthOf(i);
  for (let j = lengthOf(i) - 1; j >= 0 && isRight; j--) isRight = bytes?.[start + j] === byteOf(i, version, j);
  if (!isRight) assert.fail(`key ${i} at ${at} is ${bytes?.subarray(start, end).join() ?? 'missing'}`);
}

/** A slow disk, by its clock: reads that may go to the background do. */
let isDiskSlow = false;
let lateMs = 0;
const env: Env = createNodeEnv();
const slowed: Env = {
  ...env,
  clock: { ...env.clock, monotonicMs: () => env.clock.monotonicMs() + (isDiskSlow ? ++lateMs : lateMs) },
};

/** A store of `keys` keys of which each third was written again; all of it in tables. */
async function withStore(
  keys: number,
  options: Partial<EngineOptions>,
  use: (kv: Keyspace, engine: Engine) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-memory-'));
  const keyspaces = [{ name: 'kv', versions: 'caller' }] as const;
  const engine = await openEngine({ env: slowed, directory, keyspaces, wal: 'nosync', ...options });
  try {
    const kv = engine.keyspace('kv');
    for (const [version, step] of [1, 3].entries()) {
      for (let i = 0; i < keys;) {
        const batch = engine.batch();
        for (; batch.count < 1000 && i < keys; i += step) batch.put(kv, keyOf(i), valueOf(i, version + 1), version + 1);
        await engine.write(batch);
      }
    }
    await engine.flush();
    await engine.settle();
    await use(kv, engine);
  } finally {
    isDiskSlow = false;
    await engine.close();
    rmSync(directory, { recursive: true });
  }
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function arrayBytes(isCollected: boolean): number {
  // The second one waits for what the first one lets go of on another thread.
  if (isCollected) for (let i = 0; i < 2; i++) collect();
  return process.memoryUsage().arrayBuffers;
}

/**
 * By how much memory of arrays grows at most while `read` is called `count` times, `width` calls at once; `isCollected`: without what nobody
 * has any more, for when the collector comes by itself is a matter of luck.
 */
async function growth(count: number, width: number, read: () => unknown, isCollected = false): Promise<number> {
  let most = 0;
  const before = arrayBytes(isCollected);
  for (let done = 0; done < count; done += width) {
    if (width === 1) read();
    else await Promise.all(Array.from({ length: width }, read));
    if (done % (32 * width) === 0) most = Math.max(most, arrayBytes(isCollected) - before);
  }
  return most;
}

const larger = [
  ['codec none', { blockCacheBytes: MiB, codecs: ['none'] }],
  ['codec lz4', { blockCacheBytes: MiB, codecs: ['lz4'] }],
  // Pages of indexes come and go as blocks do.
  ['indexes larger than it', { blockCacheBytes: MiB / 4, blockBytes: 128 }],
] as const;

for (const [name, options] of larger)
  test(`reads of a store that is larger than the cache take no memory beside it (${name})`, async () => {
    const keys = 50_000;
    await withStore(keys, { memtableBytes: 4 * MiB, ...options }, async (kv, engine) => {
      const random = seededRandom(1);
      const peek = (): void => {
        const i = random.below(keys);
        const found = kv.peekSync(keyOf(i));
        assertValue(i, 2, found?.bytes, found?.start, found?.end);
      };
      const get = async (): Promise<void> => {
        const i = random.below(keys);
        assertValue(i, 2, await kv.get(keyOf(i)));
      };
      await growth(10_000, 1, peek);
      const grown = await growth(200_000, 1, peek);
      assert.ok(grown < 2 * MiB, `one at a time: ${grown}`);
      // Reads that wait, and, when a turn is over, some that do not: as many as the reserve of a cache that small is for.
      const grownBoth = await growth(30_000, 8, get);
      assert.ok(grownBoth < 8 * MiB, `8 at once, the values among it: ${grownBoth}`);
      isDiskSlow = true;
      // More than the reserve is for: what it has no room for is the collector's.
      const grownAtOnce = await growth(30_000, 64, get, true);
      assert.ok(grownAtOnce < 2 * MiB, `64 at once: ${grownAtOnce}`);
      const { blockCacheBytes, tableIndexBytes } = engine.stats();
      assert.ok(blockCacheBytes + tableIndexBytes <= options.blockCacheBytes, `${blockCacheBytes} and ${tableIndexBytes}`);
    });
  });

/** An iterator, and what it shows. */
interface Walk {
  readonly iterator: KeyIterator;
  readonly step: number;
  readonly at: number;
  place: number;
}

function openWalk(random: Random, kv: Keyspace, keys: number): Walk {
  const place = random.below(keys);
  const [reverse, at] = [random.chance(0.5), 1 + random.below(2)];
  const iterator = kv.iterator({ ...(reverse ? { lte: keyOf(place) } : { gte: keyOf(place) }), reverse, at });
  return { iterator, step: reverse ? -1 : 1, at, place };
}

seededTest('what an iterator shows stays until it goes on, whatever is read meanwhile', 3, async (random) => {
  const keys = 3000;
  const options = { memtableBytes: 64 << 10, blockCacheBytes: 20_000 + random.below(100_000), blockBytes: 256 << random.below(5) };
  await withStore(keys, { ...options, codecs: [random.chance(0.5) ? 'none' : 'lz4'] }, async (kv) => {
    isDiskSlow = random.chance(0.5);
    const check = async (i: number, at: number): Promise<void> => assertValue(i, at, await kv.get(keyOf(i), at));
    const walks = Array.from({ length: 4 }, () => openWalk(random, kv, keys));
    for (let round = 0; round < 60; round++) {
      const w = random.below(walks.length);
      const walk = walks[w] as Walk;
      for (let steps = random.below(60); steps >= 0; steps--) {
        const isThere = walk.iterator.next();
        assert.equal(isThere, walk.place >= 0 && walk.place < keys);
        if (!isThere) {
          walk.iterator.close();
          walks[w] = openWalk(random, kv, keys);
          break;
        }
        // Within the turn, and over some.
        const others = Array.from({ length: random.below(3) }, () => random.below(keys));
        for (const i of others) assertValue(i, 2, kv.getSync(keyOf(i)));
        if (random.chance(0.1)) {
          const wanted = Array.from({ length: 32 }, () => random.below(keys));
          await Promise.all(wanted.flatMap((i) => [check(i, 1), check(random.chance(0.5) ? i : random.below(keys), 2)]));
        }
        const { key, value } = walk.iterator;
        assert.deepEqual(keyOf(walk.place).toString(), fromUtf8(key));
        assertValue(walk.place, walk.at, value);
        walk.place += walk.step;
      }
    }
    for (const { iterator } of walks) iterator.close();
  });
});
