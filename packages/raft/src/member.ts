// What a member is in every role: who it is, its term and vote, its log, its patience, and what it has to say.
import { assert, term as checkedTerm } from '@distrokv/base';
import type { LogIndex, MemberId, Random, Term } from '@distrokv/base';
import { RaftError } from './errors.ts';
import { RaftLog } from './log.ts';
import { limitsOf } from './options.ts';
import type { Limits } from './options.ts';
import { Outbox } from './outbox.ts';
import type { HardState, RaftOptions } from './types.ts';

/**
 * Invariants:
 * 1. The term never decreases (Raft §5.1), and is at least that of every entry in the log.
 * 2. Within a term the vote changes at most once, from nobody to somebody (Raft §5.2).
 * 3. matchedByAll ≤ commit; it never decreases; the storage's front is never beyond it.
 */
export class Member {
  readonly id: MemberId;
  /** In ascending order, so that the same input gives the same output everywhere. */
  readonly voters: readonly MemberId[];
  /** The voters but this one. */
  readonly peers: readonly MemberId[];
  readonly limits: Limits;
  readonly log: RaftLog;
  readonly outbox: Outbox = new Outbox();
  readonly #random: Random;
  #term: Term;
  #vote: MemberId | undefined;
  #written: HardState;
  #matchedByAll: LogIndex;
  /** Counts from a random multiple of 2^20, so that hardly any other life of this process has used the same numbers. */
  #readContext: number;
  #ticksWaited = 0;
  #ticksSinceLeader = Infinity;
  #patienceTicks = 0;

  constructor(options: RaftOptions) {
    const { id, voters, hardState, storage, applied, random } = options;
    this.limits = limitsOf(options);
    this.id = id;
    this.voters = voters.toSorted((a, b) => (a < b ? -1 : 1));
    this.peers = this.voters.filter((voter) => voter !== id);
    this.#random = random;
    this.log = new RaftLog(storage, hardState.commit, applied, this.limits.maxApplyBytes);
    if (hardState.term < this.log.lastTerm) {
      throw new RaftError('corrupt-state', `the term is ${hardState.term}, but the log ends in term ${this.log.lastTerm}`);
    }
    this.#term = hardState.term;
    this.#vote = hardState.vote;
    this.#written = hardState;
    // The storage drops only what every member has.
    this.#matchedByAll = (this.log.firstIndex - 1) as LogIndex;
    this.#readContext = random.uint32() * 0x10_0000;
    this.resetPatience();
  }

  get term(): Term {
    return this.#term;
  }

  get vote(): MemberId | undefined {
    return this.#vote;
  }

  /** Goes on to a later term, in which it has voted for nobody yet. */
  enterTerm(term: Term): void {
    assert(term > this.#term, `member 1: the term goes from ${this.#term} up, not to ${term}`);
    this.#term = checkedTerm(term);
    this.#vote = undefined;
  }

  voteFor(candidate: MemberId): void {
    assert(this.#vote === undefined || this.#vote === candidate, `member 2: one vote in term ${this.#term}`);
    this.#vote = candidate;
  }

  /** Committed and known to be on every member's disk. */
  get matchedByAll(): LogIndex {
    return this.#matchedByAll;
  }

  /** Learns that every member has everything up to `index`; as far as it is committed here, it counts. */
  learnMatchedByAll(index: LogIndex): void {
    const known = index < this.log.commit ? index : this.log.commit;
    if (known > this.#matchedByAll) this.#matchedByAll = known;
    assert(this.log.firstIndex - 1 <= this.#matchedByAll, 'member 3: the storage drops only what every member has');
  }

  /** Whether term or vote are not handed out to be written yet. */
  get hardStateChanged(): boolean {
    return this.#term !== this.#written.term || this.#vote !== this.#written.vote;
  }

  /**
   * The hard state to write, if there is a reason: a new term or vote, or entries which the commit mark can go along with.
   * Its commit covers only what is durable already, so that no order of bytes on the disk can make it point past the log.
   */
  takeHardState(withEntries: boolean): HardState | undefined {
    const { commit: known, stableIndex } = this.log;
    const commit = known < stableIndex ? known : stableIndex;
    if (!this.hardStateChanged && !(withEntries && commit > this.#written.commit)) return undefined;
    this.#written = { term: this.#term, vote: this.#vote, commit };
    return this.#written;
  }

  /** Starts to wait for a leader anew, for a time drawn at random so that members seldom lose patience together (Raft §5.2). */
  resetPatience(): void {
    this.#ticksWaited = 0;
    this.#patienceTicks = this.limits.electionTicks + this.#random.below(this.limits.electionTicks);
  }

  /**
   * Starts to wait for less than an election: what was refused because a leader had been heard of a moment ago may soon be
   * granted, and asking costs nobody anything. At random, too, so that two that ask seldom go on asking at the same times.
   */
  shortenPatience(): void {
    this.#ticksWaited = 0;
    this.#patienceTicks = 1 + this.#random.below(Math.ceil(this.limits.electionTicks / 4));
  }

  /** One tick without a leader's word; true when patience is at its end. */
  wait(): boolean {
    this.#ticksSinceLeader++;
    return ++this.#ticksWaited >= this.#patienceTicks;
  }

  /** The leader of this term spoke. */
  heardLeader(): void {
    this.#ticksSinceLeader = 0;
    this.resetPatience();
  }

  /**
   * Whether a leader spoke within the last election timeout (dissertation §4.2.3): whoever runs against it is not helped. One
   * tick less: of the same silence, two members whose ticks fall at different moments count numbers that differ by one.
   */
  get heardLeaderLately(): boolean {
    return this.#ticksSinceLeader < this.limits.electionTicks - 1;
  }

  /** A fresh number for a read that goes to the leader. */
  nextReadContext(): number {
    return ++this.#readContext;
  }
}
