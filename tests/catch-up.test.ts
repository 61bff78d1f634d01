// A member that was down while many writes passed has them all after its restart, and a member that is written to as a follower forwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api } from './support/api.ts';
import { TestCluster } from './support/cluster.ts';
import { equalContents, leaderOf } from './support/verify.ts';

const WRITES = 100_000;
const IN_FLIGHT = 500;

test(`a follower that was down while ${WRITES} writes passed catches up`, async (t) => {
  await using cluster = await TestCluster.start(3);
  const leader = await leaderOf(cluster.endpoints);
  const [sleeper, follower] = cluster.members.filter((member) => member !== leader) as [number, number];
  await cluster.kill(sleeper);

  using api = new Api(cluster.endpoints[follower] as string);
  let next = 0;
  const writer = async (): Promise<void> => {
    for (let i = next++; i < WRITES; i = next++) await api.put(`key ${i % 20_000}`, `value ${i}`);
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, writer));
  t.diagnostic(`${WRITES} writes through a follower in ${(performance.now() - startMs).toFixed(0)} ms`);

  const restartMs = performance.now();
  await cluster.startAll();
  const contents = await equalContents(cluster.endpoints);
  assert.equal(contents.size, 20_000);
  t.diagnostic(`caught up ${(performance.now() - restartMs).toFixed(0)} ms after its start`);
});
