// Members that speak with each other by mutual TLS only, as real processes: whoever was away for longer than the log reaches back takes a snapshot,
// a new member joins by one, and who shows the certificate of another authority is not taken in.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fromUtf8 } from '@distrokv/base';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Api } from './support/api.ts';
import { createAuthority, type Pem } from './support/certificates.ts';
import { Distrokv, TestCluster, temporaryDirectory } from './support/cluster.ts';
import { equalContents, leaderOf } from './support/verify.ts';

const READY = 'ready to serve client requests';
const RECEIVED = 'received a snapshot';
const VALUE = 'x'.repeat(512 << 10);
/** Writes in flight; each writes a key of its own, so that what is read in the end is small. */
const WRITERS = 4;

test('by mutual TLS a member catches up by a snapshot, another joins by one, and a stranger is kept out', async (t) => {
  const directory = temporaryDirectory();
  const file = (name: string): string => path.join(directory, name);
  const [ours, theirs] = await Promise.all([createAuthority('ours'), createAuthority('theirs')]);
  const save = async (name: string, { cert, key }: Pem): Promise<string[]> => {
    await writeFile(file(`${name}.crt`), cert);
    await writeFile(file(`${name}.key`), key);
    return ['--peer-cert-file', file(`${name}.crt`), '--peer-key-file', file(`${name}.key`)];
  };
  await writeFile(file('ca.crt'), ours.cert);
  const checks = ['--peer-trusted-ca-file', file('ca.crt'), '--peer-client-cert-auth'];
  const member = await save('member', await ours.issue('member'));
  const stranger = await save('stranger', await theirs.issue('stranger'));
  const startMs = performance.now();
  const passed = (what: string): void => t.diagnostic(`${((performance.now() - startMs) / 1000).toFixed(1)} s: ${what}`);
  await using cluster = await TestCluster.start(3, [...member, ...checks, '--snapshot-catchup-entries', '10'], 1);

  const leader = await leaderOf(cluster.endpoints);
  const sleeper = cluster.members.find((each) => each !== leader) as number;
  await cluster.kill(sleeper);
  const log = path.join(cluster.dataDirectory(leader), 'raft');
  const first = path.join(log, readdirSync(log).sort()[0] as string);
  let written = 0;
  const write = async (key: string): Promise<void> => {
    using api = new Api(cluster.endpoint(leader));
    for (; existsSync(first); written++) await api.put(key, VALUE);
    await api.put(key, 'last');
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(`key ${i}`)));
  passed(`the log was cut after ${written} writes of ${VALUE.length >> 10} KiB`);

  const again = cluster.launch(sleeper);
  await again.printed(RECEIVED);
  await again.printed(READY);

  passed('who was away has caught up');

  const channel = createChannel(cluster.endpoint(leader));
  t.after(() => channel.close());
  await channel.unary(pb.Cluster.methods.memberAdd, pb.MemberAddRequest.create({ peerURLs: [cluster.peerUrl(3)], isLearner: true }));
  const url = cluster.peerUrl(3);
  const place = ['--name', 'n4', '--data-dir', file('data'), '--listen-peer-urls', url, '--initial-advertise-peer-urls', url];
  const known = ['--initial-cluster', `n4=${url},n1=${cluster.peerUrl(leader)}`, '--initial-cluster-state', 'existing'];
  const client = ['--listen-client-urls', `http://${cluster.endpoint(3)}`, '--advertise-client-urls', `http://${cluster.endpoint(3)}`];
  const refused = new Distrokv(['server', ...place, ...known, ...client, ...stranger, ...checks]);
  await refused.printed('this member was not taken in');
  await refused.kill();
  passed('a stranger was kept out');

  const joining = cluster.launch(3, ['--initial-cluster-state', 'existing']);
  await joining.printed(RECEIVED);
  await joining.printed(READY);
  passed('a learner has joined');
  const contents = await equalContents(cluster.endpoints);
  assert.deepEqual(
    [...contents],
    Array.from({ length: WRITERS }, (_, i) => [`key ${i}`, 'last']),
  );
  // A learner answers serializable reads only: until it has everything.
  using api = new Api(cluster.endpoint(3));
  const isEqual = ({ kvs }: pb.RangeResponse): boolean => kvs.length === WRITERS && kvs.every(({ value }) => fromUtf8(value) === 'last');
  while (!isEqual(await api.all({ serializable: true }))) await new Promise((resolve) => setTimeout(resolve, 100));
});
