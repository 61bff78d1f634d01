// The consensus core: one member of a Raft group, as a machine that is given events and hands out work.
//
// It does nothing itself. `tick`, `step`, `propose`, `readIndex`, `persisted` and `applied` tell it what happened; `ready`
// returns what is to be written, sent and applied. No clock, no chance, no file is in here (chance is given to it, and so is a clock where
// reads may rest on one), so the same events give the same work on every machine. This file knows what holds in every role, and is the only place where a role changes.
import { assert } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { faultOf, isJoint } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import { answerPreVote, answerRequestVote, Candidate, PreCandidate, refuseStaleVote } from './election.ts';
import { Follower, refuseStaleLeader } from './follower.ts';
import { rejectionOf } from './gateway.ts';
import { Leader } from './leader.ts';
import { Member } from './member.ts';
import type { Message } from './messages.ts';
import type {
  ConfigurationResult,
  ProposeResult,
  RaftOptions,
  RaftStatus,
  ReadIndexResult,
  Ready,
  Rejection,
  SoftState,
  TransferResult,
} from './types.ts';

const NOBODY: ReadonlyMap<MemberId, LogIndex> = new Map();

export class Raft {
  readonly #member: Member;
  #role: Follower | PreCandidate | Candidate | Leader;
  #softState: SoftState;
  #rejected = 0;

  /** Starts as a follower from what is on disk. Throws RaftError when the options make no sense or contradict each other. */
  constructor(options: RaftOptions) {
    this.#member = new Member(options);
    this.#role = new Follower(this.#member, undefined);
    this.#softState = this.#currentSoftState();
  }

  /** One tick of the driver's clock passed. Only here does a member run for leader, or give leading up, on its own. */
  tick(): void {
    this.#member.tick();
    if (this.#role.role !== 'leader') {
      if (this.#member.wait()) this.campaign();
      else if (this.#role.role === 'candidate') this.#role.tick();
      return;
    }
    this.#role.tick();
    this.#leadOrStepDown();
  }

  /** A leader that is not fit to lead any more makes way, in its own term; see Leader.mayLead. */
  #leadOrStepDown(): void {
    if (this.#role.role !== 'leader' || this.#role.mayLead) return;
    if (this.#role.hasQuorum) this.#role.resign();
    this.#waitForLeader();
  }

  /** What it did last may have committed the configuration that it is not in. */
  #stepDownIfRemoved(): void {
    if (this.#role.role === 'leader' && this.#role.isRemoved) this.#leadOrStepDown();
  }

  /**
   * Runs for leader now, if a majority would have it: who follows a leader would not. Without effect on a leader, on who does
   * not vote, while the disk hangs, and while a lease may rest on this member. A single voter wins at once: nobody else has a lease there.
   */
  campaign(): void {
    const { votingPeers, mustKeepQuiet } = this.#member;
    if (this.#role.role === 'leader' || !this.#mayRun || (votingPeers.length > 0 && mustKeepQuiet)) return;
    this.#role = new PreCandidate(this.#member);
    this.#runIfElectable(this.#role);
  }

  get #mayRun(): boolean {
    return this.#member.mayBeNeeded && !this.#member.diskHangs;
  }

  #runIfElectable(preCandidate: PreCandidate): void {
    if (preCandidate.electable) this.#run(false);
  }

  #run(byTransfer: boolean): void {
    this.#role = new Candidate(this.#member, byTransfer);
    this.#leadIfElected(this.#role);
  }

  /** On a leader: begins to hand leadership over (dissertation §3.10). Meanwhile proposals are refused, reads are answered. */
  transferLeadership(to: MemberId): TransferResult {
    if (this.#role.role !== 'leader') return 'not-leader';
    if (!this.#member.votingPeers.includes(to)) return 'bad-target';
    this.#role.transferTo(to);
    return 'started';
  }

  /** On a leader: to whom it had best hand over; undefined when nobody has answered lately. */
  successor(): MemberId | undefined {
    return this.#role.role === 'leader' ? this.#role.successor : undefined;
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
    if (message.kind === 'pre-vote') {
      answerPreVote(this.#member, this.#heedsLeader, message);
      return undefined;
    }
    if (message.term < this.#member.term && message.kind !== 'pre-vote-response') return this.#stepStale(message);
    // Who wants to depose a leader that was heard of lately is not even followed to its term (dissertation §4.2.3).
    if (message.kind === 'request-vote' && !message.byTransfer && this.#resists(message.term)) return undefined;
    if (message.term > this.#member.term) this.#follow(message.term, undefined);
    if (message.kind === 'append-entries' || message.kind === 'heartbeat' || message.kind === 'timeout-now') {
      if (this.#role.leader === undefined) this.#follow(message.term, message.from);
      else if (this.#role.leader !== message.from) return 'second-leader';
    }
    if (message.kind === 'request-vote') {
      answerRequestVote(this.#member, this.#role.leader, message);
      return undefined;
    }
    if (message.kind === 'timeout-now') {
      if (this.#mayRun) this.#run(true);
      return undefined;
    }
    return this.#stepInRole(message);
  }

  #stepInRole(message: Message): Rejection | undefined {
    const role = this.#role;
    if (role.role === 'leader' || role.role === 'follower') {
      const rejection = role.step(message);
      this.#stepDownIfRemoved();
      return rejection;
    }
    if (role.role === 'pre-candidate' && message.kind === 'pre-vote-response') {
      role.stepPreVote(message);
      this.#runIfElectable(role);
    } else if (role.role === 'candidate' && message.kind === 'request-vote-response') {
      role.stepVote(message);
      this.#leadIfElected(role);
    }
    return undefined;
  }

  /** Whether this member leads, or has heard of its leader within the last election timeout, or a lease may rest on it. */
  get #heedsLeader(): boolean {
    if (this.#role.role === 'leader' || this.#member.mustKeepQuiet) return true;
    return this.#role.leader !== undefined && this.#member.heardLeaderLately;
  }

  /** A lease rests on no vote in any term; without one, the vote of a term that has begun deposes nobody. */
  #resists(term: Term): boolean {
    return term > this.#member.term ? this.#heedsLeader : this.#member.mustKeepQuiet;
  }

  /** A message of an earlier term has no effect, but who still acts in that term is told (Raft §5.1). */
  #stepStale(message: Message): undefined {
    if (message.kind === 'request-vote') refuseStaleVote(this.#member, message);
    else if (message.kind === 'append-entries' || message.kind === 'heartbeat') refuseStaleLeader(this.#member, message);
  }

  /** Follows `leader`, or whoever will be elected. A later term alone is no leader's word: a follower's patience runs on. */
  #follow(term: Term, leader: MemberId | undefined): void {
    assert(this.#role.role !== 'leader' || term > this.#member.term, 'a leader follows nobody in its own term');
    if (term > this.#member.term) this.#member.enterTerm(term);
    if (this.#role.role !== 'follower') this.#member.resetPatience();
    this.#role = new Follower(this.#member, leader);
  }

  /** A leader that may be alone stands back in its own term, in which nobody else can lead. */
  #waitForLeader(): void {
    this.#member.resetPatience();
    this.#role = new Follower(this.#member, undefined);
  }

  /** Proposes commands (one or more), each for an entry of its own. The caller must not change their bytes any more. */
  propose(commands: readonly Uint8Array[]): ProposeResult {
    assert(commands.length > 0, 'a proposal has commands');
    const role = this.#role;
    return role.role === 'leader' || role.role === 'follower' ? role.propose(commands) : { outcome: 'no-leader' };
  }

  /**
   * Begins a change of who is a member, from the configuration of entry `basis` on. It is taken only while that one is in force, so
   * a caller who looked at it has seen all there is to see, and may propose again what may have got lost. The change is done when
   * an applied configuration, later than `basis`, is not joint.
   */
  proposeConfiguration(basis: LogIndex, target: Configuration): ConfigurationResult {
    assert(faultOf(target) === undefined && !isJoint(target), 'a configuration that is proposed makes sense');
    const role = this.#role;
    return role.role === 'leader' || role.role === 'follower' ? role.proposeConfiguration(basis, target) : 'no-leader';
  }

  /** The driver has done with a snapshot: it was installed, and contains everything up to `index`; or it was not (undefined). */
  snapshotSent(to: MemberId, index: LogIndex | undefined): void {
    if (this.#role.role === 'leader') this.#role.snapshotSent(to, index);
  }

  /**
   * Whether a snapshot of everything up to `index` would bring this member anything: neither is that committed here, nor does the
   * log reach it by entries of its own, whose durability may have been promised.
   */
  needsSnapshot(index: LogIndex, term: Term): boolean {
    return index > this.#member.log.commit && this.#member.log.termAt(index) !== term;
  }

  /**
   * Asks up to where a read must wait to be linearizable (Raft dissertation §6.4): everything that was committed anywhere
   * when the read was asked. `context` comes back in a ReadState; the caller uses no number twice.
   */
  readIndex(context: number): ReadIndexResult {
    const role = this.#role;
    return role.role === 'leader' || role.role === 'follower' ? role.readIndex(context) : 'no-leader';
  }

  /** Whether `ready` would have something to do. */
  hasReady(): boolean {
    const { log, outbox, hardStateChanged, hasNewConfiguration } = this.#member;
    return (
      !outbox.empty ||
      hardStateChanged ||
      log.hasUnwritten ||
      log.hasCommitted ||
      hasNewConfiguration ||
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
    const write = mustWrite ? this.#member.beginWrite(hardState) : { id: 0, entries: [] };
    const { messages, promises, readStates, snapshots } = outbox.take();
    return {
      writeId: write.id,
      hardState,
      entries: write.entries,
      messages: mustWrite ? messages : [...messages, ...promises],
      messagesAfterPersist: mustWrite ? promises : [],
      committed: log.takeCommitted(),
      readStates,
      snapshots,
      configuration: this.#member.takeConfiguration(),
      softState,
    };
  }

  /** The write `writeId` of an earlier Ready, and every write before it, is durable. */
  persisted(writeId: number): void {
    this.#member.log.persisted(writeId);
    if (this.#role.role === 'leader') this.#role.persisted();
    else if (this.#role.role === 'candidate' && this.#member.votedDurably(writeId)) {
      this.#role.ownVotePersisted();
      this.#leadIfElected(this.#role);
    }
    this.#stepDownIfRemoved();
  }

  /** The state machine has applied everything up to `index`, all of which was handed out as committed. */
  applied(index: LogIndex): void {
    this.#member.log.appliedTo(index);
  }

  /** Entries that are committed and not applied. */
  get backlog(): number {
    return this.#member.log.commit - this.#member.log.applied;
  }

  status(): RaftStatus {
    const { id, log, configuration, configurationIndex } = this.#member;
    return {
      ...this.#currentSoftState(),
      id,
      commit: log.commit,
      applied: log.applied,
      lastIndex: log.lastIndex,
      firstIndex: log.firstIndex,
      configuration,
      configurationIndex,
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
