// Flushes and merges on a real thread, over real files: the same tables come out, and failures and endings mean what they mean without one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { seededRandom } from '@distrokv/base';
import { FsError, createNodeEnv } from '@distrokv/env';
import type { Engine, EngineOptions } from './engine.ts';
import { LsmError } from './errors.ts';
import { BackgroundThread } from './background-thread.ts';
import type { MergeJob } from './merge-work.ts';
import { openEngine } from './open.ts';
import { asPlain, fromPlain } from './plain-errors.ts';
import { Model, assertEqual, keyspaces, randomOperations, writeTo } from './testing/model.ts';

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'distrokv-lsm-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function open(directory: string, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const env = createNodeEnv();
  return openEngine({
    env,
    directory,
    keyspaces,
    wal: 'none',
    memtableBytes: 2048,
    mergeFanIn: 1,
    background: 'thread',
    codecs: ['none', 'lz4'],
    ...options,
  });
}

/** Writes units up to `last` and flushes. */
async function fill(engine: Engine, model: Model, first: number, last: number): Promise<void> {
  const writer = engine.unlogged();
  for (let version = first; version <= last; version++) {
    const operations = randomOperations(seededRandom(version), version);
    model.apply(operations);
    writeTo(writer, engine, operations);
    await writer.commit();
  }
  await engine.flush();
}

const tablesIn = (directory: string): string[] => readdirSync(directory).filter((name) => name.endsWith('.sst'));

test('a thread flushes and merges what the engine reads', async (t) => {
  const directory = directoryFor(t);
  const model = new Model();
  let engine = await open(directory);
  for (let i = 0; i < 5; i++) {
    await fill(engine, model, i * 100 + 1, (i + 1) * 100);
    model.retention = i * 80;
    engine.keyspace('data').setRetention(model.retention);
  }
  await engine.settle();
  assert.ok(engine.stats().merges > 3, `${engine.stats().merges} merges`);
  await assertEqual(engine, model, 500, seededRandom(1));
  await engine.close();
  engine = await open(directory, { background: 'inline' });
  assert.equal(tablesIn(directory).length, engine.stats().tables);
  await assertEqual(engine, model, 500, seededRandom(2));
  await engine.close();
});

/** The niceness of every thread of this process. */
function nicenesses(): number[] {
  return readdirSync('/proc/self/task').map((id) => {
    const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1');
    // Behind the name, which may hold anything, the state is field 3 and the niceness field 19 (proc_pid_stat(5)).
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

test('on Linux the thread stands back for the event loop', { skip: process.platform !== 'linux' }, async (t) => {
  const own = os.getPriority();
  const back = (): number => nicenesses().filter((niceness) => niceness === Math.min(19, own + 5)).length;
  const before = back();
  const engine = await open(directoryFor(t));
  await fill(engine, new Model(), 1, 100);
  assert.equal(back(), before + 1);
  assert.equal(os.getPriority(), own, 'and the event loop keeps its place');
  await engine.close();
});

test('closing breaks a merge off, and nothing is lost or left over', async (t) => {
  const directory = directoryFor(t);
  const model = new Model();
  let engine = await open(directory, { mergeFanIn: 64 });
  await fill(engine, model, 1, 600);
  await engine.close();
  engine = await open(directory, { mergeBytesPerSecond: 64 << 10 });
  const settled = engine.settle().catch(() => {});
  await engine.close();
  await settled;
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  );
  engine = await open(directory);
  await assertEqual(engine, model, 600, seededRandom(1));
  await engine.close();
});

test('damage that the thread finds ends the engine', async (t) => {
  const directory = directoryFor(t);
  let engine = await open(directory, { mergeFanIn: 64 });
  await fill(engine, new Model(), 1, 100);
  await engine.close();
  for (const name of tablesIn(directory)) {
    const bytes = readFileSync(join(directory, name));
    bytes[10] = (bytes[10] as number) ^ 1;
    writeFileSync(join(directory, name), bytes);
  }
  const fatal: Error[] = [];
  engine = await open(directory, { onFatal: (error) => fatal.push(error) });
  await assert.rejects(engine.settle(), { code: 'failed' });
  assert.deepEqual(
    fatal.map((error) => error instanceof LsmError && error.code),
    ['corrupt'],
  );
  await engine.close();
});

test('a thread that dies in the middle of a flush ends the engine, and the log has what it was to write', async (t) => {
  const directory = directoryFor(t);
  const model = new Model();
  const fatal: Error[] = [];
  const options = { wal: 'nosync', memtableBytes: 256 << 10 } as const;
  let engine = await open(directory, { ...options, onFatal: (error) => fatal.push(error) });
  const started = once(process, 'worker');
  let version = 0;
  const writeUntil = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      const operations = randomOperations(seededRandom(++version), version);
      const batch = engine.batch();
      writeTo(batch, engine, operations);
      await engine.write(batch);
      model.apply(operations);
    }
  };
  await writeUntil(() => engine.stats().frozenMemtables > 0);
  const [thread] = (await started) as [Worker];
  await thread.terminate();
  // The flush that was being done, or the next one.
  await assert.rejects(engine.flush(), { code: 'failed' });
  await assert.rejects(
    writeUntil(() => false),
    { code: 'failed' },
  );
  assert.match(fatal.map((error) => error.message).join(), /thread of the storage engine ended/);
  await assertEqual(engine, model, version, seededRandom(1));
  await engine.close();
  engine = await open(directory, options);
  await assertEqual(engine, model, version, seededRandom(2));
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.endsWith('.tmp')),
    [],
  );
  await engine.close();
});

test('a thread that crashes fails its merge and all that come', async () => {
  const job: MergeJob = {
    kind: 'merge',
    directory: '/nowhere',
    blockBytes: 64,
    tableBytes: 64,
    bytesPerSecond: 1,
    inputs: [],
    below: [],
    watermarks: new Map(),
    deleted: [],
    codec: 'none',
    firstNumber: 1,
    endNumber: 2,
  };
  for (const code of ['throw new Error("planted")', 'process.exit(3)', '']) {
    const thread = new BackgroundThread(new URL(`data:text/javascript,${code}`));
    await assert.rejects(thread.run(job), /thread of the storage engine ended/);
    await assert.rejects(thread.run(job), /thread of the storage engine ended/);
    await thread.stop();
  }
});

test('errors cross threads with what they are', () => {
  for (const error of [new FsError('no-space', '/a', 'full'), new LsmError('corrupt', 'bad')]) {
    const other = fromPlain(asPlain(error));
    assert.deepEqual([other.constructor, other.message, (other as FsError).code], [error.constructor, error.message, error.code]);
  }
  const other = fromPlain(asPlain(new RangeError('odd')));
  assert.ok(other instanceof LsmError && other.code === 'failed' && other.message === 'odd');
});
