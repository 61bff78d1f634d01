// Leases, locks and elections: one case for each sentence.
import assert from 'node:assert/strict';
import { fromUtf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { endOf, op, showEvent } from './etcd-api.ts';

const NOT_FOUND = 'requested lease not found';

export const leaseCases: readonly Case[] = [
  {
    sentence: 'Grant: id 0 lets the server pick a positive one; a chosen id may be negative; one that is taken is ErrLeaseExist',
    async run(api) {
      const { id, ttl, error } = await api.grant(60);
      assert.ok(id > 0n);
      assert.deepEqual([ttl, error], [60, '']);
      const chosen = -(BigInt(Date.now()) << 8n) - BigInt(process.pid % 256);
      assert.equal((await api.grant(60, chosen)).id, chosen);
      await refused(api.grant(60, chosen), 'failed-precondition', 'lease already exists');
      for (const one of [id, chosen]) await api.revoke(one);
    },
  },
  {
    sentence: 'Grant: a TTL above 9e9 is refused; a short one is raised to one and a half elections (2 s)',
    async run(api) {
      await refused(api.grant(9_000_000_001), 'out-of-range', 'too large lease TTL');
      for (const ttl of [1, 0, -5]) {
        const granted = await api.grant(ttl);
        assert.equal(granted.ttl, 2);
        await api.revoke(granted.id);
      }
    },
  },
  {
    sentence: 'Revoke: the keys go in one revision, in order; without keys there is none; unknown is ErrLeaseNotFound',
    async run(api, p) {
      const { id } = await api.grant(60);
      for (const key of ['b', 'a', 'c']) await api.put(p + key, '', { lease: id });
      const before = await api.revision();
      using watching = api.watch();
      await watching.create(p, { end: endOf(p) });
      assert.equal((await api.revoke(id)).header?.revision, before + 1);
      const { events } = await watching.next();
      assert.deepEqual(events.map(showEvent), [`-${p}a`, `-${p}b`, `-${p}c`]);
      const empty = await api.grant(60);
      await api.revoke(empty.id);
      assert.equal(await api.revision(), before + 1);
      await refused(api.revoke(id), 'not-found', NOT_FOUND);
    },
  },
  {
    sentence: 'A put with another lease moves the key; a put without one takes it off',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      await api.put(`${p}moved`, '', { lease: one });
      await api.put(`${p}moved`, '', { lease: two });
      await api.put(`${p}free`, '', { lease: one });
      await api.put(`${p}free`);
      await api.revoke(one);
      assert.deepEqual(await api.list(p), [`${p}free=`, `${p}moved=`]);
      assert.deepEqual((await api.timeToLive(two, true)).keys.map(fromUtf8), [`${p}moved`]);
      await api.revoke(two);
      assert.deepEqual(await api.list(p), [`${p}free=`]);
    },
  },
  {
    sentence: 'KeepAlive: answers with the TTL; not found is TTL 0, and the stream stays open',
    async run(api) {
      const { id } = await api.grant(60);
      using alive = api.keepAlive();
      const renewed = await alive.renew(id);
      assert.deepEqual([renewed.id, renewed.ttl, (renewed.header?.revision ?? 0) > 0], [id, 60, true]);
      assert.equal((await alive.renew(123_456n)).ttl, 0);
      assert.equal((await alive.renew(id)).ttl, 60);
      await api.revoke(id);
      assert.equal((await alive.renew(id)).ttl, 0);
    },
  },
  {
    sentence: 'TimeToLive: what is left, what was granted, the keys if asked for; unknown is TTL -1, no error',
    async run(api, p) {
      const { id } = await api.grant(60);
      for (const key of ['x', 'y']) await api.put(p + key, '', { lease: id });
      const { ttl, grantedTTL, keys } = await api.timeToLive(id, true);
      assert.ok(ttl > 30 && ttl <= 60);
      assert.deepEqual([grantedTTL, keys.map(fromUtf8).sort()], [60, [`${p}x`, `${p}y`]]);
      assert.deepEqual((await api.timeToLive(id)).keys, []);
      await api.revoke(id);
      const unknown = await api.timeToLive(id, true);
      assert.deepEqual([unknown.ttl, unknown.grantedTTL, unknown.id], [-1, 0, id]);
    },
  },
  {
    sentence: 'Leases: the ids, the next to end first',
    async run(api) {
      const [late, soon] = [(await api.grant(9000)).id, (await api.grant(1000)).id];
      const { leases } = await api.call(pb.Lease.methods.leaseLeases, {});
      const ids = leases.map((lease) => lease.id).filter((id) => id === late || id === soon);
      assert.deepEqual(ids, [soon, late]);
      for (const id of ids) await api.revoke(id);
    },
  },
  {
    sentence: 'A lease that nobody renews ends, not before its TTL, and takes its keys along in one revision',
    async run(api, p) {
      using watching = api.watch();
      await watching.create(p, { end: endOf(p) });
      const startedMs = performance.now();
      const { id } = await api.grant(2);
      for (const key of ['a', 'b']) await api.put(p + key, '', { lease: id });
      assert.equal((await watching.events(2)).length, 2);
      const { events } = await watching.next();
      assert.ok(performance.now() - startedMs >= 2000);
      assert.deepEqual(events.map(showEvent), [`-${p}a`, `-${p}b`]);
      assert.equal((await api.timeToLive(id)).ttl, -1);
      await refused(api.put(`${p}a`, '', { lease: id }), 'not-found', NOT_FOUND);
    },
  },
  {
    sentence: 'Grant, KeepAlive and TimeToLive make no revision; 9e9 is not too large',
    async run(api) {
      const before = await api.revision();
      const { id, ttl, header } = await api.grant(9_000_000_000);
      assert.deepEqual([ttl, header?.revision], [9_000_000_000, before]);
      using alive = api.keepAlive();
      await alive.renew(id);
      await api.timeToLive(id, true);
      await api.revoke(id);
      assert.equal(await api.revision(), before);
    },
  },
  {
    sentence: 'A key that is deleted leaves its lease, and comes back without it',
    async run(api, p) {
      const { id } = await api.grant(60);
      for (const key of ['gone', 'back']) await api.put(p + key, '1', { lease: id });
      await api.del(p, endOf(p));
      assert.deepEqual((await api.timeToLive(id, true)).keys, []);
      await api.put(`${p}back`, '2');
      await api.revoke(id);
      assert.deepEqual(await api.list(p), [`${p}back=2`]);
    },
  },
  {
    sentence: 'A key that is deleted, and put again under the same lease, goes with it',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.put(p, '1', { lease: id });
      await api.del(p);
      await api.put(p, '2', { lease: id });
      assert.deepEqual((await api.timeToLive(id, true)).keys.map(fromUtf8), [p]);
      await api.revoke(id);
      assert.deepEqual(await api.list(p), []);
    },
  },
  {
    sentence: 'KeepAlive: renews in full; several leases share a stream, each answered by its id',
    async run(api) {
      const ids = [(await api.grant(60)).id, (await api.grant(600)).id];
      using alive = api.keepAlive();
      for (const [i, id] of [...ids, ...ids].entries()) {
        const { id: answered, ttl } = await alive.renew(id);
        assert.deepEqual([answered, ttl], [id, i % 2 === 0 ? 60 : 600]);
      }
      for (const id of ids) await api.revoke(id);
    },
  },
  {
    sentence:
      'Revoke and expiry take keys along that were put under it by transactions, and as they are now: in one revision, a delete each',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.txn([], [op.put(`${p}a`, '1', { lease: id }), op.txn([], [op.put(`${p}b`, '1', { lease: id })])]);
      await api.put(`${p}a`, '2', { lease: id });
      await api.put(`${p}b`, '', { ignoreValue: true, ignoreLease: true });
      using watching = api.watch();
      await watching.create(p, { end: endOf(p), prevKv: true });
      const at = (await api.revoke(id)).header?.revision;
      const { events } = await watching.next();
      assert.deepEqual(events.map(showEvent), [`-${p}a (2)`, `-${p}b (1)`]);
      assert.ok(events.every(({ kv }) => kv?.modRevision === at));
    },
  },
  {
    sentence: 'A lease without keys ends without a revision',
    async run(api, p) {
      const { id } = await api.grant(2);
      const before = (await api.put(p)).header?.revision;
      while ((await api.timeToLive(id)).ttl >= 0) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await api.revision(), before);
    },
  },
  {
    sentence: 'KeepAlive: one whose lease is renewed in time lives on beyond its TTL; when renewals end, it ends',
    async run(api, p) {
      const { id } = await api.grant(2);
      await api.put(p, '', { lease: id });
      using alive = api.keepAlive();
      const startedMs = performance.now();
      while (performance.now() - startedMs < 5000) {
        assert.equal((await alive.renew(id)).ttl, 2);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert.equal((await api.range(p)).count, 1);
      while ((await api.range(p)).count > 0) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal((await alive.renew(id)).ttl, 0);
    },
  },
  {
    sentence: 'TimeToLive: what is left grows less, and a renewal makes it whole; the keys are in order',
    async run(api, p) {
      const { id } = await api.grant(100);
      for (const key of ['c', 'a', 'b']) await api.put(p + key, '', { lease: id });
      assert.deepEqual(
        (await api.timeToLive(id, true)).keys.map(fromUtf8).sort(),
        ['a', 'b', 'c'].map((key) => p + key),
      );
      const whole = (await api.timeToLive(id)).ttl;
      for (let left = whole; left >= whole;) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        left = (await api.timeToLive(id)).ttl;
      }
      using alive = api.keepAlive();
      assert.equal((await alive.renew(id)).ttl, 100);
      assert.ok((await api.timeToLive(id)).ttl >= whole);
      await api.revoke(id);
    },
  },
];
