// A workload that writes, flushes and merges is cut off before each of its mutating file operations in turn. What each crash
// mode leaves of the disk is opened, and must be the model after some k units: with nothing missing that was acknowledged,
// nothing torn, no orphan left behind; and the store must work on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, type MemoryEnv, type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import { openEngine } from './open.ts';
import type { Engine, EngineOptions, WalMode } from './engine.ts';
import { parseName } from './names.ts';
import { Model, type Operation, assertEqual, keyspaces, randomOperations, writeTo } from './testing/model.ts';

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

function modelAfter(units: number): Model {
  const model = new Model();
  for (let unit = 1; unit <= units; unit++) model.apply(unitOperations(unit));
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

async function assertNoOrphans(env: MemoryEnv, engine: Engine): Promise<void> {
  const kinds = (await env.fs.readDirectory('/data/db')).map((name) => parseName(name)?.kind);
  assert.equal(kinds.filter((kind) => kind === 'temporary').length, 0, 'temporary files');
  assert.equal(kinds.filter((kind) => kind === 'table').length, engine.stats().tables, 'tables that the manifest does not name');
}

async function assertRecovers(fs: MemoryFileSystem, seed: number, wal: WalMode, progress: Progress, goOn: boolean): Promise<void> {
  const env = createMemoryEnv({ seed, fs });
  const engine = await openEngine(options(env, wal));
  await assertNoOrphans(env, engine);
  const unit = engine.keyspace('meta').getSync(utf8('unit'));
  const units = unit === undefined ? 0 : Number(fromUtf8(unit));
  assert.ok(units >= progress.promised, `${units} units are there, ${progress.promised} were promised`);
  assert.ok(units <= progress.issued, `${units} units are there, ${progress.issued} were written`);
  await assertEqual(engine, modelAfter(units), Math.max(1, units), seededRandom(seed));
  if (goOn) {
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

async function crashEverywhere(wal: WalMode): Promise<number> {
  let images = 0;
  for (let n = 0; ; n++) {
    const { fs, progress, ended } = await runUntil(n, wal);
    if (ended) return images;
    const random = seededRandom(n);
    for (const mode of modes) {
      try {
        const seed = n * 10 + modes.indexOf(mode);
        await assertRecovers(fs.crash(mode, random), seed, wal, progress, n % 7 === 0);
        images++;
        if (modes[n % modes.length] !== mode) continue;
        const later = { ...progress };
        await assertRecovers(await crashAgain(fs.crash(mode, random), seed, wal, later), seed, wal, later, false);
        images++;
      } catch (error) {
        throw new Error(`log mode ${wal}, crash before operation ${n}, ${mode}`, { cause: error });
      }
    }
  }
}

for (const wal of ['sync', 'nosync', 'none'] as const) {
  test(`a crash before any operation is recovered from, log mode ${wal}`, async (t) => {
    const images = await crashEverywhere(wal);
    t.diagnostic(`${images} images of crashed disks were opened`);
    assert.ok(images > 400, `${images} images`);
  });
}
