// The document "gRPC over HTTP/2" from the client's side: what our client makes of answers, by a server that knows nothing of gRPC: node:http2.
import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream, constants, createServer } from 'node:http2';
import { type TestContext, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { etcdserverpb } from '@distrokv/proto';
import { type Channel, GrpcError } from './index.ts';
import { channelToServer } from './testing/other-server.ts';
import { answer, ask, Echo } from './testing/services.ts';

const { unary } = Echo.methods;
const body = Buffer.from(etcdserverpb.RangeResponse.encode(answer(7)));

function framed(message: Buffer, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function channelTo(t: TestContext, onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<Channel> {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream, headers);
  });
  return channelToServer(t, server);
}

const grpc: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' };

/** Answers with headers, a body and trailers. */
function says(
  headers: OutgoingHttpHeaders,
  bytes: Buffer | undefined,
  trailers?: OutgoingHttpHeaders,
): (stream: ServerHttp2Stream) => void {
  return (stream) => {
    stream.resume();
    if (trailers === undefined) {
      stream.respond(headers, { endStream: bytes === undefined });
      if (bytes !== undefined) stream.end(bytes);
      return;
    }
    stream.respond(headers, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(bytes);
  };
}

async function fails(t: TestContext, onStream: (stream: ServerHttp2Stream) => void, code: string, message: RegExp | string): Promise<void> {
  const channel = await channelTo(t, onStream);
  await assert.rejects(channel.unary(unary, ask(1), { timeoutMs: 10_000 }), (error) => {
    assert.ok(error instanceof GrpcError);
    assert.equal(error.code, code, error.message);
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

describe('Requests', () => {
  test('Request-Headers: what our client sends, in the order of the document', async (t) => {
    const seen: IncomingHttpHeaders[] = [];
    const channel = await channelTo(t, (stream, headers) => {
      seen.push(headers);
      says(grpc, framed(body), { 'grpc-status': '0' })(stream);
    });
    const metadata = { 'x-text': 'a b', 'x-bytes-bin': Uint8Array.of(0, 255) };
    assert.deepEqual(await channel.unary(unary, ask(1), { timeoutMs: 5000, metadata }), answer(7));
    const [headers] = seen;
    assert.equal(headers?.[':method'], 'POST');
    assert.equal(headers?.[':scheme'], 'http');
    assert.equal(headers?.[':path'], '/test.Echo/Unary');
    assert.match(String(headers?.[':authority']), /^127\.0\.0\.1:\d+$/);
    assert.equal(headers?.te, 'trailers');
    assert.match(String(headers?.['grpc-timeout']), /^\d{1,8}[HMSmun]$/);
    assert.equal(headers?.['content-type'], 'application/grpc');
    assert.equal(headers?.['x-text'], 'a b');
    assert.equal(headers?.['x-bytes-bin'], 'AP8');
    const names = Object.keys(headers ?? {});
    assert.ok(names.indexOf('te') < names.indexOf('x-text'), 'metadata comes after what the protocol has');
  });
});

describe('Responses', () => {
  for (const [status, code] of [
    ['400', 'internal'],
    ['401', 'unauthenticated'],
    ['403', 'permission-denied'],
    ['404', 'unimplemented'],
    ['429', 'unavailable'],
    ['500', 'unknown'],
    ['502', 'unavailable'],
    ['503', 'unavailable'],
    ['504', 'unavailable'],
  ] as const) {
    test(`HTTP-Status ${status} without a status of gRPC is ${code}`, (t) =>
      fails(t, says({ ':status': Number(status), 'content-type': 'text/html' }, Buffer.from('<html>')), code, new RegExp(status)));
  }
  test('Content-Type: 200 with another one', (t) =>
    fails(t, says({ ':status': 200, 'content-type': 'text/html' }, Buffer.from('hi')), 'unknown', /"text\/html"/));
  test('Trailers-Only', (t) =>
    fails(t, says({ ...grpc, 'grpc-status': '5', 'grpc-message': 'no%20such%20%E2%82%AC' }, undefined), 'not-found', 'no such €'));
  test('Trailers-Only with an HTTP status beside it: the status of gRPC counts', (t) =>
    fails(
      t,
      says({ ':status': 415, 'content-type': 'application/grpc', 'grpc-status': '3', 'grpc-message': 'type' }, undefined),
      'invalid-argument',
      'type',
    ));
  test('Status: a number that nobody knows', (t) => fails(t, says(grpc, undefined, { 'grpc-status': '99' }), 'unknown', ''));
  test('Status: none', (t) => fails(t, says(grpc, framed(body), { 'x-other': '1' }), 'unknown', /without a status/));
  test('Status: what is no number', (t) => fails(t, says(grpc, framed(body), { 'grpc-status': '0x0' }), 'unknown', /"0x0"/));
  test('Status: the stream ends without trailers', (t) => fails(t, says(grpc, framed(body)), 'internal', /without a status/));
  test('Status-Message: percent signs that are no escapes stay as they are', (t) =>
    fails(t, says(grpc, undefined, { 'grpc-status': '9', 'grpc-message': '100% %zz %4' }), 'failed-precondition', '100% %zz %4'));
  test('a status that is not OK counts although there is an answer', (t) =>
    fails(t, says(grpc, framed(body), { 'grpc-status': '8', 'grpc-message': 'm' }), 'resource-exhausted', 'm'));
  test('Message-Encoding: one that was not offered', (t) =>
    fails(t, says({ ...grpc, 'grpc-encoding': 'br' }, framed(body, 1), { 'grpc-status': '0' }), 'internal', /"br"/));
  test('Compressed-Flag: gzip is taken', async (t) => {
    const channel = await channelTo(t, says({ ...grpc, 'grpc-encoding': 'gzip' }, framed(gzipSync(body), 1), { 'grpc-status': '0' }));
    assert.deepEqual(await channel.unary(unary, ask(1)), answer(7));
  });
  test('content-type with a suffix, unknown headers and trailers', async (t) => {
    const channel = await channelTo(
      t,
      says({ ':status': 200, 'content-type': 'application/grpc+proto', 'x-a': '1' }, framed(body), { 'x-b': '2', 'grpc-status': '0' }),
    );
    const trailers: (string | undefined)[] = [];
    assert.deepEqual(await channel.unary(unary, ask(1), { onTrailers: (metadata) => trailers.push(metadata.get('x-b')) }), answer(7));
    assert.deepEqual(trailers, ['2']);
  });
});

describe('Errors', () => {
  test('RST_STREAM REFUSED_STREAM: the call is sent again, and not for ever', async (t) => {
    let streams = 0;
    const refuse = (stream: ServerHttp2Stream): void => {
      streams++;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    };
    await fails(t, refuse, 'unavailable', /REFUSED_STREAM/);
    assert.equal(streams, 4);
  });
});

describe('Connection management', () => {
  test('GOAWAY: calls under way end well, the next ones go to a new connection', async (t) => {
    const sessions = new Set<unknown>();
    const channel = await channelTo(t, (stream) => {
      sessions.add(stream.session);
      stream.session?.goaway(constants.NGHTTP2_NO_ERROR);
      setImmediate(() => says(grpc, framed(body), { 'grpc-status': '0' })(stream));
    });
    for (let i = 0; i < 3; i++) assert.deepEqual(await channel.unary(unary, ask(1), { timeoutMs: 10_000 }), answer(7));
    assert.equal(sessions.size, 3);
  });
});
