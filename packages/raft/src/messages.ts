// What members say to each other: a closed union, one small type per kind. The names are the paper's (Raft §5) and
// etcd's where the paper has none. Every message carries its sender's term (Raft §5.1).
import type { LogIndex, MemberId, Term } from '@distrokv/base';
import type { Configuration } from './configuration.ts';

/**
 * A `noop` starts a leader's term (Raft §8); a `command` is for the state machine, whose bytes Raft never reads; a `config` holds a
 * whole Configuration (`encodeConfiguration`), in force as soon as it is in the log (Raft §6).
 */
export type EntryKind = 'noop' | 'command' | 'config';

export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term. */
  readonly term: Term;
}

/**
 * Would you vote for me? (Raft dissertation §9.6.) Asked before a member enters the next term, so that one which cannot win
 * disturbs nobody. It changes nothing with who is asked, hence it does not carry the asked into the sender's term either.
 */
export interface PreVote extends Envelope {
  readonly kind: 'pre-vote';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
}

/** A grant promises nothing. Its own `term` may be earlier than the asker's: who is asked stays in its term. */
export interface PreVoteResponse extends Envelope {
  readonly kind: 'pre-vote-response';
  readonly granted: boolean;
  /** The term of the PreVote that this answers: it counts for an election in the term after that. */
  readonly askedInTerm: Term;
}

/** RequestVote RPC, arguments (Raft §5.2, §5.4.1). */
export interface RequestVote extends Envelope {
  readonly kind: 'request-vote';
  readonly lastLogIndex: LogIndex;
  readonly lastLogTerm: Term;
  /** The leader itself wants this election (dissertation §4.2.3, §3.10): that a leader was heard of is no reason to refuse. */
  readonly byTransfer: boolean;
}

/** RequestVote RPC, result. */
export interface RequestVoteResponse extends Envelope {
  readonly kind: 'request-vote-response';
  readonly granted: boolean;
}

/** AppendEntries RPC, arguments (Raft §5.3). */
export interface AppendEntries extends Envelope {
  readonly kind: 'append-entries';
  readonly prevLogIndex: LogIndex;
  readonly prevLogTerm: Term;
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
}

/** AppendEntries RPC, result. */
export interface AppendEntriesResponse extends Envelope {
  readonly kind: 'append-entries-response';
  readonly success: boolean;
  /**
   * On success: the follower's log equals the leader's up to here, durably. On failure: the `prevLogIndex` refused. Who refuses
   * even 0, the start of the log, has nothing to start from: it needs a snapshot.
   */
  readonly matchIndex: LogIndex;
  /**
   * On failure: the last index at which the two logs may still agree, as far as the follower can tell, and its own term
   * there; the leader looks for the `prevLogIndex` of its next try at or below it (Raft §5.3, the fast back-up).
   */
  readonly conflictIndex: LogIndex;
  readonly conflictTerm: Term;
}

/** Tells followers that the leader lives, how far it has committed, and which round of reads it asks about. */
export interface Heartbeat extends Envelope {
  readonly kind: 'heartbeat';
  /** Never beyond what the follower is known to have. */
  readonly leaderCommit: LogIndex;
  /** The latest read round of this leader's term; 0 when there was none. */
  readonly readRound: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly kind: 'heartbeat-response';
  /** The `readRound` of the heartbeat that this answers. */
  readonly readRound: number;
  /** For so long, by its own clock, who answers helps nobody against this leader: a lease may rest on it (dissertation §6.4.1). 0: it promises nothing. */
  readonly quietMs: number;
}

/** The leader hands over: run for leader now, you have all that I have (Raft dissertation §3.10). */
export interface TimeoutNow extends Envelope {
  readonly kind: 'timeout-now';
}

/** A follower hands commands to the leader. Taken only by the leader of exactly this term; else dropped. */
export interface Propose extends Envelope {
  readonly kind: 'propose';
  readonly commands: readonly Uint8Array[];
}

/**
 * A follower hands a change of the configuration to the leader. A leader of whatever term takes it, if `basis` still is the
 * configuration in force there: so it is taken at most once, however often it comes.
 */
export interface ProposeConfiguration extends Envelope {
  readonly kind: 'propose-configuration';
  /** The entry of the configuration that the proposer started from; 0 for the one that the cluster began with. */
  readonly basis: LogIndex;
  /** What the change is to lead to; not joint. */
  readonly target: Configuration;
}

/** A follower asks the leader for a read index (Raft dissertation §6.4). */
export interface ReadIndexRequest extends Envelope {
  readonly kind: 'read-index';
  /** The follower's own number for this read; it comes back in the answer. Raft itself picks it, so that no life of a process repeats another's. */
  readonly context: number;
}

export interface ReadIndexResponse extends Envelope {
  readonly kind: 'read-index-response';
  readonly context: number;
  /** A read is linearizable once the reader has applied up to here. */
  readonly readIndex: LogIndex;
}

export type Message =
  | PreVote
  | PreVoteResponse
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | HeartbeatResponse
  | TimeoutNow
  | Propose
  | ProposeConfiguration
  | ReadIndexRequest
  | ReadIndexResponse;
