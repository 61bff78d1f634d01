// Changes of members (Raft §6, dissertation chapter 4) and snapshots (§7): one test for each claim and each known trap.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssertionError, seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { decodeConfiguration, encodeConfiguration } from './configuration-codec.ts';
import { configurationOf, faultOf, isJoint, leaveJoint, NO_CONFIGURATION, stepTowards } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import type { Entry } from './messages.ts';
import { Cluster, ELECTION_TICKS, HEARTBEAT_TICKS } from './testing/cluster.ts';
import { append, entry, heartbeat, only, Solo } from './testing/solo.ts';

const ids = (...list: readonly number[]): MemberId[] => list.map((n) => BigInt(n) as MemberId);
const at = (n: number): LogIndex => n as LogIndex;

function configEntry(index: number, term: number, configuration: Configuration): Entry {
  return { ...entry(index, term), kind: 'config', data: encodeConfiguration(configuration) };
}

/** Members 1 to `size`, led by member 1, and `spares` that know of no cluster. */
function led(size: number, spares = 0): Cluster {
  const cluster = new Cluster({ size, spares, random: seededRandom(1) });
  cluster.node(1).up.campaign();
  cluster.settle();
  assert.equal(cluster.leader()?.id, 1n);
  return cluster;
}

/** Lets time pass, and delivers snapshots. */
function run(cluster: Cluster, ticks: number): void {
  for (let i = 0; i < ticks; i++) {
    cluster.tickAll();
    for (const snapshot of [...cluster.snapshots]) cluster.deliverSnapshot(snapshot);
  }
}

const votersOf = (cluster: Cluster, id: number): number[] => cluster.node(id).up.status().configuration.voters.map(Number);

test('a configuration survives its bytes; damaged bytes are none, or are another', () => {
  const joint = { ...configurationOf(ids(2, 3), ids(4), new Map([[2n as MemberId, ['http://b:1', 'http://b:2']]])), outgoing: ids(2, 4) };
  assert.equal(faultOf(joint), undefined);
  const joining = configurationOf(ids(1), ids(2), new Map(), ids(3));
  assert.deepEqual(decodeConfiguration(encodeConfiguration(joining)), joining);
  assert.deepEqual(decodeConfiguration(encodeConfiguration(joint)), joint);
  const random = seededRandom(1);
  for (let i = 0; i < 5000; i++) {
    const bytes = encodeConfiguration(joint);
    for (let n = random.below(3); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256);
    const decoded = decodeConfiguration(bytes.subarray(0, random.between(0, bytes.length)));
    if (decoded !== undefined) assert.equal(faultOf(decoded), undefined);
  }
  assert.equal(decodeConfiguration(encodeConfiguration(NO_CONFIGURATION)), undefined);
});

test('§6: every change of voters goes through a joint configuration, however small; one of learners does not', () => {
  const current = configurationOf(ids(1, 2, 3), ids(4));
  const joint = stepTowards(current, configurationOf(ids(1, 2, 3, 4)));
  assert.deepEqual([joint.outgoing, joint.voters, joint.learners], [ids(1, 2, 3), ids(1, 2, 3, 4), []]);
  assert.deepEqual([...stepTowards(current, configurationOf(ids(5))).addresses.keys()], ids(1, 2, 3, 5), 'who leaves is still reached');
  assert.deepEqual(leaveJoint(joint), configurationOf(ids(1, 2, 3, 4)));
  assert.equal(isJoint(stepTowards(current, configurationOf(ids(1, 2, 3), ids(4, 5)))), false);
});

test('§6: members are added, removed and replaced, several at once', () => {
  const cluster = led(3, 2);
  const change = (voters: readonly number[], learners: readonly number[] = []): void => {
    assert.equal(cluster.configure(cluster.leader() ?? cluster.node(1), voters, learners), 'appended');
    run(cluster, 4 * ELECTION_TICKS);
    const leader = cluster.leader();
    assert.deepEqual(leader && votersOf(cluster, Number(leader.id)), voters);
    for (const id of [...voters, ...learners]) assert.equal(cluster.node(id).applied, leader?.applied, `member ${id} has everything`);
  };
  change([1, 2, 3], [4]);
  change([1, 2, 3, 4, 5]);
  change([1, 4, 5], [2]);
  change([2, 3]);
  change([3]);
  change([1, 2, 3, 4, 5]);
});

test('dissertation §4.2.1: a voter that is added makes the quorum no larger until it has the log; then it votes without being told', () => {
  const cluster = led(1, 1);
  cluster.crash(cluster.node(2));
  assert.equal(cluster.configure(cluster.node(1), [1], [], [2]), 'appended');
  run(cluster, 4 * ELECTION_TICKS);
  cluster.propose(cluster.node(1));
  cluster.settle();
  const { commit, lastIndex, configuration } = cluster.node(1).up.status();
  assert.deepEqual([commit, configuration.voters, configuration.joining], [lastIndex, ids(1), ids(2)], 'one of one goes on alone');
  cluster.start(cluster.node(2));
  run(cluster, 4 * ELECTION_TICKS);
  assert.deepEqual(
    [votersOf(cluster, 1), votersOf(cluster, 2)],
    [
      [1, 2],
      [1, 2],
    ],
  );
});

test('§6: while a change is under way, neither the old majority alone decides nor the new one', () => {
  for (const cutOff of [ids(2, 3), ids(4, 5)]) {
    const cluster = led(3, 2);
    for (const id of cutOff) cluster.crash(cluster.node(id));
    cluster.configure(cluster.node(1), [1, 4, 5]);
    run(cluster, ELECTION_TICKS - 1);
    const { commit, configurationIndex } = cluster.node(1).up.status();
    assert.ok(commit < configurationIndex, `not committed without ${cutOff.join()}`);
  }
});

test('dissertation §4.1: a configuration is in force as soon as it is in the log, and undone with its entry', () => {
  const solo = new Solo({ term: 1, log: [1] });
  const seen = (): number => solo.status.configuration.voters.length;
  solo.step(append({ from: 2, term: 1, prev: [1, 1], entries: [configEntry(2, 1, configurationOf(ids(1, 2, 3, 4)))] }));
  assert.deepEqual([seen(), solo.status.configurationIndex], [4, 2]);
  assert.equal(solo.raft.ready().configuration?.voters.length, 4);
  solo.step(append({ from: 3, term: 2, prev: [1, 1], entries: [entry(2, 2)] }));
  assert.deepEqual([seen(), solo.status.configurationIndex], [3, 0]);
  assert.equal(solo.raft.ready().configuration?.voters.length, 3);
  assert.equal(solo.raft.ready().configuration, undefined, 'told once');
});

test('a committed configuration is never undone', () => {
  const solo = new Solo({ term: 1, log: [1] });
  const entries = [configEntry(2, 1, configurationOf(ids(1, 2, 3, 4))), entry(3, 1)];
  solo.step(append({ from: 2, term: 1, prev: [1, 1], entries, commit: 2 }));
  assert.throws(() => solo.step(append({ from: 3, term: 2, prev: [1, 1], entries: [entry(2, 2)] })), AssertionError);
});

test('scenario 3, the single-server bug: a leader begins no change before it committed something in its own term', () => {
  const cluster = led(4);
  // Member 1 adds member 5 and tells nobody; member 2 is elected and removes 1; then 1 is back, with a configuration of its own.
  for (const id of [2, 3, 4]) cluster.cutLink(1, id);
  assert.equal(cluster.configure(cluster.node(1), [1, 2, 3, 4, 5]), 'appended');
  cluster.drain(cluster.node(1));
  for (const id of [2, 3, 4]) for (let i = 0; i < ELECTION_TICKS; i++) cluster.node(id).up.tick();
  cluster.node(2).up.campaign();
  const blocked = cluster.configure(cluster.node(2), [2, 3, 4]);
  assert.equal(blocked, 'no-leader');
  cluster.settle();
  const leader = cluster.leader();
  assert.ok(leader !== undefined && leader.id !== 1n);
  const solo = Solo.as('leader');
  assert.equal(solo.raft.proposeConfiguration(at(0), configurationOf(ids(1, 2))), 'not-now', 'its no-op is not committed');
  solo.drain();
  solo.accept(2, 1);
  assert.equal(solo.raft.proposeConfiguration(at(0), configurationOf(ids(1, 2))), 'appended');
});

test('one change at a time, and only by who knows the last one: what is proposed again is not taken again', () => {
  const cluster = led(3, 1);
  const basis = cluster.node(1).up.status().configurationIndex;
  const target = configurationOf(ids(1, 2, 3), ids(4));
  const propose = (id: number): string => cluster.node(id).up.proposeConfiguration(basis, target);
  assert.equal(propose(1), 'appended');
  assert.equal(propose(1), 'not-now', 'it is not committed');
  assert.deepEqual([propose(2), propose(3)], ['forwarded', 'forwarded']);
  run(cluster, ELECTION_TICKS);
  const { configurationIndex } = cluster.node(1).up.status();
  assert.equal(propose(1), 'not-now', 'it is not the basis any more');
  assert.deepEqual([propose(2)], ['forwarded']);
  run(cluster, ELECTION_TICKS);
  assert.equal(cluster.node(1).up.status().configurationIndex, configurationIndex);
});

test('scenario 4: a removed member that does not know it disturbs nobody', () => {
  const cluster = led(4);
  cluster.cutLink(4, 1);
  cluster.configure(cluster.node(1), [1, 2, 3]);
  run(cluster, 2);
  cluster.cut.clear();
  const { term } = cluster.node(1).up.status();
  assert.deepEqual(votersOf(cluster, 4), [1, 2, 3, 4]);
  run(cluster, 20 * ELECTION_TICKS);
  assert.deepEqual([cluster.leader()?.id, cluster.node(1).up.status().term], [1n, term]);
});

test('scenario 13: a leader that removes itself leads until that is committed, does not count itself, and hands over', () => {
  const cluster = led(3);
  for (const id of [2, 3]) cluster.cutLink(1, id);
  cluster.configure(cluster.node(1), [2, 3]);
  cluster.settle();
  assert.equal(cluster.node(1).up.status().role, 'leader', 'it has its own copy, and nobody else has one');
  cluster.cut.clear();
  run(cluster, HEARTBEAT_TICKS);
  const now = cluster.leader()?.up.status();
  assert.ok(now !== undefined && now.id !== 1n && now.term === 2, 'another leads, without the pause of an election');
  assert.equal(cluster.node(1).up.status().role, 'follower');
  run(cluster, 5 * ELECTION_TICKS);
  assert.equal(cluster.node(1).up.status().role, 'follower', 'and it does not run again');
});

test('scenario 13: a successor finishes the change that its predecessor began', () => {
  const cluster = led(3);
  cluster.configure(cluster.node(1), [2, 3]);
  cluster.drain(cluster.node(1));
  for (const message of cluster.network.splice(0)) cluster.deliver(message); // Entry and configuration are with 2 and 3.
  for (const id of [2, 3]) {
    cluster.drain(cluster.node(id));
    cluster.sync(cluster.node(id));
  }
  cluster.network.length = 0;
  cluster.crash(cluster.node(1));
  run(cluster, 4 * ELECTION_TICKS);
  const leader = cluster.leader();
  assert.ok(leader !== undefined && isJoint(leader.up.status().configuration) === false);
  assert.deepEqual(votersOf(cluster, Number(leader.id)), [2, 3]);
});

test('scenario 14, campaign_learner_must_vote: who was promoted votes before it hears of it, and votes count by the new configuration', () => {
  const cluster = led(2, 1);
  cluster.configure(cluster.node(1), [1, 2], [3]);
  run(cluster, ELECTION_TICKS);
  cluster.cutLink(1, 3); // Member 3 does not hear of its promotion.
  cluster.cutLink(2, 3);
  cluster.configure(cluster.node(1), [1, 2, 3]);
  run(cluster, ELECTION_TICKS - 1);
  assert.deepEqual(
    [votersOf(cluster, 3), votersOf(cluster, 2)],
    [
      [1, 2],
      [1, 2, 3],
    ],
  );
  cluster.crash(cluster.node(1));
  cluster.cut.clear();
  run(cluster, 4 * ELECTION_TICKS);
  assert.equal(cluster.leader()?.id, 2n, 'elected by 2 and 3');
});

test('a learner neither runs nor counts, and leadership does not go to it', () => {
  const solo = new Solo({ size: 2, id: 3, learners: [3] });
  for (let i = 0; i < 10 * ELECTION_TICKS; i++) solo.raft.tick();
  solo.raft.campaign();
  assert.deepEqual([solo.status.role, solo.drain().length], ['follower', 0]);
  solo.step({ kind: 'timeout-now', from: 1n as MemberId, to: 3n as MemberId, term: 1 as Term });
  assert.equal(solo.status.role, 'follower');
  const leader = new Solo({ size: 2, learners: [3] });
  leader.elect();
  assert.equal(leader.raft.transferLeadership(3n as MemberId), 'bad-target');
  leader.drain();
  leader.accept(3, 1);
  assert.equal(leader.status.commit, 0);
  leader.accept(2, 1);
  assert.equal(leader.status.commit, 1);
});

test('a single voter with a learner tells nobody of a term that is not on its disk', () => {
  const solo = new Solo({ size: 1, learners: [2] });
  solo.raft.campaign();
  const { messages, messagesAfterPersist } = solo.raft.ready();
  assert.deepEqual([messages, messagesAfterPersist, solo.status.role], [[], [], 'candidate']);
});

/** A leader whose log no longer has what member 3 needs, and how that member refuses what it gets. */
function leaderWithoutPast() {
  const solo = Solo.as('leader');
  solo.raft.propose([new Uint8Array(1), new Uint8Array(1)]);
  solo.drain();
  solo.accept(2, 3);
  solo.drain();
  solo.raft.applied(at(3));
  solo.storage.compact(at(3));
  const refusal = {
    kind: 'append-entries-response',
    from: 3n as MemberId,
    to: 1n as MemberId,
    term: 1 as Term,
    success: false,
    matchIndex: at(0),
    conflictIndex: at(0),
    conflictTerm: 0 as Term,
  } as const;
  return { solo, refusal };
}

test('§7: a follower whose next entry is gone is sent a snapshot, once; what it gets afterwards follows the snapshot', () => {
  const { solo, refusal } = leaderWithoutPast();
  const snapshots = (): readonly MemberId[] => solo.raft.ready().snapshots;
  solo.step(refusal);
  assert.deepEqual(snapshots(), ids(3));
  solo.raft.propose([new Uint8Array(1)]);
  assert.deepEqual(
    only(solo.drain(), 'append-entries').map(({ to }) => to),
    ids(2),
  );
  solo.raft.snapshotSent(3n as MemberId, undefined);
  assert.deepEqual(snapshots(), [], 'a failure is not repeated at once');
  // It is asked first: the snapshot may have arrived, and only the answer got lost.
  const isAsked = (): void => {
    solo.answerHeartbeat(3, 0);
    const [probe] = only(solo.drain(), 'append-entries').filter(({ to }) => to === 3n);
    assert.deepEqual([probe?.prevLogIndex, probe?.entries.length], [4, 0]);
  };
  isAsked();
  solo.step({ ...refusal, matchIndex: at(4) });
  assert.deepEqual(snapshots(), ids(3), 'it has nothing');
  solo.raft.snapshotSent(3n as MemberId, undefined);
  isAsked();
  solo.step({ ...refusal, matchIndex: at(4), conflictIndex: at(3), conflictTerm: 1 as Term });
  const ready = solo.raft.ready();
  assert.deepEqual(ready.snapshots, [], 'it has the snapshot');
  const [next] = only(ready.messages, 'append-entries').filter(({ to }) => to === 3n);
  assert.deepEqual([next?.prevLogIndex, next?.entries.length], [3, 1]);
});

test('§7: what follows a snapshot that was installed is sent at once', () => {
  const { solo, refusal } = leaderWithoutPast();
  solo.step(refusal);
  assert.deepEqual(solo.raft.ready().snapshots, ids(3));
  solo.raft.propose([new Uint8Array(1)]);
  solo.drain();
  solo.raft.snapshotSent(3n as MemberId, at(3));
  const [next] = only(solo.drain(), 'append-entries').filter(({ to }) => to === 3n);
  assert.deepEqual([next?.prevLogIndex, next?.entries.length], [3, 1]);
});

test('scenario 12: two snapshots in quick succession, and answers from before them, do no harm', () => {
  const cluster = led(3);
  cluster.crash(cluster.node(3));
  const fill = (): void => {
    cluster.propose(cluster.node(1), 5);
    run(cluster, HEARTBEAT_TICKS);
    for (const id of [1, 2]) cluster.compact(cluster.node(id));
  };
  fill();
  cluster.start(cluster.node(3));
  for (let i = 0; cluster.snapshots.length === 0 && i < 50; i++) cluster.tickAll();
  const [first] = cluster.snapshots;
  assert.ok(first);
  fill(); // The first snapshot is on its way, and outdated already.
  const again = { ...first };
  cluster.deliverSnapshot(first);
  const before = cluster.node(3).applied;
  cluster.snapshots.push(again);
  cluster.deliverSnapshot(again);
  assert.equal(cluster.node(3).applied, before, 'the same snapshot twice changes nothing');
  run(cluster, 4 * HEARTBEAT_TICKS);
  assert.equal(cluster.node(3).applied, cluster.node(1).applied);
});

test('a snapshot is of no use to who has its last entry, or has committed it: what was promised stays', () => {
  const solo = new Solo({ term: 2, log: [1, 1, 2, 2], commit: 2 });
  const needs = (index: number, term: number): boolean => solo.raft.needsSnapshot(at(index), term as Term);
  assert.deepEqual([needs(2, 1), needs(3, 2), needs(4, 2), needs(4, 3), needs(5, 2)], [false, false, false, true, true]);
});

test('a member without a configuration takes no entries, votes for who asks, and never runs', () => {
  const cluster = led(1, 1);
  const blank = cluster.node(2).up;
  for (let i = 0; i < 10 * ELECTION_TICKS; i++) blank.tick();
  assert.equal(blank.hasReady(), false);
  blank.step(
    append({ from: 1, term: 1, prev: [0, 0], entries: [entry(1, 1)] }) && {
      ...append({ from: 1, term: 1, prev: [0, 0], entries: [entry(1, 1)] }),
      to: 2n as MemberId,
    },
  );
  const [answer] = only(blank.ready().messages, 'append-entries-response');
  assert.deepEqual([answer?.success, answer?.matchIndex, blank.status().lastIndex], [false, 0, 0]);
});

test('scenario 6: a leader whose disk hangs for an election timeout makes way, and the one with the most takes over', () => {
  const cluster = new Cluster({ size: 3, random: seededRandom(2) });
  cluster.node(1).up.campaign();
  cluster.settle();
  const leader = cluster.node(1);
  cluster.propose(leader);
  for (let ticks = 0; ticks < 2 * ELECTION_TICKS; ticks++) {
    for (const node of cluster.nodes) node.up.tick();
    for (let turn = 0; turn < 6; turn++) {
      for (const node of cluster.nodes) {
        cluster.drain(node);
        if (node !== leader && node.ioDisk.pending > 0) cluster.sync(node);
      }
      for (const message of cluster.network.splice(0)) cluster.deliver(message);
    }
  }
  const now = cluster.leader();
  assert.ok(now !== undefined && now !== leader, 'within two election timeouts');
  assert.equal(leader.up.status().role, 'follower');
});

test('scenario 7: a member whose disk hangs does not run, over and over; a single one leads on', () => {
  const solo = new Solo({ term: 1 });
  solo.step(append({ from: 2, term: 1, prev: [0, 0], entries: [entry(1, 1)] }));
  const write = solo.raft.ready();
  for (let i = 0; i < 20 * ELECTION_TICKS; i++) solo.raft.tick();
  assert.equal(only(solo.raft.ready().messages, 'pre-vote').length, 0);
  solo.persist(write);
  for (let i = 0; i < 2 * ELECTION_TICKS; i++) solo.raft.tick();
  assert.equal(solo.status.role, 'pre-candidate');

  const alone = new Solo({ size: 1 });
  alone.elect();
  alone.raft.ready();
  for (let i = 0; i < 3 * ELECTION_TICKS; i++) alone.raft.tick();
  assert.equal(alone.status.role, 'leader', 'there is nobody to make way for');
});

test('a leader takes nothing from who is no member', () => {
  const solo = Solo.as('leader');
  const stranger = { from: 9n as MemberId, to: 1n as MemberId, term: 1 as Term };
  assert.equal(solo.step({ kind: 'heartbeat-response', ...stranger, readRound: 0, quietMs: 0 }), 'unknown-sender');
  assert.equal(solo.step({ kind: 'propose', ...stranger, commands: [new Uint8Array(1)] }), 'unknown-sender');
  assert.equal(solo.step({ kind: 'read-index', ...stranger, context: 1 }), 'unknown-sender');
});

test('a candidate and a leader of a configuration that is news are heard (dissertation §4.1)', () => {
  const solo = new Solo({});
  solo.askVote({ from: 9, term: 1 });
  const [vote] = only(solo.drain(), 'request-vote-response');
  assert.ok(vote?.granted);
  assert.equal(solo.step(heartbeat({ from: 9, term: 1 })), undefined);
  assert.equal(solo.status.leader, 9n);
});
