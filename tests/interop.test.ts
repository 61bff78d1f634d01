// Clients of other makers, as they come, against one node and against a follower of three.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import { Etcd3 } from 'etcd3';
import { repository } from './support/cluster.ts';
import { nodesForTests } from './support/nodes.ts';

const run = promisify(execFile);
const nodes = nodesForTests();

test('npm etcd3: put, get, ranges, transactions, history, deletes', async () => {
  for (const endpoint of nodes.endpoints) {
    const client = new Etcd3({ hosts: `http://${endpoint}` });
    try {
      const first = await client.put('etcd3/a').value('1');
      await client.put('etcd3/b').value('2');
      assert.equal(await client.get('etcd3/a').string(), '1');
      assert.equal(await client.get('etcd3/none').string(), null);
      assert.deepEqual(await client.getAll().prefix('etcd3/').strings(), { 'etcd3/a': '1', 'etcd3/b': '2' });
      assert.deepEqual(await client.getAll().prefix('etcd3/').sort('Key', 'Descend').limit(1).keys(), ['etcd3/b']);
      assert.equal(await client.getAll().prefix('etcd3/').count(), 2);
      const txn = await client
        .if('etcd3/a', 'Value', '==', '1')
        .and('etcd3/none', 'Version', '==', 0)
        .then(client.put('etcd3/a').value('changed'), client.get('etcd3/b'))
        .else(client.put('etcd3/a').value('wrong'))
        .commit();
      assert.ok(txn.succeeded);
      assert.equal(await client.get('etcd3/a').string(), 'changed');
      assert.equal(await client.get('etcd3/a').revision(first.header.revision).string(), '1');
      assert.equal((await client.delete().prefix('etcd3/')).deleted, '2');
      const status = await client.maintenance.status();
      assert.match(status.version, /^3\.\d+\.\d+$/);
    } finally {
      client.close();
    }
  }
});

interface KvClient extends grpc.Client {
  put(request: object, callback: (error: grpc.ServiceError | null, response: { header: { revision: string } }) => void): void;
  range(
    request: object,
    callback: (error: grpc.ServiceError | null, response: { kvs: { value: Buffer; lease: string }[]; count: string }) => void,
  ): void;
}
interface AncestorClient extends grpc.Client {
  put(request: object, callback: (error: grpc.ServiceError | null, response: { success: boolean }) => void): void;
  get(request: object, callback: (error: grpc.ServiceError | null, response: { found: boolean; value: Buffer }) => void): void;
  delete(request: object, callback: (error: grpc.ServiceError | null, response: { success: boolean }) => void): void;
}

/** A client made from our .proto file by grpc-js, at run time. */
function clientOf<T extends grpc.Client>(file: string, service: readonly [packageName: string, name: string], endpoint: string): T {
  const definition = protoLoader.loadSync(file, {
    includeDirs: [path.join(repository, 'packages/proto/proto')],
    longs: String,
    defaults: true,
  });
  const loaded = (grpc.loadPackageDefinition(definition)[service[0]] as grpc.GrpcObject)[service[1]] as grpc.ServiceClientConstructor;
  return new loaded(endpoint, grpc.credentials.createInsecure()) as unknown as T;
}

type Callback<T> = (error: grpc.ServiceError | null, response: T) => void;
const call = <T>(work: (callback: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => work((error, response) => (error ? reject(error) : resolve(response))));

test('grpc-js with the .proto files: the KV service, and its errors', async () => {
  for (const endpoint of nodes.endpoints) {
    const client = clientOf<KvClient>('rpc.proto', ['etcdserverpb', 'KV'], endpoint);
    await call((done) => client.put({ key: Buffer.from('proto'), value: Buffer.from([0, 255]) }, done));
    const found = await call<{ kvs: { value: Buffer }[]; count: string }>((done) => client.range({ key: Buffer.from('proto') }, done));
    assert.deepEqual([found.count, found.kvs[0]?.value], ['1', Buffer.from([0, 255])]);
    await assert.rejects(
      call((done) => client.range({ key: Buffer.from('') }, done)),
      { code: grpc.status.INVALID_ARGUMENT, details: 'etcdserver: key is not provided' },
    );
    client.close();
  }
});

interface WatchClient extends grpc.Client {
  watch(): grpc.ClientDuplexStream<object, { created: boolean; events: { type: string; kv: { key: Buffer } }[] }>;
}
interface LeaseClient extends grpc.Client {
  leaseGrant(request: object, callback: Callback<{ ID: string; TTL: string }>): void;
  leaseRevoke(request: object, callback: Callback<object>): void;
  leaseKeepAlive(): grpc.ClientDuplexStream<object, { ID: string; TTL: string }>;
}
interface LockClient extends grpc.Client {
  lock(request: object, callback: Callback<{ key: Buffer }>): void;
  unlock(request: object, callback: Callback<object>): void;
}
interface ElectionClient extends grpc.Client {
  campaign(request: object, callback: Callback<{ leader: object }>): void;
  observe(request: object): grpc.ClientReadableStream<{ kv: { value: Buffer } }>;
  resign(request: object, callback: Callback<object>): void;
}

/** The next message of a stream. */
async function next<T>(stream: AsyncIterator<T>): Promise<T> {
  const step = await stream.next();
  assert.ok(step.done !== true, 'the stream goes on');
  return step.value;
}

test('grpc-js with the .proto files: the streams of Watch and Lease, Lock and Election', async () => {
  for (const endpoint of nodes.endpoints) {
    const watch = clientOf<WatchClient>('rpc.proto', ['etcdserverpb', 'Watch'], endpoint);
    const lease = clientOf<LeaseClient>('rpc.proto', ['etcdserverpb', 'Lease'], endpoint);
    const lock = clientOf<LockClient>('v3lock.proto', ['v3lockpb', 'Lock'], endpoint);
    const election = clientOf<ElectionClient>('v3election.proto', ['v3electionpb', 'Election'], endpoint);
    const watching = watch.watch();
    const seen = watching[Symbol.asyncIterator]() as AsyncIterator<{ created: boolean; events: { type: string; kv: { key: Buffer } }[] }>;
    watching.write({ createRequest: { key: Buffer.from('js/'), rangeEnd: Buffer.from('js0') } });
    assert.equal((await next(seen)).created, true);

    const { ID } = await call<{ ID: string; TTL: string }>((done) => lease.leaseGrant({ TTL: 60 }, done));
    const alive = lease.leaseKeepAlive();
    const renewed = alive[Symbol.asyncIterator]() as AsyncIterator<{ TTL: string }>;
    alive.write({ ID });
    assert.equal((await next(renewed)).TTL, '60');
    alive.end();
    alive.on('error', () => undefined).cancel();

    const { key } = await call<{ key: Buffer }>((done) => lock.lock({ name: Buffer.from('js/lock'), lease: ID }, done));
    assert.equal((await next(seen)).events[0]?.kv.key.toString(), key.toString());
    await call((done) => lock.unlock({ key }, done));
    assert.equal((await next(seen)).events.length, 1);

    const name = Buffer.from('js/election');
    const { leader } = await call<{ leader: object }>((done) => election.campaign({ name, lease: ID, value: Buffer.from('me') }, done));
    const observing = election.observe({ name });
    const observed = observing[Symbol.asyncIterator]() as AsyncIterator<{ kv: { value: Buffer } }>;
    assert.equal((await next(observed)).kv.value.toString(), 'me');
    observing.on('error', () => undefined).cancel();
    await call((done) => election.resign({ leader }, done));
    await call((done) => lease.leaseRevoke({ ID }, done));
    watching.on('error', () => undefined).cancel();
    for (const client of [watch, lease, lock, election]) client.close();
  }
});

test("the ancestor's service: what one interface writes the other reads", async () => {
  for (const endpoint of nodes.endpoints) {
    const ancestor = clientOf<AncestorClient>('kvservice.proto', ['proto', 'KVService'], endpoint);
    const client = clientOf<KvClient>('rpc.proto', ['etcdserverpb', 'KV'], endpoint);
    assert.deepEqual(await call((done) => ancestor.put({ key: 'old', value: Buffer.from('friend') }, done)), { success: true });
    const found = await call<{ kvs: { value: Buffer }[] }>((done) => client.range({ key: Buffer.from('old') }, done));
    assert.equal(found.kvs[0]?.value.toString(), 'friend');
    assert.deepEqual(await call((done) => ancestor.get({ key: 'old' }, done)), { found: true, value: Buffer.from('friend') });
    assert.deepEqual(await call((done) => ancestor.delete({ key: 'old' }, done)), { success: true });
    assert.equal((await call<{ found: boolean }>((done) => ancestor.get({ key: 'old' }, done))).found, false);
    ancestor.close();
    client.close();
  }
});

test('etcdctl: keys, history, transactions, status and members', async (t) => {
  const installed = await run('etcdctl', ['version']).then(
    () => true,
    () => false,
  );
  if (!installed) return t.skip("etcdctl is not installed here (Debian's package etcd-client)");
  for (const [i, endpoint] of nodes.endpoints.entries()) {
    const etcdctl = async (...args: string[]): Promise<string> =>
      (await run('etcdctl', [`--endpoints=${endpoint}`, ...args], { env: { ...process.env, ETCDCTL_API: '3' } })).stdout;
    assert.equal(await etcdctl('put', 'ctl/a', '1'), 'OK\n');
    assert.equal(await etcdctl('put', 'ctl/a', '2', '--prev-kv'), 'OK\nctl/a\n1\n');
    assert.equal(await etcdctl('put', 'ctl/b', '3'), 'OK\n');
    assert.equal(await etcdctl('get', 'ctl/', '--prefix'), 'ctl/a\n2\nctl/b\n3\n');
    assert.equal(await etcdctl('get', 'ctl/', '--prefix', '--keys-only', '--order=DESCEND', '--sort-by=KEY'), 'ctl/b\n\nctl/a\n\n');
    assert.equal(await etcdctl('get', 'ctl/a', '--from-key', '--limit=1', '--consistency=s'), 'ctl/a\n2\n');
    const { kvs } = JSON.parse(await etcdctl('get', 'ctl/a', '-w', 'json')) as { kvs: { mod_revision: number; version: number }[] };
    assert.equal(kvs[0]?.version, 2);
    assert.equal(await etcdctl('get', 'ctl/a', `--rev=${(kvs[0]?.mod_revision ?? 0) - 1}`), 'ctl/a\n1\n');
    const txn = run('etcdctl', [`--endpoints=${endpoint}`, 'txn'], { env: { ...process.env, ETCDCTL_API: '3' } });
    txn.child.stdin?.end('value("ctl/a") = "2"\n\nput ctl/c yes\nget ctl/b\n\nput ctl/c no\n\n');
    assert.equal((await txn).stdout, 'SUCCESS\n\nOK\n\nctl/b\n3\n');
    assert.equal(await etcdctl('del', 'ctl/', '--prefix'), '3\n');
    assert.match(await etcdctl('endpoint', 'status'), /3\.7\.1/);
    assert.match(await etcdctl('endpoint', 'health', '-w', 'json'), /"health":true/);
    assert.equal((await etcdctl('member', 'list')).trim().split('\n').length, i === 0 ? 1 : 3);
    assert.match(await etcdctl('member', 'list'), /started, n1, http:\/\/127\.0\.0\.1:\d+, http:\/\/127\.0\.0\.1:\d+/);
    await assert.rejects(etcdctl('get', 'ctl/a', '--rev=999999'), /required revision is a future revision/);
  }
});
