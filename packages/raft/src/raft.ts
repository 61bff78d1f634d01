// The consensus core: one member of a Raft group, as a machine that is given events and hands out work.
//
// It does nothing itself. `tick`, `step`, `propose`, `readIndex`, `persisted` and `applied` tell it what happened; `ready`
// returns what is to be written, sent and applied. No clock, no chance, no file is in here, so the same events give the
// same work on every machine. This file knows what holds in every role, and is the only place where a role changes.
import { assert } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { answerRequestVote, Candidate, refuseStaleVote } from './election.ts';
import { Follower, refuseStaleLeader } from './follower.ts';
import { rejectionOf } from './gateway.ts';
import { Leader } from './leader.ts';
import { Member } from './member.ts';
import type { Message } from './messages.ts';
import type { ProposeResult, RaftOptions, RaftStatus, ReadIndexResult, Ready, Rejection, SoftState } from './types.ts';

const NOBODY: ReadonlyMap<MemberId, LogIndex> = new Map();

export class Raft {
  readonly #member: Member;
  #role: Follower | Candidate | Leader;
  #softState: SoftState;
  #rejected = 0;

  /** Starts as a follower from what is on disk. Throws RaftError when the options make no sense or contradict each other. */
  constructor(options: RaftOptions) {
    this.#member = new Member(options);
    this.#role = new Follower(this.#member, undefined);
    this.#softState = this.#currentSoftState();
  }

  /** One tick of the driver's clock passed. Only here does a member run for leader on its own. */
  tick(): void {
    if (this.#role.role === 'leader') this.#role.tick();
    else if (this.#member.wait()) this.campaign();
  }

  /** Runs for leader now; without effect on a leader. A single voter wins at once. */
  campaign(): void {
    if (this.#role.role === 'leader') return;
    this.#role = new Candidate(this.#member);
    this.#leadIfElected(this.#role);
  }

  #leadIfElected(candidate: Candidate): void {
    if (candidate.elected) this.#role = new Leader(this.#member);
  }

  /** Takes a message from a peer. Returns why it was refused, if it was. */
  step(message: Message): Rejection | undefined {
    const rejection = rejectionOf(message, this.#member) ?? this.#stepWellFormed(message);
    if (rejection !== undefined) this.#rejected++;
    return rejection;
  }

  #stepWellFormed(message: Message): Rejection | undefined {
    if (message.term < this.#member.term) return this.#stepStale(message);
    if (message.term > this.#member.term) this.#follow(message.term, undefined);
    if (message.kind === 'append-entries' || message.kind === 'heartbeat') {
      if (this.#role.leader === undefined) this.#follow(message.term, message.from);
      else if (this.#role.leader !== message.from) return 'second-leader';
    }
    if (message.kind === 'request-vote') {
      answerRequestVote(this.#member, this.#role.leader, message);
      return undefined;
    }
    if (this.#role.role !== 'candidate') return this.#role.step(message);
    if (message.kind === 'request-vote-response') {
      this.#role.stepVote(message);
      this.#leadIfElected(this.#role);
    }
    return undefined;
  }

  /** A message of an earlier term has no effect, but who still acts in that term is told (Raft §5.1). */
  #stepStale(message: Message): undefined {
    if (message.kind === 'request-vote') refuseStaleVote(this.#member, message);
    else if (message.kind === 'append-entries' || message.kind === 'heartbeat') refuseStaleLeader(this.#member, message);
  }

  /** Follows `leader`, or whoever will be elected. A later term alone is no leader's word: a follower's patience runs on. */
  #follow(term: Term, leader: MemberId | undefined): void {
    assert(this.#role.role !== 'leader' || term > this.#member.term, 'a leader steps down for a later term only');
    if (term > this.#member.term) this.#member.enterTerm(term);
    if (this.#role.role !== 'follower') this.#member.resetPatience();
    this.#role = new Follower(this.#member, leader);
  }

  /** Proposes commands (one or more), each for an entry of its own. The caller must not change their bytes any more. */
  propose(commands: readonly Uint8Array[]): ProposeResult {
    assert(commands.length > 0, 'a proposal has commands');
    return this.#role.role === 'candidate' ? { outcome: 'no-leader' } : this.#role.propose(commands);
  }

  /**
   * Asks up to where a read must wait to be linearizable (Raft dissertation §6.4): everything that was committed anywhere
   * when the read was asked. `context` comes back in a ReadState; the caller uses no number twice.
   */
  readIndex(context: number): ReadIndexResult {
    return this.#role.role === 'candidate' ? 'no-leader' : this.#role.readIndex(context);
  }

  /** Whether `ready` would have something to do. */
  hasReady(): boolean {
    const { log, outbox, hardStateChanged } = this.#member;
    return (
      !outbox.empty ||
      hardStateChanged ||
      log.hasUnwritten ||
      log.hasCommitted ||
      (this.#role.role === 'leader' && this.#role.hasWork) ||
      this.#softStateChanged
    );
  }

  /** Takes the work that has gathered; see Ready for what to do with it. */
  ready(): Ready {
    if (this.#role.role === 'leader') this.#role.work();
    const { log, outbox } = this.#member;
    const softState = this.#softStateChanged ? this.#currentSoftState() : undefined;
    if (softState !== undefined) this.#softState = softState;
    const hardState = this.#member.takeHardState(log.hasUnwritten);
    // Promises wait for everything written so far, too: with nothing new to write, an empty write takes their place in the order.
    const mustWrite = hardState !== undefined || log.hasUnwritten || (outbox.hasPromises && log.writing);
    const write = mustWrite ? log.beginWrite() : { id: 0, entries: [] };
    const { messages, promises, readStates } = outbox.take();
    return {
      writeId: write.id,
      hardState,
      entries: write.entries,
      messages: mustWrite ? messages : [...messages, ...promises],
      messagesAfterPersist: mustWrite ? promises : [],
      committed: log.takeCommitted(),
      readStates,
      softState,
    };
  }

  /** The write `writeId` of an earlier Ready, and every write before it, is durable. */
  persisted(writeId: number): void {
    this.#member.log.persisted(writeId);
    if (this.#role.role === 'leader') this.#role.persisted();
  }

  /** The state machine has applied everything up to `index`, all of which was handed out as committed. */
  applied(index: LogIndex): void {
    this.#member.log.appliedTo(index);
  }

  status(): RaftStatus {
    const { id, log, matchedByAll } = this.#member;
    return {
      ...this.#currentSoftState(),
      id,
      commit: log.commit,
      applied: log.applied,
      lastIndex: log.lastIndex,
      matchedByAll,
      match: this.#role.role === 'leader' ? this.#role.match : NOBODY,
      rejected: this.#rejected,
    };
  }

  #currentSoftState(): SoftState {
    return { role: this.#role.role, leader: this.#role.leader, term: this.#member.term };
  }

  get #softStateChanged(): boolean {
    const { role, leader, term } = this.#softState;
    return role !== this.#role.role || leader !== this.#role.leader || term !== this.#member.term;
  }
}
