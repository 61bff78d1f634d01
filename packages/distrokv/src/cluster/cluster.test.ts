import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isPortFree } from '../ports.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { planCluster } from './plan.ts';
import { describeLoss, runCluster } from './run.ts';

const options = { nodes: 3, dataDirectory: 'cluster.distrokv', basePort: undefined, logLevel: undefined };

test("three members take etcd's ports and know each other", () => {
  const plan = planCluster(options);
  assert.deepEqual(
    plan.map(({ name, clientPort, peerPort }) => [name, clientPort, peerPort]),
    [
      ['node1', 2379, 2380],
      ['node2', 22379, 22380],
      ['node3', 32379, 32380],
    ],
  );
  assert.equal(
    plan[1]?.args.join(' '),
    'server --name node2 --data-dir cluster.distrokv/node2 --listen-client-urls http://127.0.0.1:22379 --listen-peer-urls http://127.0.0.1:22380 ' +
      '--initial-cluster node1=http://127.0.0.1:2380,node2=http://127.0.0.1:22380,node3=http://127.0.0.1:32380 --initial-cluster-token distrokv-local',
  );
});

test('ports in a row from a base port; bounds are refused', () => {
  const plan = planCluster({ ...options, nodes: 2, basePort: 7000, logLevel: 'warn' });
  assert.deepEqual(
    plan.flatMap(({ clientPort, peerPort }) => [clientPort, peerPort]),
    [7000, 7001, 7002, 7003],
  );
  assert.deepEqual(plan[0]?.args.slice(-2), ['--log-level', 'warn']);
  for (const bad of [{ nodes: 0 }, { nodes: 6 }, { basePort: 0 }, { basePort: 65_531 }])
    assert.throws(() => planCluster({ ...options, ...bad }), { code: 'usage' });
});

test('a lost member: how, whether the rest can go on, and how to bring it back', () => {
  const [first] = planCluster(options);
  assert.ok(first);
  assert.match(
    describeLoss(first, 'was ended by SIGKILL', 2, 3),
    /^node1 was ended by SIGKILL: 2 of 3 members are left, enough to go on\. Start it again with: npx distrokv server --name node1 /,
  );
  assert.match(describeLoss(first, 'ended with exit code 1', 1, 3), /1 of 3 members are left, too few to serve/);
});

test('a busy port is told before anything starts', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  // The port is the last one of the two members, or the first where there is no room below.
  const basePort = Math.max(1, port - 3);
  const host = new FakeHost();
  await assert.rejects(runCluster(host, { ...options, nodes: 2, basePort }), {
    code: 'failed',
    message: new RegExp(`port .*\\b${port}\\b.* in use`),
  });
  assert.equal(host.out, '');
});

/** A port that is free, and the next one too. */
async function freePortPair(): Promise<number> {
  for (;;) {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    if (port < 65_000 && (await isPortFree(port + 1, '127.0.0.1'))) return port;
  }
}

test('a real member process: ready, asked to stop through its channel, gone', async (t) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'distrokv-cluster-'));
  t.after(() => rm(dataDirectory, { recursive: true }));
  const basePort = await freePortPair();
  const host = new FakeHost();
  const done = runCluster(host, { ...options, nodes: 1, dataDirectory, basePort });
  await Promise.race([host.saw('cluster | ready to serve client requests\n'), done]);
  assert.match(host.out, new RegExp(`cluster \\| node1 serves clients on 127.0.0.1:${basePort}\n`));
  assert.match(host.out, /^node1 {3}\| .*serving clients$/m);
  host.requestStop('SIGINT');
  await done;
  assert.match(host.out, /^node1 {3}\| .*stopped$/m);
});
