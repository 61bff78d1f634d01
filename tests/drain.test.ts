// SIGTERM under load: what a member has begun it answers, what it has not it leaves to the next member unseen, and nothing that was answered is lost.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import { createChannel, GrpcError } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Api } from './support/api.ts';
import { TestCluster } from './support/cluster.ts';
import { leaderOf } from './support/verify.ts';

const WRITERS = 200;
const BEFORE = 2000;

/** Writers on one connection to `endpoint`, until it is gone. Returns what was answered, and how the other calls ended. */
async function writeUntilGone(endpoint: string, progress: (written: number) => void): Promise<{ acked: string[]; failures: GrpcError[] }> {
  const channel = createChannel(endpoint);
  const acked: string[] = [];
  const failures: GrpcError[] = [];
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = 0; ; i++) {
        const key = `${writer}/${i}`;
        try {
          await channel.unary(pb.KV.methods.put, pb.PutRequest.create({ key: utf8(key), value: utf8(key) }));
          progress(acked.push(key));
        } catch (error) {
          assert.ok(error instanceof GrpcError);
          failures.push(error);
          return;
        }
      }
    }),
  );
  channel.close();
  return { acked, failures };
}

/** Stops `member` under load. */
async function drain(t: TestContext, cluster: TestCluster, member: number): Promise<string[]> {
  let stopped: ReturnType<TestCluster['kill']> | undefined;
  const { acked, failures } = await writeUntilGone(cluster.endpoint(member), (written) => {
    if (written === BEFORE) stopped = cluster.kill(member, 'SIGTERM');
  });
  assert.equal((await stopped)?.code, 0);
  t.diagnostic(`${acked.length} writes were answered, ${failures.length} calls were not taken`);
  for (const failure of failures) assert.ok(failure.neverSent, `a call that was begun ended with ${failure.code}: ${failure.message}`);
  return acked;
}

async function assertAllThere(endpoint: string, acked: readonly string[]): Promise<void> {
  using api = new Api(endpoint);
  const there = new Set((await api.all({ serializable: false })).kvs.map(({ key }) => fromUtf8(key)));
  assert.deepEqual(
    acked.filter((key) => !there.has(key)),
    [],
  );
}

test('a member that is alone', async (t) => {
  await using cluster = await TestCluster.start(1);
  const acked = await drain(t, cluster, 0);
  await cluster.startAll();
  await assertAllThere(cluster.endpoint(0), acked);
});

for (const role of ['leader', 'follower']) {
  test(`the ${role} of three`, async (t) => {
    await using cluster = await TestCluster.start(3);
    const leader = await leaderOf(cluster.endpoints);
    const member = role === 'leader' ? leader : (cluster.members.find((each) => each !== leader) as number);
    const acked = await drain(t, cluster, member);
    await assertAllThere(cluster.endpoint(cluster.members.find((each) => each !== member) as number), acked);
  });
}
