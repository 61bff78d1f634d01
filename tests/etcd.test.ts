// Our client at a real etcd, which is what its wire is measured by.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { utf8 } from '@distrokv/base';
import { createClient } from '@distrokv/client';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { freePorts, temporaryDirectory } from './support/cluster.ts';

const run = promisify(execFile);

/** Starts etcd and returns where it serves clients. */
async function startEtcd(directory: string): Promise<{ readonly child: ChildProcess; readonly endpoint: string }> {
  const [client, peer] = (await freePorts(2)) as [number, number];
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const child = spawn(
    'etcd',
    [
      ...['--data-dir', directory, '--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--initial-cluster', `default=${peerUrl}`],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  child.stdout?.resume();
  child.stderr?.resume();
  return { child, endpoint: `127.0.0.1:${client}` };
}

test('our client at a real etcd: keys, transactions, streams, errors', async (t) => {
  const installed = await run('etcd', ['--version']).then(
    () => true,
    () => false,
  );
  if (!installed) return t.skip('etcd is not installed here (etcd-server)');
  const directory = temporaryDirectory();
  const { child, endpoint } = await startEtcd(directory);
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  const channel = createChannel(endpoint);
  t.after(() => channel.close());
  // It is there when a call that waits for it is answered; before it leads, it may refuse.
  for (let tries = 0; ; tries++) {
    try {
      await channel.unary(pb.KV.methods.range, pb.RangeRequest.create({ key: utf8('a') }), { waitForReady: true, timeoutMs: 60_000 });
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  await using client = createClient({ endpoints: [endpoint] });
  await client.put('a', '1');
  await client.put('a', '2', { prevKv: true });
  const { kvs } = await client.get('a');
  assert.deepEqual([...(kvs[0]?.value ?? [])], [0x32]);
  assert.equal(kvs[0]?.version, 2);
  assert.equal((await client.memberList()).members.length, 1);
  assert.match((await client.status(endpoint)).version, /^3\./);
  await assert.rejects(client.get('a', { revision: 999_999 }), /required revision is a future revision/);
  await assert.rejects(client.put('', 'x'), /key is not provided/);

  const large = new Uint8Array(1_000_000).fill(7);
  await client.put('large', large);
  assert.deepEqual((await client.get('large')).kvs[0]?.value, large);
  await assert.rejects(client.put('larger', new Uint8Array(3_000_000)));

  const watch = channel.stream(pb.Watch.methods.watch);
  const responses = watch.responses[Symbol.asyncIterator]();
  const next = async (): Promise<pb.WatchResponse> => (await responses.next()).value as pb.WatchResponse;
  const create = pb.WatchCreateRequest.create({ key: utf8('w') });
  watch.send(pb.WatchRequest.create({ requestUnion: { case: 'createRequest', value: create } }));
  assert.equal((await next()).created, true);
  await client.put('w', '1');
  assert.equal((await next()).events.length, 1);
  watch.finish();
  watch.cancel();

  const calls = Array.from({ length: 2000 }, (_, i) => client.put(`many/${i}`, String(i)));
  await Promise.all(calls);
  assert.equal((await client.get('many/', { prefix: true, countOnly: true })).count, 2000);
  await assert.rejects(channel.unary({ ...pb.KV.methods.put, path: '/no.Such/Thing' }, pb.PutRequest.create()), {
    code: 'unimplemented',
    message: 'unknown service no.Such',
  });
});
