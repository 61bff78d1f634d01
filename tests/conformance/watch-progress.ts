// Watch: who lags, who begins in the future, and word of progress; one case for each sentence. The servers tell of progress every `PROGRESS_MS`.
import assert from 'node:assert/strict';
import type { etcdserverpb as pb } from '@distrokv/proto';
import type { Case } from './case.ts';
import { type Watching, endOf, op, showEvent } from './etcd-api.ts';

/** `--watch-progress-notify-interval` of the servers under test: short, for cases wait for what it brings. */
export const PROGRESS_MS = 200;

const isProgress = ({ events, created, canceled }: pb.WatchResponse): boolean => events.length === 0 && !created && !canceled;

/** The next `count` words of progress, all of one watcher; any other answer fails. */
async function progress(watching: Watching, watchId: number, count: number): Promise<number[]> {
  const revisions: number[] = [];
  while (revisions.length < count) {
    const response = await watching.next();
    assert.deepEqual([isProgress(response), response.watchId], [true, watchId]);
    revisions.push(response.header?.revision ?? 0);
  }
  return revisions;
}

export const watchProgressCases: readonly Case[] = [
  {
    sentence: 'Watch: progress_notify tells a quiet watcher, by its own id and from time to time, the revision that it has come to',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(`${p}a`);
      await watching.create(`${p}b`, { progressNotify: true });
      const at = (await api.put(`${p}elsewhere`)).header?.revision ?? 0;
      const told = await progress(watching, 1, 3);
      assert.ok((told.at(-1) ?? 0) >= at && told.every((revision, i) => i === 0 || revision >= (told[i - 1] ?? 0)));
    },
  },
  {
    sentence: 'Watch: progress_notify is bookmarkable: what is told as reached has been given',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(p, { end: endOf(p), progressNotify: true });
      let seen = 0;
      for (let round = 0; round < 3; round++) {
        const last = (await api.put(`${p}k`)).header?.revision ?? 0;
        for (;;) {
          const response = await watching.next();
          for (const { kv } of response.events) seen = kv?.modRevision ?? 0;
          if (!isProgress(response) || (response.header?.revision ?? 0) < last) continue;
          assert.equal(seen, last);
          break;
        }
      }
    },
  },
  {
    sentence: 'Watch: progress_notify says nothing of a watcher that begins in the future',
    since: '3.6',
    async run(api, p) {
      const at = await api.revision();
      using watching = api.watch();
      await watching.create(`${p}future`, { progressNotify: true, startRevision: at + 1000 });
      await watching.create(`${p}now`, { progressNotify: true });
      await progress(watching, 1, 3);
    },
  },
  {
    sentence: 'Watch: catching up, a response has 1,000 revisions at most, and its header the revision of the store',
    async run(api, p) {
      const first = (await api.put(p, '0')).header?.revision ?? 0;
      for (let done = 0; done < 2400; done += 200) await Promise.all(Array.from({ length: 200 }, () => api.put(p, 'x')));
      const now = await api.revision();
      using watching = api.watch();
      await watching.create(p, { startRevision: first });
      for (let seen = 0; seen < 2401;) {
        const { header, events } = await watching.next();
        seen += events.length;
        assert.ok(new Set(events.map(({ kv }) => kv?.modRevision)).size <= 1000);
        assert.ok((header?.revision ?? 0) >= now);
      }
    },
  },
  {
    sentence: 'Watch: a single event is not cut, however large; nor is what fits',
    async run(api, p) {
      const at = (await api.put(p, 'x'.repeat(1_500_000))).header?.revision ?? 0;
      await api.put(p, 'y'.repeat(1_500_000));
      await api.put(`${p}small`, 'z');
      using watching = api.watch();
      await watching.create(p, { startRevision: at + 1, prevKv: true, fragment: true });
      const large = await watching.next();
      assert.deepEqual([large.fragment, large.events.length], [false, 1]);
      await watching.create(`${p}small`, { startRevision: at, fragment: true });
      const small = await watching.next();
      assert.deepEqual([small.fragment, small.events.length], [false, 1]);
    },
  },
  {
    sentence: 'Watch: the watchers of a stream do not wait for one another: one in the past, one in the future, one of now',
    async run(api, p) {
      const at = (await api.put(p, '0')).header?.revision ?? 0;
      using watching = api.watch();
      for (const startRevision of [at, at + 2, 0]) watching.ask(p, { startRevision });
      const seen: string[][] = [[], [], []];
      let events = 0;
      const take = async (): Promise<pb.WatchResponse> => {
        const response = await watching.next();
        seen[response.watchId]?.push(...response.events.map(showEvent));
        events += response.events.length;
        return response;
      };
      for (let created = 0; created < 3; created += Number((await take()).created));
      await api.put(p, '1');
      await api.put(p, '2');
      while (events < 6) await take();
      assert.deepEqual(seen, [[`+${p}=0`, `+${p}=1`, `+${p}=2`], [`+${p}=2`], [`+${p}=1`, `+${p}=2`]]);
    },
  },
];

const LARGE = 'x'.repeat(64 << 10);
/** More than any server keeps for a connection that takes nothing. */
const MANY = 400;

/** With the cases of compaction. */
export const overtakenCases: readonly Case[] = [
  {
    sentence:
      'Watch: a watcher that lags is overtaken by a compaction: what it was given comes first, in order, then it is canceled with compact_revision, header.revision 0 and no reason',
    async run(api, p) {
      using apart = api.apart();
      using watching = apart.watch();
      await watching.create(p);
      let first = 0;
      let last = 0;
      for (let i = 0; i < MANY; i++) {
        last = (await api.put(p, LARGE)).header?.revision ?? 0;
        first ||= last;
      }
      await api.compact(last);
      let next = first;
      for (;;) {
        const response = await watching.next();
        for (const { kv } of response.events) assert.equal(kv?.modRevision, next++);
        if (!response.canceled) continue;
        assert.deepEqual([response.compactRevision, response.header?.revision, response.cancelReason], [last, 0, '']);
        break;
      }
      assert.ok(next < last, 'it was overtaken');
      // Whoever goes on from the compaction misses nothing.
      await watching.create(p, { startRevision: last });
      assert.deepEqual(
        (await watching.events(1)).map(({ kv }) => kv?.modRevision),
        [last],
      );
    },
  },
  {
    sentence: 'Watch: a watcher that lags without a compaction gets all of it, in order, once',
    async run(api, p) {
      using apart = api.apart();
      using watching = apart.watch();
      await watching.create(p, { end: endOf(p) });
      for (let i = 0; i < MANY / 2; i++) await api.txn([], [op.put(`${p}a`, LARGE), op.put(`${p}b`, String(i))]);
      const events = await watching.events(MANY);
      assert.deepEqual(
        events.map(({ kv }) => [kv?.key.at(-1), kv?.version]),
        Array.from({ length: MANY }, (_, i) => ['ab'.charCodeAt(i % 2), 1 + Math.floor(i / 2)]),
      );
    },
  },
];
