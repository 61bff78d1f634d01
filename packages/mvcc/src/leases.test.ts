import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, seededRandom } from '@distrokv/base';
import type { Command } from './command.ts';
import { LEASES_PER_TICK, MAX_TICK_MS, secondsLeft } from './leases.ts';
import { Heap, type HeapItem } from './heap.ts';
import { runSteps } from './steps.ts';
import { StoreFixture } from './testing/fixture.ts';
import { compare, del, put, range, txn } from './testing/requests.ts';

const NOT_FOUND = { message: 'etcdserver: requested lease not found' };
const keysOf = (f: StoreFixture, id: bigint): string[] => runSteps(f.store.leases.keysOf(id)).map(fromUtf8);
const idsOf = (f: StoreFixture): bigint[] => runSteps(f.store.leases.list());

/** Lets `ms` pass in ticks of half a second, as a leader would. */
async function pass(f: StoreFixture, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 500) await f.tick(Math.min(left, 500));
}

test('a lease holds for its TTL at least, and a second more at most; its keys go in one revision', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 10);
  await f.put(put('b', '', { lease: 1n }));
  await f.put(put('a', '', { lease: 1n }));
  await f.put(put('c'));
  assert.deepEqual(keysOf(f, 1n), ['a', 'b']);
  await pass(f, 10_000);
  assert.equal(f.range(range('a')).count, 1);
  await pass(f, MAX_TICK_MS);
  assert.deepEqual([f.range(range('a', { end: 'z' })).count, f.store.state.revision, idsOf(f)], [1, 5, []]);
});

test('a tick that comes late, or for another reading of the clock, does nothing', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 2);
  const [first, second] = await f.apply(
    { kind: 'lease-tick', request: { fromMs: 0, toMs: 400 } },
    { kind: 'lease-tick', request: { fromMs: 0, toMs: 500 } },
  );
  assert.deepEqual([first, second, f.store.state.leaseClockMs], [{ more: false }, { more: false }, 400]);
  await f.apply({ kind: 'lease-tick', request: { fromMs: 400, toMs: 1_000_000 } });
  assert.equal(f.store.state.leaseClockMs, 400 + MAX_TICK_MS, 'a tick is bounded');
  assert.deepEqual(idsOf(f), [1n]);
});

test('a renewal begins the TTL anew; what has ended cannot be renewed (etcd #20616)', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 2);
  for (let i = 0; i < 5; i++) {
    await pass(f, 2000);
    assert.equal((await f.renew(1n)).ttl, 2);
  }
  await pass(f, 3000);
  assert.equal((await f.renew(1n)).ttl, 0);
  assert.equal((await f.renew(2n)).ttl, 0);
});

test('a key that is deleted, and put again under the same lease, goes with it: what is known of a deleted key is nothing', async () => {
  const f = await StoreFixture.open();
  for (const id of [1n, 2n]) await f.grant(id, 60);
  await f.put(put('k', '1', { lease: 1n }));
  await f.del(del('k'));
  await f.put(put('k', '2', { lease: 1n }));
  assert.deepEqual(keysOf(f, 1n), ['k']);
  await f.del(del('k'));
  await f.put(put('k', '3', { lease: 2n }));
  assert.deepEqual([keysOf(f, 1n), keysOf(f, 2n)], [[], ['k']]);
  const { kvs } = f.range(range('k'));
  assert.deepEqual([kvs[0]?.version, kvs[0]?.lease], [1, 2n]);
  await f.revoke(2n);
  assert.equal(f.range(range('k')).count, 0);
});

test('the keys of a lease are found in steps, however many have gone with it before', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 60);
  const stepsTaken = (): number => {
    const steps = f.store.leases.keysOf(1n);
    for (let count = 1; ; count++) if (steps.next().done === true) return count;
  };
  for (let round = 0; round < 10; round++) {
    const keys = Array.from({ length: 1000 }, (_, i) => put(`${round}/${i}`, '', { lease: 1n }));
    await f.apply(...keys.map((request): Command => ({ kind: 'put', request })));
    await f.del(del(`${round}/`, { end: `${round}0` }));
  }
  await f.put(put('last', '', { lease: 1n }));
  assert.deepEqual(keysOf(f, 1n), ['last']);
  assert.ok(stepsTaken() > 10, `${stepsTaken()} steps past 10,000 keys that are gone`);
});

test('a put moves a key to another lease, or to none; a delete takes it off', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 60);
  await f.grant(-2n, 60);
  await f.put(put('k', '', { lease: 1n }));
  await f.put(put('k', '', { lease: -2n }));
  assert.deepEqual([keysOf(f, 1n), keysOf(f, -2n)], [[], ['k']]);
  await f.put(put('k', 'v', { ignoreLease: true }));
  assert.deepEqual(keysOf(f, -2n), ['k']);
  await f.put(put('k'));
  assert.deepEqual(keysOf(f, -2n), []);
  await f.put(put('k', '', { lease: 1n }));
  await f.del(del('a', { end: 'z' }));
  assert.deepEqual(keysOf(f, 1n), []);
  await f.txn(txn([compare('k', 'version', '=', 0)], [put('k', '', { lease: 1n })]));
  assert.deepEqual(keysOf(f, 1n), ['k']);
  await f.txn(txn([compare('k', 'lease', '=', 1)], [del('k')]));
  assert.deepEqual(keysOf(f, 1n), []);
});

test('revoke: the keys go at once; without keys no revision is made; unknown leases are told', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 60);
  await f.grant(2n, 60);
  for (const key of ['x', 'y', 'z']) await f.put(put(key, '', { lease: 1n }));
  assert.equal((await f.revoke(1n)).header?.revision, 5);
  assert.equal((await f.revoke(2n)).header?.revision, 5);
  await assert.rejects(f.revoke(1n), NOT_FOUND);
  await assert.rejects(f.put(put('k', '', { lease: 1n })), NOT_FOUND);
  assert.equal(f.range(range('x', { end: '\0' })).count, 0);
});

test('grant: an id that is taken, a TTL that is too long', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 60);
  await assert.rejects(f.grant(1n, 60), { message: 'etcdserver: lease already exists' });
  await assert.rejects(f.grant(2n, 9_000_000_001), { message: 'etcdserver: too large lease TTL' });
  await f.grant(2n, 9_000_000_000);
  const lease = f.store.leases.get(2n);
  assert.equal(lease && secondsLeft(lease, 0), 9_000_000_000);
});

test('leases, their keys and their time outlive a crash', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 10);
  await f.grant(2n, 5);
  await f.put(put('k', '', { lease: 1n }));
  await pass(f, 4000);
  await f.flush();
  await pass(f, 1500);
  await f.crashAndRecover();
  assert.deepEqual([idsOf(f), keysOf(f, 1n), f.store.state.leaseClockMs], [[2n, 1n], ['k'], 5500]);
  await pass(f, 500);
  assert.deepEqual(idsOf(f), [1n]);
  await pass(f, 5000);
  assert.deepEqual([idsOf(f), f.range(range('k')).count], [[], 0]);
});

test('many leases that end together go in the order of their ends, some with each tick, the same on a member that was restarted', async () => {
  const build = async (): Promise<StoreFixture> => {
    const f = await StoreFixture.open();
    const random = seededRandom(4);
    for (let id = 1; id <= 3 * LEASES_PER_TICK; id++) await f.grant(BigInt(id), 2 + random.below(2));
    for (let i = 0; i < 200; i++) await f.renew(BigInt(1 + random.below(3 * LEASES_PER_TICK)));
    return f;
  };
  const [f, g] = [await build(), await build()];
  await g.flush();
  await g.crashAndRecover();
  for (const each of [f, g]) await pass(each, 3500);
  const ends: number[] = [];
  while (f.store.leases.size > 0) {
    assert.deepEqual(idsOf(f), idsOf(g));
    ends.push(f.store.leases.size);
    for (const each of [f, g]) await each.tick(100);
  }
  assert.ok(ends.length >= 2);
});

test('what is due but has to wait for the next tick cannot be renewed, and a tick says whether something is left', async () => {
  const f = await StoreFixture.open();
  const last = BigInt(LEASES_PER_TICK + 1);
  for (let id = 1n; id <= last; id++) await f.grant(id, 2);
  await pass(f, 2500);
  const tick = async (): Promise<unknown> => {
    const fromMs = f.store.state.leaseClockMs;
    return (await f.apply({ kind: 'lease-tick', request: { fromMs, toMs: fromMs + 500 } }))[0];
  };
  assert.deepEqual([await tick(), idsOf(f)], [{ more: true }, [last]]);
  assert.equal((await f.renew(last)).ttl, 0);
  assert.deepEqual([await tick(), idsOf(f)], [{ more: false }, []]);
});

test('against a plain list of when each ends: leases end in order, whatever is renewed and revoked, and are listed so', async () => {
  const f = await StoreFixture.open();
  const random = seededRandom(11);
  const ends = new Map<bigint, { readonly ttl: number; endsMs: number }>();
  const listed = (): bigint[] => [...ends].sort(([a, x], [b, y]) => x.endsMs - y.endsMs || (a < b ? -1 : 1)).map(([id]) => id);
  let atOnce = 0;
  for (let i = 0; i < 3000; i++) {
    const dice = random.float();
    const id = BigInt(random.between(-60, 60)) || 1n;
    const known = ends.get(id);
    const clockMs = f.store.state.leaseClockMs;
    if (dice < 0.4) {
      const ttl = random.between(1, 8);
      if (known) await assert.rejects(f.grant(id, ttl), { message: 'etcdserver: lease already exists' });
      else ends.set(id, { ttl, endsMs: (await f.grant(id, ttl)) && clockMs + MAX_TICK_MS + ttl * 1000 });
    } else if (dice < 0.7) {
      assert.equal((await f.renew(id)).ttl, known?.ttl ?? 0);
      if (known) known.endsMs = clockMs + MAX_TICK_MS + known.ttl * 1000;
    } else if (dice < 0.75) {
      if (known) await f.revoke(id);
      ends.delete(id);
    } else {
      await f.tick(random.between(0, 600));
      const due = listed().filter((one) => (ends.get(one)?.endsMs ?? 0) <= f.store.state.leaseClockMs);
      atOnce = Math.max(atOnce, due.length);
      assert.ok(due.length <= LEASES_PER_TICK);
      for (const one of due) ends.delete(one);
      assert.deepEqual(idsOf(f), listed());
    }
  }
  assert.ok(atOnce >= 2 && ends.size > 20, `${atOnce} ended with one tick, ${ends.size} are left`);
});

test('thousands of leases are listed in many steps, those that there were at the first, whatever happens meanwhile', async () => {
  const f = await StoreFixture.open();
  const request = (id: bigint): Command => ({ kind: 'lease-grant', request: { id, ttl: Number(10_000n - id) } });
  await f.apply(...Array.from({ length: 3000 }, (_, i) => request(BigInt(i + 1))));
  const steps = f.store.leases.list();
  let count = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next(), count++)
    if (count === 0) await f.apply(request(5000n), { kind: 'lease-revoke', request: { id: 7n } });
  assert.ok(count >= 2 * Math.floor(3000 / 512), `${count} steps`);
  assert.deepEqual(
    step.value,
    Array.from({ length: 3000 }, (_, i) => BigInt(3000 - i)),
  );
});

test('a lease of many keys ends in many steps, in one revision', async () => {
  const f = await StoreFixture.open();
  await f.grant(1n, 60);
  for (let i = 0; i < 2000; i++) await f.put(put(`k${String(i).padStart(4, '0')}`, '', { lease: 1n }));
  const before = f.store.state.revision;
  const steps = f.store.applySteps({ kind: 'lease-revoke', request: { id: 1n } });
  let count = 0;
  for (let step = steps.next(); step.done !== true; step = steps.next()) {
    count++;
    assert.equal(f.range(range('k', { end: 'l' })).count, 2000, 'nobody sees it half done');
  }
  assert.ok(count >= 2 * Math.floor(2000 / 256), `${count} steps`);
  assert.deepEqual([f.range(range('k', { end: 'l' })).count, f.store.state.revision], [0, before + 1]);
});

test('a heap gives the least first, whatever is taken out or moves', () => {
  const random = seededRandom(1);
  const heap = new Heap<HeapItem & { n: number }>((a, b) => a.n - b.n);
  const model: (HeapItem & { n: number })[] = [];
  for (let i = 0; i < 5000; i++) {
    const dice = random.float();
    const some = model[random.below(Math.max(1, model.length))];
    if (dice < 0.5 || !some) {
      const item = { n: random.below(1000), place: 0 };
      heap.add(item);
      model.push(item);
    } else if (dice < 0.7) {
      some.n = random.below(1000);
      heap.moved(some);
    } else {
      const item = dice < 0.85 ? (heap.first ?? some) : some;
      heap.remove(item);
      model.splice(model.indexOf(item), 1);
    }
    assert.equal(heap.size, model.length);
    if (model.length > 0) assert.equal(heap.first?.n, Math.min(...model.map(({ n }) => n)));
  }
});
