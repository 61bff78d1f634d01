// The pace of writers, in simulated time: free without pressure, slowed down to the disk's speed and below as it rises, never a long wait; and
// that an engine keeps to it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import type { Engine } from './engine.ts';
import { Generations } from './generations.ts';
import { openEngine } from './open.ts';
import { WritePace } from './write-pace.ts';

const MEMTABLE_BYTES = 1 << 20;
const VALUE = new Uint8Array(1000);

/** A world whose timers come so much too late, and a pace in it. */
function setUp(lateMs: number = 0): { env: MemoryEnv; generations: Generations; pace: WritePace; setDebt: (debt: number) => void } {
  const env = createMemoryEnv({ seed: 1 });
  const generations = new Generations(MEMTABLE_BYTES, 0, []);
  let mergeDebt = 0;
  const { clock, timers } = env;
  const late = { ...timers, after: (delayMs: number, callback: () => void) => timers.after(delayMs + lateMs, callback) };
  const pace = new WritePace({ clock, timers: late, generations, memtableBytes: MEMTABLE_BYTES, mergeDebt: () => mergeDebt });
  return { env, generations, pace, setDebt: (debt) => (mergeDebt = debt) };
}

/** Writes into the active memtable until it holds this share of its size. */
function fill(generations: Generations, share: number): void {
  for (let i = 0; generations.active.byteLength < share * MEMTABLE_BYTES; i++) {
    generations.active.insert(1, EMPTY, 0, 0, i, false, VALUE, 0, VALUE.length);
  }
  generations.active.publish();
}

/** How long a write of so many bytes has to wait. */
async function waitOf(env: MemoryEnv, pace: WritePace, bytes: number): Promise<number> {
  const before = pace.delayedMs;
  const due = pace.due(bytes);
  if (due === undefined) return 0;
  let isDone = false;
  void due.then(() => (isDone = true));
  for (let i = 0; i < 1000 && !isDone; i++) await env.time.advance(1);
  assert.ok(isDone, 'a wait ends by itself');
  return pace.delayedMs - before;
}

test('writers are free until a memtable waits, and then slow down the more the fuller the next one is', async () => {
  const { env, generations, pace } = setUp();
  // A disk that takes 1000 bytes a millisecond.
  for (let i = 0; i < 30; i++) pace.noteFlush(1_000_000, 1000);
  fill(generations, 1);
  assert.equal(await waitOf(env, pace, 10_000), 0);
  generations.freeze(1);
  const waits: number[] = [];
  for (const share of [0.25, 0.5, 0.75]) {
    fill(generations, share);
    waits.push(await waitOf(env, pace, 20_000));
  }
  const [quarter = 0, half = 0, most = 0] = waits;
  assert.ok(quarter >= 1 && quarter <= 3, `a twelfth of the disk's time, not ${quarter} ms`);
  assert.ok(half >= 10 && half <= 12, `half of the disk's time, not ${half} ms`);
  assert.ok(most >= 45 && most <= 49, `more than twice the disk's time, not ${most} ms`);
  assert.equal(pace.delays, 3);
  generations.frozen.shift();
  assert.equal(pace.due(10_000), undefined, 'no memtable waits any more');
});

test('no single write waits long, however much it owes', async () => {
  const { env, pace, setDebt } = setUp();
  for (const debt of [0.9, 1, 7]) {
    setDebt(debt);
    const wait = await waitOf(env, pace, 100 << 20);
    assert.ok(wait >= 50 && wait <= 51, `${wait} ms`);
  }
});

test('small debts are saved up until a timer can tell them', async () => {
  const { env, pace, setDebt } = setUp();
  setDebt(0.5);
  const waits: number[] = [];
  for (let i = 0; i < 512; i++) waits.push(await waitOf(env, pace, 1024));
  assert.equal(waits.filter((ms) => ms > 0).length, 2, 'twice in 512 KiB at 128 KiB a millisecond');
});

test('a timer that comes late is made up for', async () => {
  const { env, pace, setDebt } = setUp(20);
  setDebt(0.5);
  assert.equal(await waitOf(env, pace, 2560 << 10), 30, 'ten milliseconds were owed');
  assert.equal(pace.due(4 << 20), undefined, 'sixteen more are paid already');
  assert.ok((await waitOf(env, pace, 2560 << 10)) > 0);
});

test('a flush ends the wait of those it makes room for', async () => {
  const { env, pace, setDebt } = setUp();
  setDebt(0.9);
  const due = pace.due(100 << 20);
  assert.ok(due !== undefined);
  pace.noteFlush(MEMTABLE_BYTES, 10);
  await due;
  assert.equal(env.clock.monotonicMs(), createMemoryEnv({ seed: 1 }).clock.monotonicMs(), 'no time has passed');
});

/** Writes a kilobyte. */
function writeOne(engine: Engine, i: number): Promise<void> | undefined {
  const keyspace = engine.keyspace('kv');
  const key = utf8(`key ${i}`);
  if (engine.stats().walBytes === 0) {
    engine.unlogged().put(keyspace, key, VALUE);
    return engine.unlogged().commit();
  }
  const batch = engine.batch();
  batch.put(keyspace, key, VALUE);
  return engine.write(batch);
}

for (const wal of ['sync', 'nosync', 'none'] as const) {
  test(`writers of an engine get as slow as its disk bit by bit, and are not stopped (log mode ${wal})`, async () => {
    const env = createMemoryEnv({ seed: 1 });
    const engine = await openEngine({
      env,
      directory: '/db',
      keyspaces: [{ name: 'kv', versions: 'latest' }],
      wal,
      memtableBytes: 64 << 10,
    });
    // A flush, of some sixty writes, takes 200 ms.
    env.fs.delayBy((kind, path) => (kind === 'sync' && path.includes('.sst') ? env.timers.sleep(200) : undefined));
    const waits: number[] = [];
    // What the first flushes take is not known before.
    const known = { writes: 0, stalls: 0 };
    for (let i = 0; engine.stats().flushes < 12; i++) {
      if (engine.stats().flushes < 4) Object.assign(known, { writes: i + 1, stalls: engine.stats().writeStalls });
      const startMs = env.clock.monotonicMs();
      let isDone = false;
      void (writeOne(engine, i) ?? Promise.resolve()).then(() => (isDone = true));
      await env.time.settle();
      while (!isDone) await env.time.advance(1);
      waits.push(env.clock.monotonicMs() - startMs);
    }
    const later = waits.slice(known.writes);
    const most = Math.max(...later);
    // The most that a single write is held up; a stop would be for as long as the flush takes.
    assert.ok(most <= 51, `the longest of ${later.length} waits was ${most} ms`);
    assert.equal(engine.stats().writeStalls, known.stalls);
    assert.ok(engine.stats().writeDelays > later.length / 3, `${engine.stats().writeDelays} delays`);
    const closed = engine.close();
    await env.time.advance(1000);
    await closed;
  });
}
