// RangeStream: a range in chunks, one case for each sentence.
import assert from 'node:assert/strict';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { type EtcdApi, endOf, op, rangeRequest, showKv } from './etcd-api.ts';

const since = '3.7';
const { SortOrder, SortTarget } = pb;

async function forty(api: EtcdApi, p: string, valueBytes = 100): Promise<void> {
  await Promise.all(Array.from({ length: 40 }, (_, i) => api.put(`${p}${String(i).padStart(2, '0')}`, 'v'.repeat(valueBytes))));
}

export const rangeStreamCases: readonly Case[] = [
  {
    sentence: 'RangeStream: merged it is what Range answers; header, more and count come with the last chunk only',
    since,
    async run(api, p) {
      await forty(api, p);
      const past = await api.revision();
      await api.del(`${p}1`, `${p}2`);
      for (const fields of [
        { end: endOf(p) },
        { end: endOf(p), limit: 15 },
        { end: endOf(p), limit: 10 },
        { end: endOf(p), countOnly: true },
        { end: endOf(p), keysOnly: true },
        { end: endOf(p), revision: past, limit: 39 },
        { end: endOf(p), sortOrder: SortOrder.ASCEND },
        { end: endOf(p), serializable: true, revision: past },
        { end: '\0', limit: 3 },
        { end: '' },
        { end: p },
      ]) {
        const chunks = await api.rangeStream(p, fields);
        const last = chunks.at(-1);
        assert.ok(last?.header);
        for (const chunk of chunks.slice(0, -1)) assert.deepEqual([chunk.header, chunk.more, chunk.count], [undefined, false, 0]);
        const whole = await api.call(pb.KV.methods.range, rangeRequest(p, fields));
        assert.deepEqual({ ...last, kvs: chunks.flatMap((chunk) => chunk.kvs) }, whole);
      }
    },
  },
  {
    sentence: 'RangeStream: the first chunk has ten keys at most; count_only, and a range without keys, are one chunk with a header',
    since,
    async run(api, p) {
      await forty(api, p);
      const [first, ...others] = await api.rangeStream(p, { end: endOf(p) });
      assert.ok(first && first.kvs.length > 0 && first.kvs.length <= 10 && others.length > 0);
      const counted = await api.rangeStream(p, { end: endOf(p), countOnly: true });
      assert.deepEqual(
        counted.map(({ count, kvs, header }) => [count, kvs, (header?.revision ?? 0) > 0]),
        [[40, [], true]],
      );
      const empty = await api.rangeStream(`${p}none`, { end: `${p}nonf` });
      assert.deepEqual(
        empty.map(({ count, kvs, more, header }) => [count, kvs, more, (header?.revision ?? 0) > 0]),
        [[0, [], false, true]],
      );
    },
  },
  {
    sentence: 'RangeStream: all of it is of the revision at which it began, whatever is written while it is read',
    since,
    async run(api, p) {
      await forty(api, p, 300_000);
      const at = await api.revision();
      const before = await api.list(p);
      using apart = api.apart();
      const stream = apart.channel.stream(pb.KV.methods.rangeStream);
      stream.send(rangeRequest(p, { end: endOf(p) }));
      stream.finish();
      const seen: string[] = [];
      let last: pb.RangeResponse | undefined;
      for await (const { rangeResponse } of stream.responses) {
        // Twelve megabytes do not fit in what is under way: the stream is not at its end when this happens.
        if (!last) await api.txn([], [op.put(`${p}39`, 'new'), op.del(`${p}38`)]);
        last = rangeResponse;
        seen.push(...(rangeResponse?.kvs.map(showKv) ?? []));
      }
      assert.deepEqual(seen, before);
      assert.deepEqual([last?.header?.revision, last?.count], [at, 40]);
      assert.deepEqual((await api.range(`${p}39`)).kvs.map(showKv), [`${p}39=new`]);
    },
  },
  {
    sentence: 'RangeStream: chunks are disjoint and in order, and none is beyond max-request-bytes',
    since,
    async run(api, p) {
      await forty(api, p, 300_000);
      const chunks = await api.rangeStream(p, { end: endOf(p) });
      const keys = chunks.map(({ kvs }) => kvs.map(({ key }) => Buffer.from(key).toString()));
      assert.deepEqual(
        keys.flat(),
        Array.from({ length: 40 }, (_, i) => `${p}${String(i).padStart(2, '0')}`),
      );
      assert.ok(chunks.every(({ kvs }) => kvs.length * 300_000 <= 1_572_864 + 512 * 1024) && chunks.length > 40 / 7);
    },
  },
  {
    sentence: 'RangeStream: another order or a revision filter is Unimplemented',
    since,
    async run(api, p) {
      for (const [fields, what] of [
        [{ sortOrder: SortOrder.DESCEND }, 'custom sort orders'],
        [{ sortTarget: SortTarget.VERSION }, 'custom sort orders'],
        [{ minModRevision: 1 }, 'revision filters'],
        [{ maxModRevision: 1 }, 'revision filters'],
        [{ minCreateRevision: 1 }, 'revision filters'],
        [{ maxCreateRevision: 1 }, 'revision filters'],
      ] as const)
        await assert.rejects(api.rangeStream(p, fields), { code: 'unimplemented', message: `RangeStream does not support ${what}` });
    },
  },
  {
    sentence: 'RangeStream: an empty key, an unknown order and a future revision are refused as Range refuses them',
    since,
    async run(api, p) {
      await refused(api.rangeStream(''), 'invalid-argument', 'key is not provided');
      await refused(api.rangeStream(p, { sortOrder: 9 }), 'invalid-argument', 'invalid sort option');
      const revision = (await api.revision()) + 1000;
      await refused(api.rangeStream(p, { revision }), 'out-of-range', 'mvcc: required revision is a future revision');
    },
  },
];

/** Once the past is gone (with the cases of compaction). */
export const compactedRangeStreamCases: readonly Case[] = [
  {
    sentence: 'RangeStream: a revision below the compaction is ErrCompacted, one at it is legal',
    since,
    async run(api, p) {
      const first = (await api.put(`${p}a`, '1')).header?.revision ?? 0;
      const last = (await api.put(`${p}a`, '2')).header?.revision ?? 0;
      await api.compact(last);
      await refused(api.rangeStream(p, { end: endOf(p), revision: first }), 'out-of-range', 'mvcc: required revision has been compacted');
      const [only] = await api.rangeStream(p, { end: endOf(p), revision: last });
      assert.deepEqual(only?.kvs.map(showKv), [`${p}a=2`]);
    },
  },
  {
    sentence: 'RangeStream: one that is under way goes on after a compaction, and is whole',
    since,
    differs: 'etcd ends it with ErrCompacted',
    async run(api, p) {
      await forty(api, p, 300_000);
      using apart = api.apart();
      const stream = apart.channel.stream(pb.KV.methods.rangeStream);
      stream.send(rangeRequest(p, { end: endOf(p) }));
      stream.finish();
      let count = 0;
      for await (const { rangeResponse } of stream.responses) {
        if (count === 0) await api.compact((await api.put(`${p}39`, 'new')).header?.revision ?? 0, true);
        count += rangeResponse?.kvs.filter(({ value }) => value.length === 300_000).length ?? 0;
      }
      assert.equal(count, 40);
    },
  },
];
