// Servers and channels that start, stop, and start again.
import assert from 'node:assert/strict';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createChannel, createServer, GrpcError } from './index.ts';
import type { UnaryHandler } from './types.ts';
import type { etcdserverpb as pb } from '@distrokv/proto';
import { all, createPair, signalled } from './testing/pair.ts';
import { answer, ask, Echo } from './testing/services.ts';

const { unary, chat } = Echo.methods;

test('a busy port is one clear line that names it', async (t) => {
  const other = createTcpServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const server = createServer();
  for (const host of ['127.0.0.1', 'localhost']) {
    await assert.rejects(server.listen({ host, port }), {
      code: 'unavailable',
      message: `cannot listen on ${host}:${port}: the address is in use`,
    });
  }
  const { port: free } = await server.listen({ host: '127.0.0.1', port: 0 });
  assert.notEqual(free, port);
  await server.close({ graceMs: 0 });
});

test("an address that is not this machine's is refused", async () => {
  const server = createServer();
  await assert.rejects(server.listen({ host: '203.0.113.1', port: 0 }), {
    code: 'unavailable',
    message: /203\.0\.113\.1:0: not an address of this machine/,
  });
  await server.close();
  await assert.rejects(server.listen({ host: '127.0.0.1', port: 0 }), { code: 'failed-precondition' });
});

test('a server listens on several addresses', async (t) => {
  const { server, port } = await createPair(t, { unary: () => answer(7) });
  const second = await server.listen({ host: 'localhost', port: 0 });
  assert.notEqual(second.port, port);
  const channel = createChannel(`127.0.0.1:${second.port}`);
  t.after(() => channel.close());
  assert.deepEqual(await channel.unary(unary, ask(1)), answer(7));
});

test('without a server a call is `unavailable` at once; one that waits for it succeeds once it is there', async (t) => {
  const first = await createPair(t, { unary: () => answer(1) });
  await first.channel.unary(unary, ask(1));
  await first.server.close({ graceMs: 0 });
  await assert.rejects(first.channel.unary(unary, ask(1)), { code: 'unavailable' });

  const waiting = first.channel.unary(unary, ask(1), { waitForReady: true });
  const second = createServer();
  second.addService(Echo, { unary: () => answer(2) });
  await second.listen({ host: '127.0.0.1', port: first.port });
  t.after(() => second.close({ graceMs: 0 }));
  assert.deepEqual(await waiting, answer(2));
});

test('closing takes no new calls and waits for those under way', async (t) => {
  const [started, finish] = [signalled(), signalled()];
  const { server, channel, port } = await createPair(t, {
    unary: async () => {
      started.resolve();
      await finish.promise;
      return answer(1);
    },
  });
  const slow = channel.unary(unary, ask(1));
  await started.promise;
  const closed = server.close({ graceMs: 60_000 });
  assert.equal(server.close(), closed);
  const late = createChannel(`127.0.0.1:${port}`);
  t.after(() => late.close());
  await assert.rejects(late.unary(unary, ask(1)), { code: 'unavailable' });
  finish.resolve();
  assert.deepEqual(await slow, answer(1));
  await closed;
});

test('closing cuts what does not finish in time, and tells its handler', async (t) => {
  const cut = signalled();
  const { server, channel } = await createPair(t, {
    chat: async (call) => {
      call.send(answer(1));
      call.signal.addEventListener('abort', () => cut.resolve());
      await all(call.requests);
    },
  });
  const responses = channel.stream(chat).responses[Symbol.asyncIterator]();
  await responses.next();
  const closed = server.close({ graceMs: 20 });
  await assert.rejects(responses.next(), GrpcError);
  await cut.promise;
  await closed;
});

test('a closed channel ends its calls and takes no more', async (t) => {
  const started = signalled();
  const { channel } = await createPair(t, {
    unary: () => {
      started.resolve();
      return new Promise(() => undefined);
    },
    chat: async (call) => void (await all(call.requests)),
  });
  const call = channel.unary(unary, ask(1));
  const stream = channel.stream(chat);
  await started.promise;
  channel.close();
  await assert.rejects(call, { code: 'cancelled' });
  await assert.rejects(all(stream.responses), { code: 'cancelled' });
  await assert.rejects(channel.unary(unary, ask(1)), { code: 'unavailable', message: /channel to 127\.0\.0\.1:\d+ is closed/ });
});

test('a connection whose stream ids have run out is followed by another, and no call notices', async (t) => {
  const peers = new Set<string>();
  const handler: UnaryHandler<pb.RangeRequest, pb.RangeResponse> = ({ limit }, { peer }) => {
    peers.add(peer);
    return answer(limit);
  };
  const { channel } = await createPair(t, { unary: handler }, { channel: { http2: { firstStreamId: 0x7fff_fffb } } });
  const calls = Array.from({ length: 7 }, (_, i) => channel.unary(Echo.methods.unary, ask(i)));
  assert.deepEqual(
    (await Promise.all(calls)).map(({ count }) => count),
    [0, 1, 2, 3, 4, 5, 6],
  );
  for (let i = 0; i < 4; i++) assert.deepEqual(await channel.unary(Echo.methods.unary, ask(i)), answer(i));
  assert.ok(peers.size >= 4, `three calls a connection: ${peers.size} connections`);
});
