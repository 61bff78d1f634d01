import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { deferred, fromUtf8, hex, utf8 } from '@distrokv/base';
import { GrpcError } from '@distrokv/grpc';
import { etcdserverpb as pb, kvservice } from '@distrokv/proto';
import { type Client, createClient } from './client.ts';
import type { ClientError, ClientErrorCode } from './errors.ts';
import { createKvServiceClient } from './kvservice.ts';
import { deadEndpoint, type FakeServices, startFakeServer } from './testing/fake-server.ts';

async function serve(t: TestContext, services: FakeServices): Promise<string> {
  const server = await startFakeServer(services);
  t.after(() => server.close());
  return server.endpoint;
}

function connect(t: TestContext, ...endpoints: string[]): Client {
  const client = createClient({ endpoints });
  t.after(() => client.close());
  return client;
}

const fails = (code: ClientErrorCode, message: RegExp) => (error: ClientError) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

/** Counts its ranges and puts, and answers each. */
function counting(): { services: FakeServices; ranges: number; puts: number } {
  const counts = { services: {} as FakeServices, ranges: 0, puts: 0 };
  counts.services = {
    kv: {
      range: () => (counts.ranges++, pb.RangeResponse.create({ count: 7 })),
      put: () => (counts.puts++, pb.PutResponse.create()),
    },
  };
  return counts;
}

test('requests go out as the API has them', async (t) => {
  const seen: unknown[] = [];
  const endpoint = await serve(t, {
    kv: {
      put: (request) => (seen.push(request), pb.PutResponse.create()),
      range: (request) => (seen.push(`${hex(request.key)} ${hex(request.rangeEnd)}`), pb.RangeResponse.create({ count: 2 ** 40 })),
      deleteRange: (request) => (seen.push(request.prevKv), pb.DeleteRangeResponse.create({ deleted: 3 })),
      txn: (request) => (seen.push(request.compare.length), pb.TxnResponse.create({ succeeded: true })),
    },
    cluster: { memberList: (request) => (seen.push(request.linearizable), pb.MemberListResponse.create()) },
  });
  const client = connect(t, `http://${endpoint}/`);
  await client.put('k', Uint8Array.of(0, 255), { lease: -1n, prevKv: true });
  assert.deepEqual(seen.pop(), pb.PutRequest.create({ key: utf8('k'), value: Uint8Array.of(0, 255), lease: -1n, prevKv: true }));
  assert.equal((await client.get('ab')).count, 2 ** 40);
  for (const options of [{ rangeEnd: 'b' }, { prefix: true }, { fromKey: true }]) await client.get('ab', options);
  for (const options of [{ prefix: true }, { fromKey: true }]) await client.get('', options);
  await client.get(Uint8Array.of(0xff), { prefix: true });
  assert.deepEqual(seen.splice(0), ['6162 ', '6162 62', '6162 6163', '6162 00', '00 00', '00 00', 'ff 00']);
  assert.equal((await client.delete('k', { prevKv: true })).deleted, 3);
  assert.equal((await client.txn({})).succeeded, true);
  await client.memberList();
  assert.deepEqual(seen, [true, 0, true]);
});

test("a server's error is passed on with its text and status, and is tried nowhere else", async (t) => {
  const other = counting();
  const first = await serve(t, {
    kv: {
      range: () => {
        throw new GrpcError('invalid-argument', 'etcdserver: key is not provided');
      },
    },
  });
  const client = connect(t, first, await serve(t, other.services));
  await assert.rejects(client.get(''), (error: ClientError) => {
    assert.deepEqual([error.code, error.status, error.message], ['refused', 'invalid-argument', 'etcdserver: key is not provided']);
    return true;
  });
  assert.equal(other.ranges, 0);
});

test('an endpoint where nobody listens: reads and writes go to the next, and stay there', async (t) => {
  const alive = counting();
  const client = connect(t, await deadEndpoint(), await serve(t, alive.services));
  await client.put('k', 'v');
  await client.get('k');
  assert.deepEqual([alive.puts, alive.ranges], [1, 1]);
});

test('no endpoint at all: unreachable, with every address and its fault', async (t) => {
  const [a, b] = [await deadEndpoint(), await deadEndpoint()];
  for (const call of [connect(t, a, b).get('k'), connect(t, a, b).put('k', 'v')])
    await assert.rejects(call, fails('unreachable', new RegExp(`^${a}: connection refused; ${b}: connection refused$`)));
});

test('a server that is not available: a read moves on, a write does not', async (t) => {
  const noLeader = (): never => {
    throw new GrpcError('unavailable', 'etcdserver: no leader');
  };
  const other = counting();
  const client = connect(t, await serve(t, { kv: { range: noLeader, put: noLeader } }), await serve(t, other.services));
  await assert.rejects(client.put('k', 'v'), fails('refused', /^etcdserver: no leader$/));
  assert.equal((await client.get('k')).count, 7);
  assert.deepEqual([other.puts, other.ranges], [0, 1]);
});

test('a connection that breaks under a write leaves its outcome unknown; it is not repeated', async (t) => {
  const other = counting();
  const broken = await startFakeServer({
    kv: {
      put: async () => {
        await broken.close();
        return pb.PutResponse.create();
      },
    },
  });
  const client = connect(t, broken.endpoint, await serve(t, other.services));
  await assert.rejects(client.put('k', 'v'), fails('unknown-outcome', /the write may have been applied/));
  assert.equal(other.puts, 0);
});

test('a server that gives up on a write leaves its outcome unknown; a read moves on', async (t) => {
  const other = counting();
  for (const text of ['request timed out', 'request timed out, possibly due to connection lost', 'server stopped', 'leader changed']) {
    const givesUp = (): never => {
      throw new GrpcError('unavailable', `etcdserver: ${text}`);
    };
    const client = connect(t, await serve(t, { kv: { range: givesUp, put: givesUp } }), await serve(t, other.services));
    await assert.rejects(
      client.put('k', 'v'),
      fails('unknown-outcome', new RegExp(`etcdserver: ${text}; the write may have been applied`)),
    );
    assert.equal((await client.get('k')).count, 7);
  }
  assert.equal(other.puts, 0);
});

test('no answer in time: a read says so, a write is of unknown outcome', async (t) => {
  const silent = async (): Promise<never> => new Promise<never>(() => {});
  const client = connect(t, await serve(t, { kv: { range: silent, put: silent } }));
  await assert.rejects(client.get('k', { timeoutMs: 20 }), fails('no-answer', /no answer within 20 ms$/));
  await assert.rejects(client.put('k', 'v', { timeoutMs: 20 }), fails('unknown-outcome', /no answer within 20 ms; the write may/));
});

test("the caller's signal ends a call, and close ends all", async (t) => {
  const called = deferred<void>();
  const silent = async (): Promise<never> => (called.resolve(), new Promise<never>(() => {}));
  const client = connect(t, await serve(t, { kv: { range: silent } }));
  const abort = new AbortController();
  const first = client.get('k', { signal: abort.signal });
  await called.promise;
  abort.abort();
  await assert.rejects(first, fails('cancelled', /cancelled/));
  const second = client.get('k');
  await client.close();
  await assert.rejects(second, fails('closed', /closed/));
  await assert.rejects(client.get('k'), fails('closed', /closed/));
});

test('status asks the one endpoint that is named', async (t) => {
  const maintenance = (version: string): FakeServices => ({ maintenance: { status: () => pb.StatusResponse.create({ version }) } });
  const [a, b] = [await serve(t, maintenance('1')), await serve(t, maintenance('2'))];
  const client = connect(t, a, b);
  assert.equal((await client.status(b)).version, '2');
  assert.equal((await client.status(`http://${a}`)).version, '1');
});

test('endpoints are checked before anything is tried', () => {
  assert.deepEqual(createClient({ endpoints: [' localhost:1', 'http://[::1]:2379/', '10.0.0.1:02379'] }).endpoints, [
    'localhost:1',
    '[::1]:2379',
    '10.0.0.1:2379',
  ]);
  for (const bad of ['', 'localhost', 'host:0', 'host:65536', 'ftp://host:1', 'unix://host:1', 'host:1/path', '::1:2379'])
    assert.throws(() => createClient({ endpoints: [bad] }), { code: 'invalid-endpoint' });
  assert.throws(() => createClient({ endpoints: [] }), { code: 'invalid-endpoint' });
});

test("the ancestor's service: put, get, delete", async (t) => {
  const store = new Map<string, Uint8Array>();
  const endpoint = await serve(t, {
    ancestor: {
      put: ({ key, value }) => (store.set(key, value), kvservice.PutResponse.create({ success: key !== 'refused' })),
      get: ({ key }) => kvservice.GetResponse.create({ found: store.has(key), value: store.get(key) ?? new Uint8Array(0) }),
      delete: ({ key }) => (store.delete(key), kvservice.DeleteResponse.create({ success: true })),
    },
  });
  await using client = createKvServiceClient({ endpoints: [endpoint] });
  await client.put('city', 'Köln');
  assert.equal(fromUtf8((await client.get('city')) ?? new Uint8Array(0)), 'Köln');
  await client.delete('city');
  assert.equal(await client.get('city'), undefined);
  await assert.rejects(client.put('refused', ''), fails('refused', /did not accept/));
});
