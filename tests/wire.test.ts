// The client port as other programs see it: HTTP/1.1 beside gRPC, curl, nghttp and h2load, grpc-js and its kind with nothing but
// server reflection, and all of it over TLS, with certificates that are renewed under way.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { type IncomingHttpHeaders, connect as connectHttp2 } from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { createFileRegistry, create, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type TlsOptions, createClient } from '@distrokv/client';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb, health, reflection } from '@distrokv/proto';
import { createAuthority, type Authority } from './support/certificates.ts';
import { Distrokv, TestCluster, distrokv, freePorts, temporaryDirectory } from './support/cluster.ts';

const run = promisify(execFile);

/** Each after those that it imports. */
function inOrder(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const ordered: FileDescriptorProto[] = [];
  while (ordered.length < files.length) {
    const isReady = (file: FileDescriptorProto): boolean => file.dependency.every((name) => ordered.some((done) => done.name === name));
    ordered.push(...files.filter((file) => !ordered.includes(file) && isReady(file)));
  }
  return ordered;
}

async function isInstalled(program: string, ...args: string[]): Promise<boolean> {
  return run(program, args).then(
    () => true,
    () => false,
  );
}

describe('plain', () => {
  let cluster: TestCluster;
  let endpoint: string;
  before(async () => {
    cluster = await TestCluster.start(1);
    endpoint = cluster.endpoints[0] as string;
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** One request of HTTP/1.1. */
  function http(target: string, method = 'GET'): Promise<{ status: number | undefined; body: string }> {
    const [host, port] = endpoint.split(':');
    return new Promise((resolve, reject) => {
      const request = httpRequest({ host, port, path: target, method, agent: false }, (response) => {
        let body = '';
        response
          .setEncoding('utf8')
          .on('data', (text: string) => (body += text))
          .on('end', () => resolve({ status: response.statusCode, body }));
      });
      request.on('error', reject).end();
    });
  }

  test('the probes of etcd answer over HTTP/1.1 on the client port', async () => {
    assert.deepEqual(await http('/version'), { status: 200, body: '{"etcdserver":"3.7.1","etcdcluster":"3.7.0","storage":"3.7.0"}' });
    assert.deepEqual(await http('/health'), { status: 200, body: '{"health":"true","reason":""}' });
    assert.deepEqual(await http('/health?serializable=true'), { status: 200, body: '{"health":"true","reason":""}' });
    assert.deepEqual(await http('/livez'), { status: 200, body: 'ok' });
    assert.deepEqual(await http('/readyz'), { status: 200, body: 'ok' });
    const { body } = await http('/readyz?verbose&exclude=data_corruption');
    assert.equal(body, '[+]data_corruption excluded: ok\n[+]serializable_read ok\n[+]linearizable_read ok\nreadyz check passed\n');
    assert.deepEqual(await http('/livez/serializable_read'), { status: 200, body: 'ok' });
    assert.equal((await http('/livez/nothing')).status, 404);
    assert.equal((await http('/nothing')).status, 404);
    assert.equal((await http('/health', 'POST')).status, 405);
  });

  /** Sends bytes over one connection; resolves with all that came back once `isWhole` says so, or the server hung up. */
  function raw(bytes: string, isWhole: (got: string) => boolean = () => false): Promise<string> {
    const [host, port] = endpoint.split(':');
    return new Promise((resolve) => {
      let got = '';
      const socket = net.connect({ host: host as string, port: Number(port) }, () => socket.write(bytes));
      socket
        .setEncoding('latin1')
        .on('data', (text: string) => {
          got += text;
          if (isWhole(got)) socket.destroy();
        })
        .on('error', () => undefined)
        .on('close', () => resolve(got));
    });
  }

  const answers = (got: string): string[] => got.match(/HTTP\/1\.1 \d+|\{"health":"true","reason":""\}|\bok$|^ok/gm) ?? [];

  test('HTTP/1.1: requests one after the other on a connection, and several at once, answered in order', async () => {
    const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const got = await raw(get('/health') + get('/nothing') + get('/livez'), (text) => text.endsWith('ok'));
    assert.deepEqual(answers(got), ['HTTP/1.1 200', '{"health":"true","reason":""}', 'HTTP/1.1 404', 'HTTP/1.1 200', 'ok']);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i++) {
      const [host, port] = endpoint.split(':');
      await new Promise((resolve, reject) => {
        const request = httpRequest({ host, port, path: '/livez', agent }, (response) => response.resume().on('end', resolve));
        request.on('socket', (socket) => socket.once('connect', () => ports.add(socket.localPort)));
        request.on('error', reject).end();
      });
    }
    agent.destroy();
    assert.equal(ports.size, 1);
  });

  test('HTTP/1.1: HEAD has the headers of GET and no body', async () => {
    const got = await raw('HEAD /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(got, /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 62\r\n[^]*\r\n\r\n$/);
  });

  test('HTTP/1.1: what is no request, too large a head, a body that lies: an answer of 4xx, and the connection ends', async () => {
    assert.match(await raw('GET / HTTP/9.9\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await raw('what is this\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await raw('GET /health HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /, 'no host');
    assert.match(await raw(`GET /health HTTP/1.1\r\nHost: x\r\nA: ${'b'.repeat(100_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    assert.match(await raw(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 431 /);
    const smuggled =
      'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n';
    assert.match(await raw(smuggled), /^HTTP\/1\.1 400 /);
    assert.equal((await http('/livez')).body, 'ok', 'others are served as before');
  });

  test('HTTP/2 without gRPC: what a browser, or Prometheus, asks after ALPN', async () => {
    const session = connectHttp2(`http://${endpoint}`);
    const ask = (path: string, method = 'GET', body?: string): Promise<{ status: number; length: string | undefined; body: string }> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path, ':method': method });
        let got: IncomingHttpHeaders = {};
        let text = '';
        stream
          .setEncoding('utf8')
          .on('response', (headers) => (got = headers))
          .on('data', (part: string) => (text += part))
          .on('error', reject)
          .on('close', () => resolve({ status: Number(got[':status']), length: got['content-length'], body: text }));
        stream.end(body);
      });
    try {
      assert.deepEqual(await ask('/health'), { status: 200, length: '29', body: '{"health":"true","reason":""}' });
      assert.deepEqual(await ask('/version', 'HEAD'), { status: 200, length: '62', body: '' });
      assert.match((await ask('/metrics')).body, /^etcd_server_has_leader 1$/m);
      assert.deepEqual(await ask('/nothing?x=1'), { status: 404, length: '19', body: '404 page not found\n' });
      assert.equal((await ask('/health', 'POST', 'x'.repeat(1_000_000))).status, 405);
      assert.equal((await ask('/etcdserverpb.KV/Range', 'POST', 'x')).status, 415, 'a call, but not as gRPC has them');
      assert.equal((await Promise.all(Array.from({ length: 50 }, () => ask('/livez')))).filter(({ body }) => body === 'ok').length, 50);
    } finally {
      session.destroy();
    }
  });

  test('/metrics is the text format of Prometheus, with the names that dashboards for etcd look for', async () => {
    await run(process.execPath, [distrokv, 'put', 'k', 'v', '--endpoints', endpoint]);
    const { status, body } = await http('/metrics');
    assert.equal(status, 200);
    const values = new Map<string, number>();
    const lines = body.split('\n');
    assert.equal(lines.pop(), '', 'the last line ends too');
    for (let i = 0; i < lines.length; i += 3) {
      const name = /^# HELP (\S+) \S/.exec(lines[i] as string)?.[1] as string;
      assert.match(lines[i + 1] as string, new RegExp(`^# TYPE ${name} (gauge|counter)$`));
      const sample = /^([a-z_]+)(?:\{[a-z_]+="[^"]*"\})? (\d[\d.e+-]*)$/.exec(lines[i + 2] as string);
      assert.equal(sample?.[1], name, lines[i + 2]);
      assert.ok(!values.has(name), `${name} comes once`);
      values.set(name, Number(sample?.[2]));
    }
    assert.equal(values.get('etcd_server_has_leader'), 1);
    assert.equal(values.get('etcd_server_is_leader'), 1);
    assert.equal(values.get('etcd_server_leader_changes_seen_total'), 1);
    assert.equal(values.get('etcd_server_proposals_pending'), 0);
    assert.ok((values.get('etcd_server_proposals_applied_total') as number) >= 2);
    assert.equal(values.get('etcd_server_quota_backend_bytes'), 2_147_483_648);
    assert.ok((values.get('etcd_mvcc_db_total_size_in_bytes') as number) > 0);
    assert.ok(values.has('distrokv_event_loop_stalls_total') && values.has('distrokv_event_loop_stall_seconds_max'));
    assert.equal((await http('/metrics', 'POST')).status, 405);
  });

  test('the health service tells of the server and of its services', async () => {
    const channel = createChannel(endpoint);
    try {
      const { check, list, watch } = health.Health.methods;
      const serving = { status: health.ServingStatus.SERVING };
      assert.deepEqual(await channel.unary(check, { service: '' }), serving);
      assert.deepEqual(await channel.unary(check, { service: 'etcdserverpb.KV' }), serving);
      await assert.rejects(channel.unary(check, { service: 'nothing' }), { code: 'not-found' });
      assert.deepEqual((await channel.unary(list, {})).statuses.get('etcdserverpb.KV'), serving);
      const call = channel.stream(watch);
      call.send({ service: '' });
      call.finish();
      const first = await call.responses[Symbol.asyncIterator]().next();
      assert.deepEqual(first.value, serving);
      call.cancel();
    } finally {
      channel.close();
    }
  });

  test('server reflection is enough to call what is served', async () => {
    const channel = createChannel(endpoint);
    try {
      const call = channel.stream(reflection.ServerReflection.methods.serverReflectionInfo);
      const answers = call.responses[Symbol.asyncIterator]();
      const ask = async (
        messageRequest: reflection.ServerReflectionRequest['messageRequest'],
      ): Promise<reflection.ServerReflectionResponse['messageResponse']> => {
        call.send({ host: '', messageRequest });
        const { value } = await answers.next();
        return value?.messageResponse;
      };
      const listed = await ask({ case: 'listServices', value: '*' });
      assert.ok(listed?.case === 'listServicesResponse');
      const names = listed.value.service.map(({ name }) => name);
      for (const name of [
        'etcdserverpb.KV',
        'etcdserverpb.Watch',
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'proto.KVService',
      ])
        assert.ok(names.includes(name), `${name} in ${names.join()}`);
      for (const symbol of names) {
        const found = await ask({ case: 'fileContainingSymbol', value: symbol });
        assert.ok(found?.case === 'fileDescriptorResponse', symbol);
        const files = found.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
        // Whatever is asked for, what it imports comes along.
        const names = new Set(files.map((file) => file.name));
        for (const file of files) for (const name of file.dependency) assert.ok(names.has(name), `${name} for ${symbol}`);
        const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: inOrder(files) }));
        assert.ok(registry.getService(symbol), symbol);
      }
      const missing = await ask({ case: 'fileContainingSymbol', value: 'no.Such' });
      assert.deepEqual(missing, { case: 'errorResponse', value: { errorCode: 5, errorMessage: 'Symbol not found: no.Such' } });
    } finally {
      channel.close();
    }
  });

  test('curl speaks HTTP/1.1 and, with prior knowledge, gRPC', async (t) => {
    if (!(await isInstalled('curl', '--version'))) return t.skip('curl is not installed here');
    assert.equal((await run('curl', ['-s', `http://${endpoint}/health`])).stdout, '{"health":"true","reason":""}');
    const directory = temporaryDirectory();
    const body = path.join(directory, 'range');
    await writeFile(body, Uint8Array.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]));
    const { stdout } = await run('curl', [
      ...['-s', '-v', '--http2-prior-knowledge', '--data-binary', `@${body}`, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      ...[
        '--output',
        path.join(directory, 'out'),
        '--write-out',
        '%{http_version} %{response_code}',
        `http://${endpoint}/etcdserverpb.KV/Range`,
      ],
    ]);
    assert.equal(stdout, '2 200');
  });

  test('nghttp and h2load find nothing to complain of', async (t) => {
    if (!(await isInstalled('nghttp', '--version'))) return t.skip('nghttp is not installed here (nghttp2-client)');
    const body = path.join(temporaryDirectory(), 'range');
    await writeFile(body, Uint8Array.from([0, 0, 0, 0, 3, 0x0a, 1, 0x61]));
    const headers = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
    const shown = await run('nghttp', ['-v', '-d', body, ...headers, `http://${endpoint}/etcdserverpb.KV/Range`]);
    assert.match(shown.stdout, /grpc-status: 0/);
    const load = await run('h2load', [
      '-n',
      '5000',
      '-c',
      '10',
      '-m',
      '50',
      '-d',
      body,
      ...headers,
      `http://${endpoint}/etcdserverpb.KV/Range`,
    ]);
    assert.match(load.stdout, /5000 succeeded, 0 failed, 0 errored/);
  });
});

describe('over TLS', () => {
  const directory = temporaryDirectory();
  const file = (name: string): string => path.join(directory, name);
  let authority: Authority;
  let cluster: TestCluster;

  async function renew(name: string, commonName: string): Promise<void> {
    const { cert, key } = await authority.issue(commonName);
    await writeFile(file(`${name}.crt`), cert);
    await writeFile(file(`${name}.key`), key);
  }

  before(async () => {
    authority = await createAuthority('ours');
    await writeFile(file('ca.crt'), authority.cert);
    await Promise.all([renew('server', 'server'), renew('peer', 'peer'), renew('client', 'alice')]);
    cluster = await TestCluster.start(3, [
      ...['--cert-file', file('server.crt'), '--key-file', file('server.key'), '--trusted-ca-file', file('ca.crt'), '--client-cert-auth'],
      ...['--peer-cert-file', file('peer.crt'), '--peer-key-file', file('peer.key'), '--peer-trusted-ca-file', file('ca.crt')],
      '--peer-client-cert-auth',
    ]);
  });
  after(() => cluster[Symbol.asyncDispose]());

  const flags = (): string[] => ['--cacert', file('ca.crt'), '--cert', file('client.crt'), '--key', file('client.key')];

  test('three members that show each other certificates serve our command line', async () => {
    const endpoints = `--endpoints=${cluster.endpoints.map((each) => `https://${each}`).join()}`;
    const cli = async (...args: string[]): Promise<string> =>
      (await run(process.execPath, [distrokv, ...args, endpoints, ...flags()])).stdout;
    assert.equal(await cli('put', 'a', '1'), 'OK\n');
    assert.equal(await cli('get', 'a'), 'a\n1\n');
  });

  test('etcdctl too', async (t) => {
    if (!(await isInstalled('etcdctl', 'version'))) return t.skip('etcdctl is not installed here (etcd-client)');
    for (const endpoint of cluster.endpoints) {
      const etcdctl = ['--endpoints', `https://${endpoint}`, ...flags()];
      assert.equal((await run('etcdctl', [...etcdctl, 'put', 'b', endpoint])).stdout, 'OK\n');
      assert.equal((await run('etcdctl', [...etcdctl, 'get', 'b'])).stdout, `b\n${endpoint}\n`);
    }
  });

  test('HTTP over HTTP/2, which curl and Prometheus choose by ALPN, reaches the same handlers', async (t) => {
    if (!(await isInstalled('curl', '--version'))) return t.skip('curl is not installed here');
    const { stdout } = await run('curl', ['-s', '-w', ' %{http_version}', ...flags(), `https://${cluster.endpoints[0]}/health`]);
    assert.equal(stdout, '{"health":"true","reason":""} 2');
  });

  test('HTTP/1.1 is found by ALPN', async (t) => {
    if (!(await isInstalled('curl', '--version'))) return t.skip('curl is not installed here');
    const { stdout } = await run('curl', ['-s', '--http1.1', ...flags(), `https://${cluster.endpoints[0]}/health`]);
    assert.equal(stdout, '{"health":"true","reason":""}');
  });

  test('who is not let in learns why, and so does the log: no certificate, one of another authority, no TLS, an authority that is not the server’s', async () => {
    const ca = Buffer.from(authority.cert);
    const theirs = await createAuthority('theirs');
    const { cert, key } = await theirs.issue('mallory');
    const { endpoints } = cluster;
    const cases: readonly (readonly [endpoint: string, tls: TlsOptions | undefined, client: RegExp, log: RegExp | undefined])[] = [
      [`https://${endpoints[0]}`, { ca }, /may want a certificate, or not trust/, /"reason":"TLS: peer did not return a certificate"/],
      [
        `https://${endpoints[0]}`,
        { ca, cert: Buffer.from(cert), key: Buffer.from(key) },
        /may want a certificate, or not trust/,
        /"reason":"TLS: the certificate of the other side is not taken: unable to verify/,
      ],
      [
        `http://${endpoints[0]}`,
        undefined,
        /hung up before a word of HTTP\/2: it may want TLS/,
        /"reason":"TLS: (wrong version number|http request)"/,
      ],
      // The client hangs up by itself; of that the server hears nothing.
      [`https://${endpoints[0]}`, { ca: Buffer.from(theirs.cert) }, /TLS: .*(self-signed|verify|issuer)/, undefined],
    ];
    for (const [endpoint, tls, told, logged] of cases) {
      const stranger = createClient({ endpoints: [endpoint], ...(tls !== undefined && { tls }), requestTimeoutMs: 5000 });
      await assert.rejects(stranger.get('a'), told);
      await stranger.close();
      while (logged?.test(cluster.process(0).output) === false) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const line of cluster
      .process(0)
      .output.split('\n')
      .filter((each) => each.includes('refused a connection')))
      assert.match(line, /"from":"127\.0\.0\.1:\d+"/);
  });

  test('half-open TLS and requests of HTTP/1.1 that never end: a thousand keep nobody out, and are hung up on', async (t) => {
    const [host, port] = (cluster.endpoints[1] as string).split(':') as [string, string];
    const client = { cert: await readFile(file('client.crt')), key: await readFile(file('client.key')) };
    const hello = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]); // The start of a ClientHello of 512 bytes.
    const open = Array.from({ length: 1000 }, (_, i) => {
      const socket = net.connect(Number(port), host).on('error', () => undefined);
      if (i % 2 === 0) socket.write(hello);
      return socket;
    });
    t.after(() => open.forEach((socket) => socket.destroy()));
    const options = {
      ...{ host, port: Number(port), ca: authority.cert, ALPNProtocols: ['http/1.1'] },
      ...client,
    };
    for (let i = 0; i < 20; i++) {
      const socket = tls.connect(options, () => socket.write('GET /health HTTP/1.1\r\nHost: x\r\n'));
      open.push(socket.on('error', () => undefined));
    }
    const closed = Promise.all(open.map((socket) => new Promise((resolve) => socket.resume().on('close', resolve))));
    await Promise.all(open.map((socket) => once(socket, 'connect')));
    const honest = createClient({ endpoints: [`https://${cluster.endpoints[1]}`], tls: { ca: Buffer.from(authority.cert), ...client } });
    const startMs = performance.now();
    await honest.get('a');
    t.diagnostic(`a handshake and a get beside them took ${(performance.now() - startMs).toFixed()} ms`);
    await honest.close();
    await closed; // The server gives each ten seconds, and looks after requests every five.
    t.diagnostic(`the last was hung up on after ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  });

  test('a renewed certificate is shown without a restart', async () => {
    const [host, port] = (cluster.endpoints[0] as string).split(':') as [string, string];
    const shown = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        const options = { host, port: Number(port), ca: authority.cert, ALPNProtocols: ['h2'], rejectUnauthorized: false };
        const socket = tls.connect(options, () => {
          const { CN } = socket.getPeerCertificate().subject;
          resolve(Array.isArray(CN) ? CN[0] : CN);
          socket.destroy();
        });
        socket.on('error', reject);
      });
    assert.equal(await shown(), 'server');
    await renew('server', 'renewed');
    while ((await shown()) !== 'renewed') await new Promise((resolve) => setTimeout(resolve, 100));
  });

  test('what does not fit together is told, and nothing is started', async () => {
    const [port] = await freePorts(1);
    const secure = ['--listen-client-urls', `https://127.0.0.1:${port}`, '--advertise-client-urls', `https://127.0.0.1:${port}`];
    const cases: readonly (readonly [args: readonly string[], told: RegExp])[] = [
      [['--listen-client-urls', 'https://127.0.0.1:1'], /https:\/\/127\.0\.0\.1:1 needs a certificate: say --cert-file and --key-file/],
      [['--cert-file', file('server.crt')], /cert-file and key-file go together/],
      [['--client-cert-auth'], /client-cert-auth: needs --cert-file/],
      [[...secure, '--cert-file', file('server.crt'), '--key-file', file('client.key')], /no good: .*key values mismatch/],
      [[...secure, '--cert-file', file('missing.crt'), '--key-file', file('server.key')], /cannot open .*missing\.crt/],
      [
        [...secure, '--cert-file', file('server.crt'), '--key-file', file('server.key'), '--trusted-ca-file', file('server.key')],
        /there is no certificate among the authorities/,
      ],
    ];
    for (const [args, told] of cases) {
      const process = new Distrokv(['server', '--data-dir', file('none'), ...args]);
      assert.notEqual((await process.exited).code, 0);
      assert.match(process.errors, told);
      assert.equal(existsSync(file('none')), false);
    }
  });
});

test('a range over gRPC with a deadline of a day', async () => {
  await using cluster = await TestCluster.start(1);
  const channel = createChannel(cluster.endpoints[0] as string);
  const { count } = await channel.unary(pb.KV.methods.range, pb.RangeRequest.create({ key: Buffer.from('a') }), { timeoutMs: 86_400_000 });
  assert.equal(count, 0);
  channel.close();
});
