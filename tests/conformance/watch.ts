// Watch: one case for each sentence.
import assert from 'node:assert/strict';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { Case } from './case.ts';
import { endOf, op, showEvent, when } from './etcd-api.ts';

export const watchCases: readonly Case[] = [
  {
    sentence: 'Watch: `created` comes before the events; the first id of a stream is 0, then they grow',
    async run(api, p) {
      using watching = api.watch();
      const first = await watching.create(`${p}a`);
      const second = await watching.create(`${p}b`);
      assert.deepEqual([first.watchId, first.created, second.watchId], [0, true, 1]);
      await api.put(`${p}b`, '1');
      const seen = await watching.next();
      assert.deepEqual([seen.watchId, seen.events.map(showEvent)], [1, [`+${p}b=1`]]);
    },
  },
  {
    sentence: 'Watch: a client chooses ids; the automatic ones skip those in use',
    async run(api, p) {
      using watching = api.watch();
      const ids: number[] = [];
      for (const watchId of [1, 0, 0, 5, 0]) ids.push((await watching.create(p, { watchId })).watchId);
      assert.deepEqual(ids, [1, 0, 2, 5, 3]);
    },
  },
  {
    sentence: 'Watch: a duplicate id is created and canceled with id -1 and its reason; the stream goes on',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(p, { watchId: 7 });
      const { created, canceled, watchId, cancelReason } = await watching.create(p, { watchId: 7 });
      assert.deepEqual(
        [created, canceled, watchId, cancelReason],
        [true, true, -1, 'mvcc: duplicate watch ID provided on the WatchStream'],
      );
      await api.put(p, '1');
      assert.equal((await watching.next()).watchId, 7);
    },
  },
  {
    sentence: 'Watch: key ≥ range_end is created and canceled with id -1 and "mvcc: watcher range is empty"',
    async run(api, p) {
      using watching = api.watch();
      for (const end of [`${p}b`, `${p}a`]) {
        const { created, canceled, watchId, cancelReason } = await watching.create(`${p}b`, { end });
        assert.deepEqual([created, canceled, watchId, cancelReason], [true, true, -1, 'mvcc: watcher range is empty']);
      }
      assert.equal((await watching.create(p)).canceled, false);
    },
  },
  {
    sentence: 'Watch: a negative start revision is created and canceled with id -1 and the text of ErrCompacted',
    since: '3.5',
    async run(api, p) {
      using watching = api.watch();
      const { created, canceled, watchId, cancelReason } = await watching.create(p, { startRevision: -1 });
      assert.deepEqual(
        [created, canceled, watchId, cancelReason],
        [true, true, -1, 'etcdserver: mvcc: required revision has been compacted'],
      );
    },
  },
  {
    sentence: 'Watch: an empty key watches from \\0; range_end \\0 is from the key on',
    async run(api, p) {
      using watching = api.watch();
      await watching.create('', { end: '\0' });
      await watching.create(`${p}b`, { end: '\0' });
      await api.put(`${p}a`, '1');
      await api.put(`${p}c`, '2');
      const seen = new Map<number, string[]>([
        [0, []],
        [1, []],
      ]);
      for (let count = 0; count < 3;) {
        const { watchId, events } = await watching.next();
        const own = events.map(showEvent).filter((text) => text.startsWith(`+${p}`));
        seen.get(watchId)?.push(...own);
        count += own.length;
      }
      assert.deepEqual([...seen.values()], [[`+${p}a=1`, `+${p}c=2`], [`+${p}c=2`]]);
    },
  },
  {
    sentence: 'Watch: from the past; all events of a revision in one response, in the order of the transaction',
    async run(api, p) {
      const first = (await api.put(`${p}a`, '1')).header?.revision ?? 0;
      await api.txn([], [op.put(`${p}c`, '2'), op.put(`${p}b`, '2'), op.del(`${p}a`)]);
      await api.put(`${p}d`, '3');
      using watching = api.watch();
      await watching.create(p, { end: endOf(p), startRevision: first });
      const { header, events } = await watching.next();
      assert.deepEqual(events.map(showEvent), [`+${p}a=1`, `+${p}c=2`, `+${p}b=2`, `-${p}a`, `+${p}d=3`]);
      assert.ok((header?.revision ?? 0) >= first + 2, 'the header names the revision of the store');
    },
  },
  {
    sentence: 'Watch: a start in the future is allowed: nothing below it is seen',
    async run(api, p) {
      const at = (await api.put(`${p}k`, '0')).header?.revision ?? 0;
      using watching = api.watch();
      await watching.create(`${p}k`, { startRevision: at + 3 });
      for (const value of ['1', '2', '3', '4']) await api.put(`${p}k`, value);
      assert.deepEqual((await watching.events(2)).map(showEvent), [`+${p}k=3`, `+${p}k=4`]);
    },
  },
  {
    sentence: 'Watch: the kv of a delete has key and mod_revision only; a put has all',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(`${p}k`);
      const put = (await api.put(`${p}k`, 'v')).header?.revision ?? 0;
      await api.del(`${p}k`);
      const [first, second] = await watching.events(2);
      assert.deepEqual([first?.kv?.createRevision, first?.kv?.modRevision, first?.kv?.version], [put, put, 1]);
      assert.deepEqual(
        [second?.type, second?.kv?.createRevision, second?.kv?.modRevision, second?.kv?.version, second?.kv?.value.length],
        [1, 0, put + 1, 0, 0],
      );
    },
  },
  {
    sentence: 'Watch: prev_kv is the value before, omitted for creates; without asking it never comes',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(`${p}k`, { prevKv: true });
      await watching.create(`${p}k`);
      await api.put(`${p}k`, '1');
      await api.put(`${p}k`, '2');
      await api.del(`${p}k`);
      const seen: string[][] = [[], []];
      for (let count = 0; count < 6;) {
        const { watchId, events } = await watching.next();
        seen[watchId]?.push(...events.map(showEvent));
        count += events.length;
      }
      assert.deepEqual(seen, [
        [`+${p}k=1`, `+${p}k=2 (1)`, `-${p}k (2)`],
        [`+${p}k=1`, `+${p}k=2`, `-${p}k`],
      ]);
    },
  },
  {
    sentence: 'Watch: filtered events send nothing',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(`${p}k`, { filters: [pb.FilterType.NOPUT] });
      await watching.create(`${p}k`, { filters: [pb.FilterType.NODELETE] });
      await api.put(`${p}k`, '1');
      await api.del(`${p}k`);
      const seen: string[][] = [[], []];
      for (let count = 0; count < 2; count++) {
        const { watchId, events } = await watching.next();
        seen[watchId]?.push(...events.map(showEvent));
      }
      assert.deepEqual(seen, [[`-${p}k`], [`+${p}k=1`]]);
    },
  },
  {
    sentence: 'Watch: a cancel is answered without a reason, and nothing comes after it; an unknown id is not answered',
    async run(api, p) {
      using watching = api.watch();
      const { watchId } = await watching.create(`${p}k`);
      await api.put(`${p}k`, '1');
      assert.equal((await watching.next()).events.length, 1);
      watching.cancel(99);
      watching.cancel(watchId);
      const { canceled, cancelReason, compactRevision, watchId: id } = await watching.next();
      assert.deepEqual([canceled, cancelReason, compactRevision, id], [true, '', 0, watchId]);
      await api.put(`${p}k`, '2');
      const next = await watching.create(`${p}other`);
      assert.equal(next.created, true, 'the answer to the next request, and no event before it');
    },
  },
  {
    sentence: 'Watch: progress asked for is one response of id -1, once all watchers of the stream are up to date',
    async run(api, p) {
      const first = (await api.put(`${p}k`, '1')).header?.revision ?? 0;
      using watching = api.watch();
      await watching.create(`${p}other`);
      await watching.create(`${p}k`, { startRevision: first });
      await watching.events(1);
      const now = (await api.put(`${p}elsewhere`)).header?.revision ?? 0;
      for (;;) {
        watching.progress();
        const { watchId, events, header, created, canceled } = await watching.next();
        assert.deepEqual([watchId, events.length, created, canceled], [-1, 0, false, false]);
        if ((header?.revision ?? 0) >= now) break;
      }
    },
  },
  {
    sentence: 'Watch: no progress is told while a watcher of the stream begins in the future; it is told in order with the events (#15220)',
    since: '3.6',
    async run(api, p) {
      const at = (await api.put(`${p}k`, '0')).header?.revision ?? 0;
      using watching = api.watch();
      await watching.create(`${p}k`, { startRevision: at + 2 });
      watching.progress();
      await api.put(`${p}k`, '1');
      await api.put(`${p}k`, '2');
      const { watchId, events } = await watching.next();
      assert.deepEqual([watchId, events.map(showEvent)], [0, [`+${p}k=2`]], 'the first thing that comes is the event');
      watching.progress();
      const progress = await watching.next();
      assert.deepEqual([progress.watchId, (progress.header?.revision ?? 0) >= at + 2], [-1, true]);
    },
  },
  {
    sentence: 'Watch: what does not fit in a response is cut in fragments, all but the last marked; unless it was asked for, it is not',
    async run(api, p) {
      const value = 'x'.repeat(500_000);
      for (let i = 0; i < 8; i++) await api.put(`${p}${i}`, value);
      const { header } = await api.del(p, endOf(p));
      using watching = api.watch();
      await watching.create(p, { end: endOf(p), startRevision: header?.revision ?? 0, prevKv: true, fragment: true });
      const pieces: pb.WatchResponse[] = [];
      do pieces.push(await watching.next());
      while (pieces.at(-1)?.fragment === true);
      assert.ok(pieces.length > 1);
      assert.equal(
        pieces.reduce((sum, piece) => sum + piece.events.length, 0),
        8,
      );
      assert.ok(pieces.every((piece) => piece.watchId === 0));
      await watching.create(p, { end: endOf(p), startRevision: header?.revision ?? 0, prevKv: true });
      const whole = await watching.next();
      assert.deepEqual([whole.fragment, whole.events.length], [false, 8]);
    },
  },
  {
    sentence: 'Watch: thousands of revisions behind, it catches up in order and goes on with what happens meanwhile',
    async run(api, p) {
      const first = (await api.put(`${p}k`, '0')).header?.revision ?? 0;
      await Promise.all(Array.from({ length: 1500 }, (_, i) => api.put(`${p}k`, String(i))));
      using watching = api.watch();
      await watching.create(p, { end: endOf(p), startRevision: first });
      const writing = Promise.all(Array.from({ length: 200 }, (_, i) => api.put(`${p}k`, String(i))));
      const events = await watching.events(1701);
      await writing;
      assert.deepEqual(
        events.map((event) => event.kv?.version),
        Array.from({ length: 1701 }, (_, i) => i + 1),
      );
    },
  },
  {
    sentence: 'Watch: a stream that is cancelled by its client ends; half-closed it goes on',
    async run(api, p) {
      const watching = api.watch();
      await watching.create(`${p}k`);
      watching.finish();
      await api.put(`${p}k`, '1');
      assert.equal((await watching.next()).events.length, 1);
      watching[Symbol.dispose]();
      await assert.rejects(watching.next(), { code: 'cancelled' });
    },
  },
  {
    sentence: 'Watch: a stream that insists on a leader is served while there is one',
    async run(api, p) {
      using watching = api.watch({ hasleader: 'true' });
      assert.equal((await watching.create(p)).created, true);
    },
  },
  {
    sentence: 'Watch: `created` carries the revision of the store; a watcher without a start sees what comes after it, and nothing before',
    async run(api, p) {
      const at = (await api.put(p, 'before')).header?.revision ?? 0;
      using watching = api.watch();
      assert.ok(((await watching.create(p)).header?.revision ?? 0) >= at);
      await api.put(p, 'after');
      assert.deepEqual((await watching.events(1)).map(showEvent), [`+${p}=after`]);
    },
  },
  {
    sentence: 'Watch: resumable: from the revision after the last event comes exactly the rest, each event once',
    async run(api, p) {
      const first = (await api.put(p, '0')).header?.revision ?? 0;
      for (let i = 1; i < 10; i++) await api.put(p, String(i));
      const seen: string[] = [];
      for (let from = first; seen.length < 10;) {
        using watching = api.watch();
        await watching.create(p, { startRevision: from });
        const { events } = await watching.next();
        // As if the connection broke after three.
        for (const event of events.slice(0, 3)) {
          seen.push(showEvent(event));
          from = (event.kv?.modRevision ?? 0) + 1;
        }
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 10 }, (_, i) => `+${p}=${i}`),
      );
    },
  },
  {
    sentence: 'Watch: an id that was cancelled may be chosen again',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(p, { watchId: 7 });
      watching.cancel(7);
      assert.equal((await watching.next()).canceled, true);
      const { watchId, canceled } = await watching.create(p, { watchId: 7 });
      assert.deepEqual([watchId, canceled], [7, false]);
      await api.put(p, '1');
      assert.deepEqual((await watching.events(1)).map(showEvent), [`+${p}=1`]);
    },
  },
  {
    sentence: 'Watch: both filters leave nothing; filters, prev_kv and the past go together',
    async run(api, p) {
      const first = (await api.put(p, '1')).header?.revision ?? 0;
      await api.put(p, '2');
      await api.del(p);
      using watching = api.watch();
      const { NOPUT, NODELETE } = pb.FilterType;
      await watching.create(p, { startRevision: first, filters: [NOPUT, NODELETE] });
      await watching.create(p, { startRevision: first, filters: [NOPUT], prevKv: true });
      const { watchId, events } = await watching.next();
      assert.deepEqual([watchId, events.map(showEvent)], [1, [`-${p} (2)`]]);
    },
  },
  {
    sentence: 'Watch: a range that is deleted is an event for each key, of one revision, in the order of the keys',
    async run(api, p) {
      for (const key of ['b', 'a', 'c']) await api.put(p + key, '1');
      using watching = api.watch();
      await watching.create(p, { end: endOf(p), prevKv: true });
      const at = (await api.del(p, endOf(p))).header?.revision ?? 0;
      const { events } = await watching.next();
      assert.deepEqual(events.map(showEvent), [`-${p}a (1)`, `-${p}b (1)`, `-${p}c (1)`]);
      assert.ok(events.every(({ kv }) => kv?.modRevision === at));
    },
  },
  {
    sentence: 'Watch: a transaction that changes nothing, and reads, are no events',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(p, { end: endOf(p) });
      await api.del(p, endOf(p));
      await api.txn([when(p, 'version', '>', 0)], [op.put(p)], [op.get(p), op.del(p)]);
      await api.put(p, 'first');
      assert.deepEqual((await watching.next()).events.map(showEvent), [`+${p}=first`]);
    },
  },
];
