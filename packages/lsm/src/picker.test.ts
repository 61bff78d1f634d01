// The shape of the tree under real writes: levels that grow by ten, tables that move without being written, and space and
// writes within their bounds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import type { Engine } from './engine.ts';
import { ManifestState, readManifest } from './manifest.ts';
import { openEngine } from './open.ts';
import { keyspaces } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

const MEMTABLE_BYTES = 4 << 10;
const FAN_IN = 2;
const env = createMemoryEnv({ seed: 1 });

function open(directory: string): Promise<Engine> {
  return openEngine({ env, directory, keyspaces, wal: 'none', memtableBytes: MEMTABLE_BYTES, blockBytes: 512, mergeFanIn: FAN_IN });
}

/** Bytes of tables in each level, as the manifest has it. */
async function levelBytes(directory: string): Promise<number[]> {
  const { state } = (await readManifest(env, directory)) ?? { state: new ManifestState() };
  const levels = Array.from({ length: 7 }, () => 0);
  for (const { level, byteLength } of state.tables.values()) levels[level] = (levels[level] as number) + byteLength;
  return levels;
}

async function put(engine: Engine, key: number, value: Uint8Array): Promise<void> {
  const writer = engine.unlogged();
  writer.put(engine.keyspace('meta'), utf8(`key${String(key).padStart(6, '0')}`), value);
  await writer.commit();
}

/** Writes `writes` of `keys` keys at random, and returns what lives and what was written. */
async function churn(engine: Engine, random: Random, keys: number, writes: number): Promise<{ live: number; written: number }> {
  const live = new Map<number, number>();
  let written = 0;
  for (let i = 0; i < writes; i++) {
    const key = random.below(keys);
    const value = random.bytes(random.between(50, 100));
    await put(engine, key, value);
    live.set(key, 10 + value.length);
    written += 10 + value.length;
  }
  await engine.flush();
  await engine.settle();
  return { live: [...live.values()].reduce((sum, bytes) => sum + bytes, 0), written };
}

seededTest('overwritten keys cost space and writes within their bounds', 2, async (random, seed) => {
  const directory = `/churn${seed}`;
  const engine = await open(directory);
  const { live, written } = await churn(engine, random, 2000, 6000);
  const { tableBytes, bytesWritten } = engine.stats();
  const levels = await levelBytes(directory);
  // 1.15: versions, indexes, filters. The base holds FAN_IN memtables at least, level 0 as many, and one of each is on its way.
  const bound = 1.15 * live * (10 / 9) + (2 * FAN_IN + 2) * MEMTABLE_BYTES;
  assert.ok(tableBytes <= bound, `${tableBytes} bytes of tables for ${live} of data, ${levels.join(' ')}`);
  assert.ok((levels[5] as number) > 0 && (levels[6] as number) > (levels[5] as number), `two levels are in use: ${levels.join(' ')}`);
  assert.ok(bytesWritten < 12 * written, `${bytesWritten} bytes were written for ${written}`);
  await engine.close();
});

test('keys that rise are written once: their tables move down', async () => {
  const engine = await open('/rising');
  let written = 0;
  const random = seededRandom(1);
  for (let key = 0; key < 2000; key++) {
    const value = random.bytes(100);
    await put(engine, key, value);
    written += 10 + value.length;
  }
  await engine.flush();
  await engine.settle();
  const { bytesWritten } = engine.stats();
  assert.ok(bytesWritten < 1.5 * written, `${bytesWritten} bytes were written for ${written}`);
  await engine.close();
});

test('small flushes do not pile up as small tables', async () => {
  const engine = await open('/small');
  for (let key = 0; key < 300; key++) {
    await put(engine, key, new Uint8Array(20));
    await engine.flush();
  }
  await engine.settle();
  assert.ok(engine.stats().tables < 20, `${engine.stats().tables} tables`);
  await engine.close();
});
