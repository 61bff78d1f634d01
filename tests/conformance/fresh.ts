// What a store is like before anybody has written: one case for each sentence. They come first, in this order, on servers that were just started.
import assert from 'node:assert/strict';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';

export const freshCases: readonly Case[] = [
  {
    sentence: 'A fresh store is at revision 1',
    run: async (api) => assert.equal(await api.revision(), 1),
  },
  {
    sentence: 'A fresh store is compacted at -1, and revision 0 may be compacted once',
    async run(api) {
      const compacted = async (): Promise<number> => (await api.call(pb.Maintenance.methods.hashKV, { revision: 0 })).compactRevision;
      assert.equal(await compacted(), -1);
      await refused(api.compact(-1), 'out-of-range', 'mvcc: required revision has been compacted');
      assert.equal((await api.compact(0)).header?.revision, 1);
      assert.equal(await compacted(), 0);
      await refused(api.compact(0), 'out-of-range', 'mvcc: required revision has been compacted');
      await refused(api.compact(2), 'out-of-range', 'mvcc: required revision is a future revision');
    },
  },
  {
    sentence: 'The first change makes revision 2',
    run: async (api, p) => assert.equal((await api.put(p)).header?.revision, 2),
  },
];
