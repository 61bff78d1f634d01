// Reads under a lease (dissertation §6.4.1), and what a lease rests on: one test for each thing that would make one lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemberId, Term } from '@distrokv/base';
import { configurationOf } from './configuration.ts';
import { RaftError } from './errors.ts';
import { Lease } from './lease.ts';
import { HEARTBEAT_TICKS } from './testing/cluster.ts';
import { heartbeat, only, Solo } from './testing/solo.ts';
import type { SoloOptions } from './testing/solo.ts';

const TICK_MS = 100;
const DRIFT = 0.25;
/** Eight of ten ticks. */
const QUIET_MS = 800;
/** That, by a clock that is as fast as may be, when ours is as slow as may be. */
const LENGTH_MS = (QUIET_MS * 0.75) / 1.25;

const member = (n: number): MemberId => BigInt(n) as MemberId;

/** A member with the option, and its clock. */
class Leased extends Solo {
  readonly clock: { ms: number };

  constructor(options: SoloOptions = {}, maxDrift = DRIFT) {
    const clock = { ms: 5000 };
    super({ ...options, lease: { now: () => clock.ms, tickMs: TICK_MS, maxDrift } });
    this.clock = clock;
  }

  /** Leads in term 1, has committed its no-op, and has sent round 1 a moment ago. */
  static leader(size = 3): Leased {
    const solo = new Leased({ size });
    solo.clock.ms += QUIET_MS;
    solo.elect();
    solo.drain();
    for (let voter = 2; voter <= size; voter++) solo.accept(voter, 1);
    solo.drain();
    assert.deepEqual([solo.status.role, solo.status.commit], ['leader', 1]);
    return solo;
  }

  ticks(count: number): void {
    for (let i = 0; i < count; i++) this.raft.tick();
  }

  /** Whether a read is answered at once, for nothing. */
  readsAtOnce(): boolean {
    const before = this.readStates.length;
    this.raft.readIndex(before + 1);
    const rounds = only(this.drain(), 'heartbeat').length;
    const answers = this.readStates.length - before;
    assert.equal(rounds > 0, answers === 0, 'a read is answered by the lease, or asks for a round');
    return answers > 0;
  }

  /** Proposes this as the next configuration. */
  configure(voters: readonly number[]): void {
    assert.equal(this.raft.proposeConfiguration(this.status.configurationIndex, configurationOf(voters.map(member))), 'appended');
    this.drain();
  }

  votesFor(candidate: number, term: number): boolean {
    this.askVote({ from: candidate, term, last: [9, term - 1] });
    return only(this.drain(), 'request-vote-response').some(({ granted }) => granted);
  }
}

test('§6.4.1: within a lease a read costs no round; after it, it does', () => {
  const solo = Leased.leader();
  assert.equal(solo.readsAtOnce(), false, 'nobody has promised anything yet');
  solo.answerHeartbeat(2, 1);
  solo.clock.ms += LENGTH_MS - 1;
  assert.equal(solo.readsAtOnce(), true);
  solo.clock.ms += 1;
  assert.equal(solo.readsAtOnce(), false);
});

test('§6.4.1: every periodic heartbeat renews it', () => {
  const solo = Leased.leader();
  for (let round = 1; round <= 20; round++) {
    solo.answerHeartbeat(2 + (round % 2), round);
    solo.clock.ms += HEARTBEAT_TICKS * TICK_MS;
    solo.ticks(HEARTBEAT_TICKS);
    assert.equal(only(solo.drain(), 'heartbeat')[0]?.readRound, round + 1);
    assert.equal(solo.readsAtOnce(), true);
  }
});

test('§6.4.1: it counts from the sending of the round, however late the answers are', () => {
  const solo = Leased.leader();
  solo.clock.ms += LENGTH_MS - 1;
  solo.answerHeartbeat(2, 1);
  assert.equal(solo.readsAtOnce(), true);
  solo.clock.ms += 1;
  assert.equal(solo.readsAtOnce(), false);
  const late = Leased.leader();
  late.clock.ms += LENGTH_MS;
  late.answerHeartbeat(2, 1);
  assert.equal(late.readsAtOnce(), false);
});

test('§6.4.1: an answer to an earlier round promises from that one on, also when it comes last', () => {
  const solo = Leased.leader();
  solo.clock.ms += 300;
  solo.ticks(HEARTBEAT_TICKS); // round 2
  solo.drain();
  solo.answerHeartbeat(2, 1);
  solo.clock.ms += LENGTH_MS - 300;
  assert.equal(solo.readsAtOnce(), false);
  solo.answerHeartbeat(2, 2);
  assert.equal(solo.readsAtOnce(), true);
  solo.answerHeartbeat(3, 1);
  assert.equal(solo.readsAtOnce(), true);
  solo.clock.ms += 300;
  assert.equal(solo.readsAtOnce(), false);
});

test('§6.4.1: a quorum must have promised, for as long as this leader counts on', () => {
  const solo = Leased.leader(5);
  solo.answerHeartbeat(2, 1);
  solo.answerHeartbeat(2, 1);
  solo.answerHeartbeat(3, 1, 0); // without the option
  solo.answerHeartbeat(4, 1, QUIET_MS - 1); // with a shorter election timeout
  assert.equal(solo.readsAtOnce(), false);
  solo.answerHeartbeat(5, 1, QUIET_MS + 1);
  assert.equal(solo.readsAtOnce(), true);
});

test('§6.4: under a lease, too, no read is answered before an entry of the own term is committed, and then with what is committed', () => {
  const solo = new Leased();
  solo.clock.ms += QUIET_MS;
  solo.elect();
  solo.drain();
  solo.answerHeartbeat(2, 1);
  solo.raft.readIndex(7);
  solo.drain();
  assert.deepEqual(solo.readStates, []);
  solo.accept(2, 1);
  assert.deepEqual(only(solo.drain(), 'heartbeat'), []);
  assert.deepEqual(solo.readStates, [{ context: 7, index: 1 }]);
  solo.raft.propose([new Uint8Array(1)]);
  solo.drain();
  solo.raft.readIndex(8);
  solo.drain();
  solo.accept(3, 2);
  solo.raft.readIndex(9);
  solo.drain();
  assert.deepEqual(solo.readStates.slice(1), [
    { context: 8, index: 1 },
    { context: 9, index: 2 },
  ]);
});

test("§6.4.1: a follower's read is answered under the leader's lease", () => {
  const solo = Leased.leader();
  solo.answerHeartbeat(2, 1);
  solo.step({ kind: 'read-index', from: member(3), to: member(1), term: 1 as Term, context: 77 });
  const messages = solo.drain();
  assert.deepEqual(only(messages, 'heartbeat'), []);
  assert.deepEqual(
    only(messages, 'read-index-response').map(({ to, context, readIndex }) => [to, context, readIndex]),
    [[3n, 77, 1]],
  );
});

test('§6.4.1: who told a successor to run has no lease for the rest of its term', () => {
  const solo = Leased.leader();
  solo.answerHeartbeat(2, 1);
  assert.equal(solo.readsAtOnce(), true);
  solo.raft.transferLeadership(member(3));
  assert.equal(only(solo.drain(), 'timeout-now').length, 1);
  assert.equal(solo.readsAtOnce(), false);
  for (let round = 3; round < 30; round++) {
    solo.answerHeartbeat(2, round - 1);
    solo.ticks(HEARTBEAT_TICKS);
    solo.drain();
  }
  assert.equal(solo.raft.propose([new Uint8Array(1)]).outcome, 'appended', 'it leads on');
  assert.equal(solo.readsAtOnce(), false);
});

test('§6.4.1: a successor that cannot run yet leaves the lease as it is', () => {
  const solo = Leased.leader();
  solo.answerHeartbeat(2, 1);
  solo.raft.propose([new Uint8Array(1)]);
  solo.drain();
  solo.raft.transferLeadership(member(3));
  assert.deepEqual(only(solo.drain(), 'timeout-now'), []);
  assert.equal(solo.readsAtOnce(), true);
});

test('§6.4.1: another configuration begins anew: what was promised, or asked, before it does not count', () => {
  const solo = Leased.leader();
  solo.answerHeartbeat(2, 1);
  solo.ticks(HEARTBEAT_TICKS); // round 2, not answered yet
  solo.drain();
  solo.configure([1, 2, 3, 4]);
  assert.equal(solo.readsAtOnce(), false); // round 3 is that of the read, which renews nothing
  for (const voter of [2, 3, 4]) solo.answerHeartbeat(voter, 2);
  assert.equal(solo.readsAtOnce(), false);
  solo.ticks(HEARTBEAT_TICKS);
  const round = only(solo.drain(), 'heartbeat')[0]?.readRound ?? 0;
  solo.answerHeartbeat(4, round);
  assert.equal(solo.readsAtOnce(), false, 'two of four are no majority');
  solo.answerHeartbeat(2, round);
  assert.equal(solo.readsAtOnce(), true);
});

test('§6.4.1: a leader that is no voter any more has no lease', () => {
  const lease = new Lease(member(1), { now: () => 0, quietMs: 800, lengthMs: 480 });
  const answer = { kind: 'heartbeat-response', to: member(1), term: 1 as Term, readRound: 1, quietMs: 800 } as const;
  const promise = (voters: readonly number[]): void => {
    lease.began(1);
    for (const from of [2, 3]) lease.promised({ ...answer, from: member(from) }, configurationOf(voters.map(member)));
  };
  promise([2, 3]);
  assert.equal(lease.holds, false);
  promise([1, 2, 3]);
  assert.equal(lease.holds, true);
});

test('§6.4.1: rounds that nobody answers are kept in bounds, and the next one that is answered counts', () => {
  const solo = Leased.leader();
  for (let i = 0; i < 200; i++) {
    solo.accept(2, 1); // it is there, but its answers to heartbeats get lost
    solo.clock.ms += TICK_MS * HEARTBEAT_TICKS;
    solo.ticks(HEARTBEAT_TICKS);
    solo.drain();
  }
  assert.equal(solo.readsAtOnce(), false);
  solo.answerHeartbeat(2, 200);
  solo.ticks(HEARTBEAT_TICKS);
  const round = only(solo.drain(), 'heartbeat')[0]?.readRound ?? 0;
  solo.answerHeartbeat(2, round);
  assert.equal(solo.readsAtOnce(), true);
});

test('§4.2.3, §6.4.1: who heard a leader helps nobody for so long, not even once it has forgotten whom it heard', () => {
  const forgetful = (solo: Solo): void => {
    solo.step(heartbeat({ from: 2, term: 1 }));
    solo.step({ kind: 'heartbeat-response', from: member(3), to: member(1), term: 5 as Term, readRound: 0, quietMs: 0 });
    solo.drain();
    assert.deepEqual([solo.status.term, solo.status.leader], [5, undefined]);
  };
  const solo = new Leased({ term: 1 });
  solo.clock.ms += 10_000;
  forgetful(solo);
  solo.clock.ms += QUIET_MS - 1;
  assert.equal(solo.votesFor(3, 5), false, 'not in its own term');
  assert.equal(solo.votesFor(3, 6), false, 'nor in a later one');
  assert.equal(solo.status.term, 5);
  solo.askPreVote({ from: 3, term: 5, last: [9, 4] });
  assert.equal(only(solo.drain(), 'pre-vote-response')[0]?.granted, false);
  solo.raft.campaign();
  assert.equal(solo.status.role, 'follower', 'nor does it run');
  solo.ticks(100);
  assert.equal(solo.status.role, 'follower', 'however fast its ticks come');
  solo.clock.ms += 1;
  assert.equal(solo.votesFor(3, 5), true);
  const without = new Solo({ term: 1 });
  forgetful(without);
  without.askVote({ from: 3, term: 5, last: [9, 4] });
  assert.equal(only(without.drain(), 'request-vote-response')[0]?.granted, true, 'without the option nobody counts on it');
});

test('§6.4.1: a member that starts may have promised just before it died: it neither votes nor runs for so long', () => {
  const solo = new Leased({ term: 1, log: [1] });
  solo.clock.ms += QUIET_MS - 1;
  assert.equal(solo.votesFor(3, 2), false);
  solo.raft.campaign();
  assert.equal(solo.status.role, 'follower');
  solo.clock.ms += 1;
  assert.equal(solo.votesFor(3, 2), true);
  const alone = new Leased({ size: 1 });
  alone.raft.campaign();
  alone.drain();
  assert.equal(alone.status.role, 'leader', 'where nobody else votes, nobody else has a lease');
  alone.raft.readIndex(1);
  alone.drain();
  assert.deepEqual(alone.readStates, [{ context: 1, index: 1 }]);
});

test('§3.10: an election that the leader wants is no breach of a promise', () => {
  const solo = new Leased({ term: 1 });
  solo.step(heartbeat({ from: 2, term: 1 }));
  solo.drain();
  solo.askVote({ from: 3, term: 2, byTransfer: true });
  assert.equal(only(solo.drain(), 'request-vote-response')[0]?.granted, true);
  const successor = new Leased({ term: 1, log: [1] });
  successor.step(heartbeat({ from: 2, term: 1 }));
  successor.step({ kind: 'timeout-now', from: member(2), to: member(1), term: 1 as Term });
  assert.equal(successor.status.role, 'candidate');
});

test('§6.4.1: a heartbeat is answered with the promise that it was taken for; one of an earlier term, with none', () => {
  const quiet = (solo: Solo, term: number): number | undefined => {
    solo.step(heartbeat({ from: 2, term }));
    return only(solo.drain(), 'heartbeat-response')[0]?.quietMs;
  };
  assert.equal(quiet(new Leased({ term: 2 }), 2), QUIET_MS);
  assert.equal(quiet(new Leased({ term: 2 }), 1), 0);
  assert.equal(quiet(new Solo({ term: 2 }), 2), 0);
});

test('bounds that make no sense are refused', () => {
  const refused = (tickMs: number, maxDrift: number): void =>
    assert.throws(
      () => new Solo({ lease: { now: () => 0, tickMs, maxDrift } }),
      (error) => error instanceof RaftError && error.code === 'bad-options',
    );
  for (const drift of [0, -0.1, 1, Infinity, Number.NaN, 0.9]) refused(TICK_MS, drift); // 0.9: it would last for 42 ms, and is renewed every 200
  for (const tickMs of [0, -1, Infinity, Number.NaN]) refused(tickMs, DRIFT);
});
