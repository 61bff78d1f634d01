// KV: one case for each sentence about ranges, puts, deletes, transactions and compaction.
import assert from 'node:assert/strict';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { type EtcdApi, endOf, op, rangeRequest, showEvent, showKv, when } from './etcd-api.ts';

const COMPACTED = 'mvcc: required revision has been compacted';
const FUTURE = 'mvcc: required revision is a future revision';
const { SortOrder, SortTarget } = pb;

const rangeOf = (response: pb.ResponseOp | undefined): pb.RangeResponse => {
  assert.ok(response?.response?.case === 'responseRange');
  return response.response.value;
};

async function abc(api: EtcdApi, p: string): Promise<void> {
  for (const [key, value] of [
    ['a', '3'],
    ['b', '1'],
    ['c', '2'],
  ] as const)
    await api.put(p + key, value);
}

export const rangeCases: readonly Case[] = [
  {
    sentence: 'Range: an empty key is refused',
    run: (api) => refused(api.range(''), 'invalid-argument', 'key is not provided'),
  },
  {
    sentence: 'Range: range_end "" is the single key, \\0 is from the key on, and key = range_end = \\0 is all keys',
    async run(api, p) {
      await abc(api, p);
      assert.deepEqual((await api.range(`${p}b`)).kvs.map(showKv), [`${p}b=1`]);
      assert.ok((await api.range(`${p}b`, { end: '\0' })).kvs.map(showKv).join().startsWith(`${p}b=1,${p}c=2`));
      assert.ok((await api.range('\0', { end: '\0', limit: 1 })).count >= 3);
    },
  },
  {
    sentence: 'Range: range_end ≤ key is an empty result, no error',
    async run(api, p) {
      await abc(api, p);
      for (const end of [`${p}b`, `${p}a`]) {
        const { kvs, more, count } = await api.range(`${p}b`, { end });
        assert.deepEqual([kvs, more, count], [[], false, 0]);
      }
    },
  },
  {
    sentence: 'Range: an unknown enum is ErrInvalidSortOption',
    since: '3.5',
    async run(api, p) {
      await refused(api.range(p, { sortOrder: 9 }), 'invalid-argument', 'invalid sort option');
      await refused(api.range(p, { sortTarget: 9 }), 'invalid-argument', 'invalid sort option');
    },
  },
  {
    sentence: 'Range: revision ≤ 0 is the latest; above the current it is ErrFutureRev; header.revision is always the current one',
    async run(api, p) {
      const first = (await api.put(`${p}k`, '1')).header?.revision ?? 0;
      const second = (await api.put(`${p}k`, '2')).header?.revision ?? 0;
      assert.equal(second, first + 1);
      const past = await api.range(`${p}k`, { revision: first });
      assert.deepEqual([past.kvs.map(showKv), past.header?.revision], [[`${p}k=1`], second]);
      assert.deepEqual((await api.range(`${p}k`, { revision: -5 })).kvs.map(showKv), [`${p}k=2`]);
      await refused(api.range(`${p}k`, { revision: second + 1000 }), 'out-of-range', FUTURE);
    },
  },
  {
    sentence: 'Range: order is fetch, revision filters, sort, truncate; more tells of the filtered, count of all',
    async run(api, p) {
      await abc(api, p);
      const { kvs } = await api.range(`${p}a`);
      const oldest = kvs[0]?.modRevision ?? 0;
      const found = await api.range(p, {
        end: endOf(p),
        minModRevision: oldest + 1,
        sortOrder: SortOrder.DESCEND,
        sortTarget: SortTarget.VALUE,
        limit: 1,
      });
      assert.deepEqual([found.kvs.map(showKv), found.more, found.count], [[`${p}c=2`], true, 3]);
      const one = await api.range(p, { end: endOf(p), maxCreateRevision: oldest, limit: 1 });
      assert.deepEqual([one.kvs.map(showKv), one.more, one.count], [[`${p}a=3`], false, 3]);
    },
  },
  {
    sentence: 'Range: a target other than the key with NONE takes limit + 1 keys in key order, sorts them ascending, then cuts',
    async run(api, p) {
      await abc(api, p);
      const found = await api.range(p, { end: endOf(p), sortTarget: SortTarget.VALUE, limit: 1 });
      assert.deepEqual([found.kvs.map(showKv), found.more], [[`${p}b=1`], true]);
      const all = await api.list(p, { sortTarget: SortTarget.VALUE });
      assert.deepEqual(all, [`${p}b=1`, `${p}c=2`, `${p}a=3`]);
    },
  },
  {
    sentence: 'Range: sorts by key, version, create, mod and value, both ways',
    async run(api, p) {
      await abc(api, p);
      await api.put(`${p}a`, '3');
      const order = async (sortTarget: number, sortOrder: number): Promise<string> =>
        (await api.list(p, { sortTarget, sortOrder })).map((text) => text.at(p.length)).join('');
      assert.equal(await order(SortTarget.KEY, SortOrder.DESCEND), 'cba');
      assert.equal(await order(SortTarget.VERSION, SortOrder.DESCEND), 'abc');
      assert.equal(await order(SortTarget.CREATE, SortOrder.DESCEND), 'cba');
      assert.equal(await order(SortTarget.MOD, SortOrder.ASCEND), 'bca');
      assert.equal(await order(SortTarget.VALUE, SortOrder.ASCEND), 'bca');
    },
  },
  {
    sentence: 'Range: count_only has no kvs, more is false, limit is ignored',
    async run(api, p) {
      await abc(api, p);
      const { kvs, more, count } = await api.range(p, { end: endOf(p), countOnly: true, limit: 1 });
      assert.deepEqual([kvs, more, count], [[], false, 3]);
    },
  },
  {
    sentence: 'Range: keys_only drops values',
    async run(api, p) {
      await abc(api, p);
      assert.deepEqual(await api.list(p, { keysOnly: true }), [`${p}a=`, `${p}b=`, `${p}c=`]);
    },
  },
  {
    sentence: 'Range: keys_only leaves the leases',
    differs: 'since 3.7 etcd reads keys_only from its index, where leases are 0',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.put(p, 'v', { lease: id });
      const [kv] = (await api.range(p, { end: endOf(p), keysOnly: true })).kvs;
      assert.deepEqual([kv?.lease, kv?.value.length], [id, 0]);
      await api.revoke(id);
    },
  },
  {
    sentence: 'Range: limit cuts, more tells so, count ignores it',
    async run(api, p) {
      await abc(api, p);
      const two = await api.range(p, { end: endOf(p), limit: 2 });
      assert.deepEqual([two.kvs.length, two.more, two.count], [2, true, 3]);
      const three = await api.range(p, { end: endOf(p), limit: 3 });
      assert.deepEqual([three.kvs.length, three.more, three.count], [3, false, 3]);
    },
  },
  {
    sentence: 'Range: serializable answers too',
    async run(api, p) {
      await api.put(`${p}k`);
      assert.ok((await api.range(`${p}k`, { serializable: true })).count <= 1);
    },
  },
  {
    sentence: 'Range: `hasleader` asks for a leader, and there is one',
    async run(api, p) {
      await api.call(pb.KV.methods.range, rangeRequest(p), { hasleader: 'true' });
    },
  },
];

export const putCases: readonly Case[] = [
  {
    sentence: 'Put: empty key; ignore_value with a value; ignore_lease with a lease; ignore_* on a missing key; an unknown lease',
    async run(api, p) {
      await refused(api.put(''), 'invalid-argument', 'key is not provided');
      await refused(api.put(p, 'v', { ignoreValue: true }), 'invalid-argument', 'value is provided');
      await refused(api.put(p, '', { ignoreLease: true, lease: 5n }), 'invalid-argument', 'lease is provided');
      await refused(api.put(`${p}none`, '', { ignoreValue: true }), 'invalid-argument', 'key not found');
      await refused(api.put(`${p}none`, 'v', { ignoreLease: true }), 'invalid-argument', 'key not found');
      await refused(api.put(p, 'v', { lease: 123_456_789n }), 'not-found', 'requested lease not found');
    },
  },
  {
    sentence: 'Put: version grows by one, create_revision begins anew after a delete, the same value makes a revision too',
    async run(api, p) {
      const first = (await api.put(`${p}k`, 'v')).header?.revision ?? 0;
      assert.equal((await api.put(`${p}k`, 'v')).header?.revision, first + 1);
      const [kv] = (await api.range(`${p}k`)).kvs;
      assert.deepEqual([kv?.version, kv?.createRevision, kv?.modRevision], [2, first, first + 1]);
      await api.del(`${p}k`);
      await api.put(`${p}k`, 'w');
      const [again] = (await api.range(`${p}k`)).kvs;
      assert.deepEqual([again?.version, again?.createRevision], [1, first + 3]);
    },
  },
  {
    sentence: 'Put: prev_kv is the pair before, and nothing for a new key',
    async run(api, p) {
      assert.equal((await api.put(`${p}k`, '1', { prevKv: true })).prevKv, undefined);
      const { prevKv } = await api.put(`${p}k`, '2', { prevKv: true });
      assert.equal(prevKv && showKv(prevKv), `${p}k=1`);
    },
  },
  {
    sentence: 'Put: ignore_value keeps the value and makes a new version; ignore_lease keeps the lease',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.put(`${p}k`, 'v', { lease: id });
      await api.put(`${p}k`, 'w', { ignoreLease: true });
      const [kv] = (await api.range(`${p}k`)).kvs;
      assert.deepEqual([kv?.lease, kv?.version], [id, 2]);
      await api.put(`${p}k`, '', { ignoreValue: true });
      const [bare] = (await api.range(`${p}k`)).kvs;
      assert.deepEqual([bare && showKv(bare), bare?.lease], [`${p}k=w`, 0n]);
      await api.revoke(id);
    },
  },
  {
    sentence: 'Put: a request above max-request-bytes is refused',
    async run(api, p) {
      await refused(api.put(p, 'x'.repeat(1_600_000)), 'invalid-argument', 'request is too large');
    },
  },
  {
    sentence: 'DeleteRange: what is deleted is counted; nothing deleted makes no revision; prev_kvs come along',
    async run(api, p) {
      await refused(api.del(''), 'invalid-argument', 'key is not provided');
      await abc(api, p);
      const before = await api.revision();
      const none = await api.del(`${p}none`);
      assert.deepEqual([none.deleted, none.header?.revision], [0, before]);
      const some = await api.del(`${p}a`, `${p}c`, true);
      assert.deepEqual([some.deleted, some.prevKvs.map(showKv), some.header?.revision], [2, [`${p}a=3`, `${p}b=1`], before + 1]);
    },
  },
];

export const txnCases: readonly Case[] = [
  {
    sentence: 'Txn: more than max-txn-ops (128) compares, successes or failures are refused',
    async run(api, p) {
      const many = Array.from({ length: 129 }, (_, i) => op.put(`${p}${i}`));
      await refused(api.txn([], many), 'invalid-argument', 'too many operations in txn request');
      await refused(api.txn([], [], many), 'invalid-argument', 'too many operations in txn request');
      await refused(
        api.txn(
          many.map((_, i) => when(`${p}${i}`, 'version', '=', 0)),
          [],
        ),
        'invalid-argument',
        'too many operations in txn request',
      );
      await api.txn([], many.slice(1));
    },
  },
  {
    sentence: 'Txn: an empty compare key is ErrEmptyKey, an empty op is ErrKeyNotFound',
    async run(api) {
      await refused(api.txn([when('', 'version', '=', 0)], []), 'invalid-argument', 'key is not provided');
      await refused(
        api.call(pb.KV.methods.txn, { compare: [], success: [{ request: undefined }], failure: [] }),
        'invalid-argument',
        'key not found',
      );
    },
  },
  {
    sentence:
      'Txn: a key put twice, or put and deleted, on one branch is ErrDuplicateKey; overlapping deletes, and one key in both branches, are legal',
    async run(api, p) {
      const duplicate = 'duplicate key given in txn request';
      await refused(api.txn([], [op.put(p), op.put(p)]), 'invalid-argument', duplicate);
      await refused(api.txn([], [op.put(`${p}b`), op.del(`${p}a`, `${p}c`)]), 'invalid-argument', duplicate);
      await refused(api.txn([], [op.put(p), op.txn([], [op.put(p)])]), 'invalid-argument', duplicate);
      await refused(api.txn([], [op.del(p), op.txn([], [], [op.put(p)])]), 'invalid-argument', duplicate);
      await api.txn([], [op.del(`${p}a`, `${p}c`), op.del(`${p}b`)]);
      await api.txn([], [op.txn([], [op.put(p)], [op.put(p)])]);
      await api.txn([], [op.put(p)], [op.put(p)]);
    },
  },
  {
    sentence: 'Txn: VALUE on a missing key is false, even NOT_EQUAL; the other targets take 0',
    async run(api, p) {
      const holds = async (compare: pb.Compare): Promise<boolean> => (await api.txn([compare], [])).succeeded;
      assert.equal(await holds(when(p, 'value', '!=', 'x')), false);
      assert.equal(await holds(when(p, 'value', '=', '')), false);
      for (const target of ['version', 'create', 'mod', 'lease'] as const) {
        assert.equal(await holds(when(p, target, '=', 0)), true);
        assert.equal(await holds(when(p, target, '<', 1)), true);
        assert.equal(await holds(when(p, target, '!=', 0)), false);
      }
    },
  },
  {
    sentence: 'Txn: with range_end every key must match; an empty range compares as one missing key',
    async run(api, p) {
      await abc(api, p);
      const holds = async (compare: pb.Compare): Promise<boolean> => (await api.txn([compare], [])).succeeded;
      assert.equal(await holds(when(p, 'version', '=', 1, endOf(p))), true);
      await api.put(`${p}b`, '1');
      assert.equal(await holds(when(p, 'version', '=', 1, endOf(p))), false);
      assert.equal(await holds(when(p, 'version', '>', 0, endOf(p))), true);
      assert.equal(await holds(when(`${p}x`, 'version', '=', 0, `${p}z`)), true);
      assert.equal(await holds(when(`${p}x`, 'value', '!=', 'a', `${p}z`)), false);
    },
  },
  {
    sentence: 'Txn: all compares, nested ones too, are evaluated before any operation; ranges see earlier writes',
    async run(api, p) {
      const { responses } = await api.txn(
        [],
        [op.put(`${p}a`, '1'), op.get(`${p}a`), op.txn([when(`${p}a`, 'version', '=', 0)], [op.get(`${p}a`)])],
      );
      assert.deepEqual(rangeOf(responses[1]).kvs.map(showKv), [`${p}a=1`]);
      const nested = responses[2]?.response;
      assert.ok(nested?.case === 'responseTxn' && nested.value.succeeded);
      assert.deepEqual(rangeOf(nested.value.responses[0]).kvs.map(showKv), [`${p}a=1`]);
    },
  },
  {
    sentence: 'Txn: an operation that cannot run refuses the whole of it, nothing is applied',
    async run(api, p) {
      const future = (await api.revision()) + 1000;
      await refused(api.txn([], [op.put(`${p}a`), op.get(`${p}a`, { revision: future })]), 'out-of-range', FUTURE);
      await refused(api.txn([], [op.put(`${p}a`), op.put(`${p}b`, '', { lease: 987_654n })]), 'not-found', 'requested lease not found');
      await refused(api.txn([], [op.put(`${p}a`), op.put(`${p}b`, '', { ignoreValue: true })]), 'invalid-argument', 'key not found');
      assert.deepEqual(await api.list(p), []);
    },
  },
  {
    sentence: 'Txn: one revision for all; nothing changed, and header.revision is the current one; op headers carry only the revision',
    async run(api, p) {
      const before = await api.revision();
      const done = await api.txn([], [op.put(`${p}a`), op.put(`${p}b`), op.del(`${p}none`)]);
      assert.equal(done.header?.revision, before + 1);
      const put = done.responses[0]?.response;
      assert.ok(put?.case === 'responsePut');
      assert.deepEqual(put.value.header, pb.ResponseHeader.create({ revision: before + 1 }));
      const { kvs } = await api.range(p, { end: endOf(p) });
      assert.deepEqual(
        kvs.map((kv) => kv.modRevision),
        [before + 1, before + 1],
      );
      const read = await api.txn([], [op.get(`${p}a`)]);
      assert.equal(read.header?.revision, before + 1);
      const nothing = await api.txn([when(`${p}a`, 'version', '=', 9)], [op.put(`${p}a`)]);
      assert.deepEqual([nothing.succeeded, nothing.header?.revision], [false, before + 1]);
    },
  },
  {
    sentence: 'Txn: a nested one has what its parent left of max-txn-ops',
    since: '3.5',
    async run(api, p) {
      const many = (count: number, at: string): ReturnType<typeof op.put>[] =>
        Array.from({ length: count }, (_, i) => op.put(`${p}${at}${i}`));
      await refused(api.txn([], [...many(100, 'a'), op.txn([], many(28, 'b'))]), 'invalid-argument', 'too many operations in txn request');
      await api.txn([], [...many(100, 'a'), op.txn([], many(27, 'b'))]);
    },
  },
];

/** Beside the table of edges: what the budget of a nested one is counted from. */
export const budgetCases: readonly Case[] = [
  {
    sentence: 'Txn: what a parent left of max-txn-ops is counted from the most of its compares, successes and failures, at every level',
    since: '3.5',
    async run(api, p) {
      const TOO_MANY = 'too many operations in txn request';
      const puts = (count: number): ReturnType<typeof op.put>[] => Array.from({ length: count }, (_, i) => op.put(`${p}${i}`));
      const compares = (count: number): pb.Compare[] => Array.from({ length: count }, (_, i) => when(`${p}${i}`, 'version', '>', -1));
      await refused(api.txn(compares(100), [op.txn([], puts(29))]), 'invalid-argument', TOO_MANY);
      await api.txn(compares(100), [op.txn([], puts(28))]);
      await refused(api.txn([], [op.txn([], puts(29))], puts(100)), 'invalid-argument', TOO_MANY);
      await api.txn([], [op.txn([], puts(28))], puts(100));
      await refused(api.txn([], [op.txn(compares(60), [op.txn([], puts(68))])]), 'invalid-argument', TOO_MANY);
      await api.txn([], [op.txn(compares(60), [op.txn([], puts(67))])]);
    },
  },
  {
    sentence: 'Put, DeleteRange: prev_kv is the whole pair: revisions, version, lease',
    async run(api, p) {
      const { id } = await api.grant(60);
      const createRevision = (await api.put(p, '1')).header?.revision;
      const modRevision = (await api.put(p, '2', { lease: id })).header?.revision;
      const { prevKv } = await api.put(p, '3', { prevKv: true });
      const whole = (kv: mvccpb.KeyValue | undefined): unknown[] => [
        kv && showKv(kv),
        kv?.createRevision,
        kv?.modRevision,
        kv?.version,
        kv?.lease,
      ];
      assert.deepEqual(whole(prevKv), [`${p}=2`, createRevision, modRevision, 2, id]);
      const { prevKvs } = await api.del(p, '', true);
      assert.deepEqual(prevKvs.map(whole), [[`${p}=3`, createRevision, (modRevision ?? 0) + 1, 3, 0n]]);
      await api.put(p, '4');
      assert.deepEqual((await api.del(p)).prevKvs, []);
      await api.revoke(id);
    },
  },
];

/** Last: they take the past of all other cases away. */
export const compactionCases: readonly Case[] = [
  {
    sentence: 'Compact: above the current revision is ErrFutureRev; at or below the compacted one is ErrCompacted',
    async run(api, p) {
      const { header } = await api.put(`${p}k`, '1');
      const at = header?.revision ?? 0;
      await refused(api.compact(at + 1000), 'out-of-range', FUTURE);
      await api.compact(at);
      await refused(api.compact(at), 'out-of-range', COMPACTED);
      await refused(api.compact(at - 1), 'out-of-range', COMPACTED);
    },
  },
  {
    sentence: 'Compact: a read below it is ErrCompacted, a read at it is legal; the newest version of a live key stays',
    async run(api, p) {
      const first = (await api.put(`${p}k`, '1')).header?.revision ?? 0;
      await api.put(`${p}other`);
      const last = (await api.put(`${p}k`, '2')).header?.revision ?? 0;
      await api.compact(last - 1, true);
      await refused(api.range(`${p}k`, { revision: first }), 'out-of-range', COMPACTED);
      await refused(api.txn([], [op.get(`${p}k`, { revision: first })]), 'out-of-range', COMPACTED);
      await refused(api.txn([], [op.put(`${p}x`), op.get(`${p}k`, { revision: first })]), 'out-of-range', COMPACTED);
      assert.deepEqual((await api.range(`${p}k`, { revision: last - 1 })).kvs.map(showKv), [`${p}k=1`]);
      assert.deepEqual(await api.list(`${p}x`), []);
    },
  },
  {
    sentence: 'Watch: start < the compaction is `created`, then canceled with compact_revision, header.revision 0 and no reason',
    async run(api, p) {
      const first = (await api.put(`${p}k`, '1')).header?.revision ?? 0;
      const last = (await api.put(`${p}k`, '2')).header?.revision ?? 0;
      await api.compact(last);
      using watching = api.watch();
      assert.equal((await watching.create(`${p}k`, { startRevision: first })).created, true);
      const end = await watching.next();
      assert.deepEqual(
        [end.canceled, end.compactRevision, end.header?.revision, end.cancelReason, end.events.length],
        [true, last, 0, '', 0],
      );
    },
  },
  {
    sentence: 'Watch: start = the compaction works, with a delete at it too (etcd #18089, #19179)',
    since: '3.6',
    async run(api, p) {
      await api.put(`${p}k`, '1');
      const last = (await api.del(`${p}k`)).header?.revision ?? 0;
      await api.compact(last, true);
      using watching = api.watch();
      await watching.create(`${p}k`, { startRevision: last, prevKv: true });
      const [event] = await watching.events(1);
      assert.deepEqual([event?.type, event?.kv?.modRevision, event?.prevKv], [1, last, undefined]);
    },
  },
  {
    sentence: 'Compact: 0 and less are at or below the compacted one; it makes no revision',
    async run(api, p) {
      const at = (await api.put(p)).header?.revision ?? 0;
      assert.equal((await api.compact(at)).header?.revision, at);
      for (const revision of [0, -1]) await refused(api.compact(revision), 'out-of-range', COMPACTED);
      assert.equal(await api.revision(), at);
    },
  },
  {
    sentence: 'Compact: what was deleted before it is not to be seen at it; versions go on, and so do create revisions',
    async run(api, p) {
      const first = (await api.put(`${p}live`, '1')).header?.revision ?? 0;
      await api.put(`${p}dead`, '1');
      await api.del(`${p}dead`);
      const at = (await api.put(`${p}live`, '2')).header?.revision ?? 0;
      await api.compact(at, true);
      assert.deepEqual(await api.list(p, { revision: at }), [`${p}live=2`]);
      await api.put(`${p}live`, '3');
      const [kv] = (await api.range(`${p}live`)).kvs;
      assert.deepEqual([kv?.version, kv?.createRevision], [3, first]);
    },
  },
  {
    sentence: 'Watch: prev_kv that was compacted is left out',
    async run(api, p) {
      await api.put(p, '1');
      const at = (await api.put(p, '2')).header?.revision ?? 0;
      await api.put(p, '3');
      await api.compact(at, true);
      using watching = api.watch();
      await watching.create(p, { startRevision: at, prevKv: true });
      assert.deepEqual((await watching.events(2)).map(showEvent), [`+${p}=2`, `+${p}=3 (2)`]);
    },
  },
  {
    sentence: 'HashKV: below the compaction is ErrCompacted, above the current revision ErrFutureRev',
    async run(api, p) {
      const at = (await api.put(`${p}k`)).header?.revision ?? 0;
      await api.compact(at);
      const hash = (revision: number): Promise<pb.HashKVResponse> => api.call(pb.Maintenance.methods.hashKV, { revision });
      await refused(hash(at - 1), 'out-of-range', COMPACTED);
      await refused(hash(at + 1000), 'out-of-range', FUTURE);
      const { hash: value, compactRevision } = await hash(0);
      assert.deepEqual([value === (await hash(0)).hash, compactRevision], [true, at]);
    },
  },
  {
    sentence: 'Defragment answers without a header; the alarms are none',
    async run(api) {
      assert.equal((await api.call(pb.Maintenance.methods.defragment, {})).header, undefined);
      const { alarms } = await api.call(pb.Maintenance.methods.alarm, pb.AlarmRequest.create({ action: pb.AlarmAction.GET }));
      assert.deepEqual(alarms, []);
    },
  },
  {
    sentence: 'Alarm: NOSPACE refuses what adds, and is taken back by DEACTIVATE of that member',
    async run(api, p) {
      await api.put(`${p}k`);
      const memberID = 4711n;
      const alarm = (action: number): Promise<pb.AlarmResponse> =>
        api.call(pb.Maintenance.methods.alarm, { action, memberID, alarm: pb.AlarmType.NOSPACE });
      assert.deepEqual((await alarm(pb.AlarmAction.ACTIVATE)).alarms, [{ memberID, alarm: pb.AlarmType.NOSPACE }]);
      const full = 'mvcc: database space exceeded';
      await refused(api.put(`${p}x`), 'resource-exhausted', full);
      await refused(api.txn([], [], [op.put(`${p}x`)]), 'resource-exhausted', full);
      await refused(api.grant(60), 'resource-exhausted', full);
      assert.equal((await api.del(`${p}k`)).deleted, 1);
      assert.equal((await alarm(pb.AlarmAction.DEACTIVATE)).alarms.length, 1);
      await api.put(`${p}x`);
    },
  },
];
