// Leases over elections, on simulated time: none ends before its time, and a new leader goes on where the old one stopped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import { etcdserverpb as pb } from '@distrokv/proto';
import { Replicas } from '../testing/replicas.ts';
import { LeaseClock } from './lease-clock.ts';

const SEEDS = Number(process.env['DISTROKV_TEST_SEEDS'] ?? 6);
const ELECTION_MS = 1000;
/** A lease may live longer than its TTL by a tick that was cut off, the pauses between two, and what these tests take to look. */
const SLACK_MS = 2500;
/** The clock stands still for an election timeout with each new leader, the first one included. */
const GRACE_MS = ELECTION_MS;

class Leased {
  readonly replicas: Replicas;
  readonly clocks: Map<number, LeaseClock> = new Map();

  constructor(seed: number) {
    this.replicas = new Replicas(3, seed);
  }

  static async start(seed: number): Promise<Leased> {
    const leased = new Leased(seed);
    for (const id of leased.replicas.ids) await leased.startMember(id);
    await leased.until(() => leased.replicas.leader() !== undefined);
    return leased;
  }

  async startMember(id: number): Promise<void> {
    await this.replicas.start(id);
    const { env, replica, store } = this.replicas.member(id);
    const clock = new LeaseClock({ env, replica, store, logger: silentLogger, config: { electionMs: ELECTION_MS } });
    clock.start();
    this.clocks.set(id, clock);
  }

  async crash(id: number): Promise<void> {
    this.clocks.get(id)?.stop();
    await this.replicas.crash(id);
  }

  get nowMs(): number {
    const running = this.replicas.ids.find((id) => this.replicas.isRunning(id)) as number;
    return this.replicas.member(running).env.clock.monotonicMs(); // all share one time
  }

  async until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 3000 && !condition(); i++) await this.replicas.time.advance(20);
    assert.ok(condition(), 'within a minute');
  }

  /** Through whichever member leads, again and again until one answers. */
  async through<T>(work: (id: number) => Promise<T>): Promise<T> {
    for (let i = 0; i < 500; i++) {
      const leader = this.replicas.leader();
      const answered =
        leader === undefined
          ? undefined
          : work(leader).then(
              (value) => ({ value }),
              () => undefined,
            );
      let result: { value: T } | undefined;
      void answered?.then((given) => (result = given));
      for (let n = 0; n < 10 && !result; n++) await this.replicas.time.advance(20);
      if (result) return result.value;
    }
    throw new Error('nobody answers');
  }

  async grant(id: bigint, ttl: number): Promise<void> {
    await this.through((leader) => this.replicas.member(leader).replica.propose({ kind: 'lease-grant', request: { id, ttl } }));
    const request = pb.PutRequest.create({ key: utf8(`k${id}`), lease: id });
    await this.through((leader) => this.replicas.member(leader).replica.propose({ kind: 'put', request }));
  }

  /** The TTL that a renewal gives, 0 if there is no such lease. */
  async renew(id: bigint): Promise<number> {
    return (await this.through((leader) => this.replicas.member(leader).replica.propose({ kind: 'lease-renew', request: { id } }))).ttl;
  }

  isAlive(id: bigint): boolean {
    return this.replicas.ids.some((one) => this.replicas.isRunning(one) && this.replicas.member(one).store.leases.get(id) !== undefined);
  }
}

test('a lease ends after its TTL, a little later at most, on every member', async () => {
  const leased = await Leased.start(1);
  await leased.grant(1n, 5);
  const grantedMs = leased.nowMs;
  await leased.until(() => !leased.isAlive(1n));
  const livedMs = leased.nowMs - grantedMs;
  assert.ok(livedMs >= 5000 - 400 && livedMs <= 5000 + GRACE_MS + SLACK_MS, `it lived for ${livedMs} ms`);
});

test('reliability 38: a change of leader neither ends a lease early nor resets it (etcd #13508)', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const leased = await Leased.start(seed);
    const askedMs = leased.nowMs;
    await leased.grant(1n, 20);
    await leased.replicas.time.advance(15_000);
    await leased.crash(leased.replicas.leader() as number);
    const crashedMs = leased.nowMs;
    await leased.until(() => leased.replicas.leader() !== undefined);
    const pauseMs = leased.nowMs - crashedMs;
    await leased.until(() => !leased.isAlive(1n));
    const livedMs = leased.nowMs - askedMs;
    assert.ok(livedMs >= 20_000, `seed ${seed}: not before its time, but after ${livedMs} ms`);
    assert.ok(
      livedMs <= 20_000 + pauseMs + 2 * GRACE_MS + SLACK_MS,
      `seed ${seed}: not begun anew, but ${livedMs} ms, ${pauseMs} of them without a leader`,
    );
  }
});

test('a new leader lets an election timeout pass before it moves the clock on, for clients to find it', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const leased = await Leased.start(200 + seed);
    await leased.grant(1n, 60);
    await leased.replicas.time.advance(3000 + 100 * seed);
    await leased.crash(leased.replicas.leader() as number);
    await leased.until(() => leased.replicas.leader() !== undefined);
    const { store } = leased.replicas.member(leased.replicas.leader() as number);
    const [foundMs, clockMs] = [leased.nowMs, store.state.leaseClockMs];
    await leased.until(() => store.state.leaseClockMs > clockMs);
    const waitedMs = leased.nowMs - foundMs;
    assert.ok(waitedMs >= ELECTION_MS && waitedMs <= ELECTION_MS + SLACK_MS, `seed ${seed}: it waited for ${waitedMs} ms`);
    assert.ok(store.state.leaseClockMs - clockMs <= waitedMs - ELECTION_MS, `seed ${seed}: the wait does not count`);
  }
});

test('a long lease over four leaders: it neither ends early nor begins anew', async () => {
  for (let seed = 1; seed <= 2; seed++) {
    const leased = await Leased.start(300 + seed);
    const askedMs = leased.nowMs;
    await leased.grant(1n, 300);
    let withoutMs = 0;
    for (let change = 0; change < 4; change++) {
      await leased.replicas.time.advance(50_000);
      const leader = leased.replicas.leader() as number;
      await leased.crash(leader);
      const crashedMs = leased.nowMs;
      await leased.until(() => leased.replicas.leader() !== undefined);
      withoutMs += leased.nowMs - crashedMs;
      await leased.startMember(leader);
    }
    await leased.replicas.time.advance(299_000 - (leased.nowMs - askedMs));
    for (const id of leased.replicas.ids)
      assert.ok(leased.replicas.member(id).store.leases.get(1n), `seed ${seed}: member ${id} has it still`);
    await leased.until(() => !leased.isAlive(1n));
    const livedMs = leased.nowMs - askedMs;
    assert.ok(
      livedMs >= 300_000 && livedMs <= 300_000 + withoutMs + 5 * GRACE_MS + SLACK_MS + 4 * 1000,
      `seed ${seed}: ${livedMs} ms, ${withoutMs} without a leader`,
    );
  }
});

test('reliability 37: an old leader that was cut off ends no lease that is renewed with the new one (etcd #15247)', async () => {
  const leased = await Leased.start(7);
  await leased.grant(1n, 4);
  const old = leased.replicas.leader() as number;
  leased.replicas.cutOff.add(old);
  await leased.until(() => leased.replicas.leader() !== undefined && leased.replicas.leader() !== old);
  for (let i = 0; i < 10; i++) {
    assert.equal(await leased.renew(1n), 4);
    await leased.replicas.time.advance(1500);
  }
  leased.replicas.cutOff.clear();
  await leased.renew(1n);
  await leased.replicas.time.advance(3000);
  for (const id of leased.replicas.ids) assert.ok(leased.replicas.member(id).store.leases.get(1n), `member ${id} has the lease`);
});

test('members fall and come back, clocks go on: no lease ends before its TTL after the last renewal, and all end alike', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const leased = await Leased.start(100 + seed);
    const { random } = leased.replicas;
    /** When the last renewal was asked for, at the latest. */
    const since = new Map<bigint, { readonly atMs: number; readonly ttlMs: number }>();
    for (let id = 1n; id <= 6n; id++) {
      const ttl = random.between(3, 12);
      await leased.grant(id, ttl);
      since.set(id, { atMs: leased.nowMs - 250, ttlMs: ttl * 1000 });
    }
    for (let i = 0; i < 25; i++) {
      const down = leased.replicas.ids.find((id) => !leased.replicas.isRunning(id));
      if (down !== undefined && random.chance(0.5)) await leased.startMember(down);
      else if (down === undefined && random.chance(0.3)) await leased.crash(leased.replicas.ids[random.below(3)] as number);
      const id = BigInt(random.between(1, 6));
      const askedMs = leased.nowMs;
      const known = since.get(id);
      if (known && random.chance(0.5)) {
        const ttl = await leased.renew(id);
        if (ttl > 0) since.set(id, { ...known, atMs: askedMs });
        else {
          assert.ok(
            leased.nowMs - known.atMs >= known.ttlMs,
            `seed ${seed}: lease ${id} ended ${leased.nowMs - known.atMs} ms after its renewal`,
          );
          since.delete(id);
        }
      }
      await leased.replicas.time.advance(random.between(50, 2500));
      for (const [alive, { atMs, ttlMs }] of since)
        if (!leased.isAlive(alive)) assert.ok(leased.nowMs - atMs >= ttlMs, `seed ${seed}: lease ${alive} ended too early`);
    }
    assert.deepEqual(leased.replicas.failures, []);
  }
});

test(
  'a hundred thousand leases, of which a thousand end each second, keep no turn of the loop for long',
  { timeout: 120_000 },
  async () => {
    const leased = new Replicas(1, 1);
    await leased.start(1);
    await leased.time.settle();
    const { env, replica, store } = leased.member(1);
    const count = 20_000 * Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
    for (let id = 1; id <= count; id += 500) {
      const grants = Array.from({ length: 500 }, (_, i) =>
        replica.propose({ kind: 'lease-grant', request: { id: BigInt(id + i), ttl: 2 + Math.floor((id + i) / 1000) } }),
      );
      await leased.time.settle();
      await Promise.all(grants);
    }
    assert.equal(store.leases.size, count);
    const clock = new LeaseClock({ env, replica, store, logger: silentLogger, config: { electionMs: ELECTION_MS } });
    clock.start();
    for (let second = 1; second <= 12; second++) await leased.time.advance(1000);
    const left = store.leases.size;
    assert.ok(left <= count - 6000 && left >= count - 12_000, `${count - left} leases have ended after 12 s`);
  },
);
