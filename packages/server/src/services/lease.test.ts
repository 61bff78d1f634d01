// What the Lease service adds to the log: the least TTL, ids of its own, a list that takes no longer turn than any work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterId, memberId } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import type { ServerCall } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import type { ServiceContext } from './context.ts';
import { LeaseClock } from './lease-clock.ts';
import { LeaseService, leaseService } from './lease.ts';
import { Quota } from './quota.ts';

const CALL = { metadata: { get: () => undefined }, signal: new AbortController().signal } as unknown as ServerCall;

class Leasing {
  readonly replicas = new Replicas(1, 1);
  service!: LeaseService;

  static async start(config: Partial<ServerConfig> = {}): Promise<Leasing> {
    const leasing = new Leasing();
    const { replicas } = leasing;
    await replicas.start(1);
    await replicas.time.settle();
    const all = { electionMs: 1000, quotaBytes: Infinity, ...config } as ServerConfig;
    const ids = { clusterId: clusterId(1n), memberId: memberId(1n) };
    const context = { ...replicas.member(1), config: all, logger: silentLogger, ...ids } as unknown as ServiceContext;
    leasing.service = new LeaseService(context, new LeaseClock(context), new Quota(context));
    return leasing;
  }

  async finish<T>(work: T | Promise<T> | undefined): Promise<T> {
    await this.replicas.time.settle();
    assert.ok(work !== undefined);
    return await work;
  }

  grant(id: bigint, ttl: number): Promise<pb.LeaseGrantResponse> {
    return this.finish(this.service.grant(pb.LeaseGrantRequest.create({ id, ttl })));
  }

  async granted(id: bigint): Promise<number> {
    const { leaseTimeToLive } = this.service.handlers;
    return (await this.finish(leaseTimeToLive?.({ id, keys: false }, CALL))).grantedTTL;
  }

  async list(): Promise<bigint[]> {
    const answer = await this.finish(this.service.handlers.leaseLeases?.({}, CALL));
    const { leases } = pb.LeaseLeasesResponse.decode(leaseService.methods.leaseLeases.response.encode(answer));
    return leases.map(({ id }) => id);
  }
}

for (const [electionMs, least] of [
  [1000, 2],
  [100, 1],
  [10_000, 15],
] as const)
  test(`no lease is shorter than one and a half elections of ${electionMs} ms, in whole seconds: a leader that is lost must not end it`, async () => {
    const leasing = await Leasing.start({ electionMs });
    const asked = [1, 0, -5, least, least + 1];
    for (const [i, ttl] of asked.entries()) {
      const id = BigInt(i + 1);
      assert.deepEqual([(await leasing.grant(id, ttl)).ttl, await leasing.granted(id)], [Math.max(ttl, least), Math.max(ttl, least)]);
    }
  });

test('a lease without an id is given one that is free; the list has the next to end first', async () => {
  const leasing = await Leasing.start();
  const given: bigint[] = [];
  for (const ttl of [30, 20, 10]) given.unshift((await leasing.grant(0n, ttl)).id);
  assert.ok(given.every((id) => id > 0n) && new Set(given).size === 3);
  assert.deepEqual(await leasing.list(), given);
});
