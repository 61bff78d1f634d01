// Crash enumeration: a workload that writes, deletes ranges, flushes, merges, ingests, makes and drops keyspaces is cut off before each of its mutating
// file operations in turn. What each crash mode leaves of the disk is opened, and must be the model after some k units: with nothing missing that was
// acknowledged, nothing torn, no orphan left behind; and the store must work on.
import assert from 'node:assert/strict';
import { type Random, fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, type MemoryEnv, type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import type { Engine, EngineOptions, Keyspace, WalMode } from '../engine.ts';
import { parseName } from '../names.ts';
import { openEngine } from '../open.ts';
import { TableFileWriter } from '../table-file.ts';
import { Model, type Operation, type Row, assertEqual, assertRows, drain, keyName, keyspaces, randomOperations, writeTo } from './model.ts';

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

/** After these units a file is ingested, which counts as a unit of its own. */
const INGESTED: ReadonlySet<number> = new Set([7, 13]);

function ingestOperations(unit: number): Operation[] {
  const keys = [...new Set(Array.from({ length: 8 }, (_, i) => keyName(seededRandom(unit * 100 + i))))].sort();
  const operations = keys.map((key): Operation => ({ keyspace: 'meta', key, value: `file ${unit}`, version: undefined }));
  return [...operations, { keyspace: 'meta', key: 'unit', value: String(unit), version: undefined }];
}

async function ingest(env: MemoryEnv, engine: Engine, unit: number): Promise<void> {
  await env.fs.makeDirectory('/in');
  const path = `/in/${String(unit).padStart(6, '0')}.sst`;
  await env.fs.removeFile(path).catch(() => {});
  const writer = await TableFileWriter.create({ env, path, blockBytes: 128 });
  for (const { key, value = '' } of ingestOperations(unit)) void writer.put(utf8(key), utf8(value));
  await writer.finish();
  await engine.ingest(engine.keyspace('meta'), [path]);
}

/** A keyspace that is there for some units, and then again, with other versions, by which one tells which of the two it is. */
const TEMPORARY = [
  { name: 'temp', versions: 'latest', from: 4, to: 9 },
  { name: 'temp', versions: 'caller', from: 11, to: 16 },
] as const;

/** What is written to it is its unit's number alone. */
function temporaryOperation(unit: number): Operation | undefined {
  const there = TEMPORARY.find(({ from, to }) => from <= unit && unit < to);
  if (there === undefined || INGESTED.has(unit)) return undefined;
  return { keyspace: 'temp', key: `k${unit}`, value: String(unit), version: there.versions === 'caller' ? unit : undefined };
}

const models: Model[] = [];

/** Made once for each state: there are thousands of images to compare with it. */
function modelAfter(units: number): Model {
  let model = models[units];
  if (model !== undefined) return model;
  model = new Model();
  for (let unit = 1; unit <= units; unit++) model.apply(INGESTED.has(unit) ? ingestOperations(unit) : unitOperations(unit));
  models[units] = model;
  return model;
}

interface Progress {
  issued: number;
  /** Units that the store has promised to keep. */
  promised: number;
  /** Of the four times that the temporary keyspace is made or dropped. */
  temporaryIssued: number;
  temporaryPromised: number;
}

/** The temporary keyspace, if it is there. */
function temporary(engine: Engine): Keyspace | undefined {
  return engine.keyspaces().find(({ name }) => name === 'temp');
}

/** Makes and drops the temporary keyspace, where a unit begins with it. */
async function createOrDrop(engine: Engine, unit: number, progress: Progress): Promise<void> {
  for (const [i, { name, versions, from, to }] of TEMPORARY.entries()) {
    const there = temporary(engine);
    if (unit === from && there === undefined) {
      progress.temporaryIssued = Math.max(progress.temporaryIssued, 2 * i + 1);
      await engine.createKeyspace({ name, versions });
      progress.temporaryPromised = Math.max(progress.temporaryPromised, 2 * i + 1);
    }
    if (unit === to && there?.versions === versions) {
      progress.temporaryIssued = Math.max(progress.temporaryIssued, 2 * i + 2);
      await engine.dropKeyspace(name);
      progress.temporaryPromised = Math.max(progress.temporaryPromised, 2 * i + 2);
    }
  }
}

/** Writes units until all are written or the disk stops. */
async function work(env: MemoryEnv, engine: Engine, wal: WalMode, progress: Progress): Promise<void> {
  const random = seededRandom(99);
  for (let unit = progress.issued + 1; unit <= UNITS; unit++) {
    await createOrDrop(engine, unit, progress);
    progress.issued = unit;
    if (INGESTED.has(unit)) {
      await ingest(env, engine, unit);
      progress.promised = unit;
    } else await write(engine, unit, wal, progress, random);
    if (random.chance(0.1)) {
      await engine.flush();
      progress.promised = unit;
    }
    if (random.chance(0.05)) await engine.settle();
  }
  await engine.close();
  if (wal !== 'none') progress.promised = UNITS;
}

async function write(engine: Engine, unit: number, wal: WalMode, progress: Progress, random: Random): Promise<void> {
  const operations = unitOperations(unit);
  const extra = temporaryOperation(unit);
  const there = temporary(engine);
  if (extra !== undefined && there !== undefined && (there.versions === 'caller') === (extra.version !== undefined)) operations.push(extra);
  if (wal === 'none') {
    const writer = engine.unlogged();
    writeTo(writer, engine, operations);
    await writer.commit();
    return;
  }
  const batch = engine.batch();
  writeTo(batch, engine, operations);
  const written = engine.write(batch);
  void written.then(
    () => (progress.promised = wal === 'sync' ? unit : progress.promised),
    () => {},
  );
  // Some units share a record of the log.
  if (random.chance(0.6)) await written;
}

/** Runs the workload until just before its `n`-th mutating operation; false if it ended earlier. */
async function runUntil(n: number, wal: WalMode): Promise<{ fs: MemoryFileSystem; progress: Progress; ended: boolean }> {
  const env = createMemoryEnv({ seed: n + 1 });
  env.fs.onOperation = ({ mutation }) => (mutation === n ? 'crash' : undefined);
  const progress: Progress = { issued: 0, promised: 0, temporaryIssued: 0, temporaryPromised: 0 };
  let ended = false;
  try {
    const engine = await openEngine(options(env, wal));
    await work(env, engine, wal, progress);
    ended = true;
  } catch {
    // The disk has stopped, and the engine noticed.
  }
  return { fs: env.fs, progress, ended };
}

const rows = new Map<string, readonly Row[]>();

/** All rows of the model after so many units. */
function rowsAfter(units: number, name: 'data' | 'meta'): readonly Row[] {
  const key = `${units}/${name}`;
  const known = rows.get(key) ?? modelAfter(units).rows(name, {});
  rows.set(key, known);
  return known;
}

async function assertNoOrphans(env: MemoryEnv, engine: Engine): Promise<void> {
  const kinds = (await env.fs.readDirectory('/data/db')).map((name) => parseName(name)?.kind);
  assert.equal(kinds.filter((kind) => kind === 'temporary').length, 0, 'temporary files');
  assert.equal(kinds.filter((kind) => kind === 'table').length, engine.stats().tables, 'tables that the manifest does not name');
}

/** The temporary keyspace is there or not, as was promised or issued, and holds what its units wrote, and nothing of its predecessor. */
function assertTemporary(engine: Engine, units: number, { temporaryIssued, temporaryPromised }: Progress): void {
  const there = temporary(engine);
  const times = [0, 1, 2, 3, 4].filter((time) => time >= temporaryPromised && time <= temporaryIssued);
  const possible = times.map((time) => (time % 2 === 0 ? undefined : TEMPORARY[(time - 1) / 2]?.versions));
  assert.ok(possible.includes(there?.versions), `the temporary keyspace is ${there?.versions}, not one of ${possible.join()}`);
  const bounds = TEMPORARY.find(({ versions }) => versions === there?.versions);
  if (there === undefined || bounds === undefined) return;
  const rows: [string, string][] = [];
  for (let unit = bounds.from; unit < Math.min(bounds.to, units + 1); unit++)
    if (temporaryOperation(unit) !== undefined) rows.push([`k${unit}`, String(unit)]);
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(drain(there.iterator()), rows);
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
  assertTemporary(engine, units, progress);
  if (depth === 'quick') {
    for (const name of ['data', 'meta'] as const) assertRows(drain(engine.keyspace(name).iterator()), rowsAfter(units, name), name);
  } else await assertEqual(engine, modelAfter(units), Math.max(1, units), seededRandom(seed), ['data', 'meta']);
  if (depth === 'goOn') {
    await work(env, engine, wal, { ...progress, issued: units, promised: units });
    const again = await openEngine(options(env, wal));
    if (wal !== 'none') await assertEqual(again, modelAfter(UNITS), UNITS, seededRandom(seed), ['data', 'meta']);
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
    const again = { ...progress, issued: unit === undefined ? 0 : Number(fromUtf8(unit)) };
    await work(env, engine, wal, again).finally(() =>
      Object.assign(progress, { ...again, issued: Math.max(progress.issued, again.issued) }),
    );
  } catch {
    // The disk has stopped.
  }
  return fs.crash(modes[random.below(modes.length)] as CrashMode, random);
}

export interface CrashTask {
  readonly wal: WalMode;
  /** Of the operations, each `shares`-th, from this one on. */
  readonly share: number;
  readonly shares: number;
  readonly images: number;
}

/** Cuts the workload off before each operation of its share in turn, and opens `images` images of each mode that leaves things to chance. */
export async function run({ wal, share, shares, images }: CrashTask): Promise<number> {
  let opened = 0;
  for (let n = share; ; n += shares) {
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
