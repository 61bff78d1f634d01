// npm etcd3, the client that is built upon most in this language, as it comes: against one node and against a follower of three, and over a server that is
// killed and started again on the same data.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import { type Client, createClient } from '@distrokv/client';
import { type IKeyValue, type Isolation, Etcd3, STMConflictError, type SoftwareTransaction } from 'etcd3';
import { nodesForTests } from './support/nodes.ts';

const nodes = nodesForTests();

function connect(endpoint: string): Disposable & { readonly client: Etcd3 } {
  const client = new Etcd3({ hosts: `http://${endpoint}` });
  return { client, [Symbol.dispose]: () => client.close() };
}

test('npm etcd3: watchers, leases, namespaces', async () => {
  for (const endpoint of nodes.endpoints) {
    using connected = connect(endpoint);
    const { client } = connected;
    const space = client.namespace('space/');
    const watcher = await space.watch().prefix('w').create();
    const seen: string[] = [];
    const both = new Promise<void>((resolve) => {
      watcher.on('put', (kv) => seen.push(`put ${kv.key.toString()}=${kv.value.toString()}`));
      watcher.on('delete', (kv) => {
        seen.push(`delete ${kv.key.toString()}`);
        resolve();
      });
    });
    await client.put('w0').value('not of the space');
    await space.put('w1').value('v');
    await space.delete().key('w1');
    await both;
    assert.deepEqual(seen, ['put w1=v', 'delete w1']);
    await watcher.cancel();

    const lease = client.lease(30);
    await lease.put('space/leased').value('1');
    assert.equal(await space.get('leased').string(), '1');
    await lease.keepaliveOnce();
    await lease.revoke();
    assert.equal(await space.get('leased').string(), null);

    const inner = space.namespace('inner/');
    await inner.put('k').value('deep');
    assert.deepEqual(await client.getAll().prefix('space/').strings(), { 'space/inner/k': 'deep' });
    assert.deepEqual(await inner.getAll().all().strings(), { k: 'deep' });
    await space.delete().all();
    assert.equal(await client.getAll().prefix('space/').count(), 0);
    assert.equal(await client.get('w0').string(), 'not of the space');
  }
});

test('npm etcd3: locks and elections', async () => {
  for (const endpoint of nodes.endpoints) {
    using connected = connect(endpoint);
    const { client } = connected;
    const order: string[] = [];
    const lock = client.lock('e3/lock').ttl(30);
    await lock.acquire();
    const other = client.lock('e3/lock').ttl(30);
    await assert.rejects(other.acquire(), /lock/i);
    order.push('held');
    await lock.release();
    await other.do(() => void order.push('held next'));
    assert.deepEqual(order, ['held', 'held next']);

    const election = client.election('e3/election', 6); // it keeps a timer of that length when all is over
    const observer = await election.observe();
    const campaign = election.campaign('candidate');
    await new Promise<void>((resolve, reject) => {
      campaign.on('elected', () => resolve());
      campaign.on('error', reject);
    });
    if (observer.leader() !== 'candidate') await new Promise((resolve) => observer.on('change', resolve));
    assert.equal(await election.leader(), 'candidate');
    await campaign.resign();
    await observer.cancel();
  }
});

describe('npm etcd3: software transactions', () => {
  // The numbers of etcd3's `Isolation`, which is a const enum.
  interface Level {
    readonly name: string;
    readonly isolation: number;
    /** What it reads is as of its first read. */
    readonly ofOneMoment: boolean;
    /** Begins anew when what it read has changed. */
    readonly checksReads: boolean;
    /** Does not write over what others wrote after what it read. */
    readonly checksWrites: boolean;
  }
  const levels: readonly Level[] = [
    { name: 'serializable snapshot', isolation: 0, ofOneMoment: true, checksReads: true, checksWrites: true },
    { name: 'serializable', isolation: 1, ofOneMoment: true, checksReads: true, checksWrites: false },
    { name: 'repeatable reads', isolation: 2, ofOneMoment: false, checksReads: true, checksWrites: false },
    { name: 'read committed', isolation: 3, ofOneMoment: false, checksReads: false, checksWrites: false },
  ];

  /** Runs it at a level; how often it was begun. `meanwhile` happens in its first attempt, after it has read x. */
  async function attempts(
    space: ReturnType<Etcd3['namespace']>,
    level: Level,
    meanwhile: () => Promise<unknown>,
    work: (tx: SoftwareTransaction, x: number) => Promise<unknown>,
  ): Promise<number> {
    let count = 0;
    await space.stm({ isolation: level.isolation as Isolation, retries: 5 }).transact(async (tx) => {
      const x = (await tx.get('x').number()) ?? NaN;
      if (++count === 1) await meanwhile();
      await work(tx, x);
    });
    return count;
  }

  for (const level of levels)
    test(`${level.name}: what others do meanwhile`, async () => {
      for (const [i, endpoint] of nodes.endpoints.entries()) {
        using connected = connect(endpoint);
        const { client } = connected;
        const space = client.namespace(`stm/${level.isolation}/${i}/`);
        const set = (key: string, value: number): Promise<unknown> => space.put(key).value(value).exec();
        for (const key of ['x', 'y', 'z']) await set(key, 1);

        // x is read, changed by another, and written: the change is lost, or it begins anew.
        const add = await attempts(
          space,
          level,
          () => set('x', 10),
          (tx, x) =>
            tx
              .put('x')
              .value(x + 1)
              .exec(),
        );
        assert.deepEqual([add, await space.get('x').number()], level.checksReads ? [2, 11] : [1, 2]);

        // x is read, changed by another, and y depends on it: write skew.
        const skew = await attempts(
          space,
          level,
          () => set('x', 20),
          (tx, x) => tx.put('y').value(x).exec(),
        );
        assert.deepEqual([skew, await space.get('y').number()], level.checksReads ? [2, 20] : [1, level.isolation === 3 ? 2 : 11]);

        // y is changed between its read and that of x: what is read is of one moment, or it is what there is.
        const before = await space.get('y').number();
        const reads: (number | null)[] = [];
        await attempts(
          space,
          level,
          () => set('y', 30),
          async (tx) => void reads.push(await tx.get('y').number()),
        );
        assert.deepEqual(reads, level.ofOneMoment ? [before, 30] : [30]);

        // z, which it did not read, is written by another after x was.
        const blind = attempts(
          space,
          level,
          () => set('z', 40),
          (tx, x) => tx.put('z').value(x).exec(),
        );
        if (level.checksWrites) await assert.rejects(blind, STMConflictError);
        else assert.equal(await blind, 1);
        assert.equal((await space.get('z').number()) === 40, level.checksWrites);
      }
    });

  test('writers that conflict begin anew until each has had its turn; the sum of what they move stays', async () => {
    for (const endpoint of nodes.endpoints) {
      using setup = connect(endpoint);
      // In one revision: at this level a key that is written must not be newer than the oldest that is read.
      const begin = ['a', 'b', 'moves'].map((key) => setup.client.put(`bank/${key}`).value(key === 'moves' ? 0 : 100));
      await setup.client
        .if('bank/a', 'Version', '==', 0)
        .then(...begin)
        .commit();
      let attempts = 0;
      const mover = async (): Promise<void> => {
        using connected = connect(endpoint);
        const bank = connected.client.namespace('bank/');
        for (let i = 0; i < 8; i++)
          await bank.stm({ retries: 1000 }).transact(async (tx) => {
            attempts++;
            const [a, b, moves] = await Promise.all(['a', 'b', 'moves'].map(async (key) => (await tx.get(key).number()) ?? NaN));
            assert.equal((a as number) + (b as number), 200, 'all of one moment');
            await tx.put('a').value((a as number) - 1);
            await tx.put('b').value((b as number) + 1);
            await tx.put('moves').value((moves as number) + 1);
          });
      };
      await Promise.all([mover(), mover(), mover()]);
      assert.deepEqual(await setup.client.getAll().prefix('bank/').numbers(), { 'bank/a': 76, 'bank/b': 124, 'bank/moves': 24 });
      assert.ok(attempts > 24, 'some met');
    }
  });
});

/** Kills the node that is alone, and starts it again on its data. */
async function restart(): Promise<undefined> {
  await nodes.single.kill(0);
  await nodes.single.startAll();
}

/** Everything that happened to keys of a prefix from a revision on, as "revision key=value". */
async function historyOf(client: Client, prefix: string, from: number, until: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { events } of client.watch(prefix, { prefix: true, startRevision: from }))
    for (const { kv } of events) {
      all.push(`${kv?.modRevision} ${fromUtf8(kv?.key ?? utf8(''))}=${fromUtf8(kv?.value ?? utf8(''))}`);
      if (all.at(-1)?.endsWith(until)) return all;
    }
  return all;
}

test('npm etcd3: watchers go on over a server that is killed and started again: no event is lost, none comes twice', async () => {
  const endpoint = nodes.single.endpoints[0] as string;
  using connected = connect(endpoint);
  await using writer = createClient({ endpoints: [endpoint] });
  const { client } = connected;
  const from = Number((await client.put('begin').value('0')).header.revision) + 1;
  const told: string[][] = [[], []];
  const watchers = await Promise.all([
    client.watch().prefix('over/').startRevision(String(from)).create(),
    client.namespace('over/').watch().prefix('').startRevision(String(from)).create(),
  ]);
  const tell = (i: number, { mod_revision: revision, key, value }: IKeyValue): void =>
    void told[i]?.push(`${revision} ${i === 1 ? 'over/' : ''}${key.toString()}=${value.toString()}`);
  const ended = watchers.map((watcher, i) => {
    watcher.on('put', (kv) => tell(i, kv));
    return new Promise<void>((resolve) => watcher.on('put', ({ value }) => value.toString() === 'end' && resolve()));
  });

  let acknowledged = 0;
  const isWritten: string[] = [];
  let killed: Promise<undefined> | undefined;
  const write = async (name: number): Promise<void> => {
    for (let i = 0; i < 100; i++)
      for (let attempt = 0; ; attempt++) {
        // What became of one that failed is not known: it is made again as another.
        const [key, value] = [`over/${name}`, `${i}.${attempt}`];
        const done = await writer.put(key, value).catch(() => killed);
        if (!done) continue;
        isWritten.push(`${done.header?.revision} ${key}=${value}`);
        if (++acknowledged === 300) killed = restart();
        break;
      }
  };
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(write));
  await killed;
  await writer.put('over/end', 'end');
  await Promise.all(ended);
  const history = await historyOf(writer, 'over/', from, '=end');
  for (const each of told) assert.deepEqual(each, history);
  const all = new Set(history);
  assert.ok(
    isWritten.length === 800 && isWritten.every((put) => all.has(put)),
    'everything that was acknowledged happened, where it was said to',
  );
  for (const watcher of watchers) await watcher.cancel();
});

test('npm etcd3: a lease that is kept alive outlives a server that is killed and started again, and goes with its keys when it is revoked', async () => {
  using connected = connect(nodes.single.endpoints[0] as string);
  const { client } = connected;
  const lease = client.lease(60);
  let lost = 0;
  lease.on('lost', () => lost++);
  await once(lease, 'keepaliveSucceeded');
  await lease.put('kept').value('1');
  const id = await lease.grant();
  const again = once(lease, 'keepaliveFailed').then(() => once(lease, 'keepaliveSucceeded'));
  await restart();
  const [renewed] = (await again) as [{ ID: string; TTL: string }];
  assert.deepEqual([renewed.ID, renewed.TTL, lost], [id, '60', 0]);
  const [kv] = (await client.get('kept').exec()).kvs;
  assert.deepEqual([kv?.value.toString(), kv?.lease], ['1', id]);
  await lease.revoke();
  assert.equal(await client.get('kept').string(), null);
});
