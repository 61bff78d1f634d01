// Generated from proto/peer.proto by generator/main.mjs: change that and run `npm run generate`.
// What members say to each other: Raft's messages in batches, on one long-lived stream each way. docs/04-wire.md tells
// the protocol; packages/raft/src/messages.ts says what each message means.
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import * as codec from './peer.codec.ts';

/** Open: a number without a name here may come from a later version. */
export type EntryKind = number;
export const EntryKind: { readonly NOOP: 0; readonly COMMAND: 1; readonly CONFIG: 2 } = {
  /** Starts a leader's term; has no data. */
  NOOP: 0,
  /** For the state machine. */
  COMMAND: 1,
  /** Who the members are: a configuration as docs/format/raft-log.md has it. */
  CONFIG: 2,
};

/** The messages of one turn, in order. They may be lost with the stream: Raft copes. */
export interface PeerBatch {
  readonly messages: readonly PeerMessage[];
  /** In the first batch of a stream, and only there. */
  readonly hello: PeerHello | undefined;
}
export const PeerBatch: MessageType<PeerBatch> = messageType(
  'distrokv.peer.PeerBatch',
  codec.createPeerBatch,
  codec.readPeerBatch,
  codec.writePeerBatch,
);

/** Who speaks, so that a member never listens to another cluster's. */
export interface PeerHello {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** Of this protocol: 1. */
  readonly formatVersion: number;
  /** Where the sender is reached: the answerer may not have heard of it yet. */
  readonly peerUrls: readonly string[];
}
export const PeerHello: MessageType<PeerHello> = messageType(
  'distrokv.peer.PeerHello',
  codec.createPeerHello,
  codec.readPeerHello,
  codec.writePeerHello,
);

export interface SnapshotFrame {
  /** In the first frame, and only there. */
  readonly offer: SnapshotOffer | undefined;
  /** What the last request asked for. */
  readonly data: Uint8Array;
}
export const SnapshotFrame: MessageType<SnapshotFrame> = messageType(
  'distrokv.peer.SnapshotFrame',
  codec.createSnapshotFrame,
  codec.readSnapshotFrame,
  codec.writeSnapshotFrame,
);

export interface SnapshotOffer {
  readonly hello: PeerHello | undefined;
  /** The same for the same checkpoint. */
  readonly id: bigint;
  readonly files: readonly SnapshotFile[];
}
export const SnapshotOffer: MessageType<SnapshotOffer> = messageType(
  'distrokv.peer.SnapshotOffer',
  codec.createSnapshotOffer,
  codec.readSnapshotOffer,
  codec.writeSnapshotOffer,
);

export interface SnapshotFile {
  readonly name: string;
  readonly bytes: number;
}
export const SnapshotFile: MessageType<SnapshotFile> = messageType(
  'distrokv.peer.SnapshotFile',
  codec.createSnapshotFile,
  codec.readSnapshotFile,
  codec.writeSnapshotFile,
);

export interface SnapshotRequest {
  /** Position in the list of files. */
  readonly file: number;
  readonly offset: number;
  readonly length: number;
  /** It is over: the answerer has everything up to this entry of the log. */
  readonly done: boolean;
  readonly index: number;
}
export const SnapshotRequest: MessageType<SnapshotRequest> = messageType(
  'distrokv.peer.SnapshotRequest',
  codec.createSnapshotRequest,
  codec.readSnapshotRequest,
  codec.writeSnapshotRequest,
);

export interface JoinRequest {
  readonly peerUrls: readonly string[];
  /** Take the place of the member with these URLs, whose disk is lost, as a new member. */
  readonly replace: boolean;
}
export const JoinRequest: MessageType<JoinRequest> = messageType(
  'distrokv.peer.JoinRequest',
  codec.createJoinRequest,
  codec.readJoinRequest,
  codec.writeJoinRequest,
);

export interface JoinResponse {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}
export const JoinResponse: MessageType<JoinResponse> = messageType(
  'distrokv.peer.JoinResponse',
  codec.createJoinResponse,
  codec.readJoinResponse,
  codec.writeJoinResponse,
);

export interface PromoteRequest {
  readonly memberId: bigint;
}
export const PromoteRequest: MessageType<PromoteRequest> = messageType(
  'distrokv.peer.PromoteRequest',
  codec.createPromoteRequest,
  codec.readPromoteRequest,
  codec.writePromoteRequest,
);

export type PromoteResponse = Readonly<Record<string, never>>;
export const PromoteResponse: MessageType<PromoteResponse> = messageType(
  'distrokv.peer.PromoteResponse',
  codec.createPromoteResponse,
  codec.readPromoteResponse,
  codec.writePromoteResponse,
);

export interface PeerMessage {
  /** Member ids. */
  readonly from: bigint;
  readonly to: bigint;
  /** The sender's term. */
  readonly term: number;
  readonly body:
    | { readonly case: 'requestVote'; readonly value: RequestVote }
    | { readonly case: 'requestVoteResponse'; readonly value: RequestVoteResponse }
    | { readonly case: 'appendEntries'; readonly value: AppendEntries }
    | { readonly case: 'appendEntriesResponse'; readonly value: AppendEntriesResponse }
    | { readonly case: 'heartbeat'; readonly value: Heartbeat }
    | { readonly case: 'heartbeatResponse'; readonly value: HeartbeatResponse }
    | { readonly case: 'propose'; readonly value: Propose }
    | { readonly case: 'readIndex'; readonly value: ReadIndex }
    | { readonly case: 'readIndexResponse'; readonly value: ReadIndexResponse }
    | { readonly case: 'preVote'; readonly value: PreVote }
    | { readonly case: 'preVoteResponse'; readonly value: PreVoteResponse }
    | { readonly case: 'timeoutNow'; readonly value: TimeoutNow }
    | { readonly case: 'proposeConfiguration'; readonly value: ProposeConfiguration }
    | undefined;
}
export const PeerMessage: MessageType<PeerMessage> = messageType(
  'distrokv.peer.PeerMessage',
  codec.createPeerMessage,
  codec.readPeerMessage,
  codec.writePeerMessage,
);

/** One entry of the log. */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}
export const Entry: MessageType<Entry> = messageType('distrokv.peer.Entry', codec.createEntry, codec.readEntry, codec.writeEntry);

/** RequestVote RPC, arguments (Raft §5.2, §5.4.1). */
export interface RequestVote {
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
  /** The leader wants this election: do not refuse for its sake (Raft dissertation §4.2.3). */
  readonly byTransfer: boolean;
}
export const RequestVote: MessageType<RequestVote> = messageType(
  'distrokv.peer.RequestVote',
  codec.createRequestVote,
  codec.readRequestVote,
  codec.writeRequestVote,
);

/** RequestVote RPC, result. */
export interface RequestVoteResponse {
  readonly granted: boolean;
}
export const RequestVoteResponse: MessageType<RequestVoteResponse> = messageType(
  'distrokv.peer.RequestVoteResponse',
  codec.createRequestVoteResponse,
  codec.readRequestVoteResponse,
  codec.writeRequestVoteResponse,
);

/** Would you vote for me? (Raft dissertation §9.6.) */
export interface PreVote {
  readonly lastLogIndex: number;
  readonly lastLogTerm: number;
}
export const PreVote: MessageType<PreVote> = messageType(
  'distrokv.peer.PreVote',
  codec.createPreVote,
  codec.readPreVote,
  codec.writePreVote,
);

export interface PreVoteResponse {
  readonly granted: boolean;
  /** The term of the pre_vote that this answers. */
  readonly askedInTerm: number;
}
export const PreVoteResponse: MessageType<PreVoteResponse> = messageType(
  'distrokv.peer.PreVoteResponse',
  codec.createPreVoteResponse,
  codec.readPreVoteResponse,
  codec.writePreVoteResponse,
);

/** AppendEntries RPC, arguments (Raft §5.3). */
export interface AppendEntries {
  readonly prevLogIndex: number;
  readonly prevLogTerm: number;
  readonly entries: readonly Entry[];
  readonly leaderCommit: number;
}
export const AppendEntries: MessageType<AppendEntries> = messageType(
  'distrokv.peer.AppendEntries',
  codec.createAppendEntries,
  codec.readAppendEntries,
  codec.writeAppendEntries,
);

/** AppendEntries RPC, result. */
export interface AppendEntriesResponse {
  readonly success: boolean;
  /** On success, how far the logs agree; on failure, the prev_log_index that was refused. */
  readonly matchIndex: number;
  /** On failure, where to go on, and the follower's term there (Raft §5.3, the fast back-up). */
  readonly conflictIndex: number;
  readonly conflictTerm: number;
}
export const AppendEntriesResponse: MessageType<AppendEntriesResponse> = messageType(
  'distrokv.peer.AppendEntriesResponse',
  codec.createAppendEntriesResponse,
  codec.readAppendEntriesResponse,
  codec.writeAppendEntriesResponse,
);

/** The leader lives. */
export interface Heartbeat {
  readonly leaderCommit: number;
  /** The latest round of reads that asks whether the leader still leads; 0 for none. */
  readonly readRound: number;
}
export const Heartbeat: MessageType<Heartbeat> = messageType(
  'distrokv.peer.Heartbeat',
  codec.createHeartbeat,
  codec.readHeartbeat,
  codec.writeHeartbeat,
);

export interface HeartbeatResponse {
  /** That of the heartbeat. */
  readonly readRound: number;
  /** For so many milliseconds the sender helps nobody against this leader (Raft dissertation §6.4.1); 0 where it promises nothing. */
  readonly quietMs: number;
}
export const HeartbeatResponse: MessageType<HeartbeatResponse> = messageType(
  'distrokv.peer.HeartbeatResponse',
  codec.createHeartbeatResponse,
  codec.readHeartbeatResponse,
  codec.writeHeartbeatResponse,
);

/** The leader hands over: run for leader now (Raft dissertation §3.10). */
export type TimeoutNow = Readonly<Record<string, never>>;
export const TimeoutNow: MessageType<TimeoutNow> = messageType(
  'distrokv.peer.TimeoutNow',
  codec.createTimeoutNow,
  codec.readTimeoutNow,
  codec.writeTimeoutNow,
);

/** A follower hands commands to the leader. */
export interface Propose {
  readonly commands: readonly Uint8Array[];
}
export const Propose: MessageType<Propose> = messageType(
  'distrokv.peer.Propose',
  codec.createPropose,
  codec.readPropose,
  codec.writePropose,
);

/** A follower hands a change of members to the leader, which takes it while `basis` is the entry of the configuration in force. */
export interface ProposeConfiguration {
  readonly basis: number;
  /** A configuration as docs/format/raft-log.md has it. */
  readonly target: Uint8Array;
}
export const ProposeConfiguration: MessageType<ProposeConfiguration> = messageType(
  'distrokv.peer.ProposeConfiguration',
  codec.createProposeConfiguration,
  codec.readProposeConfiguration,
  codec.writeProposeConfiguration,
);

/** A follower asks the leader for a read index (Raft dissertation §6.4). */
export interface ReadIndex {
  /** The follower's own number for this read, which comes back. */
  readonly context: number;
}
export const ReadIndex: MessageType<ReadIndex> = messageType(
  'distrokv.peer.ReadIndex',
  codec.createReadIndex,
  codec.readReadIndex,
  codec.writeReadIndex,
);

export interface ReadIndexResponse {
  readonly context: number;
  /** Applied up to here, a read is linearizable. */
  readonly readIndex: number;
}
export const ReadIndexResponse: MessageType<ReadIndexResponse> = messageType(
  'distrokv.peer.ReadIndexResponse',
  codec.createReadIndexResponse,
  codec.readReadIndexResponse,
  codec.writeReadIndexResponse,
);

export const Peer: {
  readonly typeName: 'distrokv.peer.Peer';
  readonly methods: {
    /**
     * The caller's first batch is its `hello`, and so is the answerer's; messages follow. A hello that does not fit (other
     * cluster, unknown member, unknown format) ends the stream with FAILED_PRECONDITION.
     */
    readonly exchange: Method<PeerBatch, PeerBatch, 'bidi-stream'>;
    /**
     * A snapshot on its way: the caller offers the files of a checkpoint, the answerer asks for their pieces at its own pace,
     * and says in its last message that it is done. What it has of a snapshot it need not ask for again.
     */
    readonly snapshot: Method<SnapshotFrame, SnapshotRequest, 'bidi-stream'>;
    /** A new member asks who it is. It was added before (MemberAdd), or takes the place of a member that lost its disk. */
    readonly join: Method<JoinRequest, JoinResponse, 'unary'>;
    /** Only the leader knows how far a learner is: others hand the request on. */
    readonly promote: Method<PromoteRequest, PromoteResponse, 'unary'>;
  };
} = {
  typeName: 'distrokv.peer.Peer',
  methods: {
    exchange: { path: '/distrokv.peer.Peer/Exchange', kind: 'bidi-stream', request: PeerBatch, response: PeerBatch },
    snapshot: { path: '/distrokv.peer.Peer/Snapshot', kind: 'bidi-stream', request: SnapshotFrame, response: SnapshotRequest },
    join: { path: '/distrokv.peer.Peer/Join', kind: 'unary', request: JoinRequest, response: JoinResponse },
    promote: { path: '/distrokv.peer.Peer/Promote', kind: 'unary', request: PromoteRequest, response: PromoteResponse },
  },
};
