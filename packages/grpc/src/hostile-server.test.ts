// Servers that mean harm, against our client: whatever comes, the call ends in a GrpcError, the client holds little, and another channel of the same process is served meanwhile.
import assert from 'node:assert/strict';
import { type Socket, createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { errorName } from '@distrokv/http2';
import { createChannel, GrpcError, type Channel } from './index.ts';
import type { ChannelOptions } from './types.ts';
import { createPair } from './testing/pair.ts';
import { frame, literals } from './testing/raw.ts';
import { answer, ask, Echo } from './testing/services.ts';

const MIB = 1 << 20;
const { unary, spread } = Echo.methods;
const nothing = Buffer.alloc(0);
const PREFACE_BYTES = 24;
const [DATA, HEADERS, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION] = [0, 1, 3, 4, 5, 6, 7, 8, 9];
const [END_STREAM, ACK, END_HEADERS] = [1, 1, 4];
const response = literals({ ':status': '200', 'content-type': 'application/grpc' });
const headers = frame(HEADERS, END_HEADERS, 1, response);
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

interface Taken {
  /** Bytes that were written before the client hung up, or until it took no more. */
  bytes: number;
  connections: number;
}

/** After the handshake and the head of a request, writes what `next` gives, piece after piece, as long as the client takes it; undefined is the end of it. */
async function hostileServer(
  t: TestContext,
  next: (i: number) => Buffer | undefined,
  first: Buffer = frame(SETTINGS, 0, 0, nothing),
): Promise<{ port: number; taken: Taken }> {
  const taken: Taken = { bytes: 0, connections: 0 };
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    taken.connections++;
    let i = 0;
    const attack = (): void => {
      for (let turns = 0; turns < 64; turns++) {
        const bytes = socket.destroyed ? undefined : next(i++);
        if (bytes === undefined) return;
        taken.bytes += bytes.length;
        if (!socket.write(bytes)) {
          socket.once('drain', attack);
          return;
        }
      }
      setImmediate(attack);
    };
    let seen = nothing;
    let asked = false;
    socket.on('error', () => undefined).on('end', () => socket.destroy());
    socket.on('data', (bytes) => {
      if (asked) return;
      seen = Buffer.concat([seen, bytes]);
      for (let at = PREFACE_BYTES; at + 9 <= seen.length; at += 9 + seen.readUIntBE(at, 3)) {
        if (seen[at + 3] !== HEADERS) continue;
        asked = true;
        attack();
        return;
      }
    });
    socket.write(first);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, taken };
}

function channelTo(t: TestContext, port: number, options: ChannelOptions = {}): Channel {
  const channel = createChannel(`127.0.0.1:${port}`, options);
  t.after(() => channel.close());
  return channel;
}

/** The call fails with `code` and a text; meanwhile another server is called. */
async function assertHeld(t: TestContext, channel: Channel, code: string, message: RegExp): Promise<void> {
  const pair = await createPair(t, { unary: ({ limit }) => answer(limit) });
  const before = process.memoryUsage.rss();
  let over = false;
  const attacked = assert
    .rejects(channel.unary(unary, ask(1)), (error) => {
      assert.ok(error instanceof GrpcError);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    })
    .finally(() => (over = true));
  let slowestMs = 0;
  do {
    const startMs = performance.now();
    assert.deepEqual(await pair.channel.unary(unary, ask(7)), answer(7));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  } while (!over);
  await attacked;
  const grown = (process.memoryUsage.rss() - before) / MIB;
  t.diagnostic(`${grown.toFixed()} MiB more, the slowest call beside it took ${slowestMs.toFixed(1)} ms`);
  assert.ok(grown < 64, `${grown.toFixed()} MiB`);
}

describe('a server that floods', () => {
  for (const [what, code, message, next] of [
    [
      'CONTINUATION without end',
      'unavailable',
      /ENHANCE_YOUR_CALM/,
      (i) => frame(i === 0 ? HEADERS : CONTINUATION, 0, 1, Buffer.alloc(16_000)),
    ],
    ['empty CONTINUATION without end', 'unavailable', /ENHANCE_YOUR_CALM/, (i) => frame(i === 0 ? HEADERS : CONTINUATION, 0, 1, nothing)],
    [
      'an HPACK bomb',
      'unavailable',
      /ENHANCE_YOUR_CALM/,
      (i) => frame(HEADERS, END_HEADERS, 1, i === 0 ? Buffer.concat([response, literalOf(3900)]) : Buffer.alloc(16_000, 0xbe)),
    ],
    [
      'headers beyond the limit',
      'resource-exhausted',
      /ENHANCE_YOUR_CALM.*beyond our limits/,
      (i) => (i > 9 ? undefined : frame(i === 0 ? HEADERS : CONTINUATION, i === 9 ? END_HEADERS : 0, 1, i === 0 ? response : padding)),
    ],
    ['informational responses', 'unavailable', /ENHANCE_YOUR_CALM/, () => frame(HEADERS, END_HEADERS, 1, literals({ ':status': '103' }))],
    ['PING', 'unavailable', /ENHANCE_YOUR_CALM/, () => frame(PING, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', 'unavailable', /ENHANCE_YOUR_CALM/, () => frame(SETTINGS, 0, 0, Buffer.from('000400000001', 'hex'))],
    ['empty DATA', 'unavailable', /ENHANCE_YOUR_CALM/, (i) => (i === 0 ? headers : frame(DATA, 0, 1, nothing))],
    ['WINDOW_UPDATE', 'unavailable', /ENHANCE_YOUR_CALM/, () => frame(WINDOW_UPDATE, 0, 0, uint32(1))],
    ['GOAWAY', 'unavailable', /ENHANCE_YOUR_CALM/, () => frame(GOAWAY, 0, 0, Buffer.from('7fffffff00000000', 'hex'))],
    ['frames that nobody knows', 'unavailable', /ENHANCE_YOUR_CALM/, () => frame(0xbe, 0, 0, nothing)],
  ] as const satisfies readonly (readonly [string, string, RegExp, (i: number) => Buffer | undefined])[]) {
    test(`with ${what}`, async (t) => {
      const { port, taken } = await hostileServer(t, next);
      await assertHeld(t, channelTo(t, port), code, message);
      assert.ok(taken.bytes < 8 * MIB, `${taken.bytes} bytes were taken`);
    });
  }
});

/** Fields of 2 KB. */
const padding = Buffer.concat(Array.from({ length: 20 }, () => literals({ a: 'x'.repeat(100) })));

/** `a: bbb…`, of which the table makes an entry. */
function literalOf(length: number): Buffer {
  const rest = length - 127;
  return Buffer.concat([Buffer.of(0x40, 1, 0x61, 0x7f, (rest & 0x7f) | 0x80, rest >> 7), Buffer.alloc(length, 0x62)]);
}

describe('a server that breaks the protocol', () => {
  for (const [what, code, message, ...frames] of [
    ['a window of the connection that overflows', 'unavailable', /FLOW_CONTROL_ERROR/, frame(WINDOW_UPDATE, 0, 0, uint32(0x7fff_ffff))],
    ['a window of the stream that overflows', 'internal', /FLOW_CONTROL_ERROR/, frame(WINDOW_UPDATE, 0, 1, uint32(0x7fff_ffff))],
    ['DATA before the headers', 'internal', /PROTOCOL_ERROR/, frame(DATA, 0, 1, Buffer.alloc(1))],
    ['PUSH_PROMISE', 'unavailable', /PROTOCOL_ERROR/, frame(PUSH, END_HEADERS, 1, Buffer.concat([uint32(2), response]))],
    ['RST_STREAM of a call that nobody made', 'unavailable', /PROTOCOL_ERROR/, frame(RST, 0, 99, uint32(8))],
    ['a frame of 16 MB', 'unavailable', /FRAME_SIZE_ERROR/, Buffer.from('ffffff000000000001', 'hex')],
    ['a field block that names what is not there', 'unavailable', /COMPRESSION_ERROR/, frame(HEADERS, END_HEADERS, 1, Buffer.of(0xfe))],
    [
      'a message of 4 GiB',
      'resource-exhausted',
      /larger than max \(4294967295/,
      headers,
      frame(DATA, 0, 1, Buffer.from('00ffffffff', 'hex')),
    ],
    ['two answers', 'internal', /more than one answer/, headers, frame(DATA, 0, 1, Buffer.alloc(10))],
    [
      'an answer that is cut off',
      'internal',
      /cut off/,
      headers,
      frame(DATA, 0, 1, Buffer.from('0000000005aa', 'hex')),
      frame(HEADERS, END_HEADERS | END_STREAM, 1, literals({ 'grpc-status': '0' })),
    ],
    ['no answer', 'internal', /no answer/, headers, frame(HEADERS, END_HEADERS | END_STREAM, 1, literals({ 'grpc-status': '0' }))],
    ['what is not protobuf', 'internal', /failed to unmarshal/, headers, frame(DATA, 0, 1, Buffer.from('00000000020aff', 'hex'))],
    [
      'a message that is compressed by nobody knows what',
      'internal',
      /compressed flag set/,
      headers,
      frame(DATA, 0, 1, Buffer.from('0100000001aa', 'hex')),
    ],
  ] as const satisfies readonly (readonly [string, string, RegExp, ...Buffer[]])[]) {
    test(what, async (t) => {
      const { port } = await hostileServer(t, (i) => frames[i]);
      await assertHeld(t, channelTo(t, port), code, message);
    });
  }

  test('a gzip bomb unpacks to no more than the limit', async (t) => {
    const bomb = gzipSync(Buffer.alloc(50 << 20));
    const head = frame(
      HEADERS,
      END_HEADERS,
      1,
      literals({ ':status': '200', 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' }),
    );
    const message = Buffer.concat([Buffer.of(1), uint32(bomb.length), bomb]);
    const parts = [head];
    for (let at = 0; at < message.length; at += 16_000) parts.push(frame(DATA, 0, 1, message.subarray(at, at + 16_000)));
    const { port } = await hostileServer(t, (i) => parts[i]);
    await assertHeld(t, channelTo(t, port, { maxReceiveBytes: MIB }), 'resource-exhausted', /larger than max/);
  });
});

describe('gRPC "Errors": what RST_STREAM means', () => {
  for (const [number, code] of [
    [0, 'internal'],
    [1, 'internal'],
    [2, 'internal'],
    [3, 'internal'],
    [6, 'internal'],
    [8, 'cancelled'],
    [9, 'internal'],
    [10, 'internal'],
    [11, 'resource-exhausted'],
    [12, 'permission-denied'],
    [0xdead, 'internal'],
  ] as const) {
    test(`${errorName(number)} is ${code}`, async (t) => {
      const { port } = await hostileServer(t, (i) => [headers, frame(RST, 0, 1, uint32(number))][i]);
      await assert.rejects(channelTo(t, port).unary(unary, ask(1)), { code, message: new RegExp(errorName(number)) });
    });
  }
});

test('a stream without end whose server keeps to no window: FLOW_CONTROL_ERROR after what the window holds', async (t) => {
  const piece = frame(
    DATA,
    0,
    1,
    Buffer.concat([Buffer.from('0000003ff8', 'hex'), Buffer.from('12f57f', 'hex'), Buffer.alloc(16_373)]).subarray(0, 16_381),
  );
  const { port, taken } = await hostileServer(t, (i) => (i === 0 ? headers : piece));
  const channel = channelTo(t, port);
  const call = channel.stream(spread);
  call.send(ask(1));
  await assert.rejects(
    call.writable().then(() => new Promise((_, reject) => void watch(call, reject))),
    /FLOW_CONTROL_ERROR/,
  );
  assert.ok(taken.bytes < 16 * MIB, `${taken.bytes} bytes were taken`);
});

/** Asks for the first message only when the call is over: nothing is read before. */
async function watch(
  call: { writable(): Promise<void>; send(request: ReturnType<typeof ask>): boolean },
  reject: (error: unknown) => void,
): Promise<void> {
  while (call.send(ask(1))) await new Promise((resolve) => setImmediate(resolve));
  call.writable().catch(reject);
}

test('a server that accepts and says nothing: the call fails in the time that a connection may take', async (t) => {
  const { port, taken } = await hostileServer(t, () => undefined, nothing);
  const channel = channelTo(t, port, { connectTimeoutMs: 100 });
  await assert.rejects(channel.unary(unary, ask(1)), { code: 'unavailable', message: 'no connection within 100 ms' });
  assert.equal(taken.connections, 1);
});

test('a server that hangs up at once is not called in a hot loop', async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.on('error', () => undefined).destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const channel = channelTo(t, (server.address() as AddressInfo).port);
  const endMs = performance.now() + 1000;
  let calls = 0;
  for (; performance.now() < endMs; calls++) {
    await assert.rejects(channel.unary(unary, ask(1)), { code: 'unavailable' });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(calls > connections && connections <= 10, `${connections} connections for ${calls} calls`);
});

test('an answer that comes byte by byte is an answer', async (t) => {
  const whole = Buffer.concat([
    headers,
    frame(DATA, 0, 1, Buffer.concat([Buffer.of(0, 0, 0, 0), Buffer.of(2, 0x20, 7)])),
    frame(HEADERS, END_HEADERS | END_STREAM, 1, literals({ 'grpc-status': '0' })),
  ]);
  const { port } = await hostileServer(
    t,
    (i) => (i < whole.length ? whole.subarray(i, i + 1) : undefined),
    Buffer.concat([frame(SETTINGS, 0, 0, nothing), frame(SETTINGS, ACK, 0, nothing)]),
  );
  assert.equal((await channelTo(t, port).unary(unary, ask(1))).count, 7);
});
