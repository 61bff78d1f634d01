// KV: how fields and operations play together, one case for each sentence.
import assert from 'node:assert/strict';
import { utf8 } from '@distrokv/base';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { type EtcdApi, endOf, op, type RangeFields, showKv, when } from './etcd-api.ts';

const { SortOrder, SortTarget } = pb;

const revisionOf = ({ header }: { readonly header: pb.ResponseHeader | undefined }): number => header?.revision ?? 0;

/** a, b, c, d with values 4, 3, 2, 1, then b once more (mod revision 5th, version 2); the revision of the first. */
async function four(api: EtcdApi, p: string): Promise<number> {
  const first = revisionOf(await api.put(`${p}a`, '4'));
  for (const text of ['b3', 'c2', 'd1', 'b3']) await api.put(p + text.charAt(0), text.charAt(1));
  return first;
}

/** What a range of `four` answers: the last letters of its keys, more, count. `at` is the revision of the first put. */
type RangeRow = readonly [says: string, fields: (at: number) => RangeFields, keys: string, more: boolean, count: number];

const rangeRows: readonly RangeRow[] = [
  ['limit 0 is no limit', () => ({ limit: 0 }), 'abcd', false, 4],
  ['a limit above what is there', () => ({ limit: 9 }), 'abcd', false, 4],
  ['KEY and ASCEND with a limit is the order of the keys', () => ({ limit: 3, sortOrder: SortOrder.ASCEND }), 'abc', true, 4],
  ['KEY and DESCEND sorts all before it cuts', () => ({ limit: 1, sortOrder: SortOrder.DESCEND }), 'd', true, 4],
  [
    'VALUE and ASCEND sorts all before it cuts',
    () => ({ limit: 2, sortTarget: SortTarget.VALUE, sortOrder: SortOrder.ASCEND }),
    'dc',
    true,
    4,
  ],
  ['VERSION and DESCEND', () => ({ limit: 1, sortTarget: SortTarget.VERSION, sortOrder: SortOrder.DESCEND }), 'b', true, 4],
  ['MOD and DESCEND', () => ({ limit: 2, sortTarget: SortTarget.MOD, sortOrder: SortOrder.DESCEND }), 'bd', true, 4],
  ['CREATE and DESCEND', () => ({ limit: 2, sortTarget: SortTarget.CREATE, sortOrder: SortOrder.DESCEND }), 'dc', true, 4],
  [
    'keys_only sorts by the values that it drops',
    () => ({ keysOnly: true, sortTarget: SortTarget.VALUE, sortOrder: SortOrder.ASCEND }),
    'dcba',
    false,
    4,
  ],
  ['min_mod_revision is inclusive', (at) => ({ minModRevision: at + 3 }), 'bd', false, 4],
  ['max_mod_revision is inclusive', (at) => ({ maxModRevision: at + 2 }), 'ac', false, 4],
  ['min_create_revision is inclusive', (at) => ({ minCreateRevision: at + 2 }), 'cd', false, 4],
  ['max_create_revision is inclusive', (at) => ({ maxCreateRevision: at + 1 }), 'ab', false, 4],
  ['filters together leave what passes all', (at) => ({ minCreateRevision: at + 1, maxModRevision: at + 3 }), 'cd', false, 4],
  ['more counts what the filters left', (at) => ({ minModRevision: at + 3, limit: 1 }), 'b', true, 4],
  ['a limit that all that is left fits in', (at) => ({ minModRevision: at + 3, limit: 2 }), 'bd', false, 4],
  ['filters that leave nothing', (at) => ({ minModRevision: at + 5 }), '', false, 4],
  ['count_only ignores filters', (at) => ({ countOnly: true, minModRevision: at + 3 }), '', false, 4],
  ['count is that of the revision', (at) => ({ revision: at + 1 }), 'ab', false, 2],
  ['count_only at a revision', (at) => ({ revision: at + 2, countOnly: true }), '', false, 3],
  ['a limit at a revision', (at) => ({ revision: at + 2, limit: 2 }), 'ab', true, 3],
  ['keys_only at a revision', (at) => ({ revision: at, keysOnly: true }), 'a', false, 1],
  ['a filter at a revision', (at) => ({ revision: at + 3, minModRevision: at + 1 }), 'bcd', false, 4],
];

const rangeTable: readonly Case[] = rangeRows.map(([says, fields, keys, more, count]) => ({
  sentence: `Range: ${says}`,
  async run(api, p) {
    const at = await four(api, p);
    const found = await api.range(p, { end: endOf(p), ...fields(at) });
    const letters = found.kvs.map(({ key }) => String.fromCharCode(key.at(-1) as number)).join('');
    assert.deepEqual([letters, found.more, found.count, revisionOf(found)], [keys, more, count, at + 4]);
    if (fields(at).keysOnly === true) assert.ok(found.kvs.every(({ value }) => value.length === 0));
  },
}));

/** A compare of key p (version 2, value "m", no lease) or of the missing key p + "none", and whether it holds. */
type CompareRow = readonly [says: string, compare: (p: string) => pb.Compare, holds: boolean];

const compareRows: readonly CompareRow[] = [
  ...(['=', '!=', '<', '>'] as const).flatMap((sign): CompareRow[] => [
    [`version ${sign} 2`, (p) => when(p, 'version', sign, 2), sign === '='],
    [`version ${sign} 1`, (p) => when(p, 'version', sign, 1), sign === '!=' || sign === '>'],
    [`version ${sign} 3`, (p) => when(p, 'version', sign, 3), sign === '!=' || sign === '<'],
    [`value ${sign} "m"`, (p) => when(p, 'value', sign, 'm'), sign === '='],
    [`value ${sign} "a"`, (p) => when(p, 'value', sign, 'a'), sign === '!=' || sign === '>'],
    [`value ${sign} "mm"`, (p) => when(p, 'value', sign, 'mm'), sign === '!=' || sign === '<'],
    [`lease ${sign} 0`, (p) => when(p, 'lease', sign, 0n), sign === '='],
    [`create ${sign} 1`, (p) => when(p, 'create', sign, 1), sign === '!=' || sign === '>'],
    [`mod ${sign} 2^50`, (p) => when(p, 'mod', sign, 2 ** 50), sign === '!=' || sign === '<'],
    [`value ${sign} "" of a missing key`, (p) => when(`${p}none`, 'value', sign, ''), false],
    [`mod ${sign} 0 of a missing key`, (p) => when(`${p}none`, 'mod', sign, 0), sign === '='],
  ]),
  ['an unset union is 0: version', (p) => ({ ...when(p, 'version', '>', 0), targetUnion: undefined }), true],
  ['an unset union is 0: create of a missing key', (p) => ({ ...when(`${p}none`, 'create', '=', 0), targetUnion: undefined }), true],
  ['an unset union is empty: value', (p) => ({ ...when(p, 'value', '>', ''), targetUnion: undefined }), true],
  ['range_end \\0 is from the key on', (p) => when(p, 'version', '>', 0, '\0'), true],
  ['every key of a range must match', (p) => when(p, 'value', '=', 'm', endOf(p)), true],
];

const compareTable: readonly Case[] = [
  {
    sentence: `Txn: ${compareRows.length} compares of all targets and signs, on a key that is there and on one that is not`,
    async run(api, p) {
      await api.put(p, 'x');
      await api.put(p, 'm');
      for (const [says, compare, holds] of compareRows) assert.equal((await api.txn([compare(p)], [])).succeeded, holds, says);
    },
  },
];

export const interplayCases: readonly Case[] = [
  ...rangeTable,
  ...compareTable,
  {
    sentence: 'Headers name the cluster, the member, the revision and the term; those of Cluster have revision 0',
    async run(api, p) {
      const put = (await api.put(p)).header;
      const read = (await api.range(p)).header;
      assert.ok(put && read && put.clusterId !== 0n && put.memberId !== 0n && put.raftTerm > 0);
      assert.deepEqual(read, put);
      const { header, members } = await api.call(pb.Cluster.methods.memberList, pb.MemberListRequest.create({}));
      assert.deepEqual([header?.clusterId, header?.revision], [put.clusterId, 0]);
      assert.ok(members.some(({ id }) => id === put.memberId));
    },
  },
  {
    sentence: 'A message of more than max-request-bytes and 512 KiB is refused by gRPC itself',
    async run(api, p) {
      await assert.rejects(api.put(p, 'x'.repeat(3 << 20)), {
        code: 'resource-exhausted',
        message: /received message larger than max \(\d+ vs\. 2097152\)/,
      });
      await api.put(p, 'x'.repeat(1 << 20));
    },
  },
  {
    sentence: 'Range: a deleted key is gone, and in the past as it was; a new one begins anew',
    async run(api, p) {
      const at = revisionOf(await api.put(p, '1'));
      await api.del(p);
      assert.deepEqual((await api.range(p)).count, 0);
      assert.deepEqual((await api.range(p, { revision: at })).kvs.map(showKv), [`${p}=1`]);
      assert.deepEqual((await api.range(p, { revision: at + 1 })).count, 0);
      await api.put(p, '2');
      const [kv] = (await api.range(p)).kvs;
      assert.deepEqual([kv?.createRevision, kv?.modRevision, kv?.version], [at + 2, at + 2, 1]);
    },
  },
  {
    sentence: 'DeleteRange: \\0 as the end is from the key on; an end ≤ the key deletes nothing',
    async run(api, p) {
      await four(api, p);
      const before = await api.revision();
      for (const end of [`${p}b`, `${p}a`]) assert.equal((await api.del(`${p}b`, end)).deleted, 0);
      assert.equal(await api.revision(), before);
      // Others have keys behind ours, so from the key on is tried in a transaction that is not taken.
      const key = utf8(`${p}c`);
      const request = pb.DeleteRangeRequest.create({ key, rangeEnd: utf8('\0') });
      const { succeeded } = await api.txn([when(p, 'version', '>', 0)], [{ case: 'requestDeleteRange', value: request }]);
      assert.equal(succeeded, false);
      assert.deepEqual((await api.del(`${p}c`, endOf(p), true)).prevKvs.map(showKv), [`${p}c=2`, `${p}d=1`]);
    },
  },
  {
    sentence: 'Txn: what is on the branch that is not taken is not held against it, but for what can be seen at once',
    async run(api, p) {
      const revision = (await api.revision()) + 1000;
      const done = await api.txn([], [op.put(p, '1')], [op.get(p, { revision }), op.put(`${p}b`, '', { lease: 987_654n })]);
      assert.equal(done.succeeded, true);
      await refused(api.txn([], [op.get(p)], [op.put('')]), 'invalid-argument', 'key is not provided');
    },
  },
  {
    sentence: 'Txn: an operation of a nested one that cannot run refuses the whole of it, nothing is applied',
    async run(api, p) {
      const revision = (await api.revision()) + 1000;
      const bad = op.txn([], [op.put(`${p}b`), op.get(p, { revision })]);
      await refused(api.txn([], [op.put(`${p}a`), bad]), 'out-of-range', 'mvcc: required revision is a future revision');
      await refused(
        api.txn([], [op.put(`${p}a`), op.txn([], [op.put(`${p}b`, '', { lease: 987_654n })])]),
        'not-found',
        'requested lease not found',
      );
      assert.deepEqual(await api.list(p), []);
    },
  },
  {
    sentence:
      'Txn: prev_kv of puts and deletes is what was there; a range after a delete does not see the key; the header of a nested one is empty',
    async run(api, p) {
      await api.put(`${p}a`, '1');
      await api.put(`${p}b`, '2');
      const put = pb.PutRequest.create({ key: utf8(`${p}a`), value: utf8('9'), prevKv: true });
      const del = pb.DeleteRangeRequest.create({ key: utf8(`${p}b`), prevKv: true });
      const { responses } = await api.txn(
        [],
        [
          { case: 'requestPut', value: put },
          { case: 'requestDeleteRange', value: del },
          op.get(p, { end: endOf(p) }),
          op.txn([], [op.get(p)]),
        ],
      );
      const show = (kv: mvccpb.KeyValue | undefined): string | undefined => kv && showKv(kv);
      const [first, second, third, fourth] = responses.map(({ response }) => response);
      assert.ok(first?.case === 'responsePut' && second?.case === 'responseDeleteRange');
      assert.ok(third?.case === 'responseRange' && fourth?.case === 'responseTxn');
      assert.equal(show(first.value.prevKv), `${p}a=1`);
      assert.deepEqual([second.value.deleted, second.value.prevKvs.map(showKv)], [1, [`${p}b=2`]]);
      assert.deepEqual(third.value.kvs.map(showKv), [`${p}a=9`]);
      const { header } = fourth.value;
      assert.ok(header === undefined || (header.clusterId === 0n && header.memberId === 0n && header.raftTerm === 0));
    },
  },
  {
    sentence: 'Txn: one that only reads makes no revision, serializable or not, and answers each range in the order asked',
    async run(api, p) {
      const at = await four(api, p);
      for (const serializable of [false, true]) {
        const read = await api.txn(
          [when(`${p}a`, 'version', '=', 1)],
          [op.get(`${p}c`, { serializable }), op.get(`${p}a`, { serializable })],
        );
        // A serializable read of a follower may be behind.
        if (!serializable) assert.equal(revisionOf(read), at + 4);
        assert.equal(read.responses.length, 2);
      }
      assert.equal(await api.revision(), at + 4);
    },
  },
  {
    sentence: 'Txn: a key that is put with its lease belongs to the lease; a put of the same value makes a version',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.txn([], [op.put(p, 'v', { lease: id }), op.put(`${p}b`, 'v')]);
      await api.txn([], [op.put(p, '', { ignoreLease: true, ignoreValue: true })]);
      const [kv] = (await api.range(p)).kvs;
      assert.deepEqual([kv && showKv(kv), kv?.lease, kv?.version], [`${p}=v`, id, 2]);
      await api.revoke(id);
      assert.deepEqual(await api.list(p), [`${p}b=v`]);
    },
  },
];
