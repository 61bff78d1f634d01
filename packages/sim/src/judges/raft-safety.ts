// Raft's five safety properties (figure 3 of the paper), judged from what members send and say of themselves, over all their lives:
//   election safety       at most one leader in a term, and at most one vote of each member in a term
//   leader append-only    in its term, a leader never says two things of one index
//   log matching          an index and a term name one entry, which follows one entry
//   leader completeness   a new leader has every entry that was committed in an earlier term than its own; one that a deposed leader of an
//                         earlier term never heard of may be committed meanwhile
//   state machine safety  no two members commit different entries at an index, or are in different states after applying it
import { type LogIndex, type MemberId, hexId } from '@distrokv/base';
import type { Entry, Message, RaftStatus } from '@distrokv/raft';
import type { Storage } from '@distrokv/server';
import { Violation } from '../violation.ts';

/** What is known of an entry, whoever has it. */
interface KnownEntry {
  readonly previousTerm: number;
  readonly print: number;
}

export class RaftJudge {
  /** By term: who leads it. */
  readonly #leaders = new Map<number, MemberId>();
  /** By member and term: whom it voted for. */
  readonly #votes = new Map<string, MemberId>();
  /** By index and term. */
  readonly #entries = new Map<string, KnownEntry>();
  /** By the leader's term: the term of each entry that it sent, by index. */
  readonly #logs = new Map<number, Map<number, number>>();
  /** Position i: the term of the committed entry i + 1. */
  readonly #committed: number[] = [];
  /** By index: the earliest term that a member was in when it was seen to have committed this entry. */
  readonly #committedIn: number[] = [];
  /** By applied index: the revision of the store. */
  readonly #revisions: number[] = [];
  /** By member: up to where its commits were looked at, and the last term it was seen to lead. */
  readonly #seen = new Map<number, { commit: number; leads: number }>();

  get leaders(): number {
    return this.#leaders.size;
  }

  get committed(): number {
    return this.#committed.length;
  }

  started(member: number, storage: Storage): void {
    this.#seen.set(member, { commit: storage.log.firstIndex() - 1, leads: 0 });
  }

  died(member: number): void {
    this.#seen.delete(member);
  }

  sent(member: number, message: Message): void {
    switch (message.kind) {
      case 'request-vote':
        return this.#vote(member, message, message.from);
      case 'request-vote-response':
        return message.granted ? this.#vote(member, message, message.to) : undefined;
      case 'heartbeat':
        return this.#leads(message.from, message.term);
      case 'append-entries':
        this.#leads(message.from, message.term);
        return this.#append(message.term, message.prevLogTerm, message.entries);
      default:
        return undefined;
    }
  }

  observe(member: number, status: RaftStatus, storage: Storage): void {
    const seen = this.#seen.get(member);
    if (!seen) return;
    if (status.role === 'leader') {
      this.#leads(status.id, status.term);
      if (seen.leads !== status.term) this.#complete(member, status.term, storage);
      seen.leads = status.term;
    }
    // Up to what is applied: the log on disk shows that for certain, while an entry just committed may not have reached it.
    for (; seen.commit < status.applied; seen.commit++) if (!this.#commits(member, seen.commit + 1, status.term, storage)) break;
    if (storage.store.isMidEntry) return;
    const { appliedIndex, revision } = storage.store.state;
    const before = (this.#revisions[appliedIndex] ??= revision);
    if (before !== revision)
      throw new Violation(
        'raft',
        `state machine safety: after entry ${appliedIndex}, n${member + 1} is at revision ${revision}, another was at ${before}`,
      );
  }

  #vote(member: number, { from, term }: Message, candidate: MemberId): void {
    const key = `${from}/${term}`;
    const before = this.#votes.get(key);
    if (before !== undefined && before !== candidate)
      throw new Violation('raft', `election safety: n${member + 1} votes twice in term ${term}`);
    this.#votes.set(key, candidate);
  }

  #leads(member: MemberId, term: number): void {
    const before = this.#leaders.get(term);
    if (before !== undefined && before !== member)
      throw new Violation('raft', `election safety: members ${hexId(before)} and ${hexId(member)} both lead term ${term}`);
    this.#leaders.set(term, member);
  }

  #append(leaderTerm: number, prevLogTerm: number, entries: readonly Entry[]): void {
    let log = this.#logs.get(leaderTerm);
    if (!log) this.#logs.set(leaderTerm, (log = new Map()));
    let previousTerm = prevLogTerm;
    for (const entry of entries) {
      const said = log.get(entry.index);
      if (said !== undefined && said !== entry.term)
        throw new Violation(
          'raft',
          `leader append-only: the leader of term ${leaderTerm} had entry ${entry.index} of term ${said}, and has one of term ${entry.term}`,
        );
      log.set(entry.index, entry.term);
      const key = `${entry.index}/${entry.term}`;
      const known = this.#entries.get(key);
      if (!known) this.#entries.set(key, { previousTerm, print: printOf(entry) });
      else if (known.previousTerm !== previousTerm || known.print !== printOf(entry))
        throw new Violation('raft', `log matching: there are two entries ${entry.index} of term ${entry.term}`);
      previousTerm = entry.term;
    }
  }

  #complete(member: number, term: number, { log }: Storage): void {
    let last = this.#committed.length;
    while (last > 0 && (this.#committedIn[last - 1] ?? term) >= term) last--;
    if (last < log.firstIndex()) return; // It had it, and dropped it as applied everywhere.
    const own = log.termAt(last as LogIndex);
    if (own !== this.#committed[last - 1])
      throw new Violation(
        'raft',
        `leader completeness: n${member + 1} leads term ${term} without the committed entry ${last} (it has ${own === undefined ? 'none' : `one of term ${own}`})`,
      );
  }

  /** False when the member cannot show the entry (yet). */
  #commits(member: number, index: number, inTerm: number, { log }: Storage): boolean {
    const term = log.termAt(index as LogIndex);
    if (term === undefined) return index < log.firstIndex();
    this.#committedIn[index - 1] = Math.min(this.#committedIn[index - 1] ?? inTerm, inTerm);
    const before = (this.#committed[index - 1] ??= term);
    if (before !== term)
      throw new Violation(
        'raft',
        `state machine safety: n${member + 1} commits an entry ${index} of term ${term}, another committed one of term ${before}`,
      );
    return true;
  }
}

/** Enough to tell two entries apart: chance collisions are as unlikely as they are in the hash of a trace. */
function printOf({ data, kind }: Entry): number {
  let hash = kind === 'noop' ? 1 : 2;
  for (const byte of data) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash ^ data.length;
}
