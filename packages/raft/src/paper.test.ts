// The paper's claims, one test each, named by section ("Raft": Ongaro and Ousterhout 2014, extended version;
// "dissertation": Ongaro 2014).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import type { Message } from './messages.ts';
import { append, entry, heartbeat, only, Solo } from './testing/solo.ts';
import { Cluster, ELECTION_TICKS, HEARTBEAT_TICKS } from './testing/cluster.ts';

const kinds = (messages: readonly Message[]): string[] => messages.map(({ kind, to }) => `${kind}>${to}`);
const cluster = (size: number): Cluster => new Cluster({ size, random: seededRandom(1) });

test('Raft §5.1: a server updates its term to a larger one, and candidate and leader become followers', () => {
  for (const role of ['follower', 'pre-candidate', 'candidate', 'leader'] as const) {
    const solo = Solo.as(role);
    solo.step(heartbeat({ from: 3, term: 9 }));
    assert.deepEqual([solo.status.role, solo.status.term, solo.status.leader], ['follower', 9, 3n]);
  }
});

test('Raft §5.1: a request of an earlier term is refused with the current term, and changes nothing', () => {
  const solo = new Solo({ term: 5, log: [1, 2] });
  solo.step(append({ from: 2, term: 4, prev: [1, 1], entries: [entry(2, 3)] }));
  solo.step({
    kind: 'request-vote',
    from: 2n as MemberId,
    to: 1n as MemberId,
    term: 4 as Term,
    lastLogIndex: 9 as LogIndex,
    lastLogTerm: 3 as Term,
    byTransfer: false,
  });
  const answers = solo.drain();
  assert.deepEqual(
    answers.map((answer) => [answer.kind, answer.term]),
    [
      ['append-entries-response', 5],
      ['request-vote-response', 5],
    ],
  );
  assert.equal(only(answers, 'append-entries-response')[0]?.success, false);
  assert.equal(only(answers, 'request-vote-response')[0]?.granted, false);
  assert.equal(solo.status.lastIndex, 2);
});

test('Raft §5.1: an answer of an earlier term counts for nothing: no vote, no match, no read', () => {
  const stale = { from: 2n as MemberId, to: 1n as MemberId, term: 1 as Term };
  const candidate = new Solo({ term: 1 });
  candidate.run();
  candidate.drain();
  candidate.step({ kind: 'request-vote-response', ...stale, granted: true });
  assert.equal(candidate.status.role, 'candidate');
  const leader = new Solo({ term: 1 });
  leader.elect();
  leader.drain();
  const none = { conflictIndex: 0 as LogIndex, conflictTerm: 0 as Term };
  leader.step({ kind: 'append-entries-response', ...stale, success: true, matchIndex: 1 as LogIndex, ...none });
  assert.equal(leader.status.commit, 0);
  leader.accept(2, 1);
  leader.raft.readIndex(1);
  leader.drain();
  leader.step({ kind: 'heartbeat-response', ...stale, readRound: 1, quietMs: 0 });
  leader.drain();
  assert.deepEqual(leader.readStates, []);
});

test('Raft §5.2: a follower that hears nothing runs for leader after a random time in [electionTicks, 2 × electionTicks)', () => {
  const waits = new Set<number>();
  for (let seed = 1; seed <= 200; seed++) {
    const solo = new Solo({ seed });
    let ticks = 0;
    for (; solo.status.role === 'follower'; ticks++) solo.raft.tick();
    assert.ok(ticks >= ELECTION_TICKS && ticks < 2 * ELECTION_TICKS, `seed ${seed}: ${ticks} ticks`);
    waits.add(ticks);
  }
  assert.equal(waits.size, ELECTION_TICKS);
});

test('Raft §5.2: a candidate votes for itself, and asks the others only when term and vote are on its disk', () => {
  const solo = new Solo({ log: [1, 1], term: 1 });
  solo.run();
  const ready = solo.raft.ready();
  assert.deepEqual(ready.hardState, { term: 2, vote: 1n, commit: 0 });
  assert.deepEqual(ready.messages, []);
  assert.deepEqual(kinds(ready.messagesAfterPersist), ['request-vote>2', 'request-vote>3']);
  assert.deepEqual(solo.status.role, 'candidate');
});

test('Raft §5.2: a majority of votes wins, of 1 to 7 servers, and a vote counted twice is one vote', () => {
  for (let size = 1; size <= 7; size++) {
    const solo = new Solo({ size });
    solo.run();
    solo.drain();
    const needed = Math.floor(size / 2);
    for (let peer = 2; peer <= 1 + needed; peer++) {
      assert.equal(solo.status.role, 'candidate');
      solo.vote(peer);
      if (peer <= needed) solo.vote(peer);
    }
    assert.equal(solo.status.role, 'leader', `${size} servers`);
  }
});

test('Raft §5.2: one vote a term, first come first served; it is durable before it is told', () => {
  const solo = new Solo({});
  solo.askVote({ from: 2, term: 1 });
  const ready = solo.raft.ready();
  assert.deepEqual(ready.messages, []);
  assert.deepEqual(kinds(ready.messagesAfterPersist), ['request-vote-response>2']);
  assert.deepEqual(ready.hardState, { term: 1, vote: 2n, commit: 0 });
  solo.persist(ready);
  solo.askVote({ from: 3, term: 1 });
  solo.askVote({ from: 2, term: 1 });
  assert.deepEqual(
    only(solo.drain(), 'request-vote-response').map(({ to, granted }) => [to, granted]),
    [
      [3n, false],
      [2n, true],
    ],
  );
});

test('Raft §5.2: a vote survives a restart', () => {
  const solo = new Solo({ term: 3, vote: 2 });
  solo.askVote({ from: 3, term: 3 });
  assert.equal(only(solo.drain(), 'request-vote-response')[0]?.granted, false);
});

test('Raft §5.2: a candidate that hears from the leader of its term follows it', () => {
  const solo = Solo.as('candidate');
  solo.step(append({ from: 3, term: solo.status.term, prev: [0, 0], entries: [entry(1, 1)] }));
  assert.deepEqual([solo.status.role, solo.status.leader, solo.status.lastIndex], ['follower', 3n, 1]);
});

test('Raft §5.2: a split vote is settled by another election', () => {
  const three = cluster(3);
  for (const node of three.nodes) node.up.campaign();
  for (const node of three.nodes) three.drain(node);
  for (const message of three.network.splice(0)) three.deliver(message);
  for (const node of three.nodes) three.drain(node);
  for (const message of three.network.splice(0)) three.deliver(message);
  for (const node of three.nodes) assert.equal(node.up.status().role, 'candidate');
  three.settle();
  assert.equal(three.leader(), undefined);
  for (let ticks = 0; three.leader() === undefined; ticks++) {
    assert.ok(ticks < 20 * ELECTION_TICKS);
    three.tickAll();
  }
});

test('Raft §5.2: heartbeats go out every heartbeatTicks', () => {
  const solo = Solo.as('leader');
  solo.drain();
  for (let i = 1; i <= 3 * HEARTBEAT_TICKS; i++) {
    solo.raft.tick();
    assert.equal(only(solo.drain(), 'heartbeat').length, i % HEARTBEAT_TICKS === 0 ? 2 : 0);
  }
});

test('Raft §5.3: a leader appends, sends at once while its own disk works, and commits with a majority', () => {
  const solo = Solo.as('leader');
  solo.drain();
  solo.accept(2, 1);
  solo.accept(3, 1);
  solo.drain();
  assert.equal(solo.status.commit, 1);
  solo.raft.propose([new Uint8Array(1)]);
  const ready = solo.raft.ready();
  assert.deepEqual(kinds(ready.messages), ['append-entries>2', 'append-entries>3']);
  assert.deepEqual(
    ready.entries.map(({ index, kind }) => [index, kind]),
    [[2, 'command']],
  );
  solo.accept(2, 2);
  assert.equal(solo.status.commit, 1, 'one durable copy of three');
  solo.persist(ready);
  assert.equal(solo.status.commit, 2);
});

test('Raft §5.3: two followers commit an entry that the leader itself has not on disk; it applies it only then', () => {
  const solo = Solo.as('leader');
  const ready = solo.raft.ready();
  solo.accept(2, 1);
  solo.accept(3, 1);
  assert.equal(solo.status.commit, 1);
  assert.deepEqual(solo.raft.ready().committed, []);
  solo.persist(ready);
  assert.deepEqual(
    solo.raft.ready().committed.map(({ index }) => index),
    [1],
  );
});

test('Raft §5.3, figure 7: a new leader brings every kind of follower log in line with its own', () => {
  const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers = {
    a: [1, 1, 1, 4, 4, 5, 5, 6, 6],
    b: [1, 1, 1, 4],
    c: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    d: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    e: [1, 1, 1, 4, 4, 4, 4],
    f: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  };
  for (const [name, log] of Object.entries(followers)) {
    const leader = new Solo({ term: 7, log: leaderLog, id: 1 });
    const follower = new Solo({ term: 7, log, id: 2 });
    leader.elect();
    let refusals = 0;
    for (let messages = leader.drain(), round = 0; messages.length > 0; round++) {
      assert.ok(round < 20, `${name} settles`);
      for (const message of messages) if (message.to === 2n) follower.step(message);
      const answers = follower.drain();
      refusals += only(answers, 'append-entries-response').filter(({ success }) => !success).length;
      for (const answer of answers) leader.step(answer);
      messages = leader.drain();
    }
    assert.deepEqual(follower.terms(), [...leaderLog, 8], `follower ${name}`);
    assert.ok(refusals <= 2, `follower ${name}: the hints skip a term at a time, ${refusals} refusals`);
  }
});

test('Raft figure 2, AppendEntries 5: a follower commits no further than the entries it was sent', () => {
  const solo = new Solo({ term: 2, log: [1, 1, 1] });
  solo.step(append({ from: 2, term: 3, prev: [1, 1], entries: [], commit: 3 }));
  assert.equal(solo.status.commit, 1, 'entries 2 and 3 may not be those of the leader');
});

test('Raft figure 2, AppendEntries 3: an old append that comes late removes nothing', () => {
  const solo = new Solo({ term: 1 });
  solo.step(append({ from: 2, term: 1, prev: [0, 0], entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
  solo.step(append({ from: 2, term: 1, prev: [0, 0], entries: [entry(1, 1)] }));
  assert.equal(solo.status.lastIndex, 3);
});

test('Raft §5.4.1: a vote goes only to a log that is at least as up-to-date', () => {
  const cases = [
    { log: [1], last: [1, 1], granted: true },
    { log: [1], last: [2, 1], granted: true },
    { log: [1, 1], last: [1, 1], granted: false },
    { log: [1, 1], last: [1, 2], granted: true },
    { log: [2], last: [5, 1], granted: false },
  ] as const;
  for (const { log, last, granted } of cases) {
    const solo = new Solo({ term: 2, log });
    solo.askVote({ from: 2, term: 3, last });
    assert.equal(only(solo.drain(), 'request-vote-response')[0]?.granted, granted, `${log.join(' ')} against ${last.join('/')}`);
  }
});

test('Raft §5.4.2, figure 8: an entry of an earlier term is never committed by counting, but along with one of its own', () => {
  // S1 of the figure, (c): it leads term 4 with entry 2 of term 2, which a majority has, but no majority has its term's entry.
  const solo = new Solo({ size: 5, term: 3, log: [1, 2] });
  solo.elect();
  solo.drain();
  for (const peer of [2, 3, 4, 5]) solo.accept(peer, 2);
  assert.equal(solo.status.commit, 0);
  solo.accept(2, 3);
  assert.equal(solo.status.commit, 0);
  solo.accept(3, 3);
  assert.equal(solo.status.commit, 3);
});

test('Raft §5.4.3: what was committed is in the log of every later leader', () => {
  const five = cluster(5);
  five.node(1).up.campaign();
  five.settle();
  five.propose(five.node(1), 3);
  five.settle();
  for (const next of [2, 3, 4, 5, 1]) {
    five.leader()?.up.transferLeadership(BigInt(next) as MemberId);
    five.settle();
    assert.equal(five.leader()?.id, BigInt(next));
  }
  assert.equal(five.judge.committed.length, 1 + 3 + 5);
});

test('Raft §8: a leader starts its term with a no-op, so that it learns what is committed', () => {
  const solo = new Solo({ term: 1, log: [1, 1] });
  solo.elect();
  assert.deepEqual(
    solo.raft.ready().entries.map(({ index, term, kind }) => [index, term, kind]),
    [[3, 2, 'noop']],
  );
});

test('dissertation §6.4: no read is answered before an entry of the own term is committed; then it is', () => {
  const solo = Solo.as('leader');
  assert.equal(solo.raft.readIndex(7), 'asked');
  solo.drain();
  solo.answerHeartbeat(2, 0);
  assert.deepEqual(solo.readStates, []);
  solo.accept(2, 1);
  assert.equal(only(solo.drain(), 'heartbeat')[0]?.readRound, 1);
  assert.deepEqual(solo.readStates, []);
  solo.answerHeartbeat(3, 1);
  solo.drain();
  assert.deepEqual(solo.readStates, [{ context: 7, index: 1 }]);
});

test('dissertation §6.4: one round serves every read that gathered; an answer to an earlier round does not', () => {
  const solo = Solo.as('leader');
  solo.drain();
  solo.accept(2, 1);
  solo.drain();
  for (const context of [1, 2]) solo.raft.readIndex(context);
  const first = only(solo.drain(), 'heartbeat');
  assert.deepEqual(
    first.map(({ to, readRound }) => [to, readRound]),
    [
      [2n, 1],
      [3n, 1],
    ],
  );
  solo.raft.readIndex(3);
  solo.drain();
  solo.answerHeartbeat(2, 1);
  solo.drain();
  assert.deepEqual(
    solo.readStates.map(({ context }) => context),
    [1, 2],
  );
  solo.answerHeartbeat(2, 1);
  solo.drain();
  assert.equal(solo.readStates.length, 2);
  solo.answerHeartbeat(3, 2);
  solo.drain();
  assert.equal(solo.readStates.length, 3);
});

test('dissertation §6.4: a leader that was replaced answers no read', () => {
  const three = cluster(3);
  three.node(1).up.campaign();
  three.settle();
  const old = three.node(1);
  const rest = three.nodes.filter((node) => node !== old);
  for (const node of rest) for (let i = 0; i < ELECTION_TICKS; i++) node.up.tick();
  three.node(2).up.campaign();
  for (let i = 0; i < 10; i++) {
    for (const node of rest) {
      three.drain(node);
      if (node.ioDisk.pending > 0) three.sync(node);
    }
    for (const message of three.network.splice(0)) if (message.to !== old.id) three.deliver(message);
  }
  assert.equal(three.node(2).up.status().role, 'leader');
  assert.equal(old.up.status().role, 'leader', 'it does not know yet');
  three.read(old);
  three.settle();
  for (let i = 0; i < ELECTION_TICKS; i++) three.tickAll();
  assert.deepEqual(old.answers, []);
});
