// Three real members under load, killed without warning: no acknowledged write is ever lost, and the cluster goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { TestCluster } from './support/cluster.ts';
import { equalContents, leaderOf, nothingLost } from './support/verify.ts';
import { Writers } from './support/writers.ts';

const ROUNDS = 5;
const CLIENTS = 20;
/** The bound that is promised for a cluster of three with default timeouts. */
const WRITES_GO_ON_WITHIN_MS = 5000;

test('kill -9 of the leader, then of all three at once, five times over', async (t) => {
  const seed = Number(process.env['DISTROKV_TEST_SEED'] ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed} (set DISTROKV_TEST_SEED to repeat)`);
  const random = seededRandom(seed);
  await using cluster = await TestCluster.start(3);
  const all: Writers[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const write = (phase: string): Writers => {
      const writers = new Writers({ endpoints: cluster.endpoints, clients: CLIENTS, prefix: `${round}/${phase}`, random });
      all.push(writers);
      return writers;
    };

    const overLeader = write('leader');
    await overLeader.progress(random.between(50, 400));
    const leader = await leaderOf(cluster.endpoints);
    await cluster.kill(leader);
    const killedMs = performance.now();
    await overLeader.progress(CLIENTS);
    const pauseMs = performance.now() - killedMs;
    assert.ok(pauseMs < WRITES_GO_ON_WITHIN_MS, `writes went on after ${pauseMs.toFixed(0)} ms`);
    await overLeader.progress(random.between(50, 400));
    await cluster.startAll();
    await overLeader.progress(random.between(50, 400));
    await overLeader.stop();
    nothingLost(await equalContents(cluster.endpoints), all);

    const overAll = write('all');
    await overAll.progress(random.between(50, 400));
    await Promise.all(cluster.members.map((member) => cluster.kill(member)));
    await overAll.stop();
    await cluster.startAll();
    nothingLost(await equalContents(cluster.endpoints), all);
    t.diagnostic(
      `round ${round + 1}: writes went on ${pauseMs.toFixed(0)} ms after the leader was killed; ${all.reduce((n, w) => n + w.acknowledged.size, 0)} writes acknowledged so far`,
    );
  }
});
