// One member under test, whose peers are the test itself: it says what they send, and looks at what comes back.
import { configurationOf } from '../configuration.ts';
import { EMPTY, seededRandom } from '@distrokv/base';
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import { MemoryLog } from '../memory-log.ts';
import type { AppendEntries, Entry, Heartbeat, Message, PreVote } from '../messages.ts';
import { Raft } from '../raft.ts';
import type { LeaseOptions, RaftOptions, RaftStatus, ReadState, Ready, Rejection, Role } from '../types.ts';
import { ELECTION_TICKS, HEARTBEAT_TICKS } from './cluster.ts';
import type { ClusterOptions } from './cluster.ts';

export interface SoloOptions {
  readonly id?: number;
  readonly size?: number;
  readonly learners?: readonly number[];
  readonly seed?: number;
  readonly term?: number;
  readonly vote?: number;
  /** The terms of its entries, from index 1 on. */
  readonly log?: readonly number[];
  readonly commit?: number;
  readonly applied?: number;
  readonly limits?: ClusterOptions['limits'];
  readonly lease?: LeaseOptions;
}

/** What a pre-candidate or a candidate says of itself. */
interface Question {
  readonly from: number;
  readonly term: number;
  readonly last?: readonly [index: number, term: number];
}

const idOf = (n: number): MemberId => BigInt(n) as MemberId;

export function entry(index: number, term: number): Entry {
  return { index: index as LogIndex, term: term as Term, kind: 'command', data: EMPTY };
}

/** An append to member 1. */
export function append(of: {
  readonly from: number;
  readonly term: number;
  readonly prev: readonly [index: number, term: number];
  readonly entries: readonly Entry[];
  readonly commit?: number;
}): AppendEntries {
  return {
    kind: 'append-entries',
    from: idOf(of.from),
    to: idOf(1),
    term: of.term as Term,
    prevLogIndex: of.prev[0] as LogIndex,
    prevLogTerm: of.prev[1] as Term,
    entries: of.entries,
    leaderCommit: (of.commit ?? 0) as LogIndex,
  };
}

/** A heartbeat to member 1. */
export function heartbeat(of: { readonly from: number; readonly term: number; readonly commit?: number }): Heartbeat {
  return {
    kind: 'heartbeat',
    from: idOf(of.from),
    to: idOf(1),
    term: of.term as Term,
    leaderCommit: (of.commit ?? 0) as LogIndex,
    readRound: 0,
  };
}

/** The messages of one kind. */
export function only<K extends Message['kind']>(messages: readonly Message[], kind: K): Extract<Message, { kind: K }>[] {
  return messages.filter((message): message is Extract<Message, { kind: K }> => message.kind === kind);
}

export class Solo {
  readonly raft: Raft;
  readonly storage: MemoryLog;
  readonly readStates: ReadState[] = [];
  readonly #id: MemberId;
  readonly #voters: readonly MemberId[];

  constructor(options: SoloOptions) {
    this.#id = idOf(options.id ?? 1);
    this.#voters = Array.from({ length: options.size ?? 3 }, (_, i) => idOf(i + 1));
    this.storage = new MemoryLog((options.log ?? []).map((term, i) => entry(i + 1, term)));
    const raftOptions: RaftOptions = {
      ...options.limits,
      ...(options.lease && { lease: options.lease }),
      id: this.#id,
      configuration: configurationOf(this.#voters, (options.learners ?? []).map(idOf)),
      hardState: {
        term: (options.term ?? 0) as Term,
        vote: options.vote === undefined ? undefined : idOf(options.vote),
        commit: (options.commit ?? 0) as LogIndex,
      },
      storage: this.storage,
      applied: (options.applied ?? 0) as LogIndex,
      random: seededRandom(options.seed ?? 1),
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: HEARTBEAT_TICKS,
    };
    this.raft = new Raft(raftOptions);
  }

  /** Member 1 of 3 in the given role, in term 1 if it is no follower. */
  static as(role: Role, limits: ClusterOptions['limits'] = {}): Solo {
    const solo = new Solo({ limits });
    if (role === 'pre-candidate') solo.raft.campaign();
    if (role === 'candidate') solo.run();
    if (role === 'leader') solo.elect();
    return solo;
  }

  get status(): RaftStatus {
    return this.raft.status();
  }

  /** Becomes a candidate: everybody would vote for it. Its questions are forgotten, its request for votes is not taken yet. */
  run(): void {
    this.raft.campaign();
    if (this.status.role === 'pre-candidate') this.raft.ready();
    for (const voter of this.#voters) if (voter !== this.#id) this.preVote(Number(voter));
  }

  /** Wins an election by the votes of all. What that gives to do from then on is not taken yet. */
  elect(): void {
    this.run();
    this.persist(this.raft.ready());
    for (const voter of this.#voters) if (voter !== this.#id) this.vote(Number(voter));
  }

  step(message: Message): Rejection | undefined {
    return this.raft.step(message);
  }

  /** Takes all work, does the disk's part of it at once, and returns the messages. */
  drain(): Message[] {
    const messages: Message[] = [];
    while (this.raft.hasReady()) {
      const ready = this.raft.ready();
      messages.push(...ready.messages);
      this.readStates.push(...ready.readStates);
      messages.push(...this.persist(ready));
    }
    return messages;
  }

  /** Does the disk's part of a Ready. */
  persist(ready: Ready): readonly Message[] {
    this.storage.append(ready.entries);
    if (ready.writeId > 0) this.raft.persisted(ready.writeId);
    return ready.messagesAfterPersist;
  }

  terms(): number[] {
    return Array.from({ length: this.status.lastIndex }, (_, i) => this.storage.termAt((i + 1) as LogIndex) as number);
  }

  #to(from: number): { from: MemberId; to: MemberId; term: Term } {
    return { from: idOf(from), to: this.#id, term: this.status.term };
  }

  preVote(from: number, granted = true): void {
    this.step({ kind: 'pre-vote-response', ...this.#to(from), granted, askedInTerm: this.status.term });
  }

  vote(from: number): void {
    this.step({ kind: 'request-vote-response', ...this.#to(from), granted: true });
  }

  askVote(of: Question & { readonly byTransfer?: boolean }): void {
    this.step({ kind: 'request-vote', ...this.#question(of), byTransfer: of.byTransfer ?? false });
  }

  askPreVote(of: Question): void {
    this.step({ kind: 'pre-vote', ...this.#question(of) });
  }

  #question({ from, term, last: [index, lastTerm] = [0, 0] }: Question): Omit<PreVote, 'kind'> {
    return { ...this.#to(from), term: term as Term, lastLogIndex: index as LogIndex, lastLogTerm: lastTerm as Term };
  }

  accept(from: number, matchIndex: number): void {
    const none = { conflictIndex: 0 as LogIndex, conflictTerm: 0 as Term };
    this.step({ kind: 'append-entries-response', ...this.#to(from), success: true, matchIndex: matchIndex as LogIndex, ...none });
  }

  answerHeartbeat(from: number, readRound: number, quietMs = 800): void {
    this.step({ kind: 'heartbeat-response', ...this.#to(from), readRound, quietMs });
  }
}
