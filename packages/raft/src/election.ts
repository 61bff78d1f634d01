// Leader election (Raft §5.2) with its restriction that only an up-to-date log can win (Raft §5.4.1): who runs, and who votes.
//
// A member runs in two steps. First it asks whether it would be elected (pre-vote, dissertation §9.6), which changes nothing
// anywhere; only with a majority behind it does it enter the next term. So a member that was cut off does not come back with
// a late term to which everybody must follow it. And who heard of a leader within the last election timeout helps nobody
// against it, neither with a pre-vote nor with a vote (dissertation §4.2.3).
//
// Votes are given to whoever asks for them, in this member's configuration or not, and by a learner, too: the others may
// have made it a voter, or the candidate a member, without this one's having heard of it yet (dissertation §4.1). Whose votes
// count is for the candidate to know.
import { assert } from '@distrokv/base';
import type { MemberId, Term } from '@distrokv/base';
import type { Member } from './member.ts';
import type { PreVote, PreVoteResponse, RequestVote, RequestVoteResponse } from './messages.ts';
import { isQuorum } from './quorum.ts';

/**
 * Invariants:
 * 1. It stays in the term that it had: only a candidate enters another.
 * 2. Only answers to questions of this term count.
 */
export class PreCandidate {
  readonly role = 'pre-candidate';
  readonly leader: undefined = undefined;
  readonly #member: Member;
  readonly #term: Term;
  readonly #granted: Set<MemberId>;

  /** Asks everybody; it will ask again before long. */
  constructor(member: Member) {
    this.#member = member;
    this.#term = member.term;
    this.#granted = new Set([member.id]);
    member.shortenPatience();
    const { id: from, term, log, outbox } = member;
    for (const to of member.votingPeers)
      outbox.send({ kind: 'pre-vote', from, to, term, lastLogIndex: log.lastIndex, lastLogTerm: log.lastTerm });
  }

  get electable(): boolean {
    return isQuorum(this.#member.configuration, (voter) => this.#granted.has(voter));
  }

  stepPreVote(response: PreVoteResponse): void {
    assert(this.#term === this.#member.term, 'pre-candidate 1: it stays in its term');
    if (response.granted && response.askedInTerm === this.#term) this.#granted.add(response.from);
  }
}

/** A member that runs for leader. It is one for one term only: a later try is another candidate. */
export class Candidate {
  readonly role = 'candidate';
  readonly leader: undefined = undefined;
  readonly #member: Member;
  readonly #granted: Set<MemberId> = new Set();
  readonly #byTransfer: boolean;
  readonly #silent: Set<MemberId>;
  #ticksSinceAsked = 0;

  /** Enters the next term, votes for itself and asks the others; `byTransfer`: because the leader told it to. */
  constructor(member: Member, byTransfer: boolean) {
    this.#member = member;
    member.enterTerm((member.term + 1) as Term);
    member.voteFor(member.id);
    this.#byTransfer = byTransfer;
    this.#silent = new Set(member.votingPeers);
    member.resetPatience();
    this.#ask();
  }

  /** Asks again whoever has not answered, as often as a leader beats: a message may have been lost (Raft §5.1, retries). */
  tick(): void {
    if (++this.#ticksSinceAsked >= this.#member.limits.heartbeatTicks) this.#ask();
  }

  #ask(): void {
    this.#ticksSinceAsked = 0;
    const { id: from, term, log, outbox } = this.#member;
    const question = { term, lastLogIndex: log.lastIndex, lastLogTerm: log.lastTerm, byTransfer: this.#byTransfer };
    for (const to of this.#silent) outbox.send({ kind: 'request-vote', from, to, ...question });
  }

  get elected(): boolean {
    return isQuorum(this.#member.configuration, (voter) => this.#granted.has(voter));
  }

  /** Its own vote is durable, and so it counts: not before, or a member that votes alone might lead a term twice. */
  ownVotePersisted(): void {
    this.#granted.add(this.#member.id);
  }

  stepVote(response: RequestVoteResponse): void {
    assert(response.term === this.#member.term, 'a vote counts in its own term only');
    this.#silent.delete(response.from);
    if (response.granted) this.#granted.add(response.from);
  }
}

/**
 * Answers a pre-vote of any term; nothing but the answer comes of it. Granted when this member would vote so: in a term after
 * its own, for a log that is at least as up-to-date, and against no leader that it has heard of lately.
 */
export function answerPreVote(member: Member, hasLeader: boolean, request: PreVote): void {
  const granted = request.term >= member.term && !hasLeader && member.log.isCoveredBy(request.lastLogTerm, request.lastLogIndex);
  const { id: from, term, outbox } = member;
  outbox.send({ kind: 'pre-vote-response', from, to: request.from, term, granted, askedInTerm: request.term });
}

/**
 * Answers a candidate of this member's own term. One vote a term, first come first served, and only for a log that is at
 * least as up-to-date. Who knows a leader of the term needs no vote any more.
 */
export function answerRequestVote(member: Member, leader: MemberId | undefined, request: RequestVote): void {
  const free = member.vote === request.from || (member.vote === undefined && leader === undefined);
  const granted = free && member.log.isCoveredBy(request.lastLogTerm, request.lastLogIndex);
  if (granted) {
    member.voteFor(request.from);
    member.resetPatience();
  }
  refuseOrGrant(member, request.from, granted);
}

/** Tells a candidate of an earlier term that its time is over. */
export function refuseStaleVote(member: Member, request: RequestVote): void {
  refuseOrGrant(member, request.from, false);
}

function refuseOrGrant(member: Member, to: MemberId, granted: boolean): void {
  member.outbox.send({ kind: 'request-vote-response', from: member.id, to, term: member.term, granted });
}
