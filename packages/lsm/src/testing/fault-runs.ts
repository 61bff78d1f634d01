// The n-th call of the file system fails, for every n and every kind of call, once or from there on: a workload of everything that the engine does
// loses nothing that was acknowledged, and leaves nothing behind.
import assert from 'node:assert/strict';
import { seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, type FsErrorCode, type FsOperationKind, type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine } from '../engine.ts';
import { parseName } from '../names.ts';
import { openEngine } from '../open.ts';
import { TableFileWriter } from '../table-file.ts';
import { Model, type Operation, assertEqual, keyspaces, randomOperations, writeTo } from './model.ts';

function open(env: MemoryEnv): Promise<Engine> {
  return openEngine({ env, directory: '/db', keyspaces, wal: 'sync', memtableBytes: 1024, mergeFanIn: 1 });
}

async function write(engine: Engine, operations: readonly Operation[]): Promise<void> {
  const batch = engine.batch();
  writeTo(batch, engine, operations);
  await engine.write(batch);
}

/** This one comes as a file. */
const INGESTED = 10;

function operationsOf(version: number): Operation[] {
  if (version !== INGESTED) return randomOperations(seededRandom(version), version);
  return ['k/3', 'kk/long-directory-name/1'].map((key) => ({ keyspace: 'data', key, value: 'from a file', version }));
}

async function ingest(env: MemoryEnv, engine: Engine): Promise<void> {
  await env.fs.makeDirectory('/in');
  const writer = await TableFileWriter.create({ env, path: '/in/000001.sst' });
  try {
    for (const { key, value = '', version } of operationsOf(INGESTED)) void writer.put(utf8(key), utf8(value), version);
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  await engine.ingest(engine.keyspace('data'), ['/in/000001.sst']);
}

/** Closes the store and opens it again, with a torn record at the end of its log, as a crash may leave one. */
async function reopen(env: MemoryEnv, engine: Engine): Promise<Engine> {
  await engine.close();
  const segments = (await env.fs.readDirectory('/db')).filter((name) => parseName(name)?.kind === 'segment').sort();
  const file = await env.fs.open(`/db/${segments.at(-1)}`, 'write');
  file.writeSync(Uint8Array.of(9, 0, 0, 0, 7), file.size());
  await file.close();
  return open(env);
}

interface Done {
  /** Versions that were acknowledged. */
  acknowledged: number;
  /** Whether keyspace `temp` has to be there; undefined: it may be. */
  isThere: boolean | undefined;
}

/** Writes 20 units, with flushes, an ingestion, a keyspace that comes and goes, a checkpoint, another start and merges among them. Any failure may end it. */
async function workload(env: MemoryEnv): Promise<Done> {
  const done: Done = { acknowledged: 0, isThere: false };
  let engine: Engine | undefined;
  try {
    engine = await open(env);
    for (let version = 1; version <= 20; version++) {
      if (version === INGESTED) await ingest(env, engine);
      else await write(engine, operationsOf(version));
      done.acknowledged = version;
      if (version % 5 === 0) await engine.flush();
      if (version === 6 || version === 16) {
        done.isThere = undefined;
        // A flush edits the manifest at the same time.
        const edits = [
          engine.flush(),
          version === 6 ? engine.createKeyspace({ name: 'temp', versions: 'latest' }) : engine.dropKeyspace('temp'),
        ];
        await Promise.allSettled(edits);
        await edits[1];
        done.isThere = version === 6;
      }
      if (version === 12) await engine.checkpoint('/copy');
      if (version === 8) engine = await reopen(env, engine);
    }
    await engine.settle();
  } catch {
    // Refused, or failed for good.
  }
  await engine?.close().catch(() => {});
  return done;
}

/** How long a fault stays: work on a full disk is tried again until there is room. */
const FAULT_MS = 20_000;

const crashModes: readonly CrashMode[] = ['kept', 'lost', 'torn', 'reordered'];

/** Runs the workload with its `n`-th call of `kind` failing, or all from there on, and then the power; false if it makes fewer. */
async function failNth(kind: FsOperationKind, code: FsErrorCode | 'short', n: number, lasting: boolean): Promise<boolean> {
  const env = createMemoryEnv({ seed: n + 1 });
  let calls = 0;
  env.fs.onOperation = (operation) => {
    if (operation.kind !== kind) return undefined;
    const call = calls++;
    return call === n || (lasting && call > n) ? code : undefined;
  };
  const working = workload(env);
  let isDone = false;
  void working.then(() => (isDone = true));
  // Retries wait for their time.
  for (let passedMs = 0; !isDone; passedMs += 100) {
    if (passedMs >= FAULT_MS) env.fs.onOperation = undefined;
    await env.time.advance(100);
  }
  const { acknowledged, isThere } = await working;
  const mode = crashModes[n % crashModes.length];
  assert.ok(mode !== undefined);
  const after = createMemoryEnv({ seed: n + 2, fs: env.fs.crash(mode, seededRandom(n)) });
  const engine = await open(after);
  const kinds = (await after.fs.readDirectory('/db')).map((name) => parseName(name)?.kind);
  assert.equal(kinds.filter((kind) => kind === 'temporary').length, 0, 'no orphans');
  assert.equal(kinds.filter((kind) => kind === 'table').length, engine.stats().tables, 'no orphans');
  const isTempThere = engine.keyspaces().some(({ name }) => name === 'temp');
  assert.equal(isTempThere, isThere ?? isTempThere, 'the keyspace is there as was promised');
  const model = new Model();
  const mayBeThere = new Model();
  for (let version = 1; version <= acknowledged; version++) {
    model.apply(operationsOf(version));
    mayBeThere.apply(operationsOf(version));
  }
  // A write that was told of a failure may be there all the same; then it is there whole.
  mayBeThere.apply(operationsOf(acknowledged + 1));
  const equals = (of: Model): Promise<void> => assertEqual(engine, of, acknowledged + 1, seededRandom(n), ['data', 'meta']);
  await equals(model).catch(() => equals(mayBeThere));
  await engine.close();
  return calls > n;
}

export interface FaultTask {
  readonly kind: FsOperationKind;
  readonly code: FsErrorCode | 'short';
  /** Whether all later calls of the kind fail as well. */
  readonly lasting: boolean;
}

/** Lets each call of a kind fail in turn. Resolves to how many there are. */
export async function run({ kind, code, lasting }: FaultTask): Promise<number> {
  for (let n = 0; ; n++) {
    const struck = await failNth(kind, code, n, lasting).catch((error: unknown) => {
      throw new Error(`call ${n} of ${kind}`, { cause: error });
    });
    if (!struck) return n;
  }
}
