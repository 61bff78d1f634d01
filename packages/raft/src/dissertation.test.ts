// The dissertation's claims beyond the paper (Ongaro 2014), one test each, named by section: votes against a leader that
// works, pre-vote, check-quorum and leadership transfer. Reads (§6.4) are in paper.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import type { MemberId, Term } from '@distrokv/base';
import type { Message } from './messages.ts';
import { Cluster, ELECTION_TICKS, HEARTBEAT_TICKS } from './testing/cluster.ts';
import { append, entry, heartbeat, only, Solo } from './testing/solo.ts';

/** So long after a word of the leader nobody is helped against it. */
const STICKY_TICKS = ELECTION_TICKS - 2;

const member = (n: number): MemberId => BigInt(n) as MemberId;
const kinds = (messages: readonly Message[]): string[] => messages.map(({ kind, to }) => `${kind}>${to}`);

function ticks(solo: Solo, count: number): void {
  for (let i = 0; i < count; i++) solo.raft.tick();
}

/** Member 1 of a cluster leads, and everybody has heard of it. */
function led(size: number): Cluster {
  const cluster = new Cluster({ size, random: seededRandom(1) });
  cluster.node(1).up.campaign();
  cluster.settle();
  assert.equal(cluster.leader()?.id, 1n);
  return cluster;
}

const preVoteAnswers = (solo: Solo): (readonly [boolean, number])[] =>
  only(solo.drain(), 'pre-vote-response').map(({ granted, term }) => [granted, term] as const);

test('§4.2.3: within an election timeout of a word from the leader, a vote is refused without a look at the term', () => {
  const solo = new Solo({ term: 1 });
  solo.step(heartbeat({ from: 2, term: 1 }));
  solo.drain();
  ticks(solo, STICKY_TICKS);
  solo.askVote({ from: 3, term: 5 });
  assert.deepEqual([solo.status.term, solo.status.leader, only(solo.drain(), 'request-vote-response')], [1, 2n, []]);
  ticks(solo, 1);
  solo.askVote({ from: 3, term: 5 });
  assert.equal(only(solo.drain(), 'request-vote-response')[0]?.granted, true);
});

test('§4.2.3: a leader that works does not step down for a candidate', () => {
  const solo = Solo.as('leader');
  solo.askVote({ from: 3, term: 5, last: [9, 4] });
  assert.deepEqual([solo.status.role, solo.status.term], ['leader', 1]);
});

test('§4.2.3: the exception is an election that the leader itself wants', () => {
  for (const role of ['follower', 'leader'] as const) {
    const solo = Solo.as(role);
    solo.drain();
    solo.step(heartbeat({ from: 2, term: 1 }));
    solo.askVote({ from: 3, term: 5, last: [9, 4], byTransfer: true });
    assert.deepEqual([solo.status.role, solo.status.term], ['follower', 5]);
    assert.equal(only(solo.drain(), 'request-vote-response')[0]?.granted, true);
  }
});

test('§9.6: who asks for pre-votes writes nothing, and stays in its term however often it asks', () => {
  const solo = new Solo({ term: 3, log: [1, 2] });
  for (let i = 0; i < 20 * ELECTION_TICKS; i++) solo.raft.tick();
  assert.deepEqual([solo.status.role, solo.status.term, solo.status.leader], ['pre-candidate', 3, undefined]);
  const ready = solo.raft.ready();
  assert.equal(ready.writeId, 0);
  assert.deepEqual(new Set(kinds(ready.messages)), new Set(['pre-vote>2', 'pre-vote>3']));
});

test('§9.6: a majority that would vote for it makes a candidate, of 1 to 7 servers', () => {
  for (let size = 1; size <= 7; size++) {
    const solo = new Solo({ size });
    solo.raft.campaign();
    const needed = Math.floor(size / 2);
    for (let peer = 2; peer <= 1 + needed; peer++) {
      assert.deepEqual([solo.status.role, solo.status.term], ['pre-candidate', 0]);
      solo.preVote(peer, false);
      solo.preVote(peer);
      if (peer <= needed) solo.preVote(peer);
    }
    assert.deepEqual([solo.status.role, solo.status.term], ['candidate', 1], `${size} servers`);
  }
});

test('§9.6: an answer to a question of another term does not count; one of a later term is believed', () => {
  const solo = new Solo({ term: 3 });
  solo.raft.campaign();
  const answer = { kind: 'pre-vote-response', from: member(2), to: member(1) } as const;
  solo.step({ ...answer, term: 2 as Term, granted: true, askedInTerm: 2 as Term });
  assert.equal(solo.status.role, 'pre-candidate');
  solo.step({ ...answer, term: 4 as Term, granted: false, askedInTerm: 3 as Term });
  assert.deepEqual([solo.status.role, solo.status.term], ['follower', 4]);
});

test('§9.6: who grants a pre-vote binds itself to nothing: it stays in its term, and may grant another and vote for a third', () => {
  const solo = new Solo({ size: 5, term: 3 });
  for (const from of [2, 3]) solo.askPreVote({ from, term: 7 });
  assert.equal(solo.raft.ready().writeId, 0);
  for (const from of [2, 3]) solo.askPreVote({ from, term: 7 });
  assert.deepEqual(preVoteAnswers(solo), [
    [true, 3],
    [true, 3],
  ]);
  solo.askVote({ from: 4, term: 4 });
  assert.equal(only(solo.drain(), 'request-vote-response')[0]?.granted, true);
});

test('§9.6: a pre-vote is refused by who would refuse the vote: a shorter log, an earlier term, a leader heard of lately', () => {
  const cases = [
    { log: [1, 2], asked: { from: 3, term: 2, last: [2, 2] }, granted: true },
    { log: [1, 2], asked: { from: 3, term: 2, last: [1, 2] }, granted: false },
    { log: [1, 2], asked: { from: 3, term: 2, last: [9, 1] }, granted: false },
    { log: [1, 1], asked: { from: 3, term: 1, last: [2, 1] }, granted: false },
  ] as const;
  for (const { log, asked, granted } of cases) {
    const solo = new Solo({ term: 2, log });
    solo.askPreVote(asked);
    assert.deepEqual(preVoteAnswers(solo), [[granted, 2]]);
    solo.step(heartbeat({ from: 2, term: 2 }));
    ticks(solo, STICKY_TICKS);
    solo.askPreVote(asked);
    assert.deepEqual(preVoteAnswers(solo), [[false, 2]], 'the leader lives');
    ticks(solo, 1);
    solo.askPreVote(asked);
    assert.deepEqual(preVoteAnswers(solo), [[granted, 2]]);
  }
});

test('§9.6: an append is a word of the leader as a heartbeat is; a pre-vote or a vote of somebody else is none', () => {
  const solo = new Solo({ term: 1 });
  solo.step(append({ from: 2, term: 1, prev: [0, 0], entries: [entry(1, 1)] }));
  ticks(solo, STICKY_TICKS);
  solo.step(append({ from: 2, term: 1, prev: [1, 1], entries: [entry(2, 1)] }));
  solo.drain();
  ticks(solo, STICKY_TICKS);
  solo.askPreVote({ from: 3, term: 1, last: [2, 1] });
  assert.deepEqual(preVoteAnswers(solo), [[false, 1]]);
  let waited = STICKY_TICKS;
  for (; solo.status.role === 'follower'; waited++) {
    solo.raft.tick();
    solo.askPreVote({ from: 3, term: 1, last: [2, 1] });
  }
  assert.ok(waited < 2 * ELECTION_TICKS, 'others who ask do not put off its own patience');
});

test('§9.6: a member that was cut off comes back and disturbs nobody', () => {
  for (const size of [3, 5]) {
    const cluster = led(size);
    for (let peer = 1; peer < size; peer++) cluster.cutLink(size, peer);
    for (let i = 0; i < 10 * ELECTION_TICKS; i++) cluster.tickAll();
    cluster.cut.clear();
    for (let i = 0; i < 4 * ELECTION_TICKS; i++) cluster.tickAll();
    for (const node of cluster.nodes) assert.deepEqual([node.up.status().leader, node.up.status().term], [1n, 1]);
  }
});

test('§9.6: a member stuck in a later term, with a shorter log, gets a leader again (pre-vote and check-quorum do not deadlock)', () => {
  const cluster = led(3);
  // Member 3 wins the pre-vote, enters term 2, and is cut off before anybody hears of it.
  cluster.cutLink(1, 3);
  for (let i = 0; i < ELECTION_TICKS; i++) for (const id of [2, 3]) cluster.node(id).up.tick();
  cluster.node(3).up.campaign();
  for (let i = 0; cluster.node(3).up.status().term === 1; i++) {
    assert.ok(i < 5);
    for (const id of [2, 3]) cluster.drain(cluster.node(id));
    for (const message of cluster.network.splice(0)) if (message.kind.startsWith('pre-vote')) cluster.deliver(message);
  }
  cluster.cutLink(2, 3);
  cluster.settle();
  cluster.propose(cluster.node(1), 3);
  for (let i = 0; i < 2 * ELECTION_TICKS; i++) cluster.tickAll();
  assert.deepEqual([cluster.node(1).up.status().role, cluster.node(3).up.status().term], ['leader', 2]);
  cluster.cut.clear();
  for (let i = 0; i < 4 * ELECTION_TICKS; i++) cluster.tickAll();
  const { leader, term } = cluster.node(1).up.status();
  assert.ok(leader !== undefined && leader !== 3n && term === 3, 'one election, in the first term that is free');
  for (const node of cluster.nodes) assert.deepEqual([node.up.status().leader, node.up.status().lastIndex], [leader, 5]);
});

test('§6.2: a leader that a majority has not answered for an election timeout steps down, in its own term', () => {
  for (let size = 1; size <= 7; size++) {
    const solo = new Solo({ size });
    solo.elect();
    solo.drain();
    const { term } = solo.status;
    ticks(solo, ELECTION_TICKS - 1);
    for (let peer = 2; peer <= Math.floor(size / 2); peer++) solo.answerHeartbeat(peer, 0);
    assert.equal(solo.status.role, 'leader', `${size} servers`);
    ticks(solo, 1);
    assert.deepEqual(
      [solo.status.role, solo.status.term, solo.status.leader],
      size === 1 ? ['leader', term, 1n] : ['follower', term, undefined],
    );
    if (size > 1) assert.deepEqual([solo.raft.propose([new Uint8Array(1)]).outcome, solo.raft.readIndex(1)], ['no-leader', 'no-leader']);
  }
});

test('§6.2: answers of a majority keep a leader, whichever they are, and whoever gives them', () => {
  const solo = Solo.as('leader');
  solo.drain();
  const answers = [() => solo.answerHeartbeat(2, 0), () => solo.accept(3, 1), () => solo.accept(2, 0), () => solo.answerHeartbeat(3, 0)];
  for (const answer of answers) {
    ticks(solo, ELECTION_TICKS - 1);
    answer();
    assert.equal(solo.status.role, 'leader');
  }
});

test('§3.10: a leader that hands over brings its successor up to date first, then tells it to run; it takes no proposals meanwhile', () => {
  const solo = Solo.as('leader');
  solo.drain();
  solo.accept(2, 1);
  solo.accept(3, 1);
  solo.raft.propose([new Uint8Array(1)]);
  solo.drain();
  assert.equal(solo.raft.transferLeadership(member(2)), 'started');
  assert.equal(solo.raft.propose([new Uint8Array(1)]).outcome, 'transferring');
  solo.accept(3, 2);
  solo.accept(2, 1);
  assert.deepEqual(only(solo.drain(), 'timeout-now'), [], 'member 2 lacks entry 2');
  solo.accept(2, 2);
  assert.deepEqual(kinds(only(solo.drain(), 'timeout-now')), ['timeout-now>2']);
  ticks(solo, HEARTBEAT_TICKS);
  assert.deepEqual(kinds(only(solo.drain(), 'timeout-now')), ['timeout-now>2'], 'again: the first may be lost');
});

test('§3.10: reads are answered while leadership is handed over', () => {
  const solo = Solo.as('leader');
  solo.drain();
  solo.accept(2, 1);
  solo.raft.transferLeadership(member(3));
  solo.raft.readIndex(7);
  solo.drain();
  solo.answerHeartbeat(2, 1);
  solo.drain();
  assert.deepEqual(solo.readStates, [{ context: 7, index: 1 }]);
});

test('§3.10: after an election timeout without success the leader leads on; so it does when another successor is named', () => {
  const solo = Solo.as('leader');
  solo.drain();
  solo.accept(2, 1);
  solo.raft.transferLeadership(member(3));
  ticks(solo, ELECTION_TICKS - 1);
  solo.answerHeartbeat(2, 0);
  solo.raft.transferLeadership(member(3));
  assert.equal(solo.raft.propose([new Uint8Array(1)]).outcome, 'transferring');
  ticks(solo, 1);
  assert.equal(solo.raft.propose([new Uint8Array(1)]).outcome, 'appended', 'asking twice does not prolong it');
  solo.raft.transferLeadership(member(3));
  solo.raft.transferLeadership(member(2));
  solo.drain();
  solo.accept(2, 2);
  assert.deepEqual(kinds(only(solo.drain(), 'timeout-now')), ['timeout-now>2']);
});

test('§3.10: what followers propose while it hands over is taken up when it leads on, as far as there is room', () => {
  const solo = Solo.as('leader', { maxUncommittedBytes: 10 });
  solo.drain();
  solo.accept(2, 1);
  solo.raft.transferLeadership(member(3));
  const forwarded = { kind: 'propose', from: member(2), to: member(1), term: 1 as Term } as const;
  for (const bytes of [4, 3, 7, 1]) solo.step({ ...forwarded, commands: [new Uint8Array(bytes)] });
  assert.equal(solo.status.lastIndex, 1, 'it appends nothing meanwhile');
  ticks(solo, ELECTION_TICKS - 1);
  solo.answerHeartbeat(2, 0);
  solo.drain();
  ticks(solo, 1);
  assert.deepEqual(
    only(solo.drain(), 'append-entries').flatMap(({ to, entries }) => (to === 2n ? entries.map(({ data }) => data.length) : [])),
    [4, 3, 1],
  );
});

test('§3.10: the successor runs at once, without pre-vote, and says that the leader wants it', () => {
  const solo = new Solo({ term: 1, log: [1] });
  solo.step(heartbeat({ from: 2, term: 1 }));
  solo.step({ kind: 'timeout-now', from: member(2), to: member(1), term: 1 as Term });
  assert.deepEqual([solo.status.role, solo.status.term], ['candidate', 2]);
  const asked = only(solo.drain(), 'request-vote');
  assert.deepEqual(
    asked.map(({ to, byTransfer }) => [to, byTransfer]),
    [
      [2n, true],
      [3n, true],
    ],
  );
  solo.step({ kind: 'timeout-now', from: member(2), to: member(1), term: 1 as Term });
  assert.equal(solo.status.term, 2, 'a second word of the old leader is late');
});

test('§3.10: leadership moves without a tick, from each to each, and nothing is lost', () => {
  const five = led(5);
  for (const next of [2, 3, 4, 5, 1]) {
    const old = five.leader();
    if (old !== undefined) five.propose(old, 3);
    assert.equal(old?.up.transferLeadership(member(next)), 'started');
    five.settle();
    assert.equal(five.leader()?.id, BigInt(next));
    for (const node of five.nodes) assert.equal(node.up.status().leader, BigInt(next));
  }
  assert.equal(five.judge.committed.length, 1 + 5 * (3 + 1));
});

test('§3.10: the best successor is who answered lately and has the most; there is none for a leader that is alone', () => {
  const solo = new Solo({ size: 5 });
  assert.equal(solo.raft.successor(), undefined);
  solo.elect();
  solo.raft.propose([new Uint8Array(1), new Uint8Array(1)]);
  solo.drain();
  solo.accept(2, 3);
  solo.accept(3, 1);
  assert.equal(solo.raft.successor(), 2n);
  ticks(solo, ELECTION_TICKS - 1);
  solo.answerHeartbeat(3, 0);
  solo.accept(4, 2);
  ticks(solo, 1);
  assert.equal(solo.raft.successor(), 4n, 'member 2 has not answered for long');
  const alone = new Solo({ size: 1 });
  alone.raft.campaign();
  assert.equal(alone.raft.successor(), undefined);
});

test('a candidate asks again who has not answered: a lost vote costs a heartbeat interval, not an election', () => {
  const solo = Solo.as('candidate');
  assert.deepEqual(kinds(solo.drain()), ['request-vote>2', 'request-vote>3']);
  solo.step({ kind: 'request-vote-response', from: member(3), to: member(1), term: 1 as Term, granted: false });
  ticks(solo, HEARTBEAT_TICKS);
  assert.deepEqual(kinds(solo.drain()), ['request-vote>2']);
});
