// What holds for all services: which are there, what their metadata mean, what a member says that is not asked as it likes; one case for each sentence.
import assert from 'node:assert/strict';
import { utf8 } from '@distrokv/base';
import { type Method, etcdserverpb as pb, health } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { type EtcdApi, endOf, op, rangeRequest, when } from './etcd-api.ts';

/** A call of a path that need not be there. */
function callOf(api: EtcdApi, path: string): Promise<unknown> {
  const method: Method<pb.RangeRequest, pb.RangeResponse, 'unary'> = { ...pb.KV.methods.range, path };
  return api.call(method, rangeRequest('k'));
}

const status = (api: EtcdApi): Promise<pb.StatusResponse> => api.call(pb.Maintenance.methods.status, pb.StatusRequest.create());

export const generalCases: readonly Case[] = [
  {
    sentence: 'Health: the service "" is SERVING; one that nobody knows is NotFound',
    async run(api) {
      const check = (service: string): Promise<health.HealthCheckResponse> => api.call(health.Health.methods.check, { service });
      assert.equal((await check('')).status, health.ServingStatus.SERVING);
      await assert.rejects(check('none'), { code: 'not-found', message: /^unknown service/ });
    },
  },
  {
    sentence: 'Reflection is not registered: it is Unimplemented, and so is a method that a service does not have',
    async run(api) {
      await assert.rejects(callOf(api, '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo'), {
        code: 'unimplemented',
        message: 'unknown service grpc.reflection.v1alpha.ServerReflection',
      });
      await assert.rejects(callOf(api, '/etcdserverpb.KV/Move'), {
        code: 'unimplemented',
        message: 'unknown method Move for service etcdserverpb.KV',
      });
    },
  },
  {
    sentence: 'While authentication is off, `token` and `authorization` are not looked at, nor is `client-api-version`',
    since: '3.5',
    async run(api, p) {
      const put = pb.PutRequest.create({ key: utf8(p), value: utf8('v') });
      for (const metadata of [
        { token: 'nobody.7' },
        { authorization: 'Bearer nobody.7' },
        { 'client-api-version': '3.4' },
        { 'client-api-version': 'none' },
      ]) {
        await api.call(pb.KV.methods.put, put, metadata);
        assert.equal((await api.call(pb.KV.methods.range, rangeRequest(p), metadata)).count, 1);
        using watching = api.watch(metadata);
        assert.equal((await watching.create(p)).canceled, false);
      }
    },
  },
  {
    sentence: 'Auth is not served: its calls are Unimplemented',
    differs: 'etcd serves it, and says "authentication is not enabled"',
    async run(api) {
      for (const method of ['AuthStatus', 'Authenticate', 'UserList'])
        await assert.rejects(callOf(api, `/etcdserverpb.Auth/${method}`), {
          code: 'unimplemented',
          message: 'unknown service etcdserverpb.Auth',
        });
    },
  },
  {
    sentence: 'MoveLeader: a member that does not lead is refused with ErrNotLeader, an unknown target with ErrBadLeaderTransferee',
    async run(api) {
      const { header, leader } = await status(api);
      const expected = header?.memberId === leader ? 'bad leader transferee' : 'not leader';
      await refused(api.call(pb.Maintenance.methods.moveLeader, { targetID: 4711n }), 'failed-precondition', expected);
    },
  },
  {
    sentence: 'Txn: one that only reads makes no entry of the log',
    async run(api, p) {
      await api.put(p);
      const before = (await status(api)).raftIndex;
      for (let i = 0; i < 30; i++) await api.txn([when(p, 'version', '=', 1)], [op.get(p)], [op.get(p, { end: endOf(p) })]);
      // A member may have something to write of its own meanwhile.
      assert.ok((await status(api)).raftIndex - before < 30);
      for (let i = 0; i < 30; i++) await api.txn([], [op.put(p)]);
      assert.ok((await status(api)).raftIndex - before >= 30);
    },
  },
  {
    sentence: 'Headers of Status, HashKV, TimeToLive, Leases, Grant, Lock and watches name the same cluster and the same member',
    async run(api, p) {
      const { clusterId, memberId } = (await api.put(p)).header ?? pb.ResponseHeader.create();
      const { id, header: granted } = await api.grant(60);
      using watching = api.watch();
      using alive = api.keepAlive();
      const headers = [
        granted,
        (await status(api)).header,
        (await api.call(pb.Maintenance.methods.hashKV, { revision: 0 })).header,
        (await api.timeToLive(id)).header,
        (await api.timeToLive(4711n)).header,
        (await api.call(pb.Lease.methods.leaseLeases, {})).header,
        (await alive.renew(id)).header,
        (await alive.renew(4711n)).header,
        (await watching.create(p)).header,
        (await api.lock(p, id)).header,
        (await api.del(p)).header,
        (await api.revoke(id)).header,
      ];
      for (const [i, header] of headers.entries()) {
        assert.deepEqual([header?.clusterId, header?.memberId], [clusterId, memberId], `header ${i}`);
        assert.ok((header?.raftTerm ?? 0) > 0, `header ${i}`);
      }
    },
  },
];
