// The engine against a sorted map: long random sequences of operations, with small options (model-options.ts).
import assert from 'node:assert/strict';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine, Snapshot, WalMode } from '../engine.ts';
import { openEngine } from '../open.ts';
import { TableFileWriter } from '../table-file.ts';
import { type OptionSet, drawOptions, oneOf, optionSets } from './model-options.ts';
import { Model, type Operation, assertEqual, keyName, keyspaces, randomOperations, textOf, writeTo } from './model.ts';

/** Of up to so many operations each: 5,000 writes in all, about. */
const STEPS = 1050;
const MOST = 9;

const store = { directory: '/db', keyspaces } as const;

/** Writes one batch or unit; without waiting for it now and then. */
function writeOne(engine: Engine, wal: WalMode, operations: readonly Operation[], model: Model): Promise<void> {
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

/** Makes one or two files of random keys, and ingests them. */
async function ingestOne(env: MemoryEnv, engine: Engine, version: number, model: Model, random: Random): Promise<void> {
  const keyspace = oneOf(random, model.names);
  const at = model.versionsOf(keyspace) === 'caller' ? version : undefined;
  const keys = [...new Set(Array.from({ length: random.between(1, 12) }, () => keyName(random)))].sort();
  const operations = keys.map((key): Operation => ({
    keyspace,
    key,
    value: random.chance(0.2) ? undefined : `file ${version}`,
    version: at,
  }));
  const cut = random.below(keys.length);
  const files: string[] = [];
  await env.fs.makeDirectory('/in');
  for (const [i, part] of [operations.slice(0, cut), operations.slice(cut)].entries()) {
    if (part.length === 0) continue;
    // A crash may bring files of before back.
    const path = `/in/${String(version * 10 + i).padStart(6, '0')}.sst`;
    const writer = await TableFileWriter.create({ env, path, blockBytes: 64 });
    for (const { key, value } of part) void (value === undefined ? writer.delete(utf8(key), at) : writer.put(utf8(key), utf8(value), at));
    files.push((await writer.finish()).path);
  }
  await engine.ingest(engine.keyspace(keyspace), files);
  for (const path of files) await env.fs.removeFile(path);
  model.apply(operations);
}

/** A keyspace that comes and goes. */
async function createOrDrop(engine: Engine, model: Model, random: Random): Promise<void> {
  if (model.names.includes('temp')) {
    await engine.dropKeyspace('temp');
    model.drop('temp');
  } else {
    const versions = random.chance(0.5) ? 'caller' : 'latest';
    await engine.createKeyspace({ name: 'temp', versions });
    model.create('temp', versions);
  }
}

/** Makes a checkpoint, which is a store with all that is in this one. */
async function checkpoint(env: MemoryEnv, engine: Engine, model: Model, version: number, random: Random): Promise<void> {
  const directory = `/copy${version}`;
  await engine.checkpoint(directory);
  const copy = await openEngine({ env, keyspaces, wal: 'sync', ...drawOptions(random), directory });
  copy.keyspace('data').setRetention(model.retention);
  await assertEqual(copy, model, version, random);
  await copy.close();
  for (const name of await env.fs.readDirectory(directory)) await env.fs.removeFile(`${directory}/${name}`);
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

interface Held {
  readonly snapshot: Snapshot;
  readonly model: Model;
}

/**
 * One sequence: random operations, reopened and crashed now and then, every other time with other options, and looked at through snapshots that are
 * older. Resolves to the number of puts, deletes and range deletes.
 */
async function runSequence(random: Random, seed: number, { wal, options }: OptionSet): Promise<number> {
  let env = createMemoryEnv({ seed });
  const model = new Model();
  let engine = await openEngine({ env, ...store, wal, ...options });
  const waiting: Promise<void>[] = [];
  const written = async (): Promise<void> => void (await Promise.all(waiting.splice(0)));
  let held: Held | undefined;
  let count = 0;
  for (let version = 1; version <= STEPS; version++) {
    if (random.chance(0.007)) {
      await written();
      await ingestOne(env, engine, version, model, random);
    } else {
      const operations = randomOperations(random, version, 40, model.modes, MOST);
      waiting.push(writeOne(engine, wal, operations, model));
      count += operations.length;
    }
    if (random.chance(wal === 'none' ? 1 : 0.3)) await written();
    if (random.chance(0.03)) await engine.flush();
    if (random.chance(0.005)) await engine.settle();
    if (random.chance(0.004)) raiseRetention(engine, model, version, random);
    if (random.chance(0.004)) {
      await written();
      if (model.names.includes('temp')) held?.model.drop('temp');
      await createOrDrop(engine, model, random);
    }
    if (random.chance(0.015)) {
      const isCrash = random.chance(0.3);
      await written();
      if (wal === 'none' || (wal === 'nosync' && isCrash)) await engine.flush();
      held?.snapshot.close();
      held = undefined;
      if (isCrash)
        env = createMemoryEnv({
          seed: seed + version,
          fs: env.fs.crash(oneOf(random, ['lost', 'kept', 'torn', 'reordered'] as const), random),
        });
      else await engine.close();
      engine = await openEngine({ env, ...store, wal, ...(random.chance(0.5) ? options : drawOptions(random)) });
      // It may have come after the last flush.
      engine.keyspace('data').setRetention(model.retention);
    }
    assertSome(engine, model, version, random);
    if (random.chance(0.001)) {
      await written();
      await checkpoint(env, engine, model, version, random);
    }
    if (random.chance(0.005)) {
      await written();
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
  await written();
  await engine.settle();
  held?.snapshot.close();
  await assertEqual(engine, model, STEPS, random);
  await engine.close();
  return count;
}

export interface Sequence {
  readonly seed: number;
  /** Its place in `optionSets`. */
  readonly set: number;
}

export async function run({ seed, set }: Sequence): Promise<number> {
  const options = optionSets[set] as OptionSet;
  try {
    return await runSequence(seededRandom(seed), seed, options);
  } catch (error) {
    throw new Error(`seed ${seed}, ${options.name}`, { cause: error });
  }
}
