// Three real members under load: leadership stays where it is, moves where it is told to, and a leader that is stopped in order leaves no gap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { Api } from './support/api.ts';
import { TestCluster } from './support/cluster.ts';
import { equalContents, leaderOf, nothingLost } from './support/verify.ts';
import { Writers } from './support/writers.ts';

const CLIENTS = 20;
const LOAD_MS = 10_000;
const ELECTION = 'no word from a leader';

test('MoveLeader makes a member the leader, or says why not; writes go on, and all that fit are answered', async () => {
  await using cluster = await TestCluster.start(3);
  await using writers = new Writers({ endpoints: cluster.endpoints, clients: CLIENTS, prefix: 'move', random: seededRandom(1) });
  await writers.progress(100);
  for (let round = 0; round < 5; round++) {
    const leader = await leaderOf(cluster.endpoints);
    const [next, other] = cluster.members.filter((member) => member !== leader) as [number, number];
    using leads = new Api(cluster.endpoints[leader] as string);
    using follows = new Api(cluster.endpoints[next] as string);
    const target = (await follows.status()).header?.memberId as bigint;
    await assert.rejects(follows.moveLeader(target), { code: 'failed-precondition', message: 'etcdserver: not leader' });
    await assert.rejects(leads.moveLeader(7n), { code: 'failed-precondition', message: 'etcdserver: bad leader transferee' });
    await leads.moveLeader(target);
    assert.equal((await leads.status()).leader, target, `round ${round}: member ${next} leads, and not ${leader} or ${other}`);
    await writers.progress(100);
  }
  await writers.stop();
  assert.equal(writers.unknown.size, 0, 'no write failed');
  nothingLost(await equalContents(cluster.endpoints), [writers]);
});

test('the default time-outs hold at full load: ten seconds without an election', async (t) => {
  await using cluster = await TestCluster.start(3);
  await using writers = new Writers({ endpoints: cluster.endpoints, clients: 100, prefix: 'load', random: seededRandom(3) });
  await writers.progress(100);
  const elections = (): number[] => cluster.members.map((member) => cluster.process(member).output.split(ELECTION).length);
  const [before, termBefore] = [elections(), await term(cluster.endpoints[0] as string)];
  const begunMs = performance.now();
  while (performance.now() - begunMs < LOAD_MS) await writers.progress(100);
  assert.deepEqual(elections(), before, 'nobody ran out of patience');
  assert.equal(await term(cluster.endpoints[0] as string), termBefore, 'and nobody was elected');
  await writers.stop();
  assert.equal(writers.unknown.size, 0, 'no write failed');
  for (const endpoint of cluster.endpoints) {
    const metrics = await (await fetch(`http://${endpoint}/metrics`)).text();
    const stalls = metrics.split('\n').filter((line) => line.startsWith('distrokv_event_loop_'));
    assert.equal(stalls.length, 2, 'stalls are told');
    t.diagnostic(`${endpoint}: ${stalls.join(', ')}, ${writers.acknowledged.size} writes in all`);
  }
});

async function term(endpoint: string): Promise<number> {
  using api = new Api(endpoint);
  return (await api.status()).raftTerm;
}

test('a rolling restart, the leader first each time: no member ever runs out of patience', async (t) => {
  await using cluster = await TestCluster.start(3);
  await using writers = new Writers({ endpoints: cluster.endpoints, clients: CLIENTS, prefix: 'rolling', random: seededRandom(2) });
  for (let round = 0; round < 3; round++) {
    await writers.progress(200);
    const leader = await leaderOf(cluster.endpoints);
    const others = cluster.members.filter((member) => member !== leader);
    const elections = (): number[] => others.map((member) => cluster.process(member).output.split(ELECTION).length);
    const before = elections();
    const stoppedMs = performance.now();
    const stopped = cluster.kill(leader, 'SIGTERM');
    await writers.progress(CLIENTS);
    t.diagnostic(`${CLIENTS} more writes ${(performance.now() - stoppedMs).toFixed(0)} ms after the leader was told to stop`);
    assert.equal((await stopped).code, 0);
    assert.deepEqual(elections(), before, 'leadership was handed over, not run for');
    await cluster.startAll();
  }
  await writers.stop();
  nothingLost(await equalContents(cluster.endpoints), [writers]);
});
