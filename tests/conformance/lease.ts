// Leases, locks and elections: one case for each sentence.
import assert from 'node:assert/strict';
import { fromUtf8, utf8 } from '@distrokv/base';
import { etcdserverpb as pb, v3electionpb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { endOf, op, showEvent, when } from './etcd-api.ts';

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
];

export const lockCases: readonly Case[] = [
  {
    sentence: 'Lock: the key is the name, a slash and the lease in hexadecimal; the same lease again is no change; Unlock deletes it',
    async run(api, p) {
      const { id } = await api.grant(60);
      const { key, header } = await api.lock(p, id);
      assert.equal(fromUtf8(key), `${p}/${id.toString(16)}`);
      assert.deepEqual((await api.lock(p, id)).key, key);
      const [kv] = (await api.range(fromUtf8(key))).kvs;
      assert.deepEqual([kv?.lease, kv?.version, kv?.createRevision === header?.revision], [id, 1, true]);
      await api.unlock(key);
      assert.deepEqual(await api.list(p), []);
      await api.revoke(id);
    },
  },
  {
    sentence: 'Lock: the second waits until the first is unlocked; the create revision grows from holder to holder',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.lock(p, one);
      let isHeld = false;
      const waiting = api.lock(p, two).then((response) => ((isHeld = true), response));
      while ((await api.list(p)).length < 2);
      assert.equal(isHeld, false);
      await api.unlock(first.key);
      const second = await waiting;
      const [kv] = (await api.range(fromUtf8(second.key))).kvs;
      assert.ok((kv?.createRevision ?? 0) > (first.header?.revision ?? 0));
      await api.revoke(two);
      await api.revoke(one);
    },
  },
  {
    sentence: 'Lock: an unknown lease is refused; lease 0 is one of a minute that the server grants',
    async run(api, p) {
      // The status is Unknown in etcd, which passes on the text alone; clients match on that.
      await assert.rejects(api.lock(`${p}x`, 123_456_789n), { message: `etcdserver: ${NOT_FOUND}` });
      const { key } = await api.lock(`${p}y`, 0n);
      const lease = BigInt(`0x${fromUtf8(key).slice(p.length + 2)}`);
      assert.equal((await api.timeToLive(lease)).grantedTTL, 60);
      await api.revoke(lease);
    },
  },
  {
    sentence: 'Campaign, Leader, Proclaim, Observe, Resign: one leads, the next one follows, and who observes sees both',
    async run(api, p) {
      const election = v3electionpb.Election.methods;
      const name = utf8(p);
      await assert.rejects(api.call(election.leader, { name }), { code: 'unknown', message: 'election: no leader' });
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.campaign(p, one, 'one');
      assert.deepEqual([fromUtf8(first.leader?.name ?? name), first.leader?.lease], [p, one]);
      assert.equal(fromUtf8((await api.call(election.leader, { name })).kv?.value ?? name), 'one');
      const observing = api.channel.stream(election.observe);
      observing.send({ name });
      observing.finish();
      const observed = observing.responses[Symbol.asyncIterator]();
      const next = async (): Promise<string> => {
        const answer = await observed.next();
        assert.ok(answer.done !== true);
        return fromUtf8(answer.value.kv?.value ?? name);
      };
      assert.equal(await next(), 'one');
      await api.call(election.proclaim, { leader: first.leader, value: utf8('uno') });
      assert.equal(await next(), 'uno');
      const waiting = api.campaign(p, two, 'two');
      while ((await api.list(p)).length < 2);
      await api.call(election.resign, { leader: first.leader });
      const second = await waiting;
      assert.equal(await next(), 'two');
      observing.cancel();
      await assert.rejects(api.call(election.proclaim, { leader: first.leader, value: name }), {
        code: 'unknown',
        message: 'election: not leader',
      });
      await assert.rejects(api.call(election.resign, { leader: undefined }), {
        code: 'unknown',
        message: '"leader" field must be provided',
      });
      await api.call(election.resign, { leader: second.leader });
      for (const id of [one, two]) await api.revoke(id);
    },
  },
  {
    sentence: 'Lock: ends with its lease; another name is another lock; one that nobody holds may be unlocked',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      await api.lock(`${p}x`, one);
      await api.lock(`${p}y`, two);
      const waiting = api.lock(`${p}x`, two);
      while ((await api.list(`${p}x`)).length < 2);
      await api.revoke(one);
      const { key } = await waiting;
      assert.equal(fromUtf8(key), `${p}x/${two.toString(16)}`);
      await api.unlock(key);
      await api.unlock(key);
      await api.revoke(two);
    },
  },
  {
    sentence: 'Lock: clients that make the keys by plain transactions wait in the same line',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const mine = `${p}/${one.toString(16)}`;
      await api.txn([when(mine, 'create', '=', 0)], [op.put(mine, '', { lease: one })], [op.get(mine)]);
      let isHeld = false;
      const waiting = api.lock(p, two).then((response) => ((isHeld = true), response));
      while ((await api.list(`${p}/`)).length < 2);
      assert.equal(isHeld, false);
      await api.del(mine);
      await api.unlock((await waiting).key);
      for (const id of [one, two]) await api.revoke(id);
    },
  },
  {
    sentence: 'Campaign: by the same lease again it proclaims; who waits leads when the lease of the leader ends',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.campaign(p, one, 'one');
      const again = await api.campaign(p, one, 'uno');
      assert.deepEqual([again.leader?.key, again.leader?.rev], [first.leader?.key, first.leader?.rev]);
      const leader = await api.call(v3electionpb.Election.methods.leader, { name: utf8(p) });
      assert.equal(fromUtf8(leader.kv?.value ?? utf8('none')), 'uno');
      const waiting = api.campaign(p, two, 'two');
      while ((await api.list(p)).length < 2);
      await api.revoke(one);
      assert.equal((await waiting).leader?.lease, two);
      await api.revoke(two);
    },
  },
];
