// Reads without a round (Raft dissertation §6.4.1): while nobody else can have been elected, a leader answers a read from what it knows.
//
// Whoever answers a heartbeat promises to help nobody against this leader for a while (`quietMs`), by its own clock, from the moment when it
// heard the heartbeat. That was after the heartbeat left. So if a quorum answered, and every clock keeps to `maxDrift`, no other
// leader can be elected until the shortest such promise ends; and the lease is over before that, by the leader's own clock:
//
//   leader    sends round 7 ├────────── lengthMs = quietMs · (1 − ρ)/(1 + ρ) ──────────┤
//   follower      hears it ·····├────────────────────────── quietMs ───────────────────────────┤ votes again
//
// A clock that is within ρ = `maxDrift` shows between (1 − ρ)·t and (1 + ρ)·t after the true time t: the leader's lease lasts for
// lengthMs/(1 − ρ) at most, the follower's promise for quietMs/(1 + ρ) at least, and the two are equal.
import type { MemberId } from '@distrokv/base';
import type { Configuration } from './configuration.ts';
import { votesIn } from './configuration.ts';
import { RaftError } from './errors.ts';
import type { HeartbeatResponse } from './messages.ts';
import { reachedByQuorum } from './quorum.ts';
import type { RaftOptions } from './types.ts';

/** Of both sides of a lease. */
export interface LeaseTimes {
  readonly now: () => number;
  /** How long who heard the leader helps nobody against it; a whole number. */
  readonly quietMs: number;
  /** How long a confirmed round counts, from its sending. */
  readonly lengthMs: number;
}

/** Undefined when the option is off. Throws RaftError `bad-options`. */
export function leaseTimesOf({ lease, electionTicks, heartbeatTicks }: RaftOptions): LeaseTimes | undefined {
  if (lease === undefined) return undefined;
  const { now, tickMs, maxDrift } = lease;
  if (!(tickMs > 0 && tickMs < Infinity)) throw new RaftError('bad-options', `a tick takes more than 0 ms, not ${tickMs}`);
  if (!(maxDrift > 0 && maxDrift < 1)) throw new RaftError('bad-options', `a clock may drift by between 0 and 1, not by ${maxDrift}`);
  // Two ticks less than an election timeout: who runs after one finds that those who fell silent with it are free to vote.
  const quietMs = Math.floor((electionTicks - 2) * tickMs);
  const lengthMs = (quietMs * (1 - maxDrift)) / (1 + maxDrift);
  if (lengthMs <= heartbeatTicks * tickMs)
    throw new RaftError('bad-options', `a lease would last for ${lengthMs} ms, which is less than from one heartbeat to the next`);
  return { now, quietMs, lengthMs };
}

/** Most rounds that a lease may rest on at a time; a quorum that answers is never that far behind. */
const MAX_ROUNDS = 64;

interface LeaseRound {
  readonly number: number;
  readonly sentMs: number;
}

/**
 * A leader's lease, of one term.
 *
 * Invariants:
 * 1. It rests on one configuration: another one begins anew, for a quorum of that need not share a member with who promised before.
 * 2. Only voters have one: a leader on its way out counts for nobody.
 * 3. Once it told a successor to run, which promises do not forbid, it has none for the rest of the term: such a message may arrive late.
 */
export class Lease {
  readonly #self: MemberId;
  readonly #times: LeaseTimes;
  /** Not confirmed yet, the oldest first. */
  #rounds: LeaseRound[] = [];
  /** The latest round that each member has promised by. */
  readonly #promised: Map<MemberId, number> = new Map();
  #confirmedMs = -Infinity;
  #isOver = false;

  constructor(self: MemberId, times: LeaseTimes) {
    this.#self = self;
    this.#times = times;
  }

  /** A round is about to be sent. */
  began(round: number): void {
    if (this.#rounds.length < MAX_ROUNDS) this.#rounds.push({ number: round, sentMs: this.#times.now() });
  }

  /** A member answered the heartbeats of a round. */
  promised({ from, readRound, quietMs }: HeartbeatResponse, configuration: Configuration): void {
    if (quietMs < this.#times.quietMs) return; // It has not the option, or another election timeout.
    if (readRound > (this.#promised.get(from) ?? 0)) this.#promised.set(from, readRound);
    if (!votesIn(configuration, this.#self)) return;
    const confirmed = reachedByQuorum(configuration, (voter) => (voter === this.#self ? Infinity : (this.#promised.get(voter) ?? 0)));
    for (let first = this.#rounds[0]; first !== undefined && first.number <= confirmed; first = this.#rounds[0]) {
      this.#confirmedMs = first.sentMs;
      this.#rounds.shift();
    }
  }

  /** Whether nobody else can have been elected yet. */
  get holds(): boolean {
    return !this.#isOver && this.#times.now() - this.#confirmedMs < this.#times.lengthMs;
  }

  /** Another configuration is in force: only rounds that begin from now on count. */
  restart(): void {
    this.#rounds = [];
    this.#confirmedMs = -Infinity;
  }

  /** For the rest of the term. */
  end(): void {
    this.#isOver = true;
  }
}
