// What lives longer than a call: watches that go on elsewhere, leases that keep themselves alive.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { deferred, utf8 } from '@distrokv/base';
import { GrpcError, type Handlers } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { createClient } from './client.ts';
import type { ClientError } from './errors.ts';
import { type FakeServices, startFakeServer } from './testing/fake-server.ts';

const header = (revision: number): pb.ResponseHeader => pb.ResponseHeader.create({ revision });
const put = (revision: number): pb.WatchResponse =>
  pb.WatchResponse.create({
    header: header(revision),
    events: [
      {
        type: 0,
        kv: { key: utf8('k'), value: utf8('v'), createRevision: 2, modRevision: revision, version: 1, lease: 0n } as never,
        prevKv: undefined,
      },
    ],
  });

async function serve(t: TestContext, services: FakeServices): Promise<string> {
  const server = await startFakeServer(services);
  t.after(() => server.close());
  return server.endpoint;
}

/** Notes where each watch wants to start, answers it with `answers`, and ends the stream with `status`, or not at all. */
function watching(starts: number[], answers: readonly pb.WatchResponse[], end?: GrpcError): Handlers<typeof pb.Watch> {
  return {
    async watch(call) {
      for await (const { requestUnion } of call.requests) {
        if (requestUnion?.case !== 'createRequest') continue;
        starts.push(requestUnion.value.startRevision);
        for (const answer of answers) call.send(answer);
        if (end) throw end;
      }
    },
  };
}

test('a watch that loses its member goes on with the next, from the revision after the last event', async (t) => {
  const starts: number[] = [];
  const created = (revision: number): pb.WatchResponse => pb.WatchResponse.create({ header: header(revision), created: true });
  const lost = new GrpcError('unavailable', 'etcdserver: server stopped');
  const first = await serve(t, { watch: watching(starts, [created(7), put(9), put(12)], lost) });
  const second = await serve(t, { watch: watching(starts, [created(20), put(13)]) });
  const client = createClient({ endpoints: [first, second] });
  t.after(() => client.close());
  const revisions: number[] = [];
  for await (const { events } of client.watch('k')) {
    revisions.push(...events.map((event) => event.kv?.modRevision ?? 0));
    if (revisions.length === 3) break;
  }
  assert.deepEqual(
    [revisions, starts],
    [
      [9, 12, 13],
      [0, 13],
    ],
  );
});

test('a watch from now on that is lost before any event begins where it was created', async (t) => {
  const starts: number[] = [];
  const created = pb.WatchResponse.create({ header: header(7), created: true });
  const first = await serve(t, { watch: watching(starts, [created], new GrpcError('unavailable', 'etcdserver: no leader')) });
  const second = await serve(t, { watch: watching(starts, [created, put(8)]) });
  const client = createClient({ endpoints: [first, second] });
  t.after(() => client.close());
  for await (const { events } of client.watch('k')) if (events.length > 0) break;
  assert.deepEqual(starts, [0, 8]);
});

test('a watch of what is compacted away ends with the revision that can be had; one that is refused, with the reason; a signal ends it', async (t) => {
  const compacted = pb.WatchResponse.create({ canceled: true, compactRevision: 30 });
  const refused = pb.WatchResponse.create({ created: true, canceled: true, cancelReason: 'mvcc: watcher range is empty' });
  const next = async (answer: pb.WatchResponse): Promise<unknown> => {
    const client = createClient({ endpoints: [await serve(t, { watch: watching([], [answer]) })] });
    t.after(() => client.close());
    return client.watch('k').next();
  };
  await assert.rejects(next(compacted), (error: ClientError) => error.code === 'compacted' && error.compactRevision === 30);
  await assert.rejects(next(refused), { code: 'refused', message: 'mvcc: watcher range is empty' });
  const client = createClient({ endpoints: [await serve(t, { watch: watching([], []) })] });
  t.after(() => client.close());
  const stop = new AbortController();
  const watched = client.watch('k', { signal: stop.signal }).next();
  stop.abort();
  assert.equal((await watched).done, true);
});

/** A lease service that renews `times` times, and then says what `after` says: the TTL, or nothing at all. */
function renewing(times: number, after: number | 'silent', onRenewal: () => void = () => {}): Handlers<typeof pb.Lease> {
  let count = 0;
  return {
    leaseGrant: ({ ttl }) => pb.LeaseGrantResponse.create({ id: 5n, ttl }),
    leaseRevoke: () => pb.LeaseRevokeResponse.create(),
    async leaseKeepAlive(call) {
      for await (const { id } of call.requests) {
        onRenewal();
        if (count++ < times) call.send(pb.LeaseKeepAliveResponse.create({ id, ttl: 1 }));
        else if (after !== 'silent') call.send(pb.LeaseKeepAliveResponse.create({ id, ttl: after }));
      }
    },
  };
}

const lostReason = (signal: AbortSignal): Promise<ClientError> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason as ClientError)));

test('a lease is renewed until it has ended, and then says that it is lost', async (t) => {
  const client = createClient({ endpoints: [await serve(t, { lease: renewing(2, 0) })] });
  t.after(() => client.close());
  const lease = await client.lease({ ttl: 1 });
  assert.deepEqual([lease.id, lease.ttl], [5n, 1]);
  const reason = await lostReason(lease.signal);
  assert.deepEqual([reason.code, reason.message], ['lost', 'the lease has ended']);
});

test('a lease that one member does not renew is renewed by another; when none does, it is lost after its time', async (t) => {
  const renewed = deferred<void>();
  const silent = await serve(t, { lease: renewing(0, 'silent') });
  const other = await serve(t, { lease: renewing(1, 'silent', () => renewed.resolve()) });
  const client = createClient({ endpoints: [silent, other] });
  t.after(() => client.close());
  const startedMs = performance.now();
  const lease = await client.lease({ ttl: 1 });
  const lost = lostReason(lease.signal);
  await renewed.promise;
  assert.equal((await lost).code, 'lost');
  assert.ok(performance.now() - startedMs >= 1000, 'not before its time');
});

test('a lease that is revoked is lost at once, and renewed no more', async (t) => {
  const client = createClient({ endpoints: [await serve(t, { lease: renewing(9, 0) })] });
  t.after(() => client.close());
  const lease = await client.lease({ ttl: 60 });
  await lease.revoke();
  assert.equal(lease.signal.aborted, true);
});
