// The follower: takes what the leader of its term sends (Raft §5.3, the receiver of AppendEntries), and hands commands
// and reads on to it. A follower belongs to one term and one leader (or none yet); when either changes, a new one begins.
import { assert, unreachable } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import type { Member } from './member.ts';
import type { AppendEntries, Entry, Heartbeat, Message, ReadIndexResponse } from './messages.ts';
import type { Configuration } from './configuration.ts';
import type { ConfigurationResult, ProposeResult, ReadIndexResult, Rejection } from './types.ts';

/** Most reads a follower remembers while it waits for the leader; the oldest are forgotten first, as if their messages had been lost. */
const MAX_PENDING_READS = 10_000;

export class Follower {
  readonly role = 'follower';
  readonly leader: MemberId | undefined;
  readonly #member: Member;
  /** Reads under way to the leader: the number on the wire, and the driver's. */
  readonly #reads: Map<number, number> = new Map();

  constructor(member: Member, leader: MemberId | undefined) {
    this.#member = member;
    this.leader = leader;
  }

  step(message: Message): Rejection | undefined {
    switch (message.kind) {
      case 'append-entries':
        return this.#stepAppend(message);
      case 'heartbeat':
        return this.#stepHeartbeat(message);
      case 'read-index-response':
        return this.#stepReadIndexResponse(message);
      case 'timeout-now':
      case 'pre-vote':
      case 'request-vote':
        return undefined; // Answered in every role alike.
      case 'pre-vote-response':
      case 'request-vote-response':
      case 'append-entries-response':
      case 'heartbeat-response':
      case 'propose':
      case 'propose-configuration':
      case 'read-index':
        return undefined; // Meant for a role that this member had, or never had, in this term.
      default:
        return unreachable(message);
    }
  }

  #stepAppend(append: AppendEntries): undefined {
    const { log } = this.#member;
    const { prevLogIndex, prevLogTerm, entries } = append;
    this.#member.heardLeader();
    if (this.#member.isBlank) return this.#answer(append, false, prevLogIndex, 0 as LogIndex, 0 as Term);
    const termHere = log.termAt(prevLogIndex);
    const compacted = prevLogIndex < log.firstIndex - 1;
    if (!compacted && termHere !== prevLogTerm) {
      assert(
        prevLogIndex > log.commit,
        `a leader's entry ${prevLogIndex} of term ${prevLogTerm} contradicts a committed one of term ${termHere}`,
      );
      return this.#refuse(append);
    }
    this.#takeEntries(entries);
    const matched = (prevLogIndex + entries.length) as LogIndex;
    this.#member.commitTo(append.leaderCommit < matched ? append.leaderCommit : matched);
    // A leader has everything that is committed (Raft §5.4), so the logs agree at least that far.
    this.#answer(append, true, matched > log.commit ? matched : log.commit, 0 as LogIndex, 0 as Term);
    return undefined;
  }

  /** Appends what is new; entries from the first conflict on are replaced (Raft figure 2, AppendEntries 3 and 4). */
  #takeEntries(entries: readonly Entry[]): void {
    const { log } = this.#member;
    const isKnown = (entry: Entry): boolean => entry.index < log.firstIndex || log.termAt(entry.index) === entry.term;
    const start = entries.findIndex((entry) => !isKnown(entry));
    if (start < 0) return;
    const { index, term } = entries[start] as Entry;
    assert(index > log.commit, `a leader's entry ${index} of term ${term} contradicts a committed one of term ${log.termAt(index)}`);
    this.#member.append(start === 0 ? entries : entries.slice(start));
  }

  /** Says where the logs may still agree: never at `prevLogIndex`, never in a later term than the leader's there, always at the commit. */
  #refuse(append: AppendEntries): undefined {
    const { log } = this.#member;
    const high = Math.min(append.prevLogIndex - 1, log.lastIndex) as LogIndex;
    const index = log.lastIndexWithTermUpTo(append.prevLogTerm, log.commit, high);
    this.#answer(append, false, append.prevLogIndex, index, log.termAt(index) as Term);
    return undefined;
  }

  #answer(append: AppendEntries, success: boolean, matchIndex: LogIndex, conflictIndex: LogIndex, conflictTerm: Term): undefined {
    this.#member.outbox.send({
      kind: 'append-entries-response',
      from: this.#member.id,
      to: append.from,
      term: this.#member.term,
      success,
      matchIndex,
      conflictIndex,
      conflictTerm,
    });
  }

  #stepHeartbeat(heartbeat: Heartbeat): Rejection | undefined {
    const member = this.#member;
    member.heardLeader();
    if (heartbeat.leaderCommit > member.log.lastIndex) return 'beyond-log';
    member.commitTo(heartbeat.leaderCommit);
    member.outbox.send({
      kind: 'heartbeat-response',
      from: member.id,
      to: heartbeat.from,
      term: member.term,
      readRound: heartbeat.readRound,
      quietMs: member.limits.lease?.quietMs ?? 0,
    });
    return undefined;
  }

  propose(commands: readonly Uint8Array[]): ProposeResult {
    const { leader } = this;
    if (leader === undefined) return { outcome: 'no-leader' };
    const { id, term, outbox } = this.#member;
    outbox.send({ kind: 'propose', from: id, to: leader, term, commands });
    return { outcome: 'forwarded', term, leader };
  }

  proposeConfiguration(basis: LogIndex, target: Configuration): ConfigurationResult {
    const { leader } = this;
    if (leader === undefined) return 'no-leader';
    const { id, term, outbox } = this.#member;
    outbox.send({ kind: 'propose-configuration', from: id, to: leader, term, basis, target });
    return 'forwarded';
  }

  readIndex(context: number): ReadIndexResult {
    if (this.leader === undefined) return 'no-leader';
    const { id, term, outbox } = this.#member;
    const onTheWire = this.#member.nextReadContext();
    this.#reads.set(onTheWire, context);
    if (this.#reads.size > MAX_PENDING_READS) this.#reads.delete(this.#reads.keys().next().value as number);
    outbox.send({ kind: 'read-index', from: id, to: this.leader, term, context: onTheWire });
    return 'asked';
  }

  /** An answer counts once, and only to a question of this follower: not of an earlier life of the process (etcd #20418). */
  #stepReadIndexResponse(response: ReadIndexResponse): Rejection | undefined {
    if (response.from !== this.leader) return this.leader === undefined ? undefined : 'second-leader';
    const context = this.#reads.get(response.context);
    if (context === undefined) return undefined;
    this.#reads.delete(response.context);
    this.#member.outbox.answerRead({ context, index: response.readIndex });
    return undefined;
  }
}

/** Tells a leader of an earlier term that its time is over. */
export function refuseStaleLeader(member: Member, message: AppendEntries | Heartbeat): void {
  const { id: from, term, outbox } = member;
  if (message.kind === 'heartbeat') {
    outbox.send({ kind: 'heartbeat-response', from, to: message.from, term, readRound: 0, quietMs: 0 });
    return;
  }
  outbox.send({
    kind: 'append-entries-response',
    from,
    to: message.from,
    term,
    success: false,
    matchIndex: message.prevLogIndex,
    conflictIndex: 0 as LogIndex,
    conflictTerm: 0 as Term,
  });
}
