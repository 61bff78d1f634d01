// Where the sentences of the API end: numbers that mean nothing, fields that contradict one another, what is asked for twice.
import assert from 'node:assert/strict';
import { fromUtf8, utf8 } from '@distrokv/base';
import { GrpcError } from '@distrokv/grpc';
import { etcdserverpb as pb, v3electionpb } from '@distrokv/proto';
import { type Case, refused } from './case.ts';
import { type EtcdApi, type Op, endOf, op, showEvent, showKv, when } from './etcd-api.ts';

const NOT_FOUND = 'requested lease not found';
const KEY_NOT_FOUND = 'key not found';
const DUPLICATE = 'duplicate key given in txn request';
const TWICE = 'etcd changes the key twice in one revision';

const revisionOf = ({ header }: { readonly header: pb.ResponseHeader | undefined }): number => header?.revision ?? 0;

const holds = async (api: EtcdApi, compare: pb.Compare): Promise<boolean> => (await api.txn([compare], [])).succeeded;

/** One in the other. */
const nested = (depth: number, inmost: Op): Op => (depth === 0 ? inmost : op.txn([], [nested(depth - 1, inmost)]));

export const kvEdgeCases: readonly Case[] = [
  {
    sentence: 'Range: a limit below 0 is none; a filter below 0 is one',
    async run(api, p) {
      for (const key of 'ab') await api.put(p + key);
      const all = await api.range(p, { end: endOf(p), limit: -1 });
      assert.deepEqual([all.kvs.length, all.more, all.count], [2, false, 2]);
      const none = await api.range(p, { end: endOf(p), maxModRevision: -5 });
      assert.deepEqual([none.kvs.length, none.more, none.count], [0, false, 2]);
      const one = await api.range(`${p}a`, { minModRevision: 2 ** 50 });
      assert.deepEqual([one.kvs.length, one.more, one.count], [0, false, 1]);
    },
  },
  {
    sentence: 'Range: what compares alike stays in the order of the keys, both ways',
    async run(api, p) {
      for (const key of 'cab') await api.put(p + key, 'same');
      for (const sortOrder of [pb.SortOrder.ASCEND, pb.SortOrder.DESCEND])
        assert.deepEqual(await api.list(p, { sortTarget: pb.SortTarget.VALUE, sortOrder, keysOnly: true }), [`${p}a=`, `${p}b=`, `${p}c=`]);
    },
  },
  {
    sentence:
      'Put: ignore_value goes with prev_kv and with a lease; both ignore_* on a missing key are ErrKeyNotFound; a lease may be negative',
    async run(api, p) {
      const { id } = await api.grant(60, -(BigInt(Date.now()) << 8n) - 17n);
      await api.put(p, 'v');
      const { prevKv } = await api.put(p, '', { ignoreValue: true, prevKv: true, lease: id });
      assert.equal(prevKv && showKv(prevKv), `${p}=v`);
      const [kv] = (await api.range(p)).kvs;
      assert.deepEqual([kv && showKv(kv), kv?.lease], [`${p}=v`, id]);
      await api.revoke(id);
      assert.deepEqual(await api.list(p), []);
      await refused(api.put(p, '', { ignoreValue: true, ignoreLease: true }), 'invalid-argument', KEY_NOT_FOUND);
      await refused(api.put(p, '', { lease: -77n }), 'not-found', NOT_FOUND);
    },
  },
  {
    sentence: 'Put: of an unknown lease and a missing key the lease is told, in a transaction the key',
    async run(api, p) {
      const both = { ignoreValue: true, lease: 77n };
      await refused(api.put(p, '', both), 'not-found', NOT_FOUND);
      await refused(api.txn([], [op.put(p, '', both)]), 'invalid-argument', KEY_NOT_FOUND);
    },
  },
  {
    sentence: 'Txn: ignore_value and ignore_lease look at the store as it is before it, not at its own puts and deletes',
    async run(api, p) {
      const ignoring = { ignoreValue: true } as const;
      await refused(api.txn([], [op.put(`${p}a`), op.put(`${p}b`, '', ignoring)]), 'invalid-argument', KEY_NOT_FOUND);
      await refused(api.txn([], [op.put(p, '', { ignoreLease: true })]), 'invalid-argument', KEY_NOT_FOUND);
      await api.put(`${p}b`, 'kept');
      const { responses } = await api.txn([], [op.put(`${p}b`, '', ignoring), op.get(`${p}b`)]);
      assert.ok(responses[1]?.response?.case === 'responseRange');
      assert.deepEqual(responses[1].response.value.kvs.map(showKv), [`${p}b=kept`]);
    },
  },
  {
    sentence: 'Txn: compares of targets and results that are not known hold; a union of another target is 0',
    async run(api, p) {
      await api.put(p, '1');
      assert.equal(await holds(api, { ...when(p, 'version', '=', 5), result: 9 }), true);
      assert.equal(await holds(api, { ...when(p, 'version', '=', 0), target: 9 }), true);
      assert.equal(await holds(api, { ...when(p, 'version', '=', 1), targetUnion: { case: 'value', value: utf8('1') } }), false);
    },
  },
  {
    sentence: 'Txn: LEASE compares 64 bits; a range whose end is before its key is one missing key',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.put(p, '', { lease: id });
      assert.equal(await holds(api, when(p, 'lease', '=', id)), true);
      assert.equal(await holds(api, when(p, 'lease', '>', id - 1n)), true);
      assert.equal(await holds(api, when(p, 'lease', '<', id)), false);
      await api.put(`${p}b`);
      assert.equal(await holds(api, when(`${p}b`, 'version', '=', 0, `${p}a`)), true);
      await api.revoke(id);
    },
  },
  {
    sentence: 'Txn: a range at the current revision sees what was before the transaction, one at the coming revision is ErrFutureRev',
    async run(api, p) {
      const revision = revisionOf(await api.put(p, 'old'));
      const { responses } = await api.txn([], [op.put(p, 'new'), op.get(p, { revision }), op.get(p)]);
      const read = responses.slice(1).map(({ response }) => {
        assert.ok(response?.case === 'responseRange');
        return [response.value.kvs.map(showKv), response.value.header?.revision];
      });
      assert.deepEqual(read, [
        [[`${p}=old`], revision + 1],
        [[`${p}=new`], revision + 1],
      ]);
      await refused(
        api.txn([], [op.put(p), op.get(p, { revision: revision + 2 })]),
        'out-of-range',
        'mvcc: required revision is a future revision',
      );
    },
  },
  {
    sentence: 'Txn: headers of operations carry the revision that they see: the one before until something has changed',
    async run(api, p) {
      const before = revisionOf(await api.put(p));
      const { responses } = await api.txn([], [op.get(p), op.del(`${p}none`), op.put(`${p}b`), op.get(p), op.del(`${p}none`)]);
      const seen = responses.map(({ response }) => (response && 'header' in response.value ? (response.value.header?.revision ?? 0) : 0));
      assert.deepEqual(seen, [before, before, before + 1, before + 1, before + 1]);
    },
  },
  {
    sentence: 'Txn: an empty one succeeds; forty nested in one another are run',
    async run(api, p) {
      const { succeeded, responses } = await api.txn([], []);
      assert.deepEqual([succeeded, responses], [true, []]);
      await api.txn([], [nested(40, op.put(p, 'deep'))]);
      assert.deepEqual(await api.list(p), [`${p}=deep`]);
    },
  },
  {
    sentence: 'Txn: more than 48 nested in one another are refused before they are read',
    differs: 'etcd goes as deep as max-txn-ops lets it',
    run: (api, p) =>
      assert.rejects(api.txn([], [nested(60, op.put(p))]), { code: 'internal', message: /messages are nested more than 100 deep/ }),
  },
  {
    sentence: 'Txn: duplicates are found in branches of siblings, in the branch that is not taken, and in nested deletes of a range',
    async run(api, p) {
      const bad: readonly (readonly Op[])[] = [
        [op.txn([], [op.put(p)]), op.txn([], [], [op.put(p)])],
        [op.put(p), op.txn([], [], [op.put(p)])],
        [op.txn([], [op.del(p)]), op.put(p)],
        [op.put(`${p}b`), op.txn([], [op.del(p, endOf(p))])],
        [op.put(p), op.txn([], [op.txn([], [], [op.put(p)])])],
      ];
      for (const ops of bad) {
        await refused(api.txn([], ops), 'invalid-argument', DUPLICATE);
        await refused(api.txn([], [], ops), 'invalid-argument', DUPLICATE);
      }
      await api.txn([], [op.put(`${p}b`), op.del(`${p}b`, `${p}a`), op.txn([], [op.get(`${p}b`)])]);
      await api.txn([], [op.del(p, endOf(p)), op.txn([], [op.del(`${p}b`)], [op.del(p)])]);
    },
  },
  {
    sentence: 'Txn: a put, and a delete from a key on (\\0) that reaches it, are a duplicate',
    differs: TWICE,
    run: (api, p) => refused(api.txn([when(p, 'version', '>', 0)], [op.put(`${p}b`), op.del(p, '\0')]), 'invalid-argument', DUPLICATE),
  },
  {
    sentence: 'Txn: a put of a nested one, and a delete of a later one, are a duplicate',
    differs: TWICE,
    run: (api, p) => refused(api.txn([], [op.txn([], [op.put(p)]), op.txn([], [op.del(p)])]), 'invalid-argument', DUPLICATE),
  },
  {
    sentence: 'Txn: max-request-bytes holds for all of it together',
    run: (api, p) =>
      refused(
        api.txn([], [op.put(`${p}a`, 'x'.repeat(800_000)), op.put(`${p}b`, 'x'.repeat(800_000))]),
        'invalid-argument',
        'request is too large',
      ),
  },
];

export const otherEdgeCases: readonly Case[] = [
  {
    sentence: 'Watch: key \\0 without an end is that key alone, and so is an empty one; filters that are not known filter nothing',
    async run(api) {
      using watching = api.watch();
      await watching.create('\0', { filters: [5] });
      await watching.create('');
      await api.put('\0\0', 'another');
      await api.put('\0', 'that');
      for (let i = 0; i < 2; i++) assert.deepEqual((await watching.next()).events.map(showEvent), ['+\0=that']);
      await api.del('\0', '\0\0\0');
    },
  },
  {
    sentence: 'Watch: a request without content is passed over; a second cancel of an id is not answered; the id is not given again',
    async run(api, p) {
      using watching = api.watch();
      watching.nothing();
      assert.equal((await watching.create(p)).watchId, 0);
      watching.cancel(0);
      watching.cancel(0);
      assert.equal((await watching.next()).canceled, true);
      const { created, watchId } = await watching.create(p);
      assert.deepEqual([created, watchId], [true, 1]);
    },
  },
  {
    sentence: 'Watch: an id may be negative',
    async run(api, p) {
      using watching = api.watch();
      assert.equal((await watching.create(p, { watchId: -7 })).watchId, -7);
      await api.put(p, '1');
      const { watchId, events } = await watching.next();
      assert.deepEqual([watchId, events.map(showEvent)], [-7, [`+${p}=1`]]);
    },
  },
  {
    sentence: 'Watch: progress that is asked for on a stream without watchers is not answered',
    since: '3.6',
    async run(api, p) {
      using watching = api.watch();
      watching.progress();
      assert.equal((await watching.create(p)).created, true);
    },
  },
  {
    sentence: 'Watch: no progress is told while one of many watchers reads the past; then it is',
    since: '3.6',
    async run(api, p) {
      const first = revisionOf(await api.put(p, '0'));
      const large = 'x'.repeat(100_000);
      for (let i = 0; i < 40; i++) await api.put(p, large);
      using watching = api.watch();
      for (const start of [0, first]) watching.ask(p, { startRevision: start });
      watching.progress();
      let seen = 0;
      for (let told = 0; told === 0 || seen < 41;) {
        const { watchId, events, created } = await watching.next();
        if (watchId === 1) seen += events.length;
        if (watchId === -1 && !created) {
          assert.equal(seen, 41, 'all of the past came before');
          told++;
        }
        if (seen === 41 && told === 0) watching.progress();
      }
    },
  },
  {
    sentence: 'Grant: of an id that is taken and a TTL that is too large, the TTL is told; lease 0 is never there',
    async run(api) {
      const { id } = await api.grant(60);
      await refused(api.grant(9_000_000_001, id), 'out-of-range', 'too large lease TTL');
      await api.revoke(id);
      await refused(api.revoke(0n), 'not-found', NOT_FOUND);
      const { ttl, grantedTTL } = await api.timeToLive(0n);
      assert.deepEqual([ttl, grantedTTL], [-1, 0]);
      using alive = api.keepAlive();
      const renewed = await alive.renew(0n);
      assert.deepEqual([renewed.ttl, renewed.id], [0, 0n]);
    },
  },
  {
    sentence: 'KeepAlive: a stream that asks no more is answered to its end, and ends without an error',
    async run(api) {
      const { id } = await api.grant(60);
      using alive = api.keepAlive();
      assert.equal((await alive.renew(id)).ttl, 60);
      alive.finish();
      await assert.rejects(alive.next(), /the stream ended/);
      await api.revoke(id);
    },
  },
  {
    sentence: 'A lease that was revoked may be granted again under its id, and has none of the keys that it had',
    async run(api, p) {
      const { id } = await api.grant(60);
      await api.put(p, '1', { lease: id });
      await api.revoke(id);
      assert.equal((await api.grant(600, id)).ttl, 600);
      const { grantedTTL, keys } = await api.timeToLive(id, true);
      assert.deepEqual([grantedTTL, keys], [600, []]);
      await api.revoke(id);
    },
  },
  {
    sentence: 'Lock: after waiting, the header is of the moment at which the lock was had, not of that at which it was asked for',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      const first = await api.lock(p, one);
      const waiting = api.lock(p, two);
      while ((await api.list(p)).length < 2);
      const unlocked = await api.unlock(first.key);
      assert.ok(revisionOf(await waiting) >= revisionOf(unlocked));
      for (const id of [one, two]) await api.revoke(id);
    },
  },
  {
    sentence: 'Campaign: one whose lease ended while it waited does not lead',
    differs: 'etcd says that it leads',
    async run(api, p) {
      const [one, two] = [(await api.grant(60)).id, (await api.grant(60)).id];
      await api.campaign(p, one, 'one');
      const waiting = assert.rejects(api.campaign(p, two, 'two'), { code: 'unknown', message: 'election: session is expired' });
      while ((await api.list(p)).length < 2);
      await api.revoke(two);
      await api.revoke(one);
      await waiting;
    },
  },
  {
    sentence: 'Observe: all that a leader proclaims, in order, however quickly',
    async run(api, p) {
      const { proclaim, observe } = v3electionpb.Election.methods;
      const { id } = await api.grant(60);
      const { leader } = await api.campaign(p, id, 'first');
      const observing = api.channel.stream(observe);
      observing.send({ name: utf8(p) });
      observing.finish();
      const seen: string[] = [];
      const versions: number[] = [];
      for await (const { kv } of observing.responses) {
        seen.push(fromUtf8(kv?.value ?? utf8('')));
        versions.push(kv?.version ?? 0);
        if (seen.length === 1) {
          await Promise.all(Array.from({ length: 20 }, (_, i) => api.call(proclaim, { leader, value: utf8(String(i)) })));
          await api.call(proclaim, { leader, value: utf8('last') });
        }
        if (seen.at(-1) === 'last') break;
      }
      observing.cancel();
      assert.deepEqual(
        versions,
        Array.from({ length: 22 }, (_, i) => i + 1),
      );
      await api.revoke(id);
    },
  },
  {
    sentence: 'Unlock, Proclaim, Resign: an empty key, and no leader to speak for, are refused',
    async run(api) {
      const { proclaim, resign } = v3electionpb.Election.methods;
      await assert.rejects(api.unlock(utf8('')), { message: 'etcdserver: key is not provided' });
      const noLeader = { code: 'unknown', message: '"leader" field must be provided' };
      await assert.rejects(api.call(proclaim, { leader: undefined, value: utf8('') }), noLeader);
      await assert.rejects(api.call(resign, { leader: undefined }), noLeader);
    },
  },
];

/** With the cases of compaction: nobody else is to write meanwhile. */
export const alarmEdgeCases: readonly Case[] = [
  {
    sentence: 'Alarm: NOSPACE refuses puts in either branch, and grants; reads, deletes, revocations and compactions go on',
    async run(api, p) {
      await api.put(p, '1');
      const { id } = await api.grant(60);
      const space = 'mvcc: database space exceeded';
      await whileAlarmed(api, pb.AlarmType.NOSPACE, async () => {
        const calls = [
          api.put(p),
          api.txn([], [op.del(p)], [op.put(p)]),
          api.txn([when(p, 'version', '=', 0)], [op.get(p)], [op.put(p)]),
          api.grant(60),
        ];
        await Promise.all(calls.map((call) => refused(call, 'resource-exhausted', space)));
        await assert.rejects(api.lock(p, 0n), { message: `etcdserver: ${space}` });
        assert.equal((await api.txn([], [op.get(p)])).succeeded, true);
        assert.equal((await api.txn([], [op.del(`${p}none`)])).succeeded, true);
        assert.deepEqual(await api.list(p), [`${p}=1`]);
        using alive = api.keepAlive();
        assert.equal((await alive.renew(id)).ttl, 60);
        await api.compact(await api.revision());
        await api.revoke(id);
      });
      await api.put(p, '2');
    },
  },
  {
    sentence: 'Alarm: NOSPACE refuses puts in nested transactions, in either branch',
    differs: 'etcd does not look into nested ones',
    run: (api, p) =>
      whileAlarmed(api, pb.AlarmType.NOSPACE, async () => {
        for (const ops of [[op.txn([], [op.put(p)])], [op.txn([], [], [op.txn([], [op.put(p)])])]])
          await refused(api.txn([], ops), 'resource-exhausted', 'mvcc: database space exceeded');
      }),
  },
  {
    sentence: 'Alarm: CORRUPT refuses all that changes something with DataLoss; reads go on',
    async run(api, p) {
      await api.put(p, '1');
      const { id } = await api.grant(60);
      await whileAlarmed(api, pb.AlarmType.CORRUPT, async () => {
        const revision = await api.revision();
        const calls = [api.put(p), api.del(p), api.txn([], [op.put(p)]), api.grant(60), api.revoke(id), api.compact(revision)];
        await Promise.all(calls.map((call) => refused(call, 'data-loss', 'corrupt cluster')));
        assert.deepEqual(await api.list(p), [`${p}=1`]);
        assert.equal((await api.txn([], [op.get(p)])).succeeded, true);
      });
      await api.revoke(id);
    },
  },
  {
    sentence: 'Alarm: GET lists those of a type, NONE all; one that is raised twice is one; to take back what is not there is no error',
    async run(api) {
      const { GET, DEACTIVATE, ACTIVATE } = pb.AlarmAction;
      const { NONE, NOSPACE, CORRUPT } = pb.AlarmType;
      const ask = async (action: number, alarm: number): Promise<readonly pb.AlarmMember[]> =>
        (await api.call(pb.Maintenance.methods.alarm, { action, memberID: ALARMED, alarm })).alarms;
      await whileAlarmed(api, NOSPACE, async () => {
        const alarms = [{ memberID: ALARMED, alarm: NOSPACE }];
        assert.deepEqual(await ask(ACTIVATE, NOSPACE), alarms);
        assert.deepEqual([await ask(GET, NONE), await ask(GET, NOSPACE), await ask(GET, CORRUPT)], [alarms, alarms, []]);
        assert.deepEqual(await ask(DEACTIVATE, CORRUPT), []);
      });
      assert.deepEqual(await ask(GET, NONE), []);
    },
  },
];

const ALARMED = 4712n;

async function whileAlarmed(api: EtcdApi, alarm: pb.AlarmType, work: () => Promise<void>): Promise<void> {
  const tell = (action: number): Promise<pb.AlarmResponse> => api.call(pb.Maintenance.methods.alarm, { action, memberID: ALARMED, alarm });
  await tell(pb.AlarmAction.ACTIVATE);
  try {
    await work();
  } finally {
    await tell(pb.AlarmAction.DEACTIVATE).catch((error: unknown) => assert.ok(error instanceof GrpcError, String(error)));
  }
}
