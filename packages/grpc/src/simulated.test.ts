// Server and client in a simulated world: on wires that cut bytes anywhere and take their time, by a seed. The same calls, the
// same answers; and every failure of a wire is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNetwork, SimulatedTime, createMemoryEnv } from '@distrokv/env';
import { createChannel, createServer } from './index.ts';
import { all } from './testing/pair.ts';
import { answer, ask, Echo } from './testing/services.ts';

const SCALE = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
const { unary, chat } = Echo.methods;

function worldOf(seed: number) {
  const time = new SimulatedTime();
  const network = new MemoryNetwork({ timers: time.timers, seed, minDelayMs: 1, maxDelayMs: 30, maxPieceBytes: 1 + (seed % 40) });
  const [a, b, c] = ['a', 'b', 'c'].map((host, i) => createMemoryEnv({ seed: seed + i, time, network, host })) as [
    ReturnType<typeof createMemoryEnv>,
    ReturnType<typeof createMemoryEnv>,
    ReturnType<typeof createMemoryEnv>,
  ];
  return { time, network, a, b, c };
}

/** Moves time on until `promise` settles. */
async function outcome<T>(time: SimulatedTime, promise: Promise<T>): Promise<T> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let i = 0; i < 600 && !settled; i++) await time.advance(100);
  return promise;
}

test('calls of all kinds over wires that cut and delay', async () => {
  for (let seed = 1; seed <= 10 * SCALE; seed++) {
    const { time, a, b } = worldOf(seed);
    const server = createServer({ env: b });
    server.addService(Echo, {
      unary: ({ limit }) => answer(limit),
      async chat(call) {
        for await (const { limit } of call.requests) call.send(answer(limit * 2));
      },
    });
    const { port } = await server.listen({ host: 'b', port: 0 });
    const channel = createChannel(`b:${port}`, { env: a });
    assert.deepEqual(await outcome(time, channel.unary(unary, ask(seed), { timeoutMs: 30_000 })), answer(seed), `seed ${seed}`);
    const call = channel.stream(chat);
    for (let i = 0; i < 20; i++) call.send(ask(i));
    call.finish();
    const got = await outcome(time, all(call.responses));
    assert.deepEqual(
      got.map(({ count }) => count),
      Array.from({ length: 20 }, (_, i) => 2 * i),
      `seed ${seed}`,
    );
    channel.close();
    await outcome(time, server.close());
  }
});

test('a server that does not answer is told by the deadline; one that crashes at once', async () => {
  const { time, network, a, b } = worldOf(7);
  const server = createServer({ env: b });
  server.addService(Echo, { unary: () => new Promise(() => undefined) });
  const { port } = await server.listen({ host: 'b', port: 0 });
  const channel = createChannel(`b:${port}`, { env: a });
  await assert.rejects(outcome(time, channel.unary(unary, ask(1), { timeoutMs: 5000 })), { code: 'deadline-exceeded' });
  const cut = channel.unary(unary, ask(1));
  await time.advance(5000);
  network.crash('b');
  await assert.rejects(outcome(time, cut), { code: 'unavailable' });
  channel.close();
});

test('keepalive notices a peer that vanished without a word', async () => {
  const { time, network, a, b } = worldOf(9);
  const server = createServer({ env: b });
  server.addService(Echo, { unary: () => new Promise(() => undefined) });
  const { port } = await server.listen({ host: 'b', port: 0 });
  const channel = createChannel(`b:${port}`, { env: a });
  const lost = channel.unary(unary, ask(1));
  await time.advance(3000);
  network.cut('a', 'b');
  network.cut('b', 'a');
  await assert.rejects(outcome(time, lost), { code: 'unavailable' });
  assert.ok(time.monotonicMs() < 30_000, `${time.monotonicMs()} ms`);
  channel.close();
});

test('of several endpoints the next one takes over, and a call that waits for one gets its answer', async () => {
  const { time, network, a, b, c } = worldOf(11);
  const ports: number[] = [];
  for (const [env, host, value] of [[b, 'b', 1] as const, [c, 'c', 2] as const]) {
    const server = createServer({ env });
    server.addService(Echo, { unary: () => answer(value) });
    ports.push((await server.listen({ host, port: 0 })).port);
  }
  const channel = createChannel([`b:${ports[0]}`, `c:${ports[1]}`], { env: a });
  const ask1 = (waitForReady = false) => outcome(time, channel.unary(unary, ask(1), { timeoutMs: 20_000, waitForReady }));
  assert.deepEqual(await ask1(), answer(1));
  network.crash('b');
  await time.advance(1000);
  assert.deepEqual(await ask1(), answer(2));
  network.crash('c');
  await time.advance(1000);
  await assert.rejects(ask1(), { code: 'unavailable', neverSent: true });
  const waiting = ask1(true);
  const again = createServer({ env: c });
  again.addService(Echo, { unary: () => answer(3) });
  await again.listen({ host: 'c', port: ports[1] as number });
  assert.deepEqual(await waiting, answer(3));
  channel.close();
});
