// Our two sides against Node's own HTTP/2 (nghttp2), over real sockets: what one encodes the other must read. Nothing here waits for time.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http2 from 'node:http2';
import net from 'node:net';
import { describe, test } from 'node:test';
import { type Random, seededRandom } from '@distrokv/base';
import {
  type ClientConnection,
  createClientConnection,
  createServerConnection,
  HeaderBlock,
  type HeaderList,
  type Stream,
} from './index.ts';
import { bindSocket } from './testing/socket.ts';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Names and values that HTTP allows, some of them long, some of them repeated. */
function someHeaders(random: Random): [string, string][] {
  return Array.from({ length: random.below(8) }, (_, i) => {
    const name = random.chance(0.7) ? `x-${random.below(20)}` : 'user-agent';
    const length = random.chance(0.1) ? random.below(2000) : random.below(20);
    const obsolete = random.chance(0.1); // nghttp2 drops fields with DEL, which RFC 9110 §5.5 does not have.
    const value = Array.from({ length }, () =>
      String.fromCharCode(obsolete ? random.between(0x80, 0xff) : random.between(0x21, 0x7e)),
    ).join('');
    return [`${name}-${i}`, value];
  });
}

/** Answers with what it got: the headers that begin with x-, and the body. */
function echoServer(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = net.createServer((socket) => {
    bindSocket(socket, (events) =>
      createServerConnection<{ list: HeaderList; parts: Uint8Array[] }>({
        ...events,
        onHeaders(stream, list, ends) {
          stream.context = { list, parts: [] };
          if (ends) answer(stream);
        },
        onData(stream, bytes, ends) {
          stream.context?.parts.push(bytes.slice());
          stream.consume(bytes.length);
          if (ends) answer(stream);
        },
        onTrailers: (stream) => answer(stream),
        onReset: () => undefined,
      }),
    );
  });
  const answer = (stream: Stream<{ list: HeaderList; parts: Uint8Array[] }>): void => {
    const { list, parts } = stream.context as { list: HeaderList; parts: Uint8Array[] };
    const own: string[] = [];
    for (let i = 0; i < list.length; i += 2)
      if (/^(x-|user-agent-)/.test(list[i] as string)) own.push(list[i] as string, list[i + 1] as string);
    stream.sendHeaders([':status', '103', 'link', 'early']);
    stream.sendHeaders([':status', '200', ...own]);
    for (const part of parts) stream.sendData(part);
    stream.sendHeaders(['x-digest', digest(Buffer.concat(parts))], true);
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as net.AddressInfo).port, close: () => server.close() }));
  });
}

describe("Node's client, our server", () => {
  test('200 calls with random headers and bodies up to 3 MB, many at once', async (t) => {
    const server = await echoServer();
    t.after(server.close);
    const client = http2.connect(`http://127.0.0.1:${server.port}`, { settings: { headerTableSize: 1000 } });
    t.after(() => client.destroy());
    const random = seededRandom(11);
    const call = async (): Promise<void> => {
      const sent = someHeaders(random);
      const body = Buffer.from(random.bytes(random.chance(0.02) ? 3_000_000 : random.below(5000)));
      const stream = client.request({ ':method': 'POST', ':path': '/echo', ...Object.fromEntries(sent) });
      stream.end(body);
      const got = await new Promise<http2.IncomingHttpHeaders>((resolve, reject) => {
        stream.once('response', resolve);
        stream.once('error', reject);
      });
      let trailers: http2.IncomingHttpHeaders = {};
      stream.once('trailers', (list) => (trailers = list));
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      assert.deepEqual(
        Object.entries(got).filter(([name]) => /^(x-|user-agent-)/.test(name)),
        sent,
      );
      assert.equal(digest(Buffer.concat(parts)), digest(body));
      assert.equal(trailers['x-digest'], digest(body));
    };
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 20 }, call));
    client.close();
  });

  test('a shutdown in order lets the call under way end', async (t) => {
    let connection: ReturnType<typeof createServerConnection> | undefined;
    const server = net.createServer((socket) => {
      connection = bindSocket(socket, (events) =>
        createServerConnection({
          ...events,
          onHeaders(stream) {
            connection?.shutdown();
            stream.sendHeaders([':status', '200']);
            stream.sendData(new Uint8Array(200_000), true);
          },
          onData: () => undefined,
          onTrailers: () => undefined,
          onReset: () => undefined,
        }),
      );
    });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = http2.connect(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    t.after(() => client.destroy());
    const closed = new Promise((resolve) => client.once('close', resolve));
    const stream = client.request({ ':path': '/' });
    let bytes = 0;
    for await (const part of stream) bytes += (part as Buffer).length;
    assert.equal(bytes, 200_000);
    await closed;
  });
});

describe("our client, Node's server", () => {
  test('200 calls with random headers and bodies, as many at once as it allows', async (t) => {
    const server = http2.createServer({
      settings: { maxConcurrentStreams: 7, initialWindowSize: 1000, headerTableSize: 300, maxFrameSize: 20_000 },
    });
    server.on('stream', (stream, list) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('error', () => undefined);
      stream.on('end', () => {
        const own = Object.fromEntries(Object.entries(list).filter(([name]) => /^(x-|user-agent-)/.test(name)));
        stream.additionalHeaders({ ':status': 103 });
        stream.respond({ ':status': 200, ...own }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-digest': digest(Buffer.concat(parts)) }));
        stream.end(Buffer.concat(parts));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    t.after(() => {
      socket.destroy();
      server.close();
    });
    interface Call {
      readonly sent: HeaderList;
      readonly digest: string;
      readonly parts: Uint8Array[];
      list: HeaderList;
      readonly resolve: (trailers: HeaderList) => void;
      readonly reject: (error: Error) => void;
    }
    const waiting: (() => void)[] = [];
    let known = (): void => undefined;
    const settings = new Promise<void>((resolve) => (known = resolve)); // Before these a client can only guess how much is allowed.
    const client = bindSocket(socket, (events) =>
      createClientConnection<Call>({
        ...events,
        onHeaders(stream, list) {
          (stream.context as Call).list = list;
        },
        onData(stream, bytes) {
          stream.context?.parts.push(bytes.slice());
          stream.consume(bytes.length);
        },
        onTrailers: (stream, trailers) => stream.context?.resolve(trailers),
        onReset: (stream, { message }) => stream.context?.reject(new Error(message)),
        onSettings: () => known(),
        onCapacity: () => waiting.splice(0).forEach((go) => go()),
      }),
    ) as ClientConnection<Call>;
    const random = seededRandom(12);
    const block = new HeaderBlock([':method', 'POST', ':scheme', 'http', ':path', '/echo', ':authority', 'localhost']);
    const call = async (): Promise<void> => {
      const sent = someHeaders(random).flat();
      const body = random.bytes(random.chance(0.02) ? 1_000_000 : random.below(5000));
      const trailers = await new Promise<HeaderList>((resolve, reject) => {
        const open = (): void => {
          const state: Call = { sent, digest: digest(body), parts: [], list: [], resolve, reject };
          const stream = client.openStream(block, false, state, sent);
          if (stream === undefined) {
            waiting.push(open);
            return;
          }
          stream.sendData(body, true);
          stream.context = state;
          states.add(state);
        };
        open();
      });
      assert.deepEqual(trailers, ['x-digest', digest(body)]);
    };
    const states = new Set<Call>();
    await settings;
    assert.equal(client.availableStreams, 7);
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 20 }, call));
    assert.equal(states.size, 200);
    for (const { sent, digest: expected, parts, list } of states) {
      assert.equal(digest(Buffer.concat(parts)), expected);
      assert.deepEqual(
        list.filter((_, i) => /^(x-|user-agent-)/.test(list[i - (i % 2)] as string)),
        sent,
      );
    }
    client.shutdown();
    await new Promise((resolve) => socket.once('close', resolve));
  });
});
