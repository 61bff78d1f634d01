// lsm bench: a first look at how fast the engine is on this machine. Each read is checked against what was written.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, utf8 } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import { CommandError, usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { render } from '../output/table.ts';
import type { LsmFormat } from './commands.ts';
import { toJson } from './json.ts';

const BATCH = 1000;
const KEYSPACE = 'bench';

interface Result {
  readonly workload: string;
  readonly operations: number;
  readonly perSecond: number;
}

export async function runBench(host: Host, flags: { keys: string; valueBytes: string; dir?: string }, format: LsmFormat): Promise<void> {
  const keys = wholeNumber(flags.keys, '--keys', 1000, 100_000_000);
  const valueBytes = wholeNumber(flags.valueBytes, '--value-bytes', 1, 1 << 20);
  if (flags.dir !== undefined && (await readdir(flags.dir)).length > 0)
    throw new CommandError('failed', `--dir: ${flags.dir} is not empty`);
  const directory = flags.dir ?? (await mkdtemp(join(tmpdir(), 'distrokv-bench-')));
  try {
    const results = await measure(host, directory, keys, valueBytes);
    if (format === 'json') host.stdout.write(`${toJson(results)}\n`);
    else
      host.stdout.write(
        render(
          ['WORKLOAD', 'OPERATIONS', 'PER SECOND'],
          results.map((one) => [one.workload, one.operations, one.perSecond]),
        ),
      );
  } finally {
    for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
    if (flags.dir === undefined) await rm(directory, { recursive: true });
  }
}

async function measure(host: Host, directory: string, keys: number, valueBytes: number): Promise<Result[]> {
  const results: Result[] = [];
  const time = async (workload: string, operations: number, work: () => void | Promise<void>): Promise<void> => {
    const start = host.nowMs();
    await work();
    const seconds = Math.max(host.nowMs() - start, 0.001) / 1000;
    results.push({ workload, operations, perSecond: Math.round(operations / seconds) });
  };
  const random = seededRandom(1);
  const value = random.bytes(valueBytes);
  const order = shuffled(keys, (n) => random.below(n));
  const sequential = await open(join(directory, 'sequential'));
  await time('fill sequential, batches of 1000', keys, () => fill(sequential, keys, (i) => i, value));
  await sequential.close();
  const engine = await open(join(directory, 'random'));
  await time('fill random, batches of 1000', keys, () => fill(engine, keys, (i) => order[i] as number, value));
  await read(engine, keys, order, valueBytes, time);
  await engine.close();
  return results;
}

function open(directory: string): Promise<Engine> {
  return openEngine({ env: createNodeEnv(), directory, keyspaces: [{ name: KEYSPACE, versions: 'latest' }], wal: 'nosync' });
}

async function fill(engine: Engine, keys: number, keyAt: (i: number) => number, value: Uint8Array): Promise<void> {
  const keyspace = engine.keyspace(KEYSPACE);
  for (let i = 0; i < keys;) {
    const batch = engine.batch();
    for (const end = Math.min(keys, i + BATCH); i < end; i++) batch.put(keyspace, keyOf(keyAt(i)), value);
    await engine.write(batch);
  }
}

async function read(
  engine: Engine,
  keys: number,
  order: Int32Array,
  valueBytes: number,
  time: (workload: string, operations: number, work: () => void | Promise<void>) => Promise<void>,
): Promise<void> {
  await engine.flush();
  await engine.settle();
  const keyspace = engine.keyspace(KEYSPACE);
  const gets = Math.min(keys, 100_000);
  await time('getSync, random', gets, () => {
    for (let i = 0; i < gets; i++) check(keyspace.getSync(keyOf(order[i] as number))?.length === valueBytes);
  });
  await time('get, random, one at a time', gets, async () => {
    for (let i = 0; i < gets; i++) check((await keyspace.get(keyOf(order[i] as number)))?.length === valueBytes);
  });
  await time('getSync, missing', gets, () => {
    for (let i = 0; i < gets; i++) check(keyspace.getSync(keyOf(keys + (order[i] as number))) === undefined);
  });
  await time('scan', keys, () => {
    const iterator = keyspace.iterator();
    let seen = 0;
    while (iterator.next()) if (iterator.value.length === valueBytes) seen++;
    iterator.close();
    check(seen === keys);
  });
}

function check(isRight: boolean): void {
  if (!isRight) throw new CommandError('failed', 'the engine returned something else than was written: please report it');
}

/** 16 bytes, in the order of their numbers. */
function keyOf(i: number): Uint8Array {
  return utf8(String(i).padStart(16, '0'));
}

function shuffled(n: number, below: (n: number) => number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

function wholeNumber(text: string, flag: string, low: number, high: number): number {
  const n = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(n >= low && n <= high)) throw usage(`${flag}: from ${low} to ${high}, not ${JSON.stringify(text)}`);
  return n;
}
