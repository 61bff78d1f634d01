// Locks and elections: one case for each sentence.
import assert from 'node:assert/strict';
import { fromUtf8, utf8 } from '@distrokv/base';
import { v3electionpb, v3lockpb } from '@distrokv/proto';
import type { Case } from './case.ts';
import { type EtcdApi, op, when } from './etcd-api.ts';

const NOT_FOUND = 'requested lease not found';

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
  {
    sentence: 'Lock: whoever leaves the midst of the line gives nobody the lock; the next in line waits for all before it',
    async run(api, p) {
      const leases = await Promise.all([1, 2, 3].map(async () => (await api.grant(60)).id));
      const [one, two, three] = leases as [bigint, bigint, bigint];
      const first = await api.lock(p, one);
      const middle = api.lock(p, two).catch((error: unknown) => error);
      while ((await api.list(p)).length < 2);
      let isHeld = false;
      const last = api.lock(p, three).then((response) => ((isHeld = true), response));
      while ((await api.list(p)).length < 3);
      await api.revoke(two);
      // The last one has heard of it when it has gone on to wait for the first: what is asked after that proves nothing sooner.
      for (let i = 0; i < 20; i++) await api.put(`${p}-elsewhere`);
      assert.equal(isHeld, false);
      await api.unlock(first.key);
      assert.equal(fromUtf8((await last).key), `${p}/${three.toString(16)}`);
      await middle;
      for (const id of [one, three]) await api.revoke(id);
    },
  },
  {
    sentence: 'Lock: one whose lease ended while it waited does not hold it',
    since: '3.5',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.lock(p, one);
      const waiting = assert.rejects(api.lock(p, two), { code: 'unknown', message: 'mutex: session is expired' });
      while ((await api.list(p)).length < 2);
      await api.revoke(two);
      await api.unlock(first.key);
      await waiting;
      await api.revoke(one);
    },
  },
  {
    sentence: 'Lock, Campaign: whoever gives up waiting leaves the line',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      for (const [name, enter] of [
        [`${p}lock`, lockCall],
        [`${p}election`, campaignCall],
      ] as const) {
        await enter(api, name, one, undefined);
        const giveUp = new AbortController();
        const waiting = assert.rejects(enter(api, name, two, giveUp.signal), { code: 'cancelled' });
        while ((await api.list(name)).length < 2);
        giveUp.abort();
        await waiting;
        while ((await api.list(name)).length > 1);
      }
      for (const id of [one, two]) await api.revoke(id);
    },
  },
  {
    sentence: 'Observe: waits for the first leader; says nothing of who only waits; goes on when nobody leads for a while',
    async run(api, p) {
      const election = v3electionpb.Election.methods;
      const observing = api.channel.stream(election.observe);
      observing.send({ name: utf8(p) });
      observing.finish();
      const observed = observing.responses[Symbol.asyncIterator]();
      const next = async (): Promise<string> => {
        const answer = await observed.next();
        assert.ok(answer.done !== true);
        return fromUtf8(answer.value.kv?.value ?? utf8('none'));
      };
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.campaign(p, one, 'one');
      assert.equal(await next(), 'one');
      const waiting = api.campaign(p, two, 'two');
      while ((await api.list(p)).length < 2);
      await api.call(election.proclaim, { leader: first.leader, value: utf8('uno') });
      assert.equal(await next(), 'uno');
      await api.call(election.resign, { leader: first.leader });
      assert.equal(await next(), 'two');
      const second = await waiting;
      await api.call(election.resign, { leader: second.leader });
      await assert.rejects(api.call(election.leader, { name: utf8(p) }), { code: 'unknown', message: 'election: no leader' });
      await api.campaign(p, one, 'once more');
      assert.equal(await next(), 'once more');
      observing.cancel();
      for (const id of [one, two]) await api.revoke(id);
    },
  },
  {
    sentence:
      'Resign: of one that does not lead any more is no error, and takes nothing from who does; Proclaim changes the key of the leader only',
    async run(api, p) {
      const election = v3electionpb.Election.methods;
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.campaign(p, one, 'one');
      await api.call(election.resign, { leader: first.leader });
      const second = await api.campaign(p, two, 'two');
      await api.call(election.resign, { leader: first.leader });
      const before = await api.revision();
      const { header } = await api.call(election.proclaim, { leader: second.leader, value: utf8('dos') });
      assert.equal(header?.revision, before + 1);
      const { kv } = await api.call(election.leader, { name: utf8(p) });
      assert.deepEqual(
        [fromUtf8(kv?.value ?? utf8('none')), kv?.createRevision, kv?.lease, kv?.version],
        ['dos', second.leader?.rev, two, 2],
      );
      for (const id of [one, two]) await api.revoke(id);
    },
  },
  {
    sentence: 'Election: an unknown lease is refused; lease 0 is one of a minute that the server grants; another name is another election',
    async run(api, p) {
      await assert.rejects(api.campaign(`${p}x`, 123_456_789n, 'v'), { message: `etcdserver: ${NOT_FOUND}` });
      const { leader } = await api.campaign(`${p}y`, 0n, 'v');
      assert.equal(fromUtf8(leader?.key ?? utf8('')), `${p}y/${(leader?.lease ?? 0n).toString(16)}`);
      assert.equal((await api.timeToLive(leader?.lease ?? 0n)).grantedTTL, 60);
      const other = await api.campaign(`${p}z`, 0n, 'w');
      assert.notEqual(other.leader?.lease, leader?.lease);
      for (const lease of [leader?.lease, other.leader?.lease]) await api.revoke(lease ?? 0n);
    },
  },
];

function lockCall(api: EtcdApi, name: string, lease: bigint, signal: AbortSignal | undefined): Promise<unknown> {
  return api.channel.unary(v3lockpb.Lock.methods.lock, { name: utf8(name), lease }, { ...(signal && { signal }) });
}

function campaignCall(api: EtcdApi, name: string, lease: bigint, signal: AbortSignal | undefined): Promise<unknown> {
  const request = { name: utf8(name), lease, value: utf8('v') };
  return api.channel.unary(v3electionpb.Election.methods.campaign, request, { ...(signal && { signal }) });
}
