// What merges leave out, against the definition; and that a watermark is obeyed, kept over a crash, and gives its space back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, type Random, compareBytes, seededRandom, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import { NEWEST } from './cursor.ts';
import type { Engine } from './engine.ts';
import { Below } from './key-bounds.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { Memtable } from './memtable.ts';
import { MergingCursor } from './merging-cursor.ts';
import { openEngine } from './open.ts';
import { Retention } from './retention.ts';
import { keyspaces, textOf } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

interface Entry {
  readonly key: number;
  readonly version: number;
  readonly tombstone: boolean;
}

/** The definition: what a reader as of some version from the watermark on can tell from nothing, or that hides something below. */
function kept(entries: readonly Entry[], watermark: number, holdsBelow: (key: number) => boolean): Entry[] {
  return entries.filter(({ key, version, tombstone }) => {
    if (version > watermark) return true;
    const isNewest = !entries.some((other) => other.key === key && other.version > version && other.version <= watermark);
    return isNewest && (!tombstone || holdsBelow(key));
  });
}

function randomEntries(random: Random): Entry[] {
  const entries = new Map<string, Entry>();
  for (let i = 0; i < 60; i++) {
    const [key, version] = [random.below(12), random.below(9)];
    entries.set(`${key}@${version}`, { key, version, tombstone: random.chance(0.4) });
  }
  return [...entries.values()].sort((a, b) => a.key - b.key || b.version - a.version);
}

seededTest('of each key the versions above the watermark stay, and the newest of the others', 200, (random) => {
  const entries = randomEntries(random);
  const memtable = new Memtable(1024);
  for (const { key, version, tombstone } of entries) memtable.insert(1, Uint8Array.of(key), 0, 1, version, tombstone, EMPTY, 0, 0);
  memtable.publish();
  // Two runs below, each of tables from one key to another.
  const runs = [0, 1].map(() => {
    const bounds = Array.from({ length: 2 * random.below(3) }, () => random.below(12)).sort((a, b) => a - b);
    const tables = new Map<number, number>();
    for (let i = 0; i < bounds.length; i += 2) tables.set(bounds[i] as number, bounds[i + 1] as number);
    return [...tables].filter(([, to], i, all) => to < (all[i + 1]?.[0] ?? 12));
  });
  const below = new Below(
    runs.map((run) => run.map(([from, to]) => ({ smallestKey: Uint8Array.of(1, from), largestKey: Uint8Array.of(1, to) }))),
  );
  const watermark = random.below(10) - 1;
  const retention = new Retention(new Map([[1, watermark]]), below);
  const found: Entry[] = [];
  const cursor = new MergingCursor([new MemtableCursor(memtable)], false);
  cursor.seek(EMPTY, NEWEST);
  for (let top = cursor.top; top !== undefined; cursor.step(), top = cursor.top) {
    const entry = { key: top.keyBytes[top.keyStart + 1] as number, version: top.version, tombstone: top.tombstone };
    if (retention.keeps(top)) found.push(entry);
  }
  const holdsBelow = (key: number): boolean => runs.some((run) => run.some(([from, to]) => from <= key && key <= to));
  assert.deepEqual(found, kept(entries, watermark, holdsBelow));
});

function open(env: MemoryEnv): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'none', memtableBytes: 16 << 10, mergeFanIn: 2 });
}

/** Writes `rounds` rounds of 200 keys, each at a version of its own. */
async function overwrite(engine: Engine, from: number, rounds: number): Promise<void> {
  const [writer, data] = [engine.unlogged(), engine.keyspace('data')];
  for (let version = from; version < from + rounds; version++) {
    for (let key = 0; key < 200; key++) writer.put(data, utf8(`key${key}`), seededRandom(key).bytes(30), version);
    await writer.commit();
  }
}

test('reads from the watermark on see what they saw, others are refused, and the space comes back', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await open(env);
  const data = engine.keyspace('data');
  await overwrite(engine, 1, 40);
  const unit = engine.unlogged();
  unit.delete(data, utf8('key7'), 41);
  void unit.commit();
  await engine.flush();
  await engine.settle();
  const before = engine.stats().tableBytes;
  data.setRetention(41);
  data.setRetention(12);
  assert.throws(() => data.getSync(utf8('key1'), 40), { code: 'compacted' });
  assert.throws(() => data.iterator({ at: 40 }), { code: 'compacted' });
  await overwrite(engine, 42, 1);
  await engine.flush();
  await engine.settle();
  const after = engine.stats().tableBytes;
  assert.ok(after < before / 8, `${before} bytes became ${after}`);
  assert.equal(data.getSync(utf8('key7'), 41), undefined);
  assert.deepEqual(data.getEntrySync(utf8('key8'), 41), { value: seededRandom(8).bytes(30), version: 40 });
  assert.equal(data.getEntrySync(utf8('key7'))?.version, 42);
  await engine.close();
});

test('a watermark becomes durable with the flush of the writes before it, and only then does anything go', async () => {
  let env = createMemoryEnv({ seed: 1 });
  let engine = await open(env);
  /** Loses the power. */
  const crash = async (): Promise<void> => {
    env = createMemoryEnv({ seed: 2, fs: env.fs.crash('lost', seededRandom(1)) });
    engine = await open(env);
  };
  await overwrite(engine, 1, 20);
  await engine.flush();
  engine.keyspace('data').setRetention(15);
  await engine.settle();
  await crash();
  assert.equal(engine.keyspace('data').getEntrySync(utf8('key1'), 3)?.version, 3, 'the watermark was not flushed, and the past is there');
  engine.keyspace('data').setRetention(15);
  await overwrite(engine, 21, 1);
  await engine.flush();
  await crash();
  assert.throws(() => engine.keyspace('data').getSync(utf8('key1'), 14), { code: 'compacted' });
  assert.equal(engine.keyspace('data').getEntrySync(utf8('key1'), 15)?.version, 15);
  await engine.close();
});

test('an iterator that was made before the watermark rose goes on as of its version', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  const data = engine.keyspace('data');
  await overwrite(engine, 1, 10);
  const iterator = data.iterator({ at: 3 });
  data.setRetention(10);
  await overwrite(engine, 11, 10);
  await engine.flush();
  await engine.settle();
  let seen = 0;
  while (iterator.next()) {
    assert.equal(iterator.version, 3);
    seen++;
  }
  iterator.close();
  assert.equal(seen, 200);
  assert.equal(textOf(data.getSync(utf8('missing'))), undefined);
  assert.equal(compareBytes(data.getSync(utf8('key1')) ?? EMPTY, seededRandom(1).bytes(30)), 0);
  await engine.close();
});

test('a keyspace of the latest has no watermark, and a watermark is a version', async () => {
  const engine = await open(createMemoryEnv({ seed: 1 }));
  assert.throws(() => engine.keyspace('meta').setRetention(1), { code: 'invalid' });
  assert.throws(() => engine.keyspace('data').setRetention(-1), { code: 'invalid' });
  await engine.close();
});
