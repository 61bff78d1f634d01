// The document "gRPC over HTTP/2", section by section, with a client that knows nothing of gRPC: node:http2.
import assert from 'node:assert/strict';
import { type ClientHttp2Session, type IncomingHttpHeaders, connect } from 'node:http2';
import { type TestContext, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { etcdserverpb } from '@distrokv/proto';
import { GrpcError, type Handlers } from './index.ts';
import { createPair, signalled } from './testing/pair.ts';
import { answer, ask, type Echo } from './testing/services.ts';

interface Answer {
  /** The first headers. */
  readonly headers: IncomingHttpHeaders;
  /** All of the status, wherever it came. */
  readonly status: IncomingHttpHeaders;
  readonly body: Buffer;
}

const { RangeRequest, RangeResponse } = etcdserverpb;
const unary = '/test.Echo/Unary';

/** A message with its prefix. */
function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const request = framed(RangeRequest.encode(ask(7)));

async function session(
  t: TestContext,
  handlers: Handlers<typeof Echo> = { unary: ({ limit }) => answer(limit) },
  maxReceiveBytes?: number,
) {
  const pair = await createPair(t, handlers, maxReceiveBytes === undefined ? {} : { server: { maxReceiveBytes } });
  const client = connect(`http://127.0.0.1:${pair.port}`);
  t.after(() => client.destroy());
  return { ...pair, client };
}

const plain = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };

function call(client: ClientHttp2Session, headers: Record<string, string>, ...body: readonly Buffer[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = client.request({ ...plain, ...headers });
    const chunks: Buffer[] = [];
    let first: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (got) => (first = got));
    stream.on('trailers', (got: IncomingHttpHeaders) => (trailers = got));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => resolve({ headers: first, status: { ...first, ...trailers }, body: Buffer.concat(chunks) }));
    for (const part of body) stream.write(part);
    stream.end();
  });
}

function isStatus({ status }: Answer, code: number, message: RegExp | string): void {
  assert.equal(status['grpc-status'], String(code), String(status['grpc-message']));
  const text = decodeURIComponent(String(status['grpc-message'] ?? ''));
  if (typeof message === 'string') assert.equal(text, message);
  else assert.match(text, message);
}

describe('Requests', () => {
  test('Request-Headers: a call needs nothing but its path and its content type', async (t) => {
    const { client } = await session(t);
    const { headers, status, body } = await call(client, { ':path': unary }, request);
    assert.equal(headers[':status'], 200);
    assert.equal(headers['content-type'], 'application/grpc');
    assert.equal(status['grpc-status'], '0');
    assert.deepEqual(RangeResponse.decode(body.subarray(5)), answer(7));
  });

  test('Content-Type: application/grpc with what follows "+" or ";", and 415 for anything else', async (t) => {
    const { client } = await session(t);
    for (const type of ['application/grpc+proto', 'application/grpc;charset=utf-8', 'application/grpc'])
      isStatus(await call(client, { ':path': unary, 'content-type': type }, request), 0, '');
    for (const type of ['application/json', 'application/grpc-web', 'application/grpcx', 'text/plain'])
      assert.equal((await call(client, { ':path': unary, 'content-type': type }, request)).headers[':status'], 415, type);
  });

  test('Method: POST alone', async (t) => {
    const { client } = await session(t);
    assert.equal((await call(client, { ':path': unary, ':method': 'PUT' }, request)).headers[':status'], 405);
  });

  test('Path: what is not served is told as Go does', async (t) => {
    const { client } = await session(t);
    isStatus(await call(client, { ':path': '/no.Service/X' }, request), 12, 'unknown service no.Service');
    isStatus(await call(client, { ':path': '/test.Echo/No' }, request), 12, 'unknown method No for service test.Echo');
    isStatus(await call(client, { ':path': '/test.Echo/Missing' }, request), 12, 'unknown method Missing for service test.Echo');
    isStatus(await call(client, { ':path': '/nothing' }, request), 12, 'malformed method name: "/nothing"');
  });

  test('Timeout: every unit, and what is none', async (t) => {
    const seen: (number | undefined)[] = [];
    const { client } = await session(t, {
      unary: (_request, { timeoutMs }) => {
        seen.push(timeoutMs);
        return answer(1);
      },
    });
    for (const timeout of ['1H', '2M', '3S', '400m', '500000u', '60000000n', '99999999H'])
      isStatus(await call(client, { ':path': unary, 'grpc-timeout': timeout }, request), 0, '');
    assert.deepEqual(seen, [3_600_000, 120_000, 3000, 400, 500, 60, 2 ** 31 - 1]);
    for (const timeout of ['', '1', 'S', '123456789S', '-1S', '1.5S', '1s'])
      isStatus(await call(client, { ':path': unary, 'grpc-timeout': timeout }, request), 13, /malformed grpc-timeout/);
  });

  test('Timeout: the server ends the call by itself, and the handler hears of it', async (t) => {
    const aborted = signalled();
    const { client } = await session(t, {
      unary: (_request, { signal }) => {
        signal.addEventListener('abort', () => aborted.resolve());
        return new Promise(() => undefined);
      },
    });
    isStatus(await call(client, { ':path': unary, 'grpc-timeout': '20m' }, request), 4, /deadline exceeded/);
    await aborted.promise;
  });

  test('Custom-Metadata: text and bytes both ways, padded or not, several values', async (t) => {
    const { client } = await session(t, {
      unary: (_request, asked) => {
        assert.equal(asked.metadata.get('x-text'), 'a, b');
        assert.deepEqual([...(asked.metadata.getBinary('x-bin') ?? [])], [1, 2]);
        assert.deepEqual(
          [...asked.metadata.entries()].filter(([name]) => name === 'many-bin').map(([, value]) => [...(value as Uint8Array)]),
          [[0], [255]],
        );
        asked.sendMetadata({ first: '1', 'first-bin': Uint8Array.of(9) });
        asked.setTrailers({ last: '2', 'last-bin': Uint8Array.of(8) });
        return answer(1);
      },
    });
    const { headers, status } = await call(client, { ':path': unary, 'x-text': 'a, b', 'x-bin': 'AQI=', 'many-bin': 'AA,/w==' }, request);
    assert.equal(headers['first'], '1');
    assert.equal(headers['first-bin'], 'CQ');
    assert.equal(status['last'], '2');
    assert.equal(status['last-bin'], 'CA');
  });
});

describe('Length-Prefixed-Message', () => {
  test('messages may be cut anywhere: byte by byte', async (t) => {
    const { client } = await session(t);
    const bytes = Array.from(request, (_, i) => request.subarray(i, i + 1));
    isStatus(await call(client, { ':path': unary }, ...bytes), 0, '');
  });

  test('Compressed-Flag: gzip is taken, where it was announced', async (t) => {
    const { client } = await session(t);
    const packed = framed(gzipSync(RangeRequest.encode(ask(7))), 1);
    const { status, body } = await call(client, { ':path': unary, 'grpc-encoding': 'gzip' }, packed);
    assert.equal(status['grpc-status'], '0');
    assert.equal(body[0], 0, 'the answer is not compressed');
    isStatus(await call(client, { ':path': unary, 'grpc-encoding': 'gzip' }, request), 0, '');
    isStatus(await call(client, { ':path': unary }, packed), 13, /compressed flag set/);
    isStatus(await call(client, { ':path': unary, 'grpc-encoding': 'gzip' }, framed(Buffer.from('none'), 1)), 13, /failed to decompress/);
    isStatus(await call(client, { ':path': unary }, framed(RangeRequest.encode(ask(7)), 2)), 13, /unexpected payload format 2/);
  });

  test('Message-Encoding: an unknown one is unimplemented, and the answer says which are known', async (t) => {
    const { client } = await session(t);
    const got = await call(client, { ':path': unary, 'grpc-encoding': 'br' }, request);
    isStatus(got, 12, /Decompressor is not installed for grpc-encoding "br"/);
    assert.equal(got.headers['grpc-accept-encoding'], 'identity,gzip');
  });

  test('what unpacks to more than the limit costs no more than the limit', async (t) => {
    const { client } = await session(t, undefined, 100_000);
    const bomb = framed(gzipSync(Buffer.alloc(50 << 20)), 1);
    assert.ok(bomb.length < 100_000);
    isStatus(await call(client, { ':path': unary, 'grpc-encoding': 'gzip' }, bomb), 8, /larger than max/);
  });

  test('a message beyond the limit is refused by its prefix, in Go’s words', async (t) => {
    const { client } = await session(t, undefined, 1000);
    const prefix = framed(Buffer.alloc(0));
    prefix.writeUInt32BE(0xffff_ffff, 1);
    isStatus(await call(client, { ':path': unary }, prefix), 8, 'grpc: received message larger than max (4294967295 vs. 1000)');
    const large = framed(RangeRequest.encode({ ...ask(1), key: new Uint8Array(2000) }));
    isStatus(await call(client, { ':path': unary }, large), 8, 'grpc: received message larger than max (2005 vs. 1000)');
  });

  test('one request is one: none, two and a part of one are refused', async (t) => {
    const { client } = await session(t);
    isStatus(await call(client, { ':path': unary }), 12, /takes one request, and got none/);
    isStatus(await call(client, { ':path': unary }, request, request), 12, /takes one request, and got more than one/);
    isStatus(await call(client, { ':path': unary }, request.subarray(0, -1)), 13, /cut off/);
    isStatus(await call(client, { ':path': unary }, request.subarray(0, 3)), 13, /cut off/);
  });

  test('what is not protobuf is refused: cut off, too deep, text that is none', async (t) => {
    const { client } = await session(t);
    isStatus(await call(client, { ':path': unary }, framed(Uint8Array.of(0x0a, 0xff))), 13, /error unmarshalling request/);
    const deep = Buffer.concat([Buffer.alloc(5000, 0x0b), Buffer.alloc(5000, 0x0c)]);
    isStatus(await call(client, { ':path': unary }, framed(deep)), 13, /error unmarshalling request/);
  });
});

describe('Responses', () => {
  test('Trailers-Only: a call that fails before its first message has one block of headers', async (t) => {
    const { client } = await session(t, {
      unary: () => {
        throw new GrpcError('not-found', 'nothing\nhere: 100 % ключ');
      },
    });
    const { headers, body } = await call(client, { ':path': unary }, request);
    assert.equal(headers[':status'], 200);
    assert.equal(headers['content-type'], 'application/grpc');
    assert.equal(headers['grpc-status'], '5');
    assert.equal(headers['grpc-message'], 'nothing%0Ahere: 100 %25 %D0%BA%D0%BB%D1%8E%D1%87');
    assert.equal(body.length, 0);
  });

  test('Status-Details travel with the status', async (t) => {
    const details = Uint8Array.of(8, 5, 18, 2, 104, 105);
    const { client, channel } = await session(t, {
      unary: () => {
        throw new GrpcError('not-found', 'hi', { details });
      },
    });
    const { headers } = await call(client, { ':path': unary }, request);
    assert.equal(headers['grpc-status-details-bin'], Buffer.from(details).toString('base64').replace(/=+$/, ''));
    const { Echo: service } = await import('./testing/services.ts');
    await assert.rejects(channel.unary(service.methods.unary, ask(1)), (error) => {
      assert.deepEqual([...((error as GrpcError).details ?? [])], [...details]);
      return true;
    });
  });
});

describe('Connection management', () => {
  test('RST_STREAM: a caller that resets its stream cancels the call, and the connection goes on', async (t) => {
    const [started, aborted] = [signalled(), signalled()];
    const { client } = await session(t, {
      unary: ({ limit }, { signal }) => {
        if (limit === 7) return answer(7);
        signal.addEventListener('abort', () => aborted.resolve());
        started.resolve();
        return new Promise(() => undefined);
      },
    });
    const stream = client.request({ ...plain, ':path': unary });
    stream.on('error', () => undefined);
    stream.end(framed(RangeRequest.encode(ask(1))));
    await started.promise;
    stream.close(8);
    await aborted.promise;
    isStatus(await call(client, { ':path': unary }, request), 0, '');
  });

  test('PING: one that comes too often is told to calm down', async (t) => {
    const { client } = await session(t);
    const goaway = new Promise<string>((resolve) => {
      client.on('goaway', (code: number, _last: number, debug?: Buffer) => resolve(`${code} ${String(debug)}`));
    });
    client.on('error', () => undefined);
    await call(client, { ':path': unary }, request);
    const again = (): void => {
      if (!client.destroyed && !client.closed) client.ping(() => again());
    };
    again();
    assert.equal(await goaway, '11 too_many_pings');
  });
});
