// Peers that mean harm, at the level of sockets: each is held to what it costs in memory, and to how long others wait meanwhile.
import assert from 'node:assert/strict';
import { type Socket, connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { createPair, type Pair } from './testing/pair.ts';
import { frame, preface, requestTo } from './testing/raw.ts';
import { answer, ask, Echo } from './testing/services.ts';

const SCALE = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
const { unary } = Echo.methods;
const MIB = 1 << 20;

/** Longest that an honest call may take meanwhile: far more than it does, for machines that are busy. */
const MAX_DELAY_MS = 5000;

async function pairWith(t: TestContext): Promise<Pair> {
  const kvs = [{ key: new Uint8Array(1), value: new Uint8Array(500_000), createRevision: 1, modRevision: 1, version: 1, lease: 0n }];
  return createPair(t, {
    unary: ({ limit }) => (limit === 1 ? { ...answer(1), kvs } : answer(limit)),
    collect: async (call) => {
      let count = 0;
      for await (const _ of call.requests) count++;
      return answer(count);
    },
  });
}

/** Raw connections to a server, gone when the test is over. */
async function rawSockets(t: TestContext, port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  for (let at = 0; at < count; at += 500) {
    const some = Array.from(
      { length: Math.min(500, count - at) },
      () =>
        new Promise<void>((resolve, reject) => {
          const socket = connectTcp(port, '127.0.0.1', resolve).on('error', reject);
          sockets.push(socket);
        }),
    );
    await Promise.all(some);
  }
  for (const socket of sockets) socket.removeAllListeners('error').on('error', () => undefined);
  return sockets;
}

async function honestCalls({ channel }: Pair, calls = 20): Promise<void> {
  for (let i = 0; i < calls; i++) assert.deepEqual(await channel.unary(unary, ask(7), { timeoutMs: MAX_DELAY_MS }), answer(7));
}

function memoryMiB(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss() / MIB;
}

for (const [name, method, body] of [
  ['without a body', 'Collect', []],
  ['with one', 'Unary', [0, 0, 0, 0, 2, 0x18, 7]],
] as const) {
  test(`rapid reset ${name}, again and again: each connection gets few calls, and honest ones are answered (CVE-2023-44487)`, async (t) => {
    const BURST = 100;
    const CONNECTIONS = 40 * SCALE;
    /** An attacker that was not closed by then has won. */
    const MOST_REQUESTS = 50_000;
    const callsOf = new Map<string, number>();
    const bad = new Map<string, string>();
    let open = 0;
    const began = ({ peer, signal }: { readonly peer: string; readonly signal: AbortSignal }): void => {
      callsOf.set(peer, (callsOf.get(peer) ?? 0) + 1);
      open++;
      signal.addEventListener('abort', () => open--);
    };
    const pair = await createPair(
      t,
      {
        unary: ({ limit }, call) => {
          if (limit !== 7) return answer(limit);
          began(call);
          return new Promise(() => undefined);
        },
        collect: (call) => {
          began(call);
          return new Promise(() => undefined);
        },
      },
      {
        server: {
          http2: { nuisanceBurst: BURST, nuisancePerSecond: 0 },
          onBadConnection: (peer, error) => bad.set(peer, error.message),
        },
      },
    );
    const fields = requestTo(`/test.Echo/${method}`);
    const cancel = Buffer.of(0, 0, 0, constants.NGHTTP2_CANCEL);
    const attack = async (): Promise<void> => {
      const [socket] = (await rawSockets(t, pair.port, 1)) as [Socket];
      const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
      socket.resume().write(preface);
      for (let id = 1; !socket.destroyed && id < MOST_REQUESTS; id += 2) {
        const data = body.length === 0 ? [] : [frame(0, 1, id, Uint8Array.from(body))];
        socket.write(Buffer.concat([frame(1, 4, id, fields), ...data, frame(3, 0, id, cancel)]));
        if (id % 64 === 1) await new Promise((resolve) => setImmediate(resolve));
      }
      socket.end();
      await closed;
    };
    let attacking = true;
    const attacks = Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < CONNECTIONS / 4; i++) await attack();
      }),
    ).finally(() => (attacking = false));
    let slowestMs = 0;
    while (attacking) {
      const startMs = performance.now();
      assert.deepEqual(await pair.channel.unary(unary, ask(8), { timeoutMs: MAX_DELAY_MS }), answer(8));
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
    }
    await attacks;
    t.diagnostic(`the slowest honest call took ${slowestMs.toFixed(1)} ms`);
    assert.equal(bad.size, CONNECTIONS);
    for (const why of bad.values()) assert.match(why, /ENHANCE_YOUR_CALM/);
    assert.equal(callsOf.size, CONNECTIONS);
    for (const calls of callsOf.values()) assert.ok(calls <= BURST + 1, `${calls} calls of one connection`);
    assert.equal(open, 0, 'every call that was begun was told that it is over');
  });
}

test('rapid reset from many connections at once: in one turn of the event loop few calls of theirs are begun, so that others are heard in between', async (t) => {
  const CONNECTIONS = 20;
  const REQUESTS = 400;
  let calls = 0;
  let thisTurn = 0;
  let mostInOneTurn = 0;
  const pair = await createPair(t, {
    unary: ({ limit }) => answer(limit),
    collect: () => {
      calls++;
      if (thisTurn++ === 0) setImmediate(() => (thisTurn = 0));
      mostInOneTurn = Math.max(mostInOneTurn, thisTurn);
      return new Promise(() => undefined);
    },
  });
  await honestCalls(pair, 1);
  const fields = requestTo('/test.Echo/Collect');
  const cancel = Buffer.of(0, 0, 0, constants.NGHTTP2_CANCEL);
  const bursts = [0, 1].map((burst) =>
    Buffer.concat(
      Array.from({ length: REQUESTS }, (_, i) => {
        const id = 1 + 2 * (burst * REQUESTS + i);
        return Buffer.concat([frame(1, 4, id, fields), frame(3, 0, id, cancel)]);
      }),
    ),
  );
  const sockets = await rawSockets(t, pair.port, CONNECTIONS);
  // Each has its tokens when the server has answered its preface.
  const greeted = Promise.all(sockets.map((socket) => once(socket, 'data')));
  for (const socket of sockets) socket.write(preface);
  await greeted;
  for (const socket of sockets) socket.resume();
  for (const burst of bursts) for (const socket of sockets) socket.write(burst);
  while (calls < CONNECTIONS * REQUESTS) await honestCalls(pair, 1);
  // The first 500 are free, and what came in one piece off the socket is handled in one piece: 64 KiB are some 500 requests.
  assert.ok(mostInOneTurn < 2500, `${mostInOneTurn} calls in one turn`);
  t.diagnostic(`${calls} calls, at most ${mostInOneTurn} in one turn`);
});

test('thousands of idle connections, half of them past their preface', async (t) => {
  const pair = await pairWith(t);
  await honestCalls(pair);
  const before = memoryMiB();
  const count = 1000 * Math.min(10, SCALE);
  const sockets = await rawSockets(t, pair.port, count);
  for (const [i, socket] of sockets.entries()) if (i % 2 === 0) socket.write(preface);
  await honestCalls(pair);
  const grown = memoryMiB() - before;
  // Both ends are in this process.
  assert.ok(grown < 50 + count / 15, `${grown.toFixed()} MiB for ${count} connections`);
});

test('a preface that comes byte by byte, and bytes that are no preface', async (t) => {
  const pair = await pairWith(t);
  const [slow, wrong] = (await rawSockets(t, pair.port, 2)) as [Socket, Socket];
  const closed = new Promise<void>((resolve) => wrong.on('close', () => resolve()));
  wrong.resume().write('GET / HTTP/1.1\r\n\r\n');
  await closed;
  const settings = new Promise<Buffer>((resolve) => slow.once('data', resolve));
  for (const byte of preface) {
    slow.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await settings)[3], 4, 'the server answers with SETTINGS');
  await honestCalls(pair);
});

test('a reader that never reads holds no more than its windows and queues', async (t) => {
  const pair = await pairWith(t);
  const client = connectHttp2(`http://127.0.0.1:${pair.port}`, { settings: { initialWindowSize: 2 ** 31 - 1 } });
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  await new Promise<void>((resolve) => client.once('remoteSettings', () => resolve()));
  const before = memoryMiB();
  // The answers are half a MiB each, and the connection's window is 64 KiB for good.
  const body = Buffer.concat([Buffer.of(0, 0, 0, 0, 2), Buffer.of(0x18, 1)]);
  for (let i = 0; i < 400; i++) {
    const stream = client.request({ ':method': 'POST', ':path': '/test.Echo/Unary', 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => undefined);
    stream.end(body);
    stream.pause();
  }
  await honestCalls(pair);
  const grown = memoryMiB() - before;
  // 400 answers would be 200 MiB: they wait in their streams, of which there are no more than allowed.
  assert.ok(grown < 400, `${grown.toFixed()} MiB`);
});

test('a body without an end is given no more than its windows while nobody reads it', async (t) => {
  const pair = await createPair(t, {
    unary: ({ limit }) => answer(limit),
    collect: () => new Promise(() => undefined),
  });
  const client = connectHttp2(`http://127.0.0.1:${pair.port}`);
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  const stream = client.request({ ':method': 'POST', ':path': '/test.Echo/Collect', 'content-type': 'application/grpc', te: 'trailers' });
  stream.on('error', () => undefined);
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0x40, 0), Buffer.alloc(0x4000)]);
  let sent = 0;
  while (sent < 64 * MIB && stream.write(message)) sent += message.length;
  await honestCalls(pair);
  assert.ok(sent < 8 * MIB, `${sent} bytes were taken`);
});

test('a request of unknown length that never ends is refused at the limit', async (t) => {
  const pair = await pairWith(t);
  const client = connectHttp2(`http://127.0.0.1:${pair.port}`);
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  const stream = client.request({ ':method': 'POST', ':path': '/test.Echo/Unary', 'content-type': 'application/grpc', te: 'trailers' });
  const status = new Promise<string>((resolve) => {
    stream.on('response', (headers) => resolve(String(headers['grpc-status'])));
  });
  stream.on('error', () => undefined);
  // Messages without bytes: each would be a request, and no limit on the size of one is ever reached.
  const empty = Buffer.alloc(5 * 1000);
  const write = (): void => {
    if (!stream.destroyed && !stream.closed) stream.write(empty, () => setImmediate(write));
  };
  write();
  assert.equal(await status, '12');
  await honestCalls(pair);
});

test('a caller that takes no headers as long as ours has its calls reset, and nobody else notices', async (t) => {
  const pair = await createPair(t, {
    unary: ({ limit }) => (limit === 7 ? answer(7) : Promise.resolve(answer(limit))),
    // From nobody's promise: what it throws would end the process.
    spread: (_request, call) =>
      new Promise((resolve) => {
        setImmediate(() => {
          call.send(answer(1));
          resolve();
        });
      }),
    chat: async () => {}, // says nothing
  });
  const body = Echo.methods.unary.request.encode(ask(3));
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, body.length), body]);
  // The headers of an answer are 102 bytes (RFC 9113 §6.5.2), those of a refusal about 300, the trailers of one that succeeds 44.
  for (const maxHeaderListSize of [0, 43, 101, 150]) {
    const client = connectHttp2(`http://127.0.0.1:${pair.port}`, { settings: { maxHeaderListSize } });
    t.after(() => client.destroy());
    await once(client, 'localSettings'); // the server knows
    pair.unexpected.length = 0;
    for (const path of ['/test.Echo/Unary', '/test.Echo/Spread', '/test.Echo/Chat', '/test.Echo/Nothing', '/nothing']) {
      const stream = client.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
      stream.on('error', () => undefined);
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.resume();
      stream.end(message);
      await closed;
      const fits = maxHeaderListSize > 102 && /Unary|Spread|Chat/.test(path);
      assert.equal(
        stream.rstCode,
        fits ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_INTERNAL_ERROR,
        `${path} with ${maxHeaderListSize}`,
      );
    }
    assert.equal(pair.unexpected.length, maxHeaderListSize > 102 ? 0 : 1, 'told once for the connection');
    await honestCalls(pair, 1);
  }
});
