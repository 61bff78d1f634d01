import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { createMemoryEnv } from './env.ts';
import { SimulatedTime } from './time.ts';

test('timers run as a sorted list would, with cancellations, and at their own moment', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const [random, time] = [seededRandom(seed), new SimulatedTime()];
    const expected: { dueMs: number; i: number }[] = [];
    const ran: { dueMs: number; i: number }[] = [];
    for (let i = 0; i < 50; i++) {
      const dueMs = random.below(20);
      const timer = time.timers.after(dueMs, () => ran.push({ dueMs: time.monotonicMs(), i }));
      if (random.chance(0.3)) timer.cancel();
      else expected.push({ dueMs, i });
    }
    expected.sort((a, b) => a.dueMs - b.dueMs || a.i - b.i);
    await time.advance(30);
    assert.deepEqual(ran, expected, `seed ${seed}`);
    assert.equal(time.monotonicMs(), 30);
  }
});

test('after each timer the world comes to rest before time goes on', async () => {
  const { time, timers, fs } = createMemoryEnv({ seed: 1 });
  const events: string[] = [];
  timers.after(1, () => {
    void (async () => {
      const file = await fs.open('f', 'create');
      for (let i = 0; i < 10; i++) await timers.yield();
      await file.close();
      events.push(`work of 1 done at ${time.monotonicMs()}`);
    })();
  });
  timers.after(2, () => events.push('2'));
  await time.advance(5);
  assert.deepEqual(events, ['work of 1 done at 1', '2']);
});

test('a period ticks once for each length of it', async () => {
  const time = new SimulatedTime();
  const ticks: number[] = [];
  const timer = time.timers.every(10, () => ticks.push(time.monotonicMs()));
  await time.advance(35);
  timer.cancel();
  await time.advance(100);
  assert.deepEqual(ticks, [10, 20, 30]);
});

test('environments may share one time and have disks of their own; equal seeds draw equal numbers', async () => {
  const time = new SimulatedTime();
  const [a, b] = [createMemoryEnv({ seed: 1, time }), createMemoryEnv({ seed: 1, time })];
  assert.equal(a.random.uint32(), b.random.uint32());
  await a.fs.makeDirectory('only in a');
  assert.deepEqual(await b.fs.readDirectory('/'), []);
  const slept = Promise.all([a.timers.sleep(5), b.timers.sleep(5)]);
  await time.advance(5);
  await slept;
});
