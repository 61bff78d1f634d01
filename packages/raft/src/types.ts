// The shape of the core's work: what it is given, what it hands out. `step / tick / ready / persisted / applied`.
import type { LogIndex, MemberId, Random, Term } from '@distrokv/base';
import type { Configuration } from './configuration.ts';
import type { Entry, Message } from './messages.ts';

/** What must be on disk before a member answers anybody (Raft figure 2, persistent state), and how far it knew to be committed. */
export interface HardState {
  readonly term: Term;
  /** Whom this member voted for in `term`. */
  readonly vote: MemberId | undefined;
  /**
   * A lower bound; it may be lost without harm. It never names an entry that was not durable when it was handed out,
   * and it never causes a write of its own: it goes along with the next one.
   */
  readonly commit: LogIndex;
}

/**
 * The durable part of the log, as the driver keeps it. Calls are synchronous and bounded by `maxBytes`. It may show a
 * write as soon as it is made, but must show it when `persisted` is called. It drops entries from its front only as far
 * as they are applied. A follower that needs a dropped one is sent a snapshot, so the driver does well to keep some.
 */
export interface LogStorage {
  /** The first index that can still be read; one past the compacted part. 1 for a whole log. */
  firstIndex(): LogIndex;
  /** The last index; `firstIndex() - 1` when empty. */
  lastIndex(): LogIndex;
  /** The term of an entry in [firstIndex - 1, lastIndex] (0 at index 0); undefined outside. */
  termAt(index: LogIndex): Term | undefined;
  /** Entries from `from`, before `to`: as many as fit in `maxBytes` of data, but at least one. */
  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[];
}

/** A `pre-candidate` asks whether it would be elected; a `candidate` runs. Neither knows a leader. */
export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

export interface RaftOptions {
  readonly id: MemberId;
  /** The configuration as of `applied`; without voters for a member that waits for its first snapshot. */
  readonly configuration: Configuration;
  /** Of the entry that brought it, at or before `applied`; 0 (the default) when the cluster began with it. */
  readonly configurationIndex?: LogIndex;
  readonly hardState: HardState;
  readonly storage: LogStorage;
  /** The state machine has this much already; `committed` of the first Ready starts after it. */
  readonly applied: LogIndex;
  readonly random: Random;
  /**
   * Ticks without a word from a leader before an election; each wait is drawn from [electionTicks, 2 × electionTicks). So long
   * nobody is voted for who is not the leader, and a leader that has no answer of a majority for so long steps down.
   */
  readonly electionTicks: number;
  /** Ticks between a leader's heartbeats. */
  readonly heartbeatTicks: number;
  /**
   * Answers reads without a round while a quorum's promises last (dissertation §6.4.1); without it (the default), no read depends on a clock.
   * Every member of the cluster is to have it: who has not, promises nothing, and leases rest on the others alone.
   */
  readonly lease?: LeaseOptions;
  /** Most bytes of entries in one AppendEntries (default 1 MiB; a single larger entry goes alone). */
  readonly maxAppendBytes?: number;
  /** Most AppendEntries under way to one follower (default 64). */
  readonly maxInflightAppends?: number;
  /** Most bytes of committed entries in one Ready (default 1 MiB, at least one entry). */
  readonly maxApplyBytes?: number;
  /** Most bytes of entries proposed and not yet committed; past it a leader refuses (default 64 MiB). */
  readonly maxUncommittedBytes?: number;
}

export interface LeaseOptions {
  /** This member's clock, in ms: monotonic, and not standing still while the process or its machine does. */
  readonly now: () => number;
  /** How long a tick is. */
  readonly tickMs: number;
  /** How much faster or slower than true time any member's clock may run, above 0 and below 1: 0.01 for a hundredth. */
  readonly maxDrift: number;
}

export interface SoftState {
  readonly role: Role;
  readonly leader: MemberId | undefined;
  readonly term: Term;
}

/** The answer to `readIndex(context)`: read once this much is applied. */
export interface ReadState {
  readonly context: number;
  readonly index: LogIndex;
}

/**
 * One portion of work. The driver, in this order:
 * 1. sends `messages` at once;
 * 2. writes `hardState` and `entries` (which replace whatever the log has from `entries[0].index` on) and syncs, if `writeId` > 0;
 *    writes are made in the order of their ids, several may share a sync. A write may be empty: then it costs no sync of
 *    its own, and only says that its messages wait for the writes before it;
 * 3. after that sync: sends `messagesAfterPersist` and calls `persisted(writeId)`, which covers the smaller ids too;
 * 4. applies `committed`, then calls `applied(index)`. Steps 2-3 and 4 do not wait for each other.
 * The next Ready may be taken before any of this is done.
 */
export interface Ready {
  /** 0 when there is nothing to write; else one more than the last. */
  readonly writeId: number;
  /** What to write, if anything of it must be: term and vote when they changed, the commit along with them or with entries. */
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly messages: readonly Message[];
  readonly messagesAfterPersist: readonly Message[];
  /** Committed by a quorum and durable here, in order, each exactly once. */
  readonly committed: readonly Entry[];
  readonly readStates: readonly ReadState[];
  /**
   * Followers that need entries which this leader's log no longer has. The driver sends each a snapshot of what is applied, then calls
   * `snapshotSent`, whatever came of it; until then the follower is sent no entries. May name one whose snapshot is under way.
   */
  readonly snapshots: readonly MemberId[];
  /** Set when another configuration came into force since the last Ready: whom to reach, and where. */
  readonly configuration: Configuration | undefined;
  /** Set when role, leader or term changed since the last Ready. */
  readonly softState: SoftState | undefined;
}

export type ProposeResult =
  /** In this leader's log, at the entries ending with `lastIndex`. */
  | { readonly outcome: 'appended'; readonly term: Term; readonly lastIndex: LogIndex }
  /** On its way to the leader of `term`; may get lost. If it is ever committed, then in an entry of exactly this term. */
  | { readonly outcome: 'forwarded'; readonly term: Term; readonly leader: MemberId }
  | { readonly outcome: 'no-leader' }
  /** The leader is handing over, for at most an election timeout: to be proposed again, to it or to its successor. */
  | { readonly outcome: 'transferring' }
  /** Too much is uncommitted already. */
  | { readonly outcome: 'overloaded' };

/**
 * - `appended`: it is in this leader's log, and in force. It is done when an applied configuration is not joint any more.
 * - `forwarded`: on its way to the leader; may get lost, or come too late. Proposing it again does no harm.
 * - `not-now`: `basis` is not the configuration in force, or that one is not committed or still joint, or nothing of this
 *   leader's term is committed yet (dissertation §4.3 and its erratum), or the leader hands over.
 */
export type ConfigurationResult = 'appended' | 'forwarded' | 'no-leader' | 'not-now';

/**
 * Why `step` did not take a message. Peers are not trusted to be free of bugs: what no correct peer would send is refused
 * and counted, and never touches log, vote or commit. (What a correct peer may send late or twice is not refused, only without effect.)
 * - `wrong-recipient`: `to` is another member. `unknown-sender`: `from` is this member itself; or no member that a leader knows, where only
 *   its members have anything to say. (A candidate or a leader may well be in a configuration that is news here: dissertation §4.1.)
 * - `malformed`: fields that contradict each other, as entries that are not contiguous or whose terms go back.
 * - `term-leap`: a term so far ahead that no cluster can have held that many elections.
 * - `second-leader`: speaks as the leader of a term that has another one.
 * - `beyond-log`: claims what cannot be: a match, a commit or a read round that this member never had or sent.
 */
export type Rejection = 'wrong-recipient' | 'unknown-sender' | 'malformed' | 'term-leap' | 'second-leader' | 'beyond-log';

/**
 * `started`: it is over when the leader changes, or after an election timeout, when this member goes on leading. `bad-target`: who is
 * no other voter.
 */
export type TransferResult = 'started' | 'not-leader' | 'bad-target';

/** `asked`: a ReadState with the context follows, unless the leader changes or a message is lost. */
export type ReadIndexResult = 'asked' | 'no-leader';

export interface RaftStatus extends SoftState {
  readonly id: MemberId;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly lastIndex: LogIndex;
  readonly firstIndex: LogIndex;
  /** In force: the latest in the log. */
  readonly configuration: Configuration;
  /** Of the entry that brought it. */
  readonly configurationIndex: LogIndex;
  /** On a leader: how far each other member's log is known to match. */
  readonly match: ReadonlyMap<MemberId, LogIndex>;
  /** Messages that `step` refused since the start; see Rejection. */
  readonly rejected: number;
}
