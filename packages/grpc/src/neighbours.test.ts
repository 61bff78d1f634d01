// Attackers who connect again and again: what all of one address may do together, in simulated time, so that every bound is exact; and who is left alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Env, MemoryNetwork, SimulatedTime, type Socket, createMemoryEnv } from '@distrokv/env';
import { createChannel, createServer } from './index.ts';
import { addressOf } from './server/neighbours.ts';
import { answer, ask, Echo } from './testing/services.ts';
import { frame, preface, requestTo } from './testing/raw.ts';
import type { AddressLimits, Server } from './types.ts';

const fields = requestTo('/test.Echo/Collect');
const cancel = Buffer.of(0, 0, 0, 8);

/** Requests from `first` on, each cancelled at once. */
function resets(first: number, count: number): Buffer {
  const ids = Array.from({ length: count }, (_, i) => first + 2 * i);
  return Buffer.concat(ids.flatMap((id) => [frame(1, 4, id, fields), frame(3, 0, id, cancel)]));
}

const REQUESTS = 100;
const bursts = Array.from({ length: 20 }, (_, i) => resets(1 + 2 * REQUESTS * i, REQUESTS));

interface World {
  readonly time: SimulatedTime;
  readonly env: (host: string) => Env;
  readonly server: Server;
  readonly port: number;
  /** Calls of attackers that reached the handler. */
  calls: number;
}

async function worldWith(perAddress: AddressLimits = {}): Promise<World> {
  const time = new SimulatedTime();
  const network = new MemoryNetwork({ timers: time.timers, seed: 1, minDelayMs: 1, maxDelayMs: 2 });
  const env = (host: string): Env => createMemoryEnv({ seed: 1, time, network, host });
  const server = createServer({ env: env('s'), perAddress });
  const { port } = await server.listen({ host: 's', port: 0 });
  const world = { time, env, server, port, calls: 0 };
  server.addService(Echo, {
    unary: ({ limit }) => answer(limit),
    collect: () => {
      world.calls++;
      return new Promise(() => undefined);
    },
  });
  return world;
}

/** Sends resets until it is hung up on, then connects again, for good. Returns how often it has connected. */
function attackFrom(world: World, host: string): { connections: number } {
  const count = { connections: 0 };
  const { net } = world.env(host);
  const again = (): void => {
    net.connect({ host: 's', port: world.port }).then(
      (socket: Socket) => {
        count.connections++;
        let at = 0;
        const flood = (): void => {
          for (let hasRoom = true; hasRoom && at < bursts.length;) hasRoom = socket.write(bursts[at++] as Buffer);
        };
        socket.open({
          onData: () => undefined,
          onDrain: flood,
          onEnd: () => socket.destroy(),
          onClose: again,
        });
        socket.write(preface);
        flood();
      },
      () => again(),
    );
  };
  again();
  return count;
}

async function advance(time: SimulatedTime, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 5) await time.advance(5);
}

/** The slowest of `calls` calls on a channel, in milliseconds. */
async function slowest(world: World, host: string, calls: number): Promise<number> {
  const channel = createChannel(`s:${world.port}`, { env: world.env(host) });
  let worst = 0;
  for (let i = 0; i < calls; i++) {
    const startMs = world.time.monotonicMs();
    let done = false;
    const called = channel.unary(Echo.methods.unary, ask(i), { timeoutMs: 60_000 }).finally(() => (done = true));
    while (!done) await world.time.advance(5);
    assert.deepEqual(await called, answer(i));
    worst = Math.max(worst, world.time.monotonicMs() - startMs);
  }
  channel.close();
  return worst;
}

describe('rapid reset by those who connect again at once (CVE-2023-44487)', () => {
  test('20 attackers at one address: what they get done is bounded by the address, not by their connections', async () => {
    const world = await worldWith();
    const counts = Array.from({ length: 20 }, () => attackFrom(world, 'attacker'));
    const seconds = 10;
    await advance(world.time, seconds * 1000);
    const connections = counts.reduce((sum, { connections: each }) => sum + each, 0);
    // Without limits of the address it would be 1000 for each connection, and connections as fast as the network makes them.
    assert.ok(connections > seconds * 50, `${connections} connections: they do connect again`);
    assert.ok(connections <= 20 + 100 * (seconds + 1), `${connections} connections`);
    const most = 10_000 + seconds * 1000 + connections * 24 + 20 * 100;
    assert.ok(world.calls > 5000 && world.calls <= most, `${world.calls} calls, of at most ${most}`);
  });

  test('other addresses notice nothing; a client at the same one is served, after a wait', async () => {
    const world = await worldWith();
    const early = createChannel(`s:${world.port}`, { env: world.env('attacker') });
    const first = early.unary(Echo.methods.unary, ask(1));
    await advance(world.time, 100);
    await first;
    for (let i = 0; i < 20; i++) attackFrom(world, 'attacker');
    await advance(world.time, 3000);
    assert.ok((await slowest(world, 'elsewhere', 20)) <= 30);
    const waited = await slowest(world, 'attacker', 20);
    assert.ok(waited > 30 && waited < 1000, `${waited} ms`);
    const again = early.unary(Echo.methods.unary, ask(2));
    await advance(world.time, 30);
    assert.deepEqual(await again, answer(2), 'a connection from before is as it was');
  });

  test('peace comes back: an address that has been quiet is as good as a new one', async () => {
    const world = await worldWith({ nuisanceBurst: 100, nuisancePerSecond: 100 });
    const socket = await connect(world, 'attacker');
    socket.write(preface);
    socket.write(resets(1, 400));
    await advance(world.time, 50);
    assert.ok((await slowest(world, 'attacker', 1)) >= 10, 'in trouble: new connections wait');
    await advance(world.time, 5000);
    assert.ok((await slowest(world, 'attacker', 1)) <= 20);
  });

  test('no more than a bound of connections wait', async () => {
    const world = await worldWith({ nuisanceBurst: 100, nuisancePerSecond: 0, connectionsPerSecond: 1, maxWaiting: 5 });
    const socket = await connect(world, 'attacker');
    socket.write(preface);
    socket.write(resets(1, 400));
    await advance(world.time, 50);
    let closed = 0;
    for (let i = 0; i < 20; i++) {
      const waiting = await connect(world, 'attacker', () => closed++);
      waiting.write(preface);
    }
    await advance(world.time, 100);
    assert.equal(closed, 15);
  });
});

/** A connection that hears nothing. */
async function connect(world: World, host: string, onClose: () => void = () => undefined): Promise<Socket> {
  let socket: Socket | undefined;
  void world
    .env(host)
    .net.connect({ host: 's', port: world.port })
    .then((made) => {
      made.open({ onData: () => undefined, onDrain: () => undefined, onEnd: () => made.destroy(), onClose });
      socket = made;
    });
  while (socket === undefined) await world.time.advance(5);
  return socket;
}

describe('who does no harm', () => {
  test('a thousand connections at once from one address, each with calls that it cancels now and then', async () => {
    const world = await worldWith();
    const env = world.env('generator');
    const channels = Array.from({ length: 1000 }, () => createChannel(`s:${world.port}`, { env }));
    let failed = 0;
    let answered = 0;
    for (let second = 0; second < 5; second++) {
      const given: AbortController[] = [];
      for (const [i, channel] of channels.entries()) {
        for (let call = 0; call < 5; call++) {
          // One of a hundred is given up as soon as it is sent.
          const controller = new AbortController();
          if ((i * 5 + call) % 100 === second) given.push(controller);
          void channel.unary(Echo.methods.unary, ask(1), { signal: controller.signal }).then(
            () => answered++,
            (error: { code?: string }) => {
              if (error.code !== 'cancelled') failed++;
            },
          );
        }
      }
      await world.time.advance(1);
      for (const controller of given) controller.abort();
      await advance(world.time, 1000);
    }
    assert.equal(failed, 0);
    assert.ok(answered >= 24_000, `${answered} calls`);
    for (const channel of channels) channel.close();
  });
});

test('an address is an IPv4 address, or the network of an IPv6 one', () => {
  assert.equal(addressOf('10.1.2.3:4567'), '10.1.2.3');
  assert.equal(addressOf('[::ffff:10.1.2.3]:4567'), '10.1.2.3');
  assert.equal(addressOf('[2001:db8:1:2:3:4:5:6]:1'), '2001:db8:1:2::/64');
  assert.equal(addressOf('[2001:db8::6]:1'), '2001:db8:0:0::/64');
  assert.equal(addressOf('[::1]:1'), '0:0:0:0::/64');
  assert.equal(addressOf('[fe80::1%eth0]:1'), 'fe80:0:0:0::/64');
  assert.equal(addressOf('unknown:0'), 'unknown');
});
