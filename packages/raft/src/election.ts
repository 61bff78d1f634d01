// Leader election (Raft §5.2) with its restriction that only an up-to-date log can win (Raft §5.4.1): the candidate and the voter.
import { assert } from '@distrokv/base';
import type { MemberId, Term } from '@distrokv/base';
import type { Member } from './member.ts';
import type { RequestVote, RequestVoteResponse } from './messages.ts';
import { majority } from './quorum.ts';

/** A member that runs for leader. It is one for one term only: a later try is another candidate. */
export class Candidate {
  readonly role = 'candidate';
  readonly leader: undefined = undefined;
  readonly #member: Member;
  readonly #granted: Set<MemberId>;

  /**
   * Enters the next term, votes for itself and asks the others. Its own vote counts at once, although it is not durable
   * yet: the others are asked only after it is, so no election with more than one voter can be won before.
   */
  constructor(member: Member) {
    this.#member = member;
    this.#granted = new Set([member.id]);
    member.enterTerm((member.term + 1) as Term);
    member.voteFor(member.id);
    member.resetPatience();
    for (const peer of member.peers) {
      member.outbox.send({
        kind: 'request-vote',
        from: member.id,
        to: peer,
        term: member.term,
        lastLogIndex: member.log.lastIndex,
        lastLogTerm: member.log.lastTerm,
      });
    }
  }

  get elected(): boolean {
    return this.#granted.size >= majority(this.#member.voters.length);
  }

  stepVote(response: RequestVoteResponse): void {
    assert(response.term === this.#member.term, 'a vote counts in its own term only');
    if (response.granted) this.#granted.add(response.from);
  }
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
