import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Command } from './command.ts';
import { keyRange } from './key-range.ts';
import { runSteps } from './steps.ts';
import { StoreFixture } from './testing/fixture.ts';
import { RecordingSink, showEvent, watch } from './testing/watching.ts';
import { del, put, range, show, txn } from './testing/requests.ts';

const COMPACTED = { message: 'etcdserver: mvcc: required revision has been compacted' };
const FUTURE = { message: 'etcdserver: mvcc: required revision is a future revision' };
const everything = keyRange(Uint8Array.of(0), Uint8Array.of(0));
const catchUp = (f: StoreFixture): void => {
  while (f.store.watches.step());
};

async function withHistory(): Promise<StoreFixture> {
  const f = await StoreFixture.open();
  await f.put(put('a', '1')); // 2
  await f.put(put('a', '2')); // 3
  await f.del(del('a')); // 4
  await f.put(put('b', '1')); // 5
  return f;
}

test('Compact: what is before it cannot be read, what is at it can; the bounds have their errors', async () => {
  const f = await withHistory();
  await assert.rejects(f.compact(6), FUTURE);
  await assert.rejects(f.compact(-1), COMPACTED);
  assert.equal((await f.compact(0)).header?.revision, 5);
  await assert.rejects(f.compact(0), COMPACTED);
  assert.equal((await f.compact(3)).header?.revision, 5);
  await assert.rejects(f.compact(3), COMPACTED);
  await assert.rejects(f.compact(2), COMPACTED);
  assert.throws(() => f.range(range('a', { revision: 2 })), COMPACTED);
  assert.deepEqual(f.range(range('a', { revision: 3 })).kvs.map(show), ['a=2@2/3/2']);
  assert.deepEqual(f.range(range('b')).kvs.map(show), ['b=1@5/5/1']);
});

test('reliability 36: a transaction that reads a compacted revision changes nothing, on any member', async () => {
  const f = await withHistory();
  await f.compact(4);
  await assert.rejects(f.txn(txn([], [put('c', '1'), range('a', { revision: 3 })])), COMPACTED);
  assert.equal(f.range(range('c')).count, 0);
  assert.equal(f.store.state.revision, 5);
  assert.throws(() => runSteps(f.store.reads.readOnlyTxn(txn([], [range('a', { revision: 3 })]))), COMPACTED);
});

test('reliability 32: a watcher that starts at the compaction sees a delete there (etcd #18089, #19179)', async () => {
  const f = await withHistory();
  await f.compact(4);
  await f.flush();
  const sink = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(everything, { startRevision: 4, prevKv: true }), sink);
  catchUp(f);
  assert.deepEqual(sink.all.map(showEvent), ['4 delete a', '5 put b=1'], 'without the version before, which is compacted');
  const late = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(everything, { startRevision: 3 }), late);
  catchUp(f);
  assert.deepEqual([late.compactedAt, late.responses.length], [4, 0]);
});

test('a watcher that lags behind a compaction ends with the revision that it can start from', async () => {
  const f = await withHistory();
  const sink = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(everything), sink);
  sink.hasRoom = false;
  await f.put(put('c', '1')); // 6
  await f.put(put('c', '2')); // 7
  await f.compact(7);
  sink.makeRoom();
  catchUp(f);
  assert.deepEqual([sink.compactedAt, sink.responses.length], [7, 0]);
});

test('a watcher is given what was put just before a compaction in the same entry', async () => {
  const f = await withHistory();
  const sink = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(everything, { prevKv: true }), sink);
  const requests = [put('c', '1'), put('c', '2'), put('d', '1')]; // 6 to 8
  const compact: Command = { kind: 'compact', request: { revision: 8, physical: false } };
  await f.apply(...requests.map((request): Command => ({ kind: 'put', request })), compact);
  assert.deepEqual(sink.all.map(showEvent), ['6 put c=1', '7 put c=2', '8 put d=1']);
  assert.throws(() => f.range(range('c', { revision: 7 })), COMPACTED);
  await f.crashAndRecover();
  assert.throws(() => f.range(range('c', { revision: 7 })), COMPACTED);
});

test('HashKV: a compaction meanwhile does not change what the hash is of', async () => {
  const stores = [await StoreFixture.open(), await StoreFixture.open()] as const;
  for (const f of stores) for (let i = 0; i < 2000; i++) await f.put(put(`k${i % 7}`, `${i}`));
  const [f, undisturbed] = stores;
  await undisturbed.compact(1500);
  const expected = runSteps(undisturbed.store.reads.hash(0));
  const steps = f.store.reads.hash(0);
  steps.next();
  await f.compact(1500);
  assert.deepEqual(runSteps(steps), expected);
  const early = f.store.reads.hash(1000);
  assert.throws(() => runSteps(early), COMPACTED);
});

test('thousands of compactions in one entry of the log are as good as the last', async () => {
  const f = await StoreFixture.open();
  for (let i = 0; i < 40; i++)
    await f.apply(...Array.from({ length: 50 }, (_, n): Command => ({ kind: 'put', request: put(`k${n}`, String(i)) })));
  const at = (revision: number): Command => ({ kind: 'compact', request: { revision, physical: false } });
  const results = await f.apply(...Array.from({ length: 1900 }, (_, n) => at(n + 1)));
  assert.ok(results.every((result) => !(result instanceof Error)));
  assert.equal(f.store.state.compactRevision, 1900);
  await f.crashAndRecover();
  const sink = new RecordingSink(f.store.watches);
  f.store.watches.create(watch(everything, { startRevision: 1900 }), sink);
  catchUp(f);
  assert.equal(sink.all.length, 102);
});

test('a compaction outlives a crash', async () => {
  const f = await withHistory();
  await f.compact(4);
  await f.crashAndRecover();
  assert.throws(() => f.range(range('a', { revision: 3 })), COMPACTED);
  await f.flush();
  await f.crashAndRecover();
  assert.equal(f.store.state.compactRevision, 4);
  assert.throws(() => f.range(range('a', { revision: 3 })), COMPACTED);
  assert.equal(f.range(range('b')).count, 1);
});

test('HashKV: equal stores have equal hashes, whatever is flushed; a change changes it', async () => {
  const [f, g] = [await withHistory(), await withHistory()];
  const hash = (of: StoreFixture, revision = 0): number => runSteps(of.store.reads.hash(revision)).hash;
  await f.flush();
  assert.equal(hash(f), hash(g));
  assert.notEqual(hash(f), hash(f, 4));
  await f.compact(3);
  await g.compact(3);
  assert.equal(hash(f), hash(g));
  await g.put(put('b', '1'));
  assert.notEqual(hash(f), hash(g));
  assert.equal(hash(f), hash(g, 5));
  assert.throws(() => hash(f, 2), COMPACTED);
  assert.throws(() => hash(f, 6), FUTURE);
});

test('RangeStream: the chunks together are the range; the first is small, each is bounded', async () => {
  const f = await StoreFixture.open();
  for (let i = 0; i < 60; i++) await f.put(put(`k${String(i).padStart(2, '0')}`, 'x'.repeat(100)));
  for (const fields of [{}, { limit: 25 }, { limit: 60 }, { countOnly: true }, { limit: 5, keysOnly: true }]) {
    const request = range('k', { end: 'l', ...fields });
    const { chunks, toResponse } = f.store.reads.rangeChunks(request, 1500);
    const pieces: pb.RangeResponse['kvs'][] = [];
    let step = chunks.next();
    for (; step.done !== true; step = chunks.next()) if (step.value && !(step.value instanceof Promise)) pieces.push(step.value);
    const last = toResponse(step.value);
    assert.deepEqual({ ...last, kvs: [...pieces.flat(), ...last.kvs] }, f.range(request));
    if (pieces[0]) assert.equal(pieces[0].length, 10);
    for (const piece of pieces) assert.ok(piece.reduce((sum, kv) => sum + kv.key.length + kv.value.length, 0) <= 1500);
  }
  assert.equal(f.range(range('nothing')).count, 0);
});

test('NOSPACE: what adds is refused, what reads, deletes and compacts is not; alarms outlive a crash', async () => {
  const f = await withHistory();
  const alarm = pb.AlarmType.NOSPACE;
  await f.grant(8n, 60);
  const raised = await f.alarm({ action: pb.AlarmAction.ACTIVATE, memberID: 7n, alarm });
  assert.deepEqual(raised.alarms, [{ memberID: 7n, alarm }]);
  const FULL = { message: 'etcdserver: mvcc: database space exceeded' };
  await f.flush();
  await f.crashAndRecover();
  await assert.rejects(f.put(put('c', '1')), FULL);
  await assert.rejects(f.txn(txn([], [range('a')], [put('c', '1')])), FULL);
  await assert.rejects(f.grant(9n, 60), FULL);
  assert.equal((await f.del(del('b'))).deleted, 1);
  await f.txn(txn([], [del('b')]));
  assert.equal((await f.renew(8n)).ttl, 60);
  await f.revoke(8n);
  await f.compact(3);
  assert.deepEqual((await f.alarm({ action: pb.AlarmAction.GET, memberID: 0n, alarm: pb.AlarmType.NONE })).alarms, raised.alarms);
  assert.deepEqual((await f.alarm({ action: pb.AlarmAction.DEACTIVATE, memberID: 0n, alarm })).alarms, [], 'it is of member 7');
  assert.deepEqual((await f.alarm({ action: pb.AlarmAction.DEACTIVATE, memberID: 7n, alarm })).alarms, raised.alarms);
  await f.put(put('c', '1'));
  await f.alarm({ action: pb.AlarmAction.ACTIVATE, memberID: 7n, alarm: pb.AlarmType.CORRUPT });
  await assert.rejects(f.del(del('c')), { message: 'etcdserver: corrupt cluster' });
  assert.equal(f.range(range('c')).count, 1);
});
