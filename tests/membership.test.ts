// Who is a member, changed on a running cluster of real processes by the commands that an operator has: members are added, promoted, removed,
// moved and brought back after their disk was lost, while writes go on.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { seededRandom } from '@distrokv/base';
import { Api } from './support/api.ts';
import { TestCluster, distrokv } from './support/cluster.ts';
import { equalContents, leaderOf, nothingLost } from './support/verify.ts';
import { Writers } from './support/writers.ts';

const READY = 'ready to serve client requests';
const EXISTING = ['--initial-cluster-state', 'existing'];

/** Runs a client command; what it prints. Rejects with what it says on standard error. */
async function command(endpoint: string, ...words: readonly string[]): Promise<string> {
  const args = [distrokv, '--endpoints', endpoint, '--command-timeout', '30s', ...words];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return stdout;
}

async function idOf(endpoint: string, name: string): Promise<string> {
  const line = (await command(endpoint, 'member', 'list')).split('\n').find((each) => each.split(', ')[2] === name);
  return line?.split(', ')[0] ?? assert.fail(`${name} is no member`);
}

/** Tries until it is not refused by one of etcd's rules that time alone satisfies. */
async function whenAllowed(work: () => Promise<string>): Promise<string> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!/unhealthy cluster|in sync with leader/.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** What `watch` prints first. */
async function firstEvent(endpoint: string, ...words: readonly string[]): Promise<string> {
  const watch = spawn(process.execPath, [distrokv, '--endpoints', endpoint, 'watch', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk] = (await once(watch.stdout, 'data')) as [Buffer];
  watch.kill('SIGINT');
  await once(watch, 'exit');
  return chunk.toString();
}

/** It answers what etcd's does, Status and a serializable Range, and watches besides. */
async function asksALearner(endpoint: string): Promise<void> {
  using api = new Api(endpoint);
  const refusal = { code: 'failed-precondition', message: 'etcdserver: rpc not supported for learner' };
  assert.equal((await api.status()).isLearner, true);
  assert.ok((await api.range({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), countOnly: true, serializable: true })).count >= 500);
  await assert.rejects(api.range({ key: Uint8Array.of(1) }), refusal);
  await assert.rejects(api.put('k', 'v'), refusal);
  await assert.rejects(api.moveLeader(1n), refusal);
  await assert.rejects(command(endpoint, 'member', 'list'), /rpc not supported for learner/);
  assert.match(await firstEvent(endpoint, '--prefix', '', '--rev', '1'), /^PUT\n/);
  const metrics = await (await fetch(`http://${endpoint}/metrics`)).text();
  assert.match(metrics, /^etcd_server_is_learner 1$/m);
}

test('members come and go under load: a learner joins and is promoted, the leader is removed, nothing is lost', async (t) => {
  await using cluster = await TestCluster.start(3, [], 1);
  const { endpoints } = cluster;
  await using writers = new Writers({ endpoints, clients: 10, prefix: 'members', random: seededRandom(1) });
  await writers.progress(500);
  const [first = ''] = endpoints;
  const added = await command(first, 'member', 'add', 'n4', `--peer-urls=${cluster.peerUrl(3)}`, '--learner');
  assert.match(added, /^Member +[0-9a-f]+ added as learner to cluster +[0-9a-f]+\n\nETCD_NAME="n4"\nETCD_INITIAL_CLUSTER="/);
  await assert.rejects(
    command(first, 'member', 'add', 'n5', '--peer-urls=http://127.0.0.1:1', '--learner'),
    /too many learner members in cluster/,
  );
  await assert.rejects(command(first, 'member', 'add', 'n5', `--peer-urls=${cluster.peerUrl(3)}`), /Peer URLs already exists/);
  await assert.rejects(command(first, 'member', 'remove', 'abc'), /member not found/);
  const joined = performance.now();
  await cluster.launch(3, EXISTING).printed(READY);
  t.diagnostic(`a learner was ready after ${(performance.now() - joined).toFixed(0)} ms`);
  const learner = await idOf(first, 'n4');
  await asksALearner(cluster.endpoint(3));
  assert.match(await whenAllowed(() => command(first, 'member', 'promote', learner)), /promoted in cluster/);
  await assert.rejects(command(first, 'member', 'promote', learner), /can only promote a learner member/);
  await writers.progress(200);

  const leader = await leaderOf(endpoints);
  const left = cluster.members.filter((member) => member !== leader).map((member) => cluster.endpoint(member));
  const leaderId = await idOf(first, `n${leader + 1}`);
  assert.match(await whenAllowed(() => command(left[0] as string, 'member', 'remove', leaderId)), /removed from cluster/);
  const exit = await cluster.process(leader).exited;
  assert.equal(exit.code, 1);
  assert.match(cluster.process(leader).errors, /this member was removed from the cluster/);
  await writers.progress(200);
  await writers.stop();
  const staying = [...left, cluster.endpoint(3)];
  nothingLost(await equalContents(staying), [writers]);
  assert.equal((await command(left[0] as string, 'member', 'list')).trim().split('\n').length, 3);

  const again = cluster.launch(leader);
  assert.equal((await again.exited).code, 1);
  assert.match(again.errors, /removed/, 'nor does it start again');
});

test('a member whose disk is lost comes back by one command, as a new member in its place', async (t) => {
  await using cluster = await TestCluster.start(3);
  const { endpoints } = cluster;
  await using writers = new Writers({ endpoints, clients: 10, prefix: 'lost', random: seededRandom(2) });
  await writers.progress(500);
  const lost = ((await leaderOf(endpoints)) + 1) % 3;
  const other = cluster.endpoint((lost + 1) % 3);
  const before = await idOf(other, `n${lost + 1}`);
  await cluster.kill(lost);
  fs.rmSync(cluster.dataDirectory(lost), { recursive: true });
  const refused = cluster.launch(lost, EXISTING);
  await refused.printed('member ID already exist');
  await cluster.kill(lost);
  fs.rmSync(cluster.dataDirectory(lost), { recursive: true, force: true });
  const startMs = performance.now();
  await cluster.launch(lost, [...EXISTING, '--rejoin']).printed(READY);
  t.diagnostic(`ready ${(performance.now() - startMs).toFixed(0)} ms after its start`);
  await writers.progress(200);
  await writers.stop();
  nothingLost(await equalContents(endpoints), [writers]);
  const after = await idOf(other, `n${lost + 1}`);
  assert.notEqual(after, before);
  assert.equal((await command(other, 'member', 'list')).trim().split('\n').length, 3);
  // It is a member like any other: it starts again as it always did.
  await cluster.kill(lost);
  await cluster.startAll();
  await equalContents(endpoints);
});

test('one member becomes two, then three, and is one again', async () => {
  await using cluster = await TestCluster.start(1, [], 2);
  const [first = ''] = cluster.endpoints;
  await command(first, 'put', 'key', 'value');
  for (const spare of [1, 2]) {
    await whenAllowed(() => command(first, 'member', 'add', `n${spare + 1}`, `--peer-urls=${cluster.peerUrl(spare)}`));
    await cluster.launch(spare, EXISTING).printed(READY);
  }
  await equalContents([0, 1, 2].map((member) => cluster.endpoint(member)));
  for (const spare of [1, 2]) {
    const id = await idOf(first, `n${spare + 1}`);
    await whenAllowed(() => command(first, 'member', 'remove', id));
    await cluster.process(spare).exited;
  }
  assert.equal(await command(first, 'get', 'key'), 'key\nvalue\n');
});
