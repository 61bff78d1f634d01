// Stalls of the event loop: a real one, and what is told of many.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedTime, createNodeEnv, silentLogger } from '@distrokv/env';
import { LoopStalls } from './loop-stalls.ts';

const HEARTBEAT_MS = 100;

/** A clock that jumps ahead of simulated time: so it looks to timers when the loop stands still. */
function world(): {
  time: SimulatedTime;
  stalls: LoopStalls;
  told: { ms: number; stalls?: number }[];
  readonly stall: (ms: number) => Promise<void>;
} {
  const time = new SimulatedTime();
  let aheadMs = 0;
  const told: { ms: number; stalls?: number }[] = [];
  const stalls = new LoopStalls({
    env: { timers: time.timers, clock: { monotonicMs: () => time.monotonicMs() + aheadMs, wallMs: () => time.wallMs() } },
    logger: { ...silentLogger, warn: (_message, fields) => told.push(fields as { ms: number; stalls?: number }) },
    heartbeatMs: HEARTBEAT_MS,
  });
  stalls.start();
  return {
    time,
    stalls,
    told,
    stall: async (ms) => {
      aheadMs += ms;
      await time.advance(HEARTBEAT_MS);
    },
  };
}

test('a loop that stands still is found out, by its real clock and timers', async () => {
  const env = createNodeEnv();
  const stalls = new LoopStalls({ env, logger: silentLogger, heartbeatMs: HEARTBEAT_MS });
  stalls.start();
  await env.timers.sleep(1);
  const until = env.clock.monotonicMs() + 4 * HEARTBEAT_MS;
  while (env.clock.monotonicMs() < until);
  await env.timers.sleep(1);
  stalls.stop();
  assert.ok(stalls.count >= 1);
  assert.ok(stalls.maxMs >= 3 * HEARTBEAT_MS, `measured ${stalls.maxMs} ms`);
});

test('only stalls longer than a heartbeat count; the longest is known either way', async () => {
  const { time, stalls, told, stall } = world();
  await time.advance(10_000);
  assert.deepEqual([stalls.count, stalls.maxMs], [0, 0]);
  await stall(HEARTBEAT_MS - 1);
  assert.deepEqual([stalls.count, stalls.maxMs], [0, HEARTBEAT_MS - 1]);
  await stall(3 * HEARTBEAT_MS);
  await stall(2 * HEARTBEAT_MS);
  assert.deepEqual([stalls.count, stalls.maxMs], [2, 3 * HEARTBEAT_MS]);
  assert.equal(told.length, 1);
  stalls.stop();
  await stall(1000);
  assert.equal(stalls.count, 2, 'stopped');
});

test('many stalls in a row make few lines, and none is passed over', async () => {
  const { stalls, told, stall } = world();
  for (let i = 0; i < 40; i++) await stall(150);
  assert.equal(stalls.count, 40);
  assert.ok(told.length >= 5 && told.length <= 12, `${told.length} lines in 10 s`);
  const before = told.reduce((sum, line) => sum + (line.stalls ?? 1), 0);
  await stall(5000);
  assert.equal(
    told.reduce((sum, line) => sum + (line.stalls ?? 1), 0),
    41,
  );
  assert.ok(before <= 40);
});
