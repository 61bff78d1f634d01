// What goes wrong for people: each mistake gets one clear line or the right status, and nothing is touched or lost.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { GrpcError, createChannel } from '@distrokv/grpc';
import { type Method, etcdserverpb as pb } from '@distrokv/proto';
import { Api } from './support/api.ts';
import { Distrokv, TestCluster, freePorts, temporaryDirectory } from './support/cluster.ts';

/** Arguments of a server on free ports and a fresh directory, but for those given. */
async function serverArguments(overrides: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const [client, peer] = await freePorts(2);
  const flags: Record<string, string> = {
    name: 'n1',
    'data-dir': path.join(temporaryDirectory(), 'data'),
    'listen-client-urls': `http://127.0.0.1:${client}`,
    'advertise-client-urls': `http://127.0.0.1:${client}`,
    'listen-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${peer}`,
    'initial-cluster': `n1=http://127.0.0.1:${peer}`,
    ...overrides,
  };
  return ['server', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
}

const dataDirectoryOf = (args: readonly string[]): string =>
  (args.find((arg) => arg.startsWith('--data-dir=')) as string).slice('--data-dir='.length);

/** Starts a server that must refuse to start: one line that matches `clear`. */
async function refusal(args: readonly string[], clear: RegExp): Promise<void> {
  const server = new Distrokv(args);
  const { code } = await server.exited;
  assert.ok(code !== 0, `exit code ${code}`);
  const lines = server.errors.trim().split('\n');
  assert.equal(lines.length, 1, `one line, not:\n${server.errors}`);
  assert.match(lines[0] as string, clear);
}

test('a busy client or peer port is named, and nothing is touched', async () => {
  const busy = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => busy.once('listening', resolve));
  const url = `http://127.0.0.1:${(busy.address() as net.AddressInfo).port}`;
  for (const flags of [{ 'listen-client-urls': url, 'advertise-client-urls': url }, { 'listen-peer-urls': url }]) {
    const args = await serverArguments(flags);
    await refusal(args, new RegExp(`${Object.keys(flags)[0]}: ${url}.*in use`));
    assert.ok(!fs.existsSync(dataDirectoryOf(args)), 'no data directory was made');
  }
  busy.close();
});

test('settings that make no sense are named', async () => {
  await refusal(
    await serverArguments({ 'listen-client-urls': 'localhost:2379' }),
    /listen-client-urls: "localhost:2379" is not of the form/,
  );
  await refusal(await serverArguments({ 'initial-cluster': 'n2=http://127.0.0.1:1' }), /initial-cluster: does not name this member "n1"/);
  await refusal(await serverArguments({ 'initial-cluster': 'n1' }), /initial-cluster: "n1" is not of the form/);
  await refusal(await serverArguments({ 'election-timeout': '200' }), /election-timeout: 200 ms is too short/);
  await refusal(await serverArguments({ 'no-such-flag': '1' }), /no-such-flag/);
});

test('a data directory in use names the process that holds it; what is newer or damaged is left alone', async () => {
  await using cluster = await TestCluster.start(1);
  const directory = cluster.dataDirectory(0);
  const holder = cluster.process(0).child.pid;
  await refusal(await serverArguments({ 'data-dir': directory }), new RegExp(`LOCK.*process ${holder}`));
  using api = new Api(cluster.endpoints[0] as string);
  await api.put('kept', 'yes');
  await cluster.kill(0);

  const version = path.join(directory, 'VERSION');
  const before = fs.readFileSync(version);
  fs.writeFileSync(version, 'distrokv 999\n');
  await refusal(await serverArguments({ 'data-dir': directory }), /has the format 999.*start the version that wrote it/);
  fs.writeFileSync(version, before);

  const segment = path.join(directory, 'raft', fs.readdirSync(path.join(directory, 'raft'))[0] as string);
  const bytes = fs.readFileSync(segment);
  const damaged = Buffer.from(bytes);
  damaged[30] = (damaged[30] as number) ^ 1;
  fs.writeFileSync(segment, damaged);
  await refusal(await serverArguments({ 'data-dir': directory }), /raftlog is corrupt at byte 28.*nothing was changed/);
  assert.deepEqual(fs.readFileSync(segment), damaged, 'the damaged file was not touched');
  fs.writeFileSync(segment, bytes);

  const manifest = path.join(directory, 'db', 'manifest');
  const sound = fs.readFileSync(manifest);
  const broken = Buffer.from(sound);
  broken[40] = (broken[40] as number) ^ 1;
  fs.writeFileSync(manifest, broken);
  await refusal(await serverArguments({ 'data-dir': directory }), /manifest is corrupt at byte \d+.*nothing was changed.*lsm verify/);
  assert.deepEqual(fs.readFileSync(manifest), broken, 'the damaged manifest was not touched');
  fs.writeFileSync(manifest, sound);

  await cluster.startAll();
  using again = new Api(cluster.endpoints[0] as string);
  assert.equal((await again.all({ serializable: false })).count, 1);
});

async function status(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GrpcError, `fails with a status, not ${String(error)}`);
  return `${error.code}: ${error.message}`;
}

test('bad requests get the status and text that etcd gives', async () => {
  await using cluster = await TestCluster.start(1);
  const endpoint = cluster.endpoints[0] as string;
  using api = new Api(endpoint);
  assert.equal(await status(api.put('', 'x')), 'invalid-argument: etcdserver: key is not provided');
  assert.equal(await status(api.put('k', 'x'.repeat(1_572_864))), 'invalid-argument: etcdserver: request is too large');
  assert.match(await status(api.put('k', 'x'.repeat(3_000_000))), /^resource-exhausted: .*larger than max/);
  assert.match(
    await status(api.range({ key: Uint8Array.of(1), revision: 99 })),
    /^out-of-range: etcdserver: mvcc: required revision is a future revision$/,
  );

  const channel = createChannel(endpoint);
  const raw = {
    typeName: 'raw',
    create: () => new Uint8Array(0),
    encode: (bytes: Uint8Array) => bytes,
    decode: (bytes: Uint8Array) => bytes,
  };
  const method = (name: string): Method<Uint8Array, Uint8Array, 'unary'> => ({ path: name, kind: 'unary', request: raw, response: raw });
  assert.match(await status(channel.unary(method(pb.KV.methods.put.path), Uint8Array.of(0x0a, 0xff))), /^internal: /);
  assert.match(await status(channel.unary(method('/etcdserverpb.KV/NoSuch'), new Uint8Array(0))), /^unimplemented: /);
  channel.close();
  assert.equal((await api.put('k', 'still served')).header?.revision, 2);
});
