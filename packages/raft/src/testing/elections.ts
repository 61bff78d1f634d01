// How long a cluster is without a leader after a crash, in ticks, with members that tick at moments of their own.
// Run: node packages/raft/dist/testing/elections.js [seeds]
import { defined, seededRandom } from '@distrokv/base';
import type { Random } from '@distrokv/base';
import { Cluster, ELECTION_TICKS } from './cluster.ts';

const [seeds = 1000] = process.argv.slice(2).map(Number);

/** Every member ticks once, in any order; in between everything happens that needs no tick, but for messages that are lost. */
function tick(cluster: Cluster, random: Random, loss: number): void {
  for (const node of cluster.nodes.toSorted(() => random.float() - 0.5)) {
    node.raft?.tick();
    do {
      for (const each of cluster.nodes) {
        if (each.raft === undefined) continue;
        cluster.drain(each);
        if (each.ioDisk.pending > 0) cluster.sync(each);
        while (each.toApply.length > 0) cluster.apply(each);
      }
      for (const message of cluster.network.splice(0)) if (!random.chance(loss)) cluster.deliver(message);
    } while (cluster.nodes.some(({ raft }) => raft?.hasReady() === true));
  }
}

function ticksUntilLeader(cluster: Cluster, random: Random, loss: number): number {
  let ticks = 0;
  for (; cluster.leader() === undefined; ticks++) tick(cluster, random, loss);
  return ticks;
}

function measure(size: number, loss: number): string {
  const waits: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const random = seededRandom(seed);
    const cluster = new Cluster({ size, random });
    ticksUntilLeader(cluster, random, loss);
    const steady = 2 * ELECTION_TICKS + random.below(2 * ELECTION_TICKS);
    for (let i = 0; i < steady; i++) tick(cluster, random, loss);
    ticksUntilLeader(cluster, random, loss);
    cluster.crash(defined(cluster.leader(), 'the leader'));
    waits.push(ticksUntilLeader(cluster, random, loss));
  }
  waits.sort((a, b) => a - b);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  const p99 = waits[Math.floor(0.99 * waits.length)];
  return `${size} members, ${100 * loss} % lost: mean ${mean.toFixed(1)} ticks, p99 ${p99}, longest ${waits.at(-1)}`;
}

for (const loss of [0, 0.2]) for (const size of [3, 5]) process.stdout.write(`${measure(size, loss)}\n`);
