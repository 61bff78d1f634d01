// Changes of members that no cluster would survive.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterId, memberId } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import type { ServerCall } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import { ClusterService } from './cluster.ts';
import type { ServiceContext } from './context.ts';

test('MemberRemove: the last voter stays, whether reconfiguration is checked strictly or not', async () => {
  const replicas = new Replicas(1, 1);
  await replicas.start(1);
  await replicas.time.settle();
  const { env, replica, store } = replicas.member(1);
  const peers = { connectedSinceMs: () => undefined };
  for (const strictReconfigCheck of [true, false]) {
    const config = { strictReconfigCheck } as ServerConfig;
    const context = { env, replica, store, peers, config, logger: silentLogger, clusterId: clusterId(1n), memberId: memberId(1n) };
    const service = new ClusterService(context as unknown as ServiceContext);
    const call = { metadata: { get: () => undefined } } as unknown as ServerCall;
    const removed = Promise.resolve(service.handlers.memberRemove?.(pb.MemberRemoveRequest.create({ id: 1n }), call));
    const refused = assert.rejects(removed, /re-configuration failed due to not enough started members/);
    await replicas.time.settle();
    await refused;
    const joined = assert.rejects(service.join(['http://m1:1'], true), /member ID already exist/);
    await replicas.time.settle();
    await joined;
  }
  assert.deepEqual(replicas.failures, []);
});
