// What a member does by itself: it compacts by time and by revisions, and takes the NOSPACE alarm back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Deferred, clusterId, deferred, memberId, utf8 } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import { Compactor } from './compactor.ts';
import type { ServiceContext } from './context.ts';
import { KvService } from './kv.ts';
import { Quota } from './quota.ts';

async function member(config: Partial<ServerConfig>): Promise<{ replicas: Replicas; context: ServiceContext; put: () => Promise<void> }> {
  const replicas = new Replicas(1, 1);
  await replicas.start(1);
  await replicas.time.settle();
  const { env, replica, store } = replicas.member(1);
  const onFatal = (error: unknown): void => assert.fail(String(error));
  const ids = { clusterId: clusterId(1n), memberId: memberId(1n) };
  const context = { env, replica, store, config, logger: silentLogger, ...ids, onFatal } as unknown as ServiceContext;
  const put = async (): Promise<void> => {
    const done = replica.propose({ kind: 'put', request: pb.PutRequest.create({ key: utf8('k') }) });
    await replicas.time.settle();
    await done;
  };
  return { replicas, context, put };
}

test('auto-compaction by time keeps what was current that long ago, and compacts what is older', async () => {
  const { replicas, context, put } = await member({ autoCompaction: { mode: 'periodic', retentionMs: 60_000 } });
  const compactor = new Compactor(context);
  compactor.start();
  const revisions: number[] = [];
  for (let second = 0; second < 300; second++) {
    revisions.push(context.store.state.revision);
    const { compactRevision } = context.store.state;
    assert.ok(compactRevision <= (revisions[second - 60] ?? 0), `at ${second} s it is compacted to ${compactRevision}`);
    await put();
    await replicas.time.advance(1000);
  }
  assert.ok(context.store.state.compactRevision >= (revisions[300 - 60 - 60 - 10] ?? 0));
  compactor.stop();
});

test('auto-compaction by revisions keeps so many, every five minutes', async () => {
  const { replicas, context, put } = await member({ autoCompaction: { mode: 'revision', retention: 10 } });
  const compactor = new Compactor(context);
  compactor.start();
  for (let i = 0; i < 30; i++) await put();
  const { revision } = context.store.state;
  await replicas.time.advance(4 * 60_000);
  assert.ok(context.store.state.compactRevision <= 0);
  await replicas.time.advance(2 * 60_000);
  assert.equal(context.store.state.compactRevision, revision - 10);
  compactor.stop();
});

test('Compact answers at once, and a physical one when the space is given back, also that of what was compacted meanwhile', async () => {
  const { replicas, context, put } = await member({ quotaBytes: Infinity });
  const kv = new KvService(context, new Quota(context), new Compactor(context));
  for (let i = 0; i < 5; i++) await put();
  const runs: Deferred<void>[] = [];
  context.store.reclaim = async () => {
    const run = deferred<void>();
    runs.push(run);
    await run.promise;
  };
  const answered: number[] = [];
  const compact = async (revision: number, physical: boolean): Promise<void> => {
    void kv.compact({ revision, physical }).then(() => answered.push(revision));
    await replicas.time.settle();
  };
  await compact(2, true);
  await compact(3, false);
  await compact(4, true);
  assert.deepEqual([answered, runs.length], [[3], 1]);
  runs[0]?.resolve();
  await replicas.time.settle();
  assert.deepEqual([answered, runs.length], [[3], 2], 'what came during a run has the next');
  runs[1]?.resolve();
  await replicas.time.settle();
  assert.deepEqual(answered, [3, 2, 4]);
});

for (const autoDisarm of [true, false])
  test(`a full store raises the alarm, which ${autoDisarm ? 'goes when there is room again' : 'stays if an operator is to take it back'}`, async () => {
    const config = { quotaBytes: 1, autoDisarm };
    const { replicas, context } = await member(config);
    const quota = new Quota(context);
    quota.start();
    quota.check(0);
    assert.throws(() => quota.check(1), { code: 'no-space' });
    await replicas.time.advance(5000);
    const isRaised = (): boolean => context.store.alarms.has(pb.AlarmType.NOSPACE);
    assert.equal(isRaised(), true);
    config.quotaBytes = 1 << 30;
    await replicas.time.advance(5000);
    assert.equal(isRaised(), !autoDisarm);
    quota.stop();
  });
