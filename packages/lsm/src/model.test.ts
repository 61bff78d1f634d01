// Random operations on an engine with random small options, against a sorted map; reopened now and then, and looked at through
// snapshots that are older than what was written, flushed and merged since.
import { type Random, seededRandom } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { openEngine } from './open.ts';
import type { Engine, EngineOptions, Snapshot, WalMode } from './engine.ts';
import { Model, assertEqual, keyspaces, randomOperations, writeTo } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

const STEPS = 250;

function smallOptions(random: Random, wal: WalMode): Omit<EngineOptions, 'env'> {
  return {
    directory: '/db',
    keyspaces,
    wal,
    memtableBytes: 1024 << random.below(5),
    blockCacheBytes: [0, 2000, 1 << 20][random.below(3)] as number,
    blockBytes: 64 << random.below(4),
    mergeFanIn: random.between(1, 4),
    codecs: random.chance(0.5) ? ['none'] : ['lz4', 'deflate'],
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

/** Gives up some of the past, up to the present. */
function raiseRetention(engine: Engine, model: Model, version: number, random: Random): void {
  model.retention = random.between(model.retention, version);
  engine.keyspace('data').setRetention(model.retention);
}

async function run(random: Random, seed: number, wal: WalMode): Promise<void> {
  const env = createMemoryEnv({ seed });
  const model = new Model();
  let engine = await openEngine({ env, ...smallOptions(random, wal) });
  let waiting: Promise<void>[] = [];
  let held: { readonly snapshot: Snapshot; readonly model: Model } | undefined;
  for (let version = 1; version <= STEPS; version++) {
    waiting.push(writeOne(engine, wal, version, model, random));
    if (random.chance(wal === 'none' ? 1 : 0.3)) await Promise.all(waiting.splice(0));
    if (random.chance(0.05)) await engine.flush();
    if (random.chance(0.02)) await engine.settle();
    if (random.chance(0.05)) raiseRetention(engine, model, version, random);
    if (random.chance(0.03)) {
      if (wal === 'none') await engine.flush();
      await Promise.all(waiting.splice(0));
      held?.snapshot.close();
      held = undefined;
      await engine.close();
      engine = await openEngine({ env, ...smallOptions(random, wal) });
      // It may have come after the last flush.
      engine.keyspace('data').setRetention(model.retention);
    }
    if (random.chance(0.08)) {
      await Promise.all(waiting);
      waiting = [];
      await assertEqual(engine, model, version, seededRandom(seed * 1000 + version));
      if (held !== undefined && random.chance(0.7)) {
        held.model.retention = model.retention;
        await assertEqual(engine, held.model, version, random, held.snapshot);
      } else {
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

for (const wal of ['sync', 'nosync', 'none'] as const) {
  seededTest(`an engine equals its model, log mode ${wal}`, 12, (random, seed) => run(random, seed, wal));
}
