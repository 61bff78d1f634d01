// lsm bench: a first look at how fast the engine is on this machine. Each read is checked against what was written.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom, utf8 } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';
import { stopSignal } from '../client/stopping.ts';
import { CommandError, usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { render } from '../output/table.ts';
import type { LsmFormat } from './commands.ts';
import { toJson } from './json.ts';
import { ProgressBar } from './progress.ts';

const BATCH = 1000;
/** Reads between two looks at whether to stop. */
const SLICE = 1000;
const GETS = 100_000;
const KEYSPACE = 'bench';

interface Result {
  readonly workload: string;
  readonly operations: number;
  readonly perSecond: number;
}

export async function runBench(host: Host, flags: { keys: string; valueBytes: string; dir?: string }, format: LsmFormat): Promise<void> {
  const keys = wholeNumber(flags.keys, '--keys', 1000, 100_000_000);
  const valueBytes = wholeNumber(flags.valueBytes, '--value-bytes', 1, 1 << 20);
  if (flags.dir !== undefined && (await createNodeEnv().fs.readDirectory(flags.dir)).length > 0)
    throw new CommandError('failed', `--dir: ${flags.dir} is not empty`);
  const directory = flags.dir ?? (await mkdtemp(join(tmpdir(), 'distrokv-bench-')));
  const course = new Course(host, 3 * keys + 3 * Math.min(keys, GETS));
  try {
    const results = await measure(course, directory, keys, valueBytes);
    course.end();
    if (format === 'json') host.stdout.write(`${toJson(results)}\n`);
    else
      host.stdout.write(
        render(
          ['WORKLOAD', 'OPERATIONS', 'PER SECOND'],
          results.map((one) => [one.workload, one.operations, one.perSecond]),
        ),
      );
  } finally {
    course.end();
    for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
    if (flags.dir === undefined) await rm(directory, { recursive: true });
  }
}

/** The workloads, one behind the other: how far they are, and whether somebody wants them to stop. */
class Course {
  readonly #bar: ProgressBar;
  readonly #stop: AbortSignal;
  readonly #host: Host;
  readonly #all: number;
  #done = 0;
  #workload = '';
  readonly results: Result[] = [];

  constructor(host: Host, all: number) {
    this.#host = host;
    this.#all = all;
    this.#bar = new ProgressBar(host);
    this.#stop = stopSignal(host);
  }

  async time(workload: string, operations: number, work: () => Promise<void>): Promise<void> {
    this.#workload = workload;
    const start = this.#host.nowMs();
    await work();
    const seconds = Math.max(this.#host.nowMs() - start, 0.001) / 1000;
    this.results.push({ workload, operations, perSecond: Math.round(operations / seconds) });
  }

  /** After so many operations. Throws CommandError if the command is to stop. */
  async step(operations: number): Promise<void> {
    this.#done += operations;
    this.#bar.show(this.#done / this.#all, this.#workload);
    await turn();
    if (this.#stop.aborted) throw new CommandError('failed', 'stopped; nothing is left behind');
  }

  end(): void {
    this.#bar.end();
  }
}

async function measure(course: Course, directory: string, keys: number, valueBytes: number): Promise<readonly Result[]> {
  const random = seededRandom(1);
  const value = random.bytes(valueBytes);
  const order = shuffled(keys, (n) => random.below(n));
  await withEngine(join(directory, 'sequential'), (engine) =>
    course.time('fill sequential, batches of 1000', keys, () => fill(course, engine, keys, (i) => i, value)),
  );
  await withEngine(join(directory, 'random'), async (engine) => {
    await course.time('fill random, batches of 1000', keys, () => fill(course, engine, keys, (i) => order[i] as number, value));
    await read(course, engine, keys, order, valueBytes);
  });
  return course.results;
}

async function withEngine(directory: string, use: (engine: Engine) => Promise<void>): Promise<void> {
  const keyspaces = [{ name: KEYSPACE, versions: 'latest' }] as const;
  const engine = await openEngine({ env: createNodeEnv(), directory, keyspaces, wal: 'nosync' });
  try {
    await use(engine);
  } finally {
    await engine.close();
  }
}

async function fill(course: Course, engine: Engine, keys: number, keyAt: (i: number) => number, value: Uint8Array): Promise<void> {
  const keyspace = engine.keyspace(KEYSPACE);
  for (let i = 0; i < keys;) {
    const batch = engine.batch();
    const start = i;
    for (const end = Math.min(keys, i + BATCH); i < end; i++) batch.put(keyspace, keyOf(keyAt(i)), value);
    await engine.write(batch);
    await course.step(i - start);
  }
}

async function read(course: Course, engine: Engine, keys: number, order: Int32Array, valueBytes: number): Promise<void> {
  await engine.flush();
  await engine.settle();
  const keyspace = engine.keyspace(KEYSPACE);
  const gets = Math.min(keys, GETS);
  const sliced = async (count: number, one: (i: number) => void): Promise<void> => {
    for (let i = 0; i < count;) {
      const start = i;
      for (const end = Math.min(count, i + SLICE); i < end; i++) one(i);
      await course.step(i - start);
    }
  };
  await course.time('getSync, random', gets, () =>
    sliced(gets, (i) => check(keyspace.getSync(keyOf(order[i] as number))?.length === valueBytes)),
  );
  await course.time('get, random, one at a time', gets, async () => {
    for (let i = 0; i < gets;) {
      check((await keyspace.get(keyOf(order[i] as number)))?.length === valueBytes);
      if (++i % SLICE === 0) await course.step(SLICE);
    }
  });
  await course.time('getSync, missing', gets, () =>
    sliced(gets, (i) => check(keyspace.getSync(keyOf(keys + (order[i] as number))) === undefined)),
  );
  await course.time('scan', keys, async () => {
    const iterator = keyspace.iterator();
    try {
      await sliced(keys, () => check(iterator.next() && iterator.value.length === valueBytes));
      check(!iterator.next());
    } finally {
      iterator.close();
    }
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
