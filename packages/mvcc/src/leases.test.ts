import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, seededRandom } from '@distrokv/base';
import { LEASES_PER_TICK, MAX_TICK_MS, secondsLeft } from './leases.ts';
import { Heap, type HeapItem } from './heap.ts';
import { runSteps } from './steps.ts';
import { StoreFixture } from './testing/fixture.ts';
import { compare, del, put, range, txn } from './testing/requests.ts';

const NOT_FOUND = { message: 'etcdserver: requested lease not found' };
const keysOf = (f: StoreFixture, id: bigint): string[] => runSteps(f.store.leases.keysOf(id)).map(fromUtf8);
const idsOf = (f: StoreFixture): bigint[] => f.store.leases.list().map((lease) => lease.id);

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
