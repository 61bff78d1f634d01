// The engine against a sorted map: long random sequences of operations, with random small options.
import assert from 'node:assert/strict';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import type { Codec, Engine, EngineOptions, Snapshot, WalMode } from '../engine.ts';
import { openEngine } from '../open.ts';
import { Model, assertEqual, keyName, keyspaces, randomOperations, textOf, writeTo } from './model.ts';

/** About 2.5 operations each. */
const STEPS = 2000;

function smallOptions(random: Random, wal: WalMode): Omit<EngineOptions, 'env'> {
  return {
    directory: '/db',
    keyspaces,
    wal,
    memtableBytes: 1024 << random.below(5),
    blockCacheBytes: [0, 2000, 1 << 20][random.below(3)] as number,
    blockBytes: 64 << random.below(4),
    mergeFanIn: random.between(1, 4),
    codecs: ([['none'], ['lz4'], ['lz4', 'deflate']] as const)[random.chance(0.1) ? 2 : random.below(2)] as readonly Codec[],
  };
}

/** Writes one batch or unit; without waiting for it now and then. */
function writeOne(engine: Engine, wal: WalMode, version: number, model: Model, random: Random): Promise<void> {
  const operations = randomOperations(random, version);
  model.apply(operations);
  if (wal === 'none') {
    const writer = engine.unlogged();
    writeTo(writer, engine, operations);
    return writer.commit() ?? Promise.resolve();
  }
  const batch = engine.batch();
  writeTo(batch, engine, operations);
  return engine.write(batch);
}

/** Reads that every step can afford; a batch that still waits for the log may not show yet, so only the past is asked. */
function assertSome(engine: Engine, model: Model, version: number, random: Random): void {
  if (model.retention > version - 50) return;
  const at = random.between(model.retention, version - 50);
  const key = keyName(random);
  assert.equal(textOf(engine.keyspace('data').getSync(utf8(key), at)), model.get('data', key, at), `data/${key} at ${at}`);
}

/** Gives up some of the past, up to the present. */
function raiseRetention(engine: Engine, model: Model, version: number, random: Random): void {
  model.retention = random.between(model.retention, version);
  engine.keyspace('data').setRetention(model.retention);
}

/** One sequence: random operations, reopened now and then, each time with other options, and looked at through snapshots that are older. */
export async function runSequence(random: Random, seed: number, wal: WalMode): Promise<void> {
  const env = createMemoryEnv({ seed });
  const model = new Model();
  let engine = await openEngine({ env, ...smallOptions(random, wal) });
  let waiting: Promise<void>[] = [];
  let held: { readonly snapshot: Snapshot; readonly model: Model } | undefined;
  for (let version = 1; version <= STEPS; version++) {
    waiting.push(writeOne(engine, wal, version, model, random));
    if (random.chance(wal === 'none' ? 1 : 0.3)) await Promise.all(waiting.splice(0));
    if (random.chance(0.02)) await engine.flush();
    if (random.chance(0.005)) await engine.settle();
    if (random.chance(0.004)) raiseRetention(engine, model, version, random);
    if (random.chance(0.01)) {
      if (wal === 'none') await engine.flush();
      await Promise.all(waiting.splice(0));
      held?.snapshot.close();
      held = undefined;
      await engine.close();
      engine = await openEngine({ env, ...smallOptions(random, wal) });
      // It may have come after the last flush.
      engine.keyspace('data').setRetention(model.retention);
    }
    assertSome(engine, model, version, random);
    if (random.chance(0.004)) {
      await Promise.all(waiting);
      waiting = [];
      await assertEqual(engine, model, version, seededRandom(seed * 1000 + version));
      if (held !== undefined) {
        held.model.retention = model.retention;
        await assertEqual(engine, held.model, version, random, held.snapshot);
      }
      if (random.chance(0.3)) {
        held?.snapshot.close();
        held = { snapshot: engine.snapshot(), model: model.copy() };
      }
    }
  }
  await Promise.all(waiting);
  await engine.settle();
  held?.snapshot.close();
  await assertEqual(engine, model, STEPS, random);
  await engine.close();
}
