// Linearizable reads on a leader without a write to the log (Raft dissertation §6.4).
//
// A read may be served from a state that includes everything that was committed when the read was asked. The leader knows
// what is committed, but only if it still is the leader. So reads gather; a round of heartbeats carries a number that only
// grows in a term, and once a majority has answered a round, this member was the leader when the round began, and its
// commit index of that moment is the answer to every read gathered before. Answers to later rounds settle earlier ones too.
import { assert } from '@distrokv/base';
import type { LogIndex, MemberId } from '@distrokv/base';
import type { Configuration } from './configuration.ts';
import { reachedByQuorum } from './quorum.ts';

/** Who asked, and with which number. */
export interface PendingRead {
  readonly from: MemberId;
  readonly context: number;
}

interface Round {
  readonly number: number;
  readonly readIndex: LogIndex;
  readonly reads: readonly PendingRead[];
}

/** Most reads a leader keeps waiting; past it the oldest are forgotten, as if their messages had been lost. */
export const MAX_PENDING_READS = 100_000;

/**
 * Invariants:
 * 1. Round numbers grow by one; a round's read index is no less than that of the round before.
 * 2. Nobody answered a round that was not sent.
 */
export class ReadQueue {
  readonly #self: MemberId;
  readonly #answered: Map<MemberId, number> = new Map();
  #gathered: PendingRead[] = [];
  #rounds: Round[] = [];
  #pending = 0;
  #round = 0;

  constructor(self: MemberId) {
    this.#self = self;
  }

  /** The number of the latest round; 0 before the first. */
  get round(): number {
    return this.#round;
  }

  /** Whether reads wait for a round to begin. */
  get hasGathered(): boolean {
    return this.#gathered.length > 0;
  }

  add(read: PendingRead): void {
    this.#gathered.push(read);
    this.#pending++;
    while (this.#pending > MAX_PENDING_READS) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const oldest = this.#rounds.shift();
    this.#pending -= oldest === undefined ? 1 : oldest.reads.length;
    if (oldest === undefined) this.#gathered.shift();
  }

  /** Takes what no round has begun for: it is to be answered now. */
  takeGathered(): readonly PendingRead[] {
    const reads = this.#gathered;
    this.#gathered = [];
    this.#pending -= reads.length;
    return reads;
  }

  /** Begins a round for everything gathered. The caller has made sure that an entry of its term is committed. */
  beginRound(commit: LogIndex): void {
    assert((this.#rounds.at(-1)?.readIndex ?? 0) <= commit, 'read queue 1: read indexes never go back');
    this.nextRound();
    this.#rounds.push({ number: this.#round, readIndex: commit, reads: this.#gathered });
    this.#gathered = [];
  }

  /** A round that no read waits for: heartbeats that are to be told from those before. */
  nextRound(): void {
    this.#round++;
    this.#answered.set(this.#self, this.#round);
  }

  /** A member answered the heartbeats of a round. */
  answered(from: MemberId, round: number): void {
    assert(round <= this.#round, 'read queue 2: nobody answers a round that was not sent');
    if (round > (this.#answered.get(from) ?? 0)) this.#answered.set(from, round);
  }

  /** Takes the rounds which a quorum has answered. */
  takeConfirmed(configuration: Configuration): readonly Round[] {
    if (this.#rounds.length === 0) return [];
    const confirmed = reachedByQuorum(configuration, (voter) => this.#answered.get(voter) ?? 0);
    let count = 0;
    while (count < this.#rounds.length && (this.#rounds[count] as Round).number <= confirmed) count++;
    const done = this.#rounds.splice(0, count);
    for (const round of done) this.#pending -= round.reads.length;
    return done;
  }
}
