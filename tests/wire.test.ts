// The client port as other programs see it: HTTP/1.1 beside gRPC, curl, nghttp and h2load, grpc-js and its kind with nothing but
// server reflection, and all of it over TLS, with certificates that are renewed under way.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { createFileRegistry, create, fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@distrokv/client';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb, health, reflection } from '@distrokv/proto';
import { createAuthority, type Authority } from './support/certificates.ts';
import { Distrokv, TestCluster, distrokv, temporaryDirectory } from './support/cluster.ts';

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

  test('HTTP/1.1 is found by ALPN', async (t) => {
    if (!(await isInstalled('curl', '--version'))) return t.skip('curl is not installed here');
    const { stdout } = await run('curl', ['-s', '--http1.1', ...flags(), `https://${cluster.endpoints[0]}/health`]);
    assert.equal(stdout, '{"health":"true","reason":""}');
  });

  test('without a certificate, or in plain text, nobody is served', async () => {
    const ca = Buffer.from(authority.cert);
    const stranger = createClient({ endpoints: [`https://${cluster.endpoints[0]}`], tls: { ca }, requestTimeoutMs: 3000 });
    await assert.rejects(stranger.get('a'));
    await stranger.close();
    const plain = createClient({ endpoints: [`http://${cluster.endpoints[0]}`], requestTimeoutMs: 3000 });
    await assert.rejects(plain.get('a'));
    await plain.close();
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
    const cases: readonly (readonly [args: readonly string[], told: RegExp])[] = [
      [['--listen-client-urls', 'https://127.0.0.1:1'], /https:\/\/127\.0\.0\.1:1 needs a certificate: say --cert-file and --key-file/],
      [['--cert-file', file('server.crt')], /cert-file and key-file go together/],
      [['--client-cert-auth'], /client-cert-auth: needs --cert-file/],
    ];
    for (const [args, told] of cases) {
      const process = new Distrokv(['server', '--data-dir', file('none'), ...args]);
      assert.notEqual((await process.exited).code, 0);
      assert.match(process.errors, told);
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
