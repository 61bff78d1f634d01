// Crash enumeration: a workload that writes, flushes and merges is cut off before each of its mutating file operations in turn. What
// each crash mode leaves of the disk is opened, and must be the model after some k units: with nothing missing that was
// acknowledged, nothing torn, no orphan left behind; and the store must work on.
import assert from 'node:assert/strict';
import { fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, type MemoryEnv, type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions, WalMode } from '../engine.ts';
import { parseName } from '../names.ts';
import { openEngine } from '../open.ts';
import { Model, type Operation, assertEqual, drain, keyspaces, randomOperations, writeTo } from './model.ts';

const modes: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];
const UNITS = 20;

function options(env: MemoryEnv, wal: WalMode): EngineOptions {
  return { env, directory: '/data/db', keyspaces, wal, memtableBytes: 1024, blockBytes: 128, mergeFanIn: 1 };
}

/** The unit that makes the store's `unit`-th state: `unit` itself is in it. */
function unitOperations(unit: number): Operation[] {
  const operations = randomOperations(seededRandom(unit), unit, 60);
  return [...operations, { keyspace: 'meta', key: 'unit', value: String(unit), version: undefined }];
}

const models: Model[] = [];

/** Made once for each state: there are thousands of images to compare with it. */
function modelAfter(units: number): Model {
  let model = models[units];
  if (model !== undefined) return model;
  model = new Model();
  for (let unit = 1; unit <= units; unit++) model.apply(unitOperations(unit));
  models[units] = model;
  return model;
}

interface Progress {
  issued: number;
  /** Units that the store has promised to keep. */
  promised: number;
}

/** Writes units until all are written or the disk stops. */
async function work(engine: Engine, wal: WalMode, progress: Progress): Promise<void> {
  const random = seededRandom(99);
  for (let unit = progress.issued + 1; unit <= UNITS; unit++) {
    progress.issued = unit;
    if (wal === 'none') {
      const writer = engine.unlogged();
      writeTo(writer, engine, unitOperations(unit));
      await writer.commit();
    } else {
      const batch = engine.batch();
      writeTo(batch, engine, unitOperations(unit));
      const written = engine.write(batch);
      void written.then(
        () => (progress.promised = wal === 'sync' ? unit : progress.promised),
        () => {},
      );
      // Some units share a record of the log.
      if (random.chance(0.6)) await written;
    }
    if (random.chance(0.1)) {
      await engine.flush();
      progress.promised = unit;
    }
    if (random.chance(0.05)) await engine.settle();
  }
  await engine.close();
  if (wal !== 'none') progress.promised = UNITS;
}

/** Runs the workload until just before its `n`-th mutating operation; false if it ended earlier. */
async function runUntil(n: number, wal: WalMode): Promise<{ fs: MemoryFileSystem; progress: Progress; ended: boolean }> {
  const env = createMemoryEnv({ seed: n + 1 });
  env.fs.onOperation = ({ mutation }) => (mutation === n ? 'crash' : undefined);
  const progress: Progress = { issued: 0, promised: 0 };
  let ended = false;
  try {
    const engine = await openEngine(options(env, wal));
    await work(engine, wal, progress);
    ended = true;
  } catch {
    // The disk has stopped, and the engine noticed.
  }
  return { fs: env.fs, progress, ended };
}

const rows = new Map<string, ReturnType<typeof drain>>();

function rowsOf(model: Model, name: 'data' | 'meta'): ReturnType<typeof drain> {
  const key = `${models.indexOf(model)}/${name}`;
  const known = rows.get(key) ?? model.rows(name, {});
  rows.set(key, known);
  return known;
}

async function assertNoOrphans(env: MemoryEnv, engine: Engine): Promise<void> {
  const kinds = (await env.fs.readDirectory('/data/db')).map((name) => parseName(name)?.kind);
  assert.equal(kinds.filter((kind) => kind === 'temporary').length, 0, 'temporary files');
  assert.equal(kinds.filter((kind) => kind === 'table').length, engine.stats().tables, 'tables that the manifest does not name');
}

/** What is done with an image: `quick` compares all rows, `thorough` reads in every way, `goOn` writes on and opens the store once more. */
type Depth = 'quick' | 'thorough' | 'goOn';

async function assertRecovers(fs: MemoryFileSystem, seed: number, wal: WalMode, progress: Progress, depth: Depth): Promise<void> {
  const env = createMemoryEnv({ seed, fs });
  const engine = await openEngine(options(env, wal));
  await assertNoOrphans(env, engine);
  const unit = engine.keyspace('meta').getSync(utf8('unit'));
  const units = unit === undefined ? 0 : Number(fromUtf8(unit));
  assert.ok(units >= progress.promised, `${units} units are there, ${progress.promised} were promised`);
  assert.ok(units <= progress.issued, `${units} units are there, ${progress.issued} were written`);
  const model = modelAfter(units);
  if (depth === 'quick') {
    for (const name of ['data', 'meta'] as const) assert.deepEqual(drain(engine.keyspace(name).iterator()), rowsOf(model, name), name);
  } else await assertEqual(engine, model, Math.max(1, units), seededRandom(seed));
  if (depth === 'goOn') {
    await work(engine, wal, { issued: units, promised: units });
    const again = await openEngine(options(env, wal));
    if (wal !== 'none') await assertEqual(again, modelAfter(UNITS), UNITS, seededRandom(seed));
    await again.close();
  } else await engine.close();
}

/** Crashes once more, while the store is being opened or soon after. */
async function crashAgain(fs: MemoryFileSystem, seed: number, wal: WalMode, progress: Progress): Promise<MemoryFileSystem> {
  const random = seededRandom(seed);
  const env = createMemoryEnv({ seed, fs });
  const until = random.below(25);
  fs.onOperation = ({ mutation }) => (mutation === until ? 'crash' : undefined);
  try {
    const engine = await openEngine(options(env, wal));
    const unit = engine.keyspace('meta').getSync(utf8('unit'));
    const again = { issued: unit === undefined ? 0 : Number(fromUtf8(unit)), promised: progress.promised };
    await work(engine, wal, again).finally(() =>
      Object.assign(progress, { issued: Math.max(progress.issued, again.issued), promised: again.promised }),
    );
  } catch {
    // The disk has stopped.
  }
  return fs.crash(modes[random.below(modes.length)] as CrashMode, random);
}

/** Cuts the workload off before each of its operations in turn, and opens `images` images of each mode that leaves things to chance. */
export async function crashEverywhere(wal: WalMode, images: number): Promise<number> {
  let opened = 0;
  for (let n = 0; ; n++) {
    const { fs, progress, ended } = await runUntil(n, wal);
    if (ended) return opened;
    const random = seededRandom(n);
    for (const mode of modes) {
      const count = mode === 'torn' || mode === 'reordered' ? images : 1;
      for (let i = 0; i < count; i++) {
        try {
          const seed = n * 10 + modes.indexOf(mode);
          const depth = i > 0 ? 'quick' : n % 7 === 0 ? 'goOn' : 'thorough';
          await assertRecovers(fs.crash(mode, random), seed, wal, progress, depth);
          opened++;
          if (i > 0 || modes[n % modes.length] !== mode) continue;
          const later = { ...progress };
          await assertRecovers(await crashAgain(fs.crash(mode, random), seed, wal, later), seed, wal, later, 'thorough');
          opened++;
        } catch (error) {
          throw new Error(`log mode ${wal}, crash before operation ${n}, ${mode}, image ${i}`, { cause: error });
        }
      }
    }
  }
}
