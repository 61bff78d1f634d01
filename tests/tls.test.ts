// TLS on the host's network: who is let in, what is agreed on, and how certificates are renewed.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { deferred, fromUtf8, utf8 } from '@distrokv/base';
import { type ListenOptions, type Listener, NetError, type Socket, createNodeEnv } from '@distrokv/env';
import { createChannel, createServer } from '@distrokv/grpc';
import { etcdserverpb as pb, type Method } from '@distrokv/proto';
import { createAuthority, type Pem } from './support/certificates.ts';

const nodeNetwork = createNodeEnv().net;

const identity = ({ cert, key }: Pem) => ({ cert: utf8(cert), key: utf8(key) });

const quiet = { onDrain: () => undefined, onEnd: () => undefined, onClose: () => undefined };

/** A listener that says to everyone what it knows of them. */
async function serve(t: TestContext, options: Omit<ListenOptions, 'host' | 'port'>): Promise<Listener> {
  const sockets = new Set<Socket>();
  const listener = await nodeNetwork.listen({ host: '127.0.0.1', port: 0, ...options }, (socket) => {
    sockets.add(socket);
    socket.open({ ...quiet, onData: () => undefined });
    socket.write(utf8(`${socket.tls?.protocol} ${socket.tls?.peerCommonName}`));
  });
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await listener.close();
  });
  return listener;
}

/** What the server says first; rejects when it hangs up without a word. */
function firstWords(socket: Socket): Promise<string> {
  const words = deferred<string>();
  socket.open({
    ...quiet,
    onData: (bytes) => words.resolve(fromUtf8(bytes)),
    onEnd: () => {
      words.reject(new NetError('reset'));
      socket.destroy();
    },
    onClose: (error) => words.reject(error ?? new NetError('reset')),
  });
  return words.promise;
}

const address = (listener: Listener) => ({ host: '127.0.0.1', port: listener.port });

test('client and server check each other and agree on a protocol', async (t) => {
  const authority = await createAuthority('ours');
  const server = await authority.issue('server');
  const client = await authority.issue('alice');
  const ca = utf8(authority.cert);
  const listener = await serve(t, { tls: { identity: identity(server), clientCa: ca, protocols: ['h2', 'http/1.1'] } });
  const socket = await nodeNetwork.connect({ ...address(listener), tls: { ca, identity: identity(client), protocols: ['h2'] } });
  assert.deepEqual(socket.tls, { protocol: 'h2', peerCommonName: 'server' });
  assert.equal(await firstWords(socket), 'h2 alice');
  socket.destroy();
});

test('who shows no certificate, or a stranger’s, is kept out, and the listener hears of it', async (t) => {
  const [ours, theirs] = await Promise.all([createAuthority('ours'), createAuthority('theirs')]);
  const ca = utf8(ours.cert);
  const refused: string[] = [];
  const heard = deferred<void>();
  const listener = await serve(t, {
    tls: { identity: identity(await ours.issue('server')), clientCa: ca, protocols: ['h2'] },
    onRefused: (remote) => {
      if (refused.push(remote) === 2) heard.resolve();
    },
  });
  for (const shown of [undefined, identity(await theirs.issue('mallory'))]) {
    // With TLS 1.3 a client may think itself connected before the server has looked at its certificate.
    const attempt = nodeNetwork
      .connect({ ...address(listener), tls: { ca, protocols: ['h2'], ...(shown && { identity: shown }) } })
      .then(firstWords);
    await assert.rejects(attempt, NetError);
  }
  await heard.promise;
  assert.match(refused[0] ?? '', /^127\.0\.0\.1:\d+$/);
});

test('a client does not talk to a server that it cannot check, unless it is told to', async (t) => {
  const authority = await createAuthority('ours');
  const listener = await serve(t, { tls: { identity: identity(await authority.issue('server')), protocols: ['h2'] } });
  await assert.rejects(nodeNetwork.connect({ ...address(listener), tls: { protocols: ['h2'] } }), { code: 'tls' });
  const socket = await nodeNetwork.connect({ ...address(listener), tls: { protocols: ['h2'], insecureSkipVerify: true } });
  assert.equal(await firstWords(socket), 'h2 undefined');
  socket.destroy();
});

test('a renewed certificate meets the next connections; one that is none changes nothing', async (t) => {
  const authority = await createAuthority('ours');
  const ca = utf8(authority.cert);
  const options = async (name: string) => ({ identity: identity(await authority.issue(name)), protocols: ['h2'] });
  const listener = await serve(t, { tls: await options('before') });
  const nameNow = async (): Promise<string | undefined> => {
    const socket = await nodeNetwork.connect({ ...address(listener), tls: { ca, protocols: ['h2'] } });
    await firstWords(socket);
    socket.destroy();
    return socket.tls?.peerCommonName;
  };
  assert.equal(await nameNow(), 'before');
  listener.setTls(await options('after'));
  assert.equal(await nameNow(), 'after');
  assert.throws(() => listener.setTls({ identity: { cert: utf8('none'), key: utf8('none') }, protocols: ['h2'] }), { code: 'tls' });
  assert.equal(await nameNow(), 'after');
  await assert.rejects(
    nodeNetwork.listen(
      { host: '127.0.0.1', port: 0, tls: { identity: { cert: utf8('none'), key: utf8('none') }, protocols: [] } },
      () => undefined,
    ),
    { code: 'tls' },
  );
});

test('RFC 9113 §9.2.1: no renegotiation of TLS 1.2, and nothing older', async (t) => {
  const authority = await createAuthority('ours');
  const listener = await serve(t, { tls: { identity: identity(await authority.issue('server')), protocols: ['h2'] } });
  const dial = (options: ConnectionOptions): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ ...address(listener), ca: authority.cert, ALPNProtocols: ['h2'], ...options }, () => resolve(socket));
      socket.once('error', reject);
      t.after(() => socket.destroy());
    });
  const old = await dial({ maxVersion: 'TLSv1.2' });
  assert.equal(old.getProtocol(), 'TLSv1.2');
  const why = await new Promise<Error | null>((resolve) => {
    old.on('error', resolve);
    old.renegotiate({}, resolve);
  });
  assert.match(String(why), /no renegotiation/);
  await assert.rejects(dial({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
});

test('RFC 9113 §3.2: who offers no protocol that is spoken here is told so by TLS', async (t) => {
  const authority = await createAuthority('ours');
  const listener = await serve(t, { tls: { identity: identity(await authority.issue('server')), protocols: ['h2'] } });
  await assert.rejects(nodeNetwork.connect({ ...address(listener), tls: { ca: utf8(authority.cert), protocols: ['spdy/3'] } }), {
    code: 'tls',
    message: /no application protocol/,
  });
});

test('a connection that never shakes hands does not keep others out', async (t) => {
  const authority = await createAuthority('ours');
  const listener = await serve(t, { tls: { identity: identity(await authority.issue('server')), protocols: ['h2'] } });
  const idle = Array.from({ length: 50 }, () => connectTcp(listener.port, '127.0.0.1').on('error', () => undefined));
  t.after(() => idle.forEach((socket) => socket.destroy()));
  const socket = await nodeNetwork.connect({ ...address(listener), tls: { ca: utf8(authority.cert), protocols: ['h2'] } });
  assert.equal(await firstWords(socket), 'h2 undefined');
  socket.destroy();
});

test('large messages are sent from memory that is used again, and TLS has read it by then', async (t) => {
  const authority = await createAuthority('ours');
  const tls = { identity: identity(await authority.issue('server')) };
  const server = createServer();
  const method: Method<pb.PutRequest, pb.PutRequest, 'server-stream'> = {
    path: '/test.Large/Stream',
    kind: 'server-stream',
    request: pb.PutRequest,
    response: pb.PutRequest,
  };
  const messages = 100;
  server.addService(
    { typeName: 'test.Large', methods: { stream: method } },
    {
      async stream(_, call) {
        for (let i = 0; i < messages; i++) {
          const value = new Uint8Array(300_000 + 5000 * i).fill(i);
          if (!call.send(pb.PutRequest.create({ value }))) await call.writable();
        }
      },
    },
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
  const channel = createChannel(`127.0.0.1:${port}`, { tls: { ca: utf8(authority.cert) } });
  t.after(async () => {
    channel.close();
    await server.close({ graceMs: 0 });
  });
  const call = channel.stream(method);
  call.send(pb.PutRequest.create({}));
  call.finish();
  let came = 0;
  for await (const { value } of call.responses) {
    assert.equal(value.length, 300_000 + 5000 * came);
    assert.ok(
      value.every((byte) => byte === came),
      `message ${came}`,
    );
    came++;
  }
  assert.equal(came, messages);
});
