// Large messages are sent from memory that is used again: how little of it there is, and that nothing is overwritten before it is on its way.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deferred, seededRandom } from '@distrokv/base';
import { MemoryNetwork, SimulatedTime, type Env, type Socket, createMemoryEnv, createNodeEnv } from '@distrokv/env';
import type { etcdserverpb as pb } from '@distrokv/proto';
import { type Channel, type ServerStream, createChannel, createServer, framed } from './index.ts';
import { answer, ask, Echo } from './testing/services.ts';
import { Buffers } from './wire/buffers.ts';

const MIB = 1 << 20;
const SEED = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);
const READERS = 3;
const MESSAGES = 200 * Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);

/** Message `i`, all of whose bytes follow from it. */
function messageOf(i: number, bytes: number): pb.RangeResponse {
  const kv = { key: new Uint8Array(1), value: new Uint8Array(bytes).fill(i), createRevision: 1, modRevision: i, version: 1, lease: 0n };
  return { ...answer(i), kvs: [kv] };
}

/** An env whose sockets report the memory of the large bodies that they are given. */
function watched(env: Env, seen: Set<ArrayBufferLike>): Env {
  const watch = (socket: Socket): Socket => {
    const write = socket.write.bind(socket);
    socket.write = (bytes) => {
      if (bytes.buffer.byteLength >= MIB / 2) seen.add(bytes.buffer);
      return write(bytes);
    };
    return socket;
  };
  return { ...env, net: { ...env.net, listen: (options, accept) => env.net.listen(options, (socket) => accept(watch(socket))) } };
}

interface World {
  readonly server: Env;
  readonly client: Env;
  readonly host: string;
  /** After so many messages the sender waits for a while. */
  readonly pauseAfter: number;
  readonly mostBuffers: number;
}

async function streamLarge(t: TestContext, { server: env, client: clientEnv, host, pauseAfter, mostBuffers }: World): Promise<void> {
  const random = seededRandom(SEED);
  const seen = new Set<ArrayBufferLike>();
  const server = createServer({ env: watched(env, seen) });
  server.addService(Echo, {
    async spread({ limit }, call) {
      for (let i = 1; i <= limit; i++) {
        if (!call.send(messageOf(i, MIB / 2 + random.below(MIB / 2)))) await call.writable();
        if (i % pauseAfter === 0) await env.timers.sleep(300);
      }
    },
  });
  const { port } = await server.listen({ host, port: 0 });
  const channel = createChannel(`${host}:${port}`, { env: clientEnv });
  t.after(async () => {
    channel.close();
    await server.close({ graceMs: 0 });
  });
  const call = channel.stream(Echo.methods.spread);
  call.send(ask(MESSAGES));
  call.finish();
  let came = 0;
  for await (const { count, kvs } of call.responses) {
    assert.equal(count, ++came);
    const { value } = kvs[0] as { value: Uint8Array };
    assert.ok(value.length >= MIB / 2 && Buffer.alloc(value.length, came).equals(value), `message ${came} is as it was sent, seed ${SEED}`);
    // A reader who is behind now and then: then queues fill, here and in the host.
    if (came % 16 === 0) await clientEnv.timers.sleep(5);
  }
  assert.equal(came, MESSAGES);
  assert.ok(seen.size > 0 && seen.size <= mostBuffers, `${MESSAGES} messages of up to a MiB took ${seen.size} pieces of memory`);
}

test('a stream of large messages uses a handful of buffers again and again: sockets of this machine', async (t) => {
  const env = createNodeEnv();
  await streamLarge(t, { server: env, client: env, host: '127.0.0.1', pauseAfter: Infinity, mostBuffers: 12 });
});

test('the same over wires that cut and delay', async (t) => {
  const time = new SimulatedTime();
  const network = new MemoryNetwork({ timers: time.timers, seed: SEED, minDelayMs: 0, maxDelayMs: 0.2, maxPieceBytes: 100_000 });
  const envOf = (host: string, seed: number): Env => createMemoryEnv({ seed, time, network, host });
  let over = false;
  // This network refers to what it was given until it has arrived, so only a pause lets memory come back.
  const world = { server: envOf('b', SEED), client: envOf('a', SEED + 1), host: 'b', pauseAfter: 10, mostBuffers: MESSAGES / 2 };
  const streamed = streamLarge(t, world).finally(() => (over = true));
  while (!over) await time.advance(10);
  await streamed;
});

test('what several streams send is used again when the slowest of them has written it', async (t) => {
  const env = createNodeEnv();
  const seen = new Set<ArrayBufferLike>();
  const server = createServer({ env: watched(env, seen) });
  const calls: ServerStream<pb.RangeRequest, pb.RangeResponse>[] = [];
  const all = deferred<void>();
  server.addService(Echo, {
    async spread(_, call) {
      if (calls.push(call) === READERS)
        sendToAll().then(
          () => all.resolve(),
          (error: unknown) => all.reject(error),
        );
      await all.promise;
    },
  });
  const sendToAll = async (): Promise<void> => {
    for (let i = 1; i <= MESSAGES; i++) {
      const { memory } = calls[i % READERS] as ServerStream<pb.RangeRequest, pb.RangeResponse>;
      const message = framed(Echo.methods.spread.response, messageOf(i, MIB / 2), (bytes) => memory.allocate(bytes));
      for (let more = 1; more < READERS; more++) memory.share(message);
      for (const call of calls) call.sendFramed(message);
      for (const call of calls) await call.writable();
    }
  };
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  const channels = Array.from({ length: READERS }, () => createChannel(`127.0.0.1:${port}`, { env }));
  t.after(async () => {
    for (const channel of channels) channel.close();
    await server.close({ graceMs: 0 });
  });
  const read = async (channel: Channel, reader: number): Promise<void> => {
    const call = channel.stream(Echo.methods.spread);
    call.send(ask(MESSAGES));
    call.finish();
    let came = 0;
    for await (const { kvs } of call.responses) {
      const { value } = kvs[0] as { value: Uint8Array };
      assert.ok(Buffer.alloc(MIB / 2, ++came).equals(value), `message ${came} is as it was sent to reader ${reader}`);
      if (came % (8 * (reader + 1)) === 0) await env.timers.sleep(5 * reader);
    }
    assert.equal(came, MESSAGES);
  };
  await Promise.all(channels.map(read));
  assert.ok(seen.size > 0 && seen.size <= 20, `${MESSAGES} messages took ${seen.size} pieces of memory`);
});

test('memory is lent, comes back, and goes when nobody needs it', () => {
  const buffers = new Buffers();
  assert.equal(buffers.allocate(1000), undefined, 'small messages are left to the collector');
  const first = buffers.allocate(100_000) as Uint8Array;
  assert.equal(first.length, 100_000);
  const second = buffers.allocate(100_000) as Uint8Array;
  assert.notEqual(second.buffer, first.buffer);
  buffers.giveBack(new Uint8Array(100_000));
  assert.equal(buffers.freeBytes, 0, 'what came from elsewhere is not taken');
  buffers.giveBack(first);
  buffers.giveBack(first);
  assert.equal(buffers.freeBytes, first.buffer.byteLength, 'once');
  buffers.share(second);
  buffers.giveBack(second);
  assert.equal(buffers.freeBytes, first.buffer.byteLength, 'somebody else has it still');
  assert.notEqual(buffers.allocate(2 * MIB)?.buffer, first.buffer, 'too small');
  assert.equal(buffers.allocate(120_000)?.buffer, first.buffer);
  const many = Array.from({ length: 40 }, () => buffers.allocate(MIB) as Uint8Array);
  for (const each of many) buffers.giveBack(each);
  assert.equal(buffers.freeBytes, 32 * MIB, 'a bound on what is kept');
  buffers.tick();
  const used = buffers.allocate(MIB) as Uint8Array;
  buffers.giveBack(used);
  buffers.tick();
  assert.equal(buffers.freeBytes, MIB, 'what was not needed since the last tick is gone');
  buffers.tick();
  assert.equal(buffers.freeBytes, 0);
});
