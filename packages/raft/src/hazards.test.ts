// What the paper leaves to the implementer: hazards that others have met, and the bounds on what is under way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { configurationOf } from './configuration.ts';
import type { AppendEntries, AppendEntriesResponse, Message } from './messages.ts';
import { MAX_PENDING_READS, ReadQueue } from './read-queue.ts';
import { HEARTBEAT_TICKS } from './testing/cluster.ts';
import { append, entry, heartbeat, only, Solo } from './testing/solo.ts';

const kinds = (messages: readonly Message[]): string[] => messages.map(({ kind, to }) => `${kind}>${to}`);

test('a single server elects itself as soon as its vote is durable, and commits when its own write is durable', () => {
  const solo = new Solo({ size: 1 });
  solo.raft.campaign();
  const vote = solo.raft.ready();
  assert.equal(solo.status.role, 'candidate');
  solo.persist(vote);
  assert.equal(solo.status.role, 'leader');
  solo.raft.propose([new Uint8Array(1), new Uint8Array(2)]);
  const ready = solo.raft.ready();
  assert.deepEqual([ready.entries.length, ready.committed.length, solo.status.commit], [3, 0, 0]);
  solo.persist(ready);
  assert.equal(solo.raft.ready().committed.length, 3);
  solo.raft.readIndex(1);
  solo.drain();
  assert.deepEqual(solo.readStates, [{ context: 1, index: 3 }]);
});

test('hazard, etcd raft "append ABA": the write of an entry that was replaced and put back does not vouch for its second write', () => {
  const solo = new Solo({ term: 1, log: [1] });
  const writes = [];
  for (const [leader, term, entries] of [
    [2, 2, [entry(2, 2)]],
    [3, 3, [entry(2, 3)]],
    [2, 4, [entry(2, 2), entry(3, 4)]],
  ] as const) {
    solo.step(append({ from: leader, term, prev: [1, 1], entries }));
    writes.push(solo.raft.ready());
  }
  const [first, second, third] = writes;
  assert.ok(first && second && third);
  solo.persist(first);
  solo.step(heartbeat({ from: 2, term: 4, commit: 2 }));
  assert.deepEqual(
    solo.raft.ready().committed.map(({ index }) => index),
    [1],
    'entry 2 as it now stands is in no write that is done',
  );
  solo.persist(second);
  assert.deepEqual(solo.raft.ready().committed, []);
  solo.persist(third);
  assert.deepEqual(
    solo.raft.ready().committed.map(({ term }) => term),
    [2],
  );
});

test('hazard: an answer that promises an entry still being written waits for that write, even if it writes nothing itself', () => {
  const solo = new Solo({});
  const message: AppendEntries = append({ from: 2, term: 1, prev: [0, 0], entries: [entry(1, 1)] });
  solo.step(message);
  const first = solo.raft.ready();
  solo.step(message); // Twice: the second time nothing is new.
  const second = solo.raft.ready();
  assert.deepEqual(
    [second.writeId, second.entries, second.messages, kinds(second.messagesAfterPersist)],
    [2, [], [], ['append-entries-response>2']],
  );
  solo.persist(first);
  solo.persist(second);
  solo.step(message);
  const third = solo.raft.ready();
  assert.deepEqual([third.writeId, kinds(third.messages)], [0, ['append-entries-response>2']], 'now nothing is being written');
});

test('hazard, etcd #20418: an answer to a read of an earlier life of the process answers nothing', () => {
  const ask = (seed: number): { solo: Solo; onTheWire: number } => {
    const solo = new Solo({ seed });
    solo.step(heartbeat({ from: 2, term: 1 }));
    solo.raft.readIndex(1);
    const [request] = only(solo.drain(), 'read-index');
    assert.ok(request);
    return { solo, onTheWire: request.context };
  };
  const before = ask(1);
  const after = ask(2);
  const answer = (context: number, readIndex: number): Message => ({
    kind: 'read-index-response',
    from: 2n as MemberId,
    to: 1n as MemberId,
    term: 1 as Term,
    context,
    readIndex: readIndex as LogIndex,
  });
  after.solo.step(answer(before.onTheWire, 3));
  after.solo.drain();
  assert.deepEqual(after.solo.readStates, []);
  after.solo.step(answer(after.onTheWire, 8));
  after.solo.step(answer(after.onTheWire, 9));
  after.solo.drain();
  assert.deepEqual(after.solo.readStates, [{ context: 1, index: 8 }], 'once');
});

test('a proposal forwarded in one term is not taken in another', () => {
  const solo = Solo.as('leader');
  const { term, lastIndex } = solo.status;
  const propose = (of: number): Message => ({
    kind: 'propose',
    from: 2n as MemberId,
    to: 1n as MemberId,
    term: of as Term,
    commands: [new Uint8Array(1)],
  });
  solo.step(propose(term - 1));
  assert.equal(solo.status.lastIndex, lastIndex);
  solo.step(propose(term));
  assert.equal(solo.status.lastIndex, lastIndex + 1);
  solo.step(propose(term + 1));
  assert.deepEqual([solo.status.lastIndex, solo.status.role], [lastIndex + 1, 'follower']);
});

test('a leader refuses proposals past maxUncommittedBytes, but one of any size when nothing is uncommitted', () => {
  const solo = Solo.as('leader', { maxUncommittedBytes: 10 });
  assert.equal(solo.raft.propose([new Uint8Array(50)]).outcome, 'appended');
  assert.equal(solo.raft.propose([new Uint8Array(1)]).outcome, 'overloaded');
  solo.drain();
  solo.accept(2, 2);
  assert.equal(solo.raft.propose([new Uint8Array(6)]).outcome, 'appended');
  assert.equal(solo.raft.propose([new Uint8Array(6)]).outcome, 'overloaded');
});

test('committed entries come in pages of maxApplyBytes; past that many unapplied bytes, none', () => {
  const solo = new Solo({ size: 1, limits: { maxApplyBytes: 10 } });
  solo.raft.campaign();
  solo.persist(solo.raft.ready());
  solo.raft.propose(Array.from({ length: 6 }, () => new Uint8Array(4)));
  solo.persist(solo.raft.ready());
  const page = (): number[] => solo.raft.ready().committed.map(({ index }) => index);
  assert.deepEqual([page(), page(), page()], [[1, 2, 3], [4], []], '8 bytes, then the entry that crosses the bound');
  solo.raft.applied(3 as LogIndex);
  assert.deepEqual([page(), page(), page()], [[5], [6], []]);
  solo.raft.applied(6 as LogIndex);
  assert.deepEqual([page(), page()], [[7], []]);
  assert.equal(solo.raft.hasReady(), false);
});

test('appends are pipelined up to maxInflightAppends of maxAppendBytes each, one a Ready', () => {
  const solo = Solo.as('leader', { maxInflightAppends: 3, maxAppendBytes: 10 });
  solo.drain();
  solo.accept(2, 1);
  solo.drain();
  solo.raft.propose(Array.from({ length: 20 }, () => new Uint8Array(4)));
  const appends = (): number[][] =>
    only(solo.drain(), 'append-entries')
      .filter(({ to }) => to === 2n)
      .map(({ entries }) => entries.map(({ index }) => index));
  assert.deepEqual(appends(), [
    [2, 3],
    [4, 5],
    [6, 7],
  ]);
  solo.accept(2, 5);
  assert.deepEqual(appends(), [
    [8, 9],
    [10, 11],
  ]);
});

test('a refusal that comes late, or names what is known to match, does not throw a follower back', () => {
  const solo = Solo.as('leader');
  solo.drain();
  solo.accept(2, 1);
  solo.drain();
  const refusal: AppendEntriesResponse = {
    kind: 'append-entries-response',
    from: 2n as MemberId,
    to: 1n as MemberId,
    term: solo.status.term,
    success: false,
    matchIndex: 1 as LogIndex,
    conflictIndex: 0 as LogIndex,
    conflictTerm: 0 as Term,
  };
  assert.equal(solo.step(refusal), undefined);
  solo.raft.propose([new Uint8Array(1)]);
  assert.deepEqual(
    only(solo.drain(), 'append-entries').map(({ prevLogIndex }) => prevLogIndex),
    [1],
  );
  assert.equal(solo.status.match.get(2n as MemberId), 1);
});

test('a leader that nobody answers keeps a bounded number of reads; the oldest are forgotten', () => {
  const self = 1n as MemberId;
  const reads = new ReadQueue(self);
  reads.add({ from: self, context: 0 });
  reads.beginRound(1 as LogIndex);
  for (let context = 1; context <= MAX_PENDING_READS; context++) reads.add({ from: self, context });
  reads.beginRound(2 as LogIndex);
  reads.answered(2n as MemberId, 2);
  const [round, ...others] = reads.takeConfirmed(configurationOf([self, 2n as MemberId, 3n as MemberId]));
  assert.equal(others.length, 0, 'the first round is forgotten');
  assert.deepEqual([round?.reads.length, round?.readIndex, round?.reads[0]?.context], [MAX_PENDING_READS, 2, 1]);
});

test('a leader asks again when an append or its answer was lost: one append for a heartbeat interval', () => {
  const solo = Solo.as('leader');
  assert.equal(only(solo.drain(), 'append-entries').length, 2);
  const resent = (ticks: number): number => {
    for (let i = 0; i < ticks; i++) solo.raft.tick();
    solo.answerHeartbeat(2, 0);
    solo.answerHeartbeat(2, 0);
    return only(solo.drain(), 'append-entries').length;
  };
  assert.equal(resent(0), 0, 'no interval has passed');
  assert.equal(resent(HEARTBEAT_TICKS), 1, 'probing');
  solo.accept(2, 1);
  solo.drain();
  solo.raft.propose([new Uint8Array(1)]);
  assert.equal(only(solo.drain(), 'append-entries').filter(({ to }) => to === 2n).length, 1);
  assert.equal(resent(HEARTBEAT_TICKS), 1, 'replicating');
});
