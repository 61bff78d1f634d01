// What one member of three answers when the other two are gone: one case for each sentence. Nobody leads any more when they begin; the keys `a` and `b`
// are there.
import assert from 'node:assert/strict';
import { etcdserverpb as pb, v3electionpb, v3lockpb } from '@distrokv/proto';
import { utf8 } from '@distrokv/base';
import { type Case, refused } from './case.ts';
import { type EtcdApi, op, rangeRequest, showKv, txnRequest, when } from './etcd-api.ts';

const needsLeader = { hasleader: 'true' };
const NO_LEADER = 'no leader';
const { KV, Lease } = pb;

/**
 * Writes `a` and `b`, and `strand`s the member: an open stream that insists on a leader is ended with ErrNoLeader (after three election timeouts), one
 * that does not goes on. When this resolves, nobody leads.
 */
export async function checkStranding(api: EtcdApi, strand: () => Promise<void>): Promise<void> {
  await api.put('a', '1');
  await api.put('b', '2');
  using insisting = api.watch(needsLeader);
  using patient = api.watch();
  await insisting.create('a');
  await patient.create('a');
  await strand();
  await refused(insisting.next(), 'unavailable', NO_LEADER);
  assert.equal((await patient.create('b', { startRevision: 1 })).created, true);
}

export const leaderlessCases: readonly Case[] = [
  {
    sentence: '`hasleader`: without a leader every unary call is refused with ErrNoLeader, a serializable one too',
    async run(api, p) {
      const refuses = (call: Promise<unknown>): Promise<void> => refused(call, 'unavailable', NO_LEADER);
      await refuses(api.call(KV.methods.range, rangeRequest('a'), needsLeader));
      await refuses(api.call(KV.methods.range, rangeRequest('a', { serializable: true }), needsLeader));
      await refuses(api.call(KV.methods.put, pb.PutRequest.create({ key: utf8(p) }), needsLeader));
      await refuses(api.call(KV.methods.deleteRange, pb.DeleteRangeRequest.create({ key: utf8(p) }), needsLeader));
      await refuses(api.call(KV.methods.txn, txnRequest([], [op.get('a', { serializable: true })]), needsLeader));
      await refuses(api.call(KV.methods.compact, { revision: 1, physical: false }, needsLeader));
      await refuses(api.call(Lease.methods.leaseGrant, { id: 0n, ttl: 60 }, needsLeader));
      await refuses(api.call(Lease.methods.leaseLeases, {}, needsLeader));
      await refuses(api.call(v3lockpb.Lock.methods.lock, { name: utf8(p), lease: 0n }, needsLeader));
      await refuses(api.call(v3electionpb.Election.methods.leader, { name: utf8(p) }, needsLeader));
    },
  },
  {
    sentence: '`hasleader`: without a leader a new stream is refused with ErrNoLeader',
    async run(api) {
      using watching = api.watch(needsLeader);
      watching.ask('a');
      await refused(watching.next(), 'unavailable', NO_LEADER);
    },
  },
  {
    sentence: 'Without a leader a serializable range, and a transaction of such, are answered from what is here',
    async run(api) {
      assert.deepEqual((await api.range('a', { serializable: true })).kvs.map(showKv), ['a=1']);
      const { succeeded, responses } = await api.txn([when('a', 'value', '=', '1')], [op.get('b', { serializable: true })]);
      assert.ok(succeeded && responses[0]?.response?.case === 'responseRange');
      assert.deepEqual(responses[0].response.value.kvs.map(showKv), ['b=2']);
    },
  },
  {
    sentence: 'Without a leader a watch that does not insist on one is created, and reads the past',
    async run(api) {
      using watching = api.watch();
      await watching.create('a', { startRevision: 1 });
      assert.equal((await watching.events(1))[0]?.kv?.value.length, 1);
    },
  },
  {
    sentence: 'Without a leader KeepAlive is refused with ErrNoLeader',
    async run(api) {
      using alive = api.keepAlive();
      await refused(alive.renew(1n), 'unavailable', NO_LEADER);
    },
  },
  {
    sentence: 'Without a leader what needs one is refused, in the end',
    async run(api, p) {
      // The last of them is how etcd now and then says that its own time is over.
      const unavailable = { message: /^(etcdserver: no leader|etcdserver: request timed out|context deadline exceeded)/ };
      const calls = [api.range('a'), api.put(p), api.del('a'), api.txn([], [op.put(p)]), api.compact(1)];
      await Promise.all(calls.map((call) => assert.rejects(call, unavailable)));
    },
  },
  {
    sentence: 'Without a leader for three election timeouts what needs one is refused at once with ErrNoLeader: it will not happen',
    differs: 'etcd lets it wait for seven seconds, and leaves open whether it happens',
    async run(api, p) {
      const calls = [api.range('a'), api.put(p), api.del('a'), api.txn([], [op.put(p)]), api.grant(60), api.revoke(1n), api.lock(p, 0n)];
      await Promise.all(calls.map((call) => refused(call, 'unavailable', NO_LEADER)));
    },
  },
  {
    sentence: 'Without a leader a transaction of compares alone is not answered from what is here',
    differs: 'etcd takes it for a serializable read, which may be stale',
    run: (api) => refused(api.txn([when('a', 'value', '=', '1')], []), 'unavailable', NO_LEADER),
  },
];
