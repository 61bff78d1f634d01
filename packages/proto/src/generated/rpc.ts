// Generated from proto/rpc.proto by generator/main.mjs: change that and run `npm run generate`.
// The etcd v3 API, wire-compatible: every package, service, method, field number and type is etcd's (3.7). Where a field
// has jstype = JS_NUMBER, it counts something that stays far below 2^53; ids are whole 64-bit numbers.
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import type { KeyValue, Event } from './kv.ts';
import type { UserAddOptions, Permission } from './auth.ts';
import * as codec from './rpc.codec.ts';

/** Open: a number without a name here may come from a later version. */
export type SortOrder = number;
export const SortOrder: { readonly NONE: 0; readonly ASCEND: 1; readonly DESCEND: 2 } = {
  /** By key, ascending, unless another sort_target is given. */
  NONE: 0,
  ASCEND: 1,
  DESCEND: 2,
};

/** Open: a number without a name here may come from a later version. */
export type SortTarget = number;
export const SortTarget: { readonly KEY: 0; readonly VERSION: 1; readonly CREATE: 2; readonly MOD: 3; readonly VALUE: 4 } = {
  KEY: 0,
  VERSION: 1,
  CREATE: 2,
  MOD: 3,
  VALUE: 4,
};

/** Open: a number without a name here may come from a later version. */
export type CompareResult = number;
export const CompareResult: { readonly EQUAL: 0; readonly GREATER: 1; readonly LESS: 2; readonly NOT_EQUAL: 3 } = {
  EQUAL: 0,
  GREATER: 1,
  LESS: 2,
  NOT_EQUAL: 3,
};

/** Open: a number without a name here may come from a later version. */
export type CompareTarget = number;
export const CompareTarget: { readonly VERSION: 0; readonly CREATE: 1; readonly MOD: 2; readonly VALUE: 3; readonly LEASE: 4 } = {
  VERSION: 0,
  CREATE: 1,
  MOD: 2,
  VALUE: 3,
  LEASE: 4,
};

/** Open: a number without a name here may come from a later version. */
export type FilterType = number;
export const FilterType: { readonly NOPUT: 0; readonly NODELETE: 1 } = {
  /** No put events. */
  NOPUT: 0,
  /** No delete events. */
  NODELETE: 1,
};

/** Open: a number without a name here may come from a later version. */
export type AlarmType = number;
export const AlarmType: { readonly NONE: 0; readonly NOSPACE: 1; readonly CORRUPT: 2 } = {
  /** In a request: any alarm. */
  NONE: 0,
  /** The store has reached its quota: no more puts. */
  NOSPACE: 1,
  /** The members' stores differ: no more writes. */
  CORRUPT: 2,
};

/** Open: a number without a name here may come from a later version. */
export type AlarmAction = number;
export const AlarmAction: { readonly GET: 0; readonly ACTIVATE: 1; readonly DEACTIVATE: 2 } = {
  GET: 0,
  ACTIVATE: 1,
  DEACTIVATE: 2,
};

/** Open: a number without a name here may come from a later version. */
export type DowngradeAction = number;
export const DowngradeAction: { readonly VALIDATE: 0; readonly ENABLE: 1; readonly CANCEL: 2 } = {
  VALIDATE: 0,
  ENABLE: 1,
  CANCEL: 2,
};

/** Who answered, and where the store stood. */
export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** The revision of the store when the request was applied; 0 where the request does not touch the store. */
  readonly revision: number;
  readonly raftTerm: number;
}
export const ResponseHeader: MessageType<ResponseHeader> = messageType(
  'etcdserverpb.ResponseHeader',
  codec.createResponseHeader,
  codec.readResponseHeader,
  codec.writeResponseHeader,
);

export interface RangeRequest {
  /** The first key. */
  readonly key: Uint8Array;
  /** The key after the last. Empty: only `key`. A single zero byte: every key from `key` on. */
  readonly rangeEnd: Uint8Array;
  /** At most so many pairs; 0 for no limit. */
  readonly limit: number;
  /** Read the store as it was at this revision; 0 or less: as it is. */
  readonly revision: number;
  readonly sortOrder: SortOrder;
  readonly sortTarget: SortTarget;
  /** Answer from this member's own state, which may be stale, and ask no one. */
  readonly serializable: boolean;
  /** Leave the values out. */
  readonly keysOnly: boolean;
  /** Only `count` is of interest. */
  readonly countOnly: boolean;
  /** Bounds on the pairs that are returned, both included; 0 for none. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}
export const RangeRequest: MessageType<RangeRequest> = messageType(
  'etcdserverpb.RangeRequest',
  codec.createRangeRequest,
  codec.readRangeRequest,
  codec.writeRangeRequest,
);

export interface RangeResponse {
  readonly header: ResponseHeader | undefined;
  readonly kvs: readonly KeyValue[];
  /** The limit cut pairs off. */
  readonly more: boolean;
  /** All keys in the range, whatever the limit and the bounds on revisions. */
  readonly count: number;
}
export const RangeResponse: MessageType<RangeResponse> = messageType(
  'etcdserverpb.RangeResponse',
  codec.createRangeResponse,
  codec.readRangeResponse,
  codec.writeRangeResponse,
);

export interface RangeStreamResponse {
  /** Pairs in order. Header, `more` and `count` come with the last chunk. */
  readonly rangeResponse: RangeResponse | undefined;
}
export const RangeStreamResponse: MessageType<RangeStreamResponse> = messageType(
  'etcdserverpb.RangeStreamResponse',
  codec.createRangeStreamResponse,
  codec.readRangeStreamResponse,
  codec.writeRangeStreamResponse,
);

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Tie the key to this lease; 0 for none. */
  readonly lease: bigint;
  /** Return the version before. */
  readonly prevKv: boolean;
  /** Keep the value that the key has; it is an error if there is none. */
  readonly ignoreValue: boolean;
  /** Keep the lease that the key has; it is an error if there is no such key. */
  readonly ignoreLease: boolean;
}
export const PutRequest: MessageType<PutRequest> = messageType(
  'etcdserverpb.PutRequest',
  codec.createPutRequest,
  codec.readPutRequest,
  codec.writePutRequest,
);

export interface PutResponse {
  readonly header: ResponseHeader | undefined;
  readonly prevKv: KeyValue | undefined;
}
export const PutResponse: MessageType<PutResponse> = messageType(
  'etcdserverpb.PutResponse',
  codec.createPutResponse,
  codec.readPutResponse,
  codec.writePutResponse,
);

export interface DeleteRangeRequest {
  readonly key: Uint8Array;
  /** As in a RangeRequest. */
  readonly rangeEnd: Uint8Array;
  /** Return what was deleted. */
  readonly prevKv: boolean;
}
export const DeleteRangeRequest: MessageType<DeleteRangeRequest> = messageType(
  'etcdserverpb.DeleteRangeRequest',
  codec.createDeleteRangeRequest,
  codec.readDeleteRangeRequest,
  codec.writeDeleteRangeRequest,
);

export interface DeleteRangeResponse {
  readonly header: ResponseHeader | undefined;
  /** How many keys. */
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}
export const DeleteRangeResponse: MessageType<DeleteRangeResponse> = messageType(
  'etcdserverpb.DeleteRangeResponse',
  codec.createDeleteRangeResponse,
  codec.readDeleteRangeResponse,
  codec.writeDeleteRangeResponse,
);

/** One step of a transaction. */
export interface RequestOp {
  readonly request:
    | { readonly case: 'requestRange'; readonly value: RangeRequest }
    | { readonly case: 'requestPut'; readonly value: PutRequest }
    | { readonly case: 'requestDeleteRange'; readonly value: DeleteRangeRequest }
    | { readonly case: 'requestTxn'; readonly value: TxnRequest }
    | undefined;
}
export const RequestOp: MessageType<RequestOp> = messageType(
  'etcdserverpb.RequestOp',
  codec.createRequestOp,
  codec.readRequestOp,
  codec.writeRequestOp,
);

/** What one step gave. */
export interface ResponseOp {
  readonly response:
    | { readonly case: 'responseRange'; readonly value: RangeResponse }
    | { readonly case: 'responsePut'; readonly value: PutResponse }
    | { readonly case: 'responseDeleteRange'; readonly value: DeleteRangeResponse }
    | { readonly case: 'responseTxn'; readonly value: TxnResponse }
    | undefined;
}
export const ResponseOp: MessageType<ResponseOp> = messageType(
  'etcdserverpb.ResponseOp',
  codec.createResponseOp,
  codec.readResponseOp,
  codec.writeResponseOp,
);

/** A condition: what `target` of `key` is stands to the given value as `result` says. */
export interface Compare {
  readonly result: CompareResult;
  readonly target: CompareTarget;
  readonly key: Uint8Array;
  /** The value to compare with: the case that `target` names. Unset: 0, or empty. */
  readonly targetUnion:
    | { readonly case: 'version'; readonly value: number }
    | { readonly case: 'createRevision'; readonly value: number }
    | { readonly case: 'modRevision'; readonly value: number }
    | { readonly case: 'value'; readonly value: Uint8Array }
    | { readonly case: 'lease'; readonly value: bigint }
    | undefined;
  /** With it, the condition is on every key in [key, range_end). */
  readonly rangeEnd: Uint8Array;
}
export const Compare: MessageType<Compare> = messageType(
  'etcdserverpb.Compare',
  codec.createCompare,
  codec.readCompare,
  codec.writeCompare,
);

/** If every `compare` holds, do `success`, else `failure`; all at one revision. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
export const TxnRequest: MessageType<TxnRequest> = messageType(
  'etcdserverpb.TxnRequest',
  codec.createTxnRequest,
  codec.readTxnRequest,
  codec.writeTxnRequest,
);

export interface TxnResponse {
  readonly header: ResponseHeader | undefined;
  /** The comparisons held. */
  readonly succeeded: boolean;
  /** One for each step, in order. */
  readonly responses: readonly ResponseOp[];
}
export const TxnResponse: MessageType<TxnResponse> = messageType(
  'etcdserverpb.TxnResponse',
  codec.createTxnResponse,
  codec.readTxnResponse,
  codec.writeTxnResponse,
);

/** Forget what was overwritten or deleted before a revision. */
export interface CompactionRequest {
  readonly revision: number;
  /** Answer only when it is gone from the disk too. */
  readonly physical: boolean;
}
export const CompactionRequest: MessageType<CompactionRequest> = messageType(
  'etcdserverpb.CompactionRequest',
  codec.createCompactionRequest,
  codec.readCompactionRequest,
  codec.writeCompactionRequest,
);

export interface CompactionResponse {
  readonly header: ResponseHeader | undefined;
}
export const CompactionResponse: MessageType<CompactionResponse> = messageType(
  'etcdserverpb.CompactionResponse',
  codec.createCompactionResponse,
  codec.readCompactionResponse,
  codec.writeCompactionResponse,
);

export type HashRequest = Readonly<Record<string, never>>;
export const HashRequest: MessageType<HashRequest> = messageType(
  'etcdserverpb.HashRequest',
  codec.createHashRequest,
  codec.readHashRequest,
  codec.writeHashRequest,
);

export interface HashKVRequest {
  /** 0 for the latest. */
  readonly revision: number;
}
export const HashKVRequest: MessageType<HashKVRequest> = messageType(
  'etcdserverpb.HashKVRequest',
  codec.createHashKVRequest,
  codec.readHashKVRequest,
  codec.writeHashKVRequest,
);

export interface HashKVResponse {
  readonly header: ResponseHeader | undefined;
  readonly hash: number;
  /** Up to where the store was compacted. */
  readonly compactRevision: number;
  /** Up to where the hash goes. */
  readonly hashRevision: number;
}
export const HashKVResponse: MessageType<HashKVResponse> = messageType(
  'etcdserverpb.HashKVResponse',
  codec.createHashKVResponse,
  codec.readHashKVResponse,
  codec.writeHashKVResponse,
);

export interface HashResponse {
  readonly header: ResponseHeader | undefined;
  readonly hash: number;
}
export const HashResponse: MessageType<HashResponse> = messageType(
  'etcdserverpb.HashResponse',
  codec.createHashResponse,
  codec.readHashResponse,
  codec.writeHashResponse,
);

export type SnapshotRequest = Readonly<Record<string, never>>;
export const SnapshotRequest: MessageType<SnapshotRequest> = messageType(
  'etcdserverpb.SnapshotRequest',
  codec.createSnapshotRequest,
  codec.readSnapshotRequest,
  codec.writeSnapshotRequest,
);

export interface SnapshotResponse {
  readonly header: ResponseHeader | undefined;
  /** Bytes that come after this message. */
  readonly remainingBytes: number;
  readonly blob: Uint8Array;
  /** Of the server that made the snapshot. */
  readonly version: string;
}
export const SnapshotResponse: MessageType<SnapshotResponse> = messageType(
  'etcdserverpb.SnapshotResponse',
  codec.createSnapshotResponse,
  codec.readSnapshotResponse,
  codec.writeSnapshotResponse,
);

export interface WatchRequest {
  readonly requestUnion:
    | { readonly case: 'createRequest'; readonly value: WatchCreateRequest }
    | { readonly case: 'cancelRequest'; readonly value: WatchCancelRequest }
    | { readonly case: 'progressRequest'; readonly value: WatchProgressRequest }
    | undefined;
}
export const WatchRequest: MessageType<WatchRequest> = messageType(
  'etcdserverpb.WatchRequest',
  codec.createWatchRequest,
  codec.readWatchRequest,
  codec.writeWatchRequest,
);

export interface WatchCreateRequest {
  readonly key: Uint8Array;
  /** As in a RangeRequest. */
  readonly rangeEnd: Uint8Array;
  /** The first revision to see; 0 for those from now on. */
  readonly startRevision: number;
  /** Say from time to time how far the watcher has come, even if nothing happens. */
  readonly progressNotify: boolean;
  readonly filters: readonly FilterType[];
  /** Send the version before with each event. */
  readonly prevKv: boolean;
  /** The id to give to the watcher; 0: the server picks one. */
  readonly watchId: number;
  /** The events of one revision may come in several responses. */
  readonly fragment: boolean;
}
export const WatchCreateRequest: MessageType<WatchCreateRequest> = messageType(
  'etcdserverpb.WatchCreateRequest',
  codec.createWatchCreateRequest,
  codec.readWatchCreateRequest,
  codec.writeWatchCreateRequest,
);

export interface WatchCancelRequest {
  readonly watchId: number;
}
export const WatchCancelRequest: MessageType<WatchCancelRequest> = messageType(
  'etcdserverpb.WatchCancelRequest',
  codec.createWatchCancelRequest,
  codec.readWatchCancelRequest,
  codec.writeWatchCancelRequest,
);

/** Asks how far the watchers of this stream have come. */
export type WatchProgressRequest = Readonly<Record<string, never>>;
export const WatchProgressRequest: MessageType<WatchProgressRequest> = messageType(
  'etcdserverpb.WatchProgressRequest',
  codec.createWatchProgressRequest,
  codec.readWatchProgressRequest,
  codec.writeWatchProgressRequest,
);

export interface WatchResponse {
  readonly header: ResponseHeader | undefined;
  /** -1 where the response is for all watchers of the stream, or for none. */
  readonly watchId: number;
  /** The watcher is set up; its events follow. */
  readonly created: boolean;
  /** The watcher has ended. */
  readonly canceled: boolean;
  /** Set when the watcher ended because its revisions are compacted: the first that can still be watched. */
  readonly compactRevision: number;
  readonly cancelReason: string;
  /** More of the same revision follows. */
  readonly fragment: boolean;
  readonly events: readonly Event[];
}
export const WatchResponse: MessageType<WatchResponse> = messageType(
  'etcdserverpb.WatchResponse',
  codec.createWatchResponse,
  codec.readWatchResponse,
  codec.writeWatchResponse,
);

export interface LeaseGrantRequest {
  /** Seconds. */
  readonly ttl: number;
  /** The id to give to the lease; 0: the server picks one. */
  readonly id: bigint;
}
export const LeaseGrantRequest: MessageType<LeaseGrantRequest> = messageType(
  'etcdserverpb.LeaseGrantRequest',
  codec.createLeaseGrantRequest,
  codec.readLeaseGrantRequest,
  codec.writeLeaseGrantRequest,
);

export interface LeaseGrantResponse {
  readonly header: ResponseHeader | undefined;
  readonly id: bigint;
  /** Seconds, as granted. */
  readonly ttl: number;
  readonly error: string;
}
export const LeaseGrantResponse: MessageType<LeaseGrantResponse> = messageType(
  'etcdserverpb.LeaseGrantResponse',
  codec.createLeaseGrantResponse,
  codec.readLeaseGrantResponse,
  codec.writeLeaseGrantResponse,
);

export interface LeaseRevokeRequest {
  readonly id: bigint;
}
export const LeaseRevokeRequest: MessageType<LeaseRevokeRequest> = messageType(
  'etcdserverpb.LeaseRevokeRequest',
  codec.createLeaseRevokeRequest,
  codec.readLeaseRevokeRequest,
  codec.writeLeaseRevokeRequest,
);

export interface LeaseRevokeResponse {
  readonly header: ResponseHeader | undefined;
}
export const LeaseRevokeResponse: MessageType<LeaseRevokeResponse> = messageType(
  'etcdserverpb.LeaseRevokeResponse',
  codec.createLeaseRevokeResponse,
  codec.readLeaseRevokeResponse,
  codec.writeLeaseRevokeResponse,
);

export interface LeaseCheckpoint {
  readonly id: bigint;
  /** Seconds. */
  readonly remainingTTL: number;
}
export const LeaseCheckpoint: MessageType<LeaseCheckpoint> = messageType(
  'etcdserverpb.LeaseCheckpoint',
  codec.createLeaseCheckpoint,
  codec.readLeaseCheckpoint,
  codec.writeLeaseCheckpoint,
);

export interface LeaseCheckpointRequest {
  readonly checkpoints: readonly LeaseCheckpoint[];
}
export const LeaseCheckpointRequest: MessageType<LeaseCheckpointRequest> = messageType(
  'etcdserverpb.LeaseCheckpointRequest',
  codec.createLeaseCheckpointRequest,
  codec.readLeaseCheckpointRequest,
  codec.writeLeaseCheckpointRequest,
);

export interface LeaseCheckpointResponse {
  readonly header: ResponseHeader | undefined;
}
export const LeaseCheckpointResponse: MessageType<LeaseCheckpointResponse> = messageType(
  'etcdserverpb.LeaseCheckpointResponse',
  codec.createLeaseCheckpointResponse,
  codec.readLeaseCheckpointResponse,
  codec.writeLeaseCheckpointResponse,
);

export interface LeaseKeepAliveRequest {
  readonly id: bigint;
}
export const LeaseKeepAliveRequest: MessageType<LeaseKeepAliveRequest> = messageType(
  'etcdserverpb.LeaseKeepAliveRequest',
  codec.createLeaseKeepAliveRequest,
  codec.readLeaseKeepAliveRequest,
  codec.writeLeaseKeepAliveRequest,
);

export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader | undefined;
  readonly id: bigint;
  /** Seconds from now; 0 if there is no such lease any more. */
  readonly ttl: number;
}
export const LeaseKeepAliveResponse: MessageType<LeaseKeepAliveResponse> = messageType(
  'etcdserverpb.LeaseKeepAliveResponse',
  codec.createLeaseKeepAliveResponse,
  codec.readLeaseKeepAliveResponse,
  codec.writeLeaseKeepAliveResponse,
);

export interface LeaseTimeToLiveRequest {
  readonly id: bigint;
  /** List the keys too. */
  readonly keys: boolean;
}
export const LeaseTimeToLiveRequest: MessageType<LeaseTimeToLiveRequest> = messageType(
  'etcdserverpb.LeaseTimeToLiveRequest',
  codec.createLeaseTimeToLiveRequest,
  codec.readLeaseTimeToLiveRequest,
  codec.writeLeaseTimeToLiveRequest,
);

export interface LeaseTimeToLiveResponse {
  readonly header: ResponseHeader | undefined;
  readonly id: bigint;
  /** Seconds left; -1 if there is no such lease. */
  readonly ttl: number;
  /** Seconds, as granted. */
  readonly grantedTTL: number;
  readonly keys: readonly Uint8Array[];
}
export const LeaseTimeToLiveResponse: MessageType<LeaseTimeToLiveResponse> = messageType(
  'etcdserverpb.LeaseTimeToLiveResponse',
  codec.createLeaseTimeToLiveResponse,
  codec.readLeaseTimeToLiveResponse,
  codec.writeLeaseTimeToLiveResponse,
);

export type LeaseLeasesRequest = Readonly<Record<string, never>>;
export const LeaseLeasesRequest: MessageType<LeaseLeasesRequest> = messageType(
  'etcdserverpb.LeaseLeasesRequest',
  codec.createLeaseLeasesRequest,
  codec.readLeaseLeasesRequest,
  codec.writeLeaseLeasesRequest,
);

export interface LeaseStatus {
  readonly id: bigint;
}
export const LeaseStatus: MessageType<LeaseStatus> = messageType(
  'etcdserverpb.LeaseStatus',
  codec.createLeaseStatus,
  codec.readLeaseStatus,
  codec.writeLeaseStatus,
);

export interface LeaseLeasesResponse {
  readonly header: ResponseHeader | undefined;
  readonly leases: readonly LeaseStatus[];
}
export const LeaseLeasesResponse: MessageType<LeaseLeasesResponse> = messageType(
  'etcdserverpb.LeaseLeasesResponse',
  codec.createLeaseLeasesResponse,
  codec.readLeaseLeasesResponse,
  codec.writeLeaseLeasesResponse,
);

export interface Member {
  readonly id: bigint;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  /** Empty until the member has started for the first time. */
  readonly clientURLs: readonly string[];
  /** Gets the log, has no vote. */
  readonly isLearner: boolean;
}
export const Member: MessageType<Member> = messageType('etcdserverpb.Member', codec.createMember, codec.readMember, codec.writeMember);

export interface MemberAddRequest {
  readonly peerURLs: readonly string[];
  readonly isLearner: boolean;
}
export const MemberAddRequest: MessageType<MemberAddRequest> = messageType(
  'etcdserverpb.MemberAddRequest',
  codec.createMemberAddRequest,
  codec.readMemberAddRequest,
  codec.writeMemberAddRequest,
);

export interface MemberAddResponse {
  readonly header: ResponseHeader | undefined;
  /** The one that was added. */
  readonly member: Member | undefined;
  /** All of them, now. */
  readonly members: readonly Member[];
}
export const MemberAddResponse: MessageType<MemberAddResponse> = messageType(
  'etcdserverpb.MemberAddResponse',
  codec.createMemberAddResponse,
  codec.readMemberAddResponse,
  codec.writeMemberAddResponse,
);

export interface MemberRemoveRequest {
  readonly id: bigint;
}
export const MemberRemoveRequest: MessageType<MemberRemoveRequest> = messageType(
  'etcdserverpb.MemberRemoveRequest',
  codec.createMemberRemoveRequest,
  codec.readMemberRemoveRequest,
  codec.writeMemberRemoveRequest,
);

export interface MemberRemoveResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}
export const MemberRemoveResponse: MessageType<MemberRemoveResponse> = messageType(
  'etcdserverpb.MemberRemoveResponse',
  codec.createMemberRemoveResponse,
  codec.readMemberRemoveResponse,
  codec.writeMemberRemoveResponse,
);

export interface MemberUpdateRequest {
  readonly id: bigint;
  readonly peerURLs: readonly string[];
}
export const MemberUpdateRequest: MessageType<MemberUpdateRequest> = messageType(
  'etcdserverpb.MemberUpdateRequest',
  codec.createMemberUpdateRequest,
  codec.readMemberUpdateRequest,
  codec.writeMemberUpdateRequest,
);

export interface MemberUpdateResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}
export const MemberUpdateResponse: MessageType<MemberUpdateResponse> = messageType(
  'etcdserverpb.MemberUpdateResponse',
  codec.createMemberUpdateResponse,
  codec.readMemberUpdateResponse,
  codec.writeMemberUpdateResponse,
);

export interface MemberListRequest {
  /** False: answer from this member's own state. */
  readonly linearizable: boolean;
}
export const MemberListRequest: MessageType<MemberListRequest> = messageType(
  'etcdserverpb.MemberListRequest',
  codec.createMemberListRequest,
  codec.readMemberListRequest,
  codec.writeMemberListRequest,
);

export interface MemberListResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}
export const MemberListResponse: MessageType<MemberListResponse> = messageType(
  'etcdserverpb.MemberListResponse',
  codec.createMemberListResponse,
  codec.readMemberListResponse,
  codec.writeMemberListResponse,
);

export interface MemberPromoteRequest {
  readonly id: bigint;
}
export const MemberPromoteRequest: MessageType<MemberPromoteRequest> = messageType(
  'etcdserverpb.MemberPromoteRequest',
  codec.createMemberPromoteRequest,
  codec.readMemberPromoteRequest,
  codec.writeMemberPromoteRequest,
);

export interface MemberPromoteResponse {
  readonly header: ResponseHeader | undefined;
  readonly members: readonly Member[];
}
export const MemberPromoteResponse: MessageType<MemberPromoteResponse> = messageType(
  'etcdserverpb.MemberPromoteResponse',
  codec.createMemberPromoteResponse,
  codec.readMemberPromoteResponse,
  codec.writeMemberPromoteResponse,
);

export type DefragmentRequest = Readonly<Record<string, never>>;
export const DefragmentRequest: MessageType<DefragmentRequest> = messageType(
  'etcdserverpb.DefragmentRequest',
  codec.createDefragmentRequest,
  codec.readDefragmentRequest,
  codec.writeDefragmentRequest,
);

export interface DefragmentResponse {
  readonly header: ResponseHeader | undefined;
}
export const DefragmentResponse: MessageType<DefragmentResponse> = messageType(
  'etcdserverpb.DefragmentResponse',
  codec.createDefragmentResponse,
  codec.readDefragmentResponse,
  codec.writeDefragmentResponse,
);

export interface MoveLeaderRequest {
  /** The member that is to lead. */
  readonly targetID: bigint;
}
export const MoveLeaderRequest: MessageType<MoveLeaderRequest> = messageType(
  'etcdserverpb.MoveLeaderRequest',
  codec.createMoveLeaderRequest,
  codec.readMoveLeaderRequest,
  codec.writeMoveLeaderRequest,
);

export interface MoveLeaderResponse {
  readonly header: ResponseHeader | undefined;
}
export const MoveLeaderResponse: MessageType<MoveLeaderResponse> = messageType(
  'etcdserverpb.MoveLeaderResponse',
  codec.createMoveLeaderResponse,
  codec.readMoveLeaderResponse,
  codec.writeMoveLeaderResponse,
);

export interface AlarmRequest {
  readonly action: AlarmAction;
  /** 0 for all members. */
  readonly memberID: bigint;
  readonly alarm: AlarmType;
}
export const AlarmRequest: MessageType<AlarmRequest> = messageType(
  'etcdserverpb.AlarmRequest',
  codec.createAlarmRequest,
  codec.readAlarmRequest,
  codec.writeAlarmRequest,
);

export interface AlarmMember {
  readonly memberID: bigint;
  readonly alarm: AlarmType;
}
export const AlarmMember: MessageType<AlarmMember> = messageType(
  'etcdserverpb.AlarmMember',
  codec.createAlarmMember,
  codec.readAlarmMember,
  codec.writeAlarmMember,
);

export interface AlarmResponse {
  readonly header: ResponseHeader | undefined;
  readonly alarms: readonly AlarmMember[];
}
export const AlarmResponse: MessageType<AlarmResponse> = messageType(
  'etcdserverpb.AlarmResponse',
  codec.createAlarmResponse,
  codec.readAlarmResponse,
  codec.writeAlarmResponse,
);

export interface DowngradeRequest {
  readonly action: DowngradeAction;
  /** The version to go back to. */
  readonly version: string;
}
export const DowngradeRequest: MessageType<DowngradeRequest> = messageType(
  'etcdserverpb.DowngradeRequest',
  codec.createDowngradeRequest,
  codec.readDowngradeRequest,
  codec.writeDowngradeRequest,
);

export interface DowngradeResponse {
  readonly header: ResponseHeader | undefined;
  /** The cluster's version now. */
  readonly version: string;
}
export const DowngradeResponse: MessageType<DowngradeResponse> = messageType(
  'etcdserverpb.DowngradeResponse',
  codec.createDowngradeResponse,
  codec.readDowngradeResponse,
  codec.writeDowngradeResponse,
);

export interface DowngradeVersionTestRequest {
  readonly ver: string;
}
export const DowngradeVersionTestRequest: MessageType<DowngradeVersionTestRequest> = messageType(
  'etcdserverpb.DowngradeVersionTestRequest',
  codec.createDowngradeVersionTestRequest,
  codec.readDowngradeVersionTestRequest,
  codec.writeDowngradeVersionTestRequest,
);

export type StatusRequest = Readonly<Record<string, never>>;
export const StatusRequest: MessageType<StatusRequest> = messageType(
  'etcdserverpb.StatusRequest',
  codec.createStatusRequest,
  codec.readStatusRequest,
  codec.writeStatusRequest,
);

export interface StatusResponse {
  readonly header: ResponseHeader | undefined;
  /** Of the member that answers. */
  readonly version: string;
  /** Bytes on disk. */
  readonly dbSize: number;
  /** Whom this member takes for the leader; 0 for none. */
  readonly leader: bigint;
  /** How far the log is committed. */
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  /** What is wrong, alarms included. */
  readonly errors: readonly string[];
  /** Bytes of dbSize that hold something. */
  readonly dbSizeInUse: number;
  readonly isLearner: boolean;
  /** Of the files. */
  readonly storageVersion: string;
  /** Bytes that the store may take; 0 for no limit. */
  readonly dbSizeQuota: number;
  readonly downgradeInfo: DowngradeInfo | undefined;
}
export const StatusResponse: MessageType<StatusResponse> = messageType(
  'etcdserverpb.StatusResponse',
  codec.createStatusResponse,
  codec.readStatusResponse,
  codec.writeStatusResponse,
);

export interface DowngradeInfo {
  /** A downgrade is under way. */
  readonly enabled: boolean;
  readonly targetVersion: string;
}
export const DowngradeInfo: MessageType<DowngradeInfo> = messageType(
  'etcdserverpb.DowngradeInfo',
  codec.createDowngradeInfo,
  codec.readDowngradeInfo,
  codec.writeDowngradeInfo,
);

export type AuthEnableRequest = Readonly<Record<string, never>>;
export const AuthEnableRequest: MessageType<AuthEnableRequest> = messageType(
  'etcdserverpb.AuthEnableRequest',
  codec.createAuthEnableRequest,
  codec.readAuthEnableRequest,
  codec.writeAuthEnableRequest,
);

export type AuthDisableRequest = Readonly<Record<string, never>>;
export const AuthDisableRequest: MessageType<AuthDisableRequest> = messageType(
  'etcdserverpb.AuthDisableRequest',
  codec.createAuthDisableRequest,
  codec.readAuthDisableRequest,
  codec.writeAuthDisableRequest,
);

export type AuthStatusRequest = Readonly<Record<string, never>>;
export const AuthStatusRequest: MessageType<AuthStatusRequest> = messageType(
  'etcdserverpb.AuthStatusRequest',
  codec.createAuthStatusRequest,
  codec.readAuthStatusRequest,
  codec.writeAuthStatusRequest,
);

export interface AuthenticateRequest {
  readonly name: string;
  readonly password: string;
}
export const AuthenticateRequest: MessageType<AuthenticateRequest> = messageType(
  'etcdserverpb.AuthenticateRequest',
  codec.createAuthenticateRequest,
  codec.readAuthenticateRequest,
  codec.writeAuthenticateRequest,
);

export interface AuthUserAddRequest {
  readonly name: string;
  readonly password: string;
  readonly options: UserAddOptions | undefined;
  /** Set by the server, before the request reaches the log. */
  readonly hashedPassword: string;
}
export const AuthUserAddRequest: MessageType<AuthUserAddRequest> = messageType(
  'etcdserverpb.AuthUserAddRequest',
  codec.createAuthUserAddRequest,
  codec.readAuthUserAddRequest,
  codec.writeAuthUserAddRequest,
);

export interface AuthUserGetRequest {
  readonly name: string;
}
export const AuthUserGetRequest: MessageType<AuthUserGetRequest> = messageType(
  'etcdserverpb.AuthUserGetRequest',
  codec.createAuthUserGetRequest,
  codec.readAuthUserGetRequest,
  codec.writeAuthUserGetRequest,
);

export interface AuthUserDeleteRequest {
  readonly name: string;
}
export const AuthUserDeleteRequest: MessageType<AuthUserDeleteRequest> = messageType(
  'etcdserverpb.AuthUserDeleteRequest',
  codec.createAuthUserDeleteRequest,
  codec.readAuthUserDeleteRequest,
  codec.writeAuthUserDeleteRequest,
);

export interface AuthUserChangePasswordRequest {
  readonly name: string;
  readonly password: string;
  /** Set by the server, before the request reaches the log. */
  readonly hashedPassword: string;
}
export const AuthUserChangePasswordRequest: MessageType<AuthUserChangePasswordRequest> = messageType(
  'etcdserverpb.AuthUserChangePasswordRequest',
  codec.createAuthUserChangePasswordRequest,
  codec.readAuthUserChangePasswordRequest,
  codec.writeAuthUserChangePasswordRequest,
);

export interface AuthUserGrantRoleRequest {
  readonly user: string;
  readonly role: string;
}
export const AuthUserGrantRoleRequest: MessageType<AuthUserGrantRoleRequest> = messageType(
  'etcdserverpb.AuthUserGrantRoleRequest',
  codec.createAuthUserGrantRoleRequest,
  codec.readAuthUserGrantRoleRequest,
  codec.writeAuthUserGrantRoleRequest,
);

export interface AuthUserRevokeRoleRequest {
  readonly name: string;
  readonly role: string;
}
export const AuthUserRevokeRoleRequest: MessageType<AuthUserRevokeRoleRequest> = messageType(
  'etcdserverpb.AuthUserRevokeRoleRequest',
  codec.createAuthUserRevokeRoleRequest,
  codec.readAuthUserRevokeRoleRequest,
  codec.writeAuthUserRevokeRoleRequest,
);

export interface AuthRoleAddRequest {
  readonly name: string;
}
export const AuthRoleAddRequest: MessageType<AuthRoleAddRequest> = messageType(
  'etcdserverpb.AuthRoleAddRequest',
  codec.createAuthRoleAddRequest,
  codec.readAuthRoleAddRequest,
  codec.writeAuthRoleAddRequest,
);

export interface AuthRoleGetRequest {
  readonly role: string;
}
export const AuthRoleGetRequest: MessageType<AuthRoleGetRequest> = messageType(
  'etcdserverpb.AuthRoleGetRequest',
  codec.createAuthRoleGetRequest,
  codec.readAuthRoleGetRequest,
  codec.writeAuthRoleGetRequest,
);

export type AuthUserListRequest = Readonly<Record<string, never>>;
export const AuthUserListRequest: MessageType<AuthUserListRequest> = messageType(
  'etcdserverpb.AuthUserListRequest',
  codec.createAuthUserListRequest,
  codec.readAuthUserListRequest,
  codec.writeAuthUserListRequest,
);

export type AuthRoleListRequest = Readonly<Record<string, never>>;
export const AuthRoleListRequest: MessageType<AuthRoleListRequest> = messageType(
  'etcdserverpb.AuthRoleListRequest',
  codec.createAuthRoleListRequest,
  codec.readAuthRoleListRequest,
  codec.writeAuthRoleListRequest,
);

export interface AuthRoleDeleteRequest {
  readonly role: string;
}
export const AuthRoleDeleteRequest: MessageType<AuthRoleDeleteRequest> = messageType(
  'etcdserverpb.AuthRoleDeleteRequest',
  codec.createAuthRoleDeleteRequest,
  codec.readAuthRoleDeleteRequest,
  codec.writeAuthRoleDeleteRequest,
);

export interface AuthRoleGrantPermissionRequest {
  /** Of the role. */
  readonly name: string;
  readonly perm: Permission | undefined;
}
export const AuthRoleGrantPermissionRequest: MessageType<AuthRoleGrantPermissionRequest> = messageType(
  'etcdserverpb.AuthRoleGrantPermissionRequest',
  codec.createAuthRoleGrantPermissionRequest,
  codec.readAuthRoleGrantPermissionRequest,
  codec.writeAuthRoleGrantPermissionRequest,
);

export interface AuthRoleRevokePermissionRequest {
  readonly role: string;
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}
export const AuthRoleRevokePermissionRequest: MessageType<AuthRoleRevokePermissionRequest> = messageType(
  'etcdserverpb.AuthRoleRevokePermissionRequest',
  codec.createAuthRoleRevokePermissionRequest,
  codec.readAuthRoleRevokePermissionRequest,
  codec.writeAuthRoleRevokePermissionRequest,
);

export interface AuthEnableResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthEnableResponse: MessageType<AuthEnableResponse> = messageType(
  'etcdserverpb.AuthEnableResponse',
  codec.createAuthEnableResponse,
  codec.readAuthEnableResponse,
  codec.writeAuthEnableResponse,
);

export interface AuthDisableResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthDisableResponse: MessageType<AuthDisableResponse> = messageType(
  'etcdserverpb.AuthDisableResponse',
  codec.createAuthDisableResponse,
  codec.readAuthDisableResponse,
  codec.writeAuthDisableResponse,
);

export interface AuthStatusResponse {
  readonly header: ResponseHeader | undefined;
  readonly enabled: boolean;
  /** Counts the changes of the auth store. */
  readonly authRevision: number;
}
export const AuthStatusResponse: MessageType<AuthStatusResponse> = messageType(
  'etcdserverpb.AuthStatusResponse',
  codec.createAuthStatusResponse,
  codec.readAuthStatusResponse,
  codec.writeAuthStatusResponse,
);

export interface AuthenticateResponse {
  readonly header: ResponseHeader | undefined;
  /** For the `token` metadata of later calls. */
  readonly token: string;
}
export const AuthenticateResponse: MessageType<AuthenticateResponse> = messageType(
  'etcdserverpb.AuthenticateResponse',
  codec.createAuthenticateResponse,
  codec.readAuthenticateResponse,
  codec.writeAuthenticateResponse,
);

export interface AuthUserAddResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthUserAddResponse: MessageType<AuthUserAddResponse> = messageType(
  'etcdserverpb.AuthUserAddResponse',
  codec.createAuthUserAddResponse,
  codec.readAuthUserAddResponse,
  codec.writeAuthUserAddResponse,
);

export interface AuthUserGetResponse {
  readonly header: ResponseHeader | undefined;
  readonly roles: readonly string[];
}
export const AuthUserGetResponse: MessageType<AuthUserGetResponse> = messageType(
  'etcdserverpb.AuthUserGetResponse',
  codec.createAuthUserGetResponse,
  codec.readAuthUserGetResponse,
  codec.writeAuthUserGetResponse,
);

export interface AuthUserDeleteResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthUserDeleteResponse: MessageType<AuthUserDeleteResponse> = messageType(
  'etcdserverpb.AuthUserDeleteResponse',
  codec.createAuthUserDeleteResponse,
  codec.readAuthUserDeleteResponse,
  codec.writeAuthUserDeleteResponse,
);

export interface AuthUserChangePasswordResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthUserChangePasswordResponse: MessageType<AuthUserChangePasswordResponse> = messageType(
  'etcdserverpb.AuthUserChangePasswordResponse',
  codec.createAuthUserChangePasswordResponse,
  codec.readAuthUserChangePasswordResponse,
  codec.writeAuthUserChangePasswordResponse,
);

export interface AuthUserGrantRoleResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthUserGrantRoleResponse: MessageType<AuthUserGrantRoleResponse> = messageType(
  'etcdserverpb.AuthUserGrantRoleResponse',
  codec.createAuthUserGrantRoleResponse,
  codec.readAuthUserGrantRoleResponse,
  codec.writeAuthUserGrantRoleResponse,
);

export interface AuthUserRevokeRoleResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthUserRevokeRoleResponse: MessageType<AuthUserRevokeRoleResponse> = messageType(
  'etcdserverpb.AuthUserRevokeRoleResponse',
  codec.createAuthUserRevokeRoleResponse,
  codec.readAuthUserRevokeRoleResponse,
  codec.writeAuthUserRevokeRoleResponse,
);

export interface AuthRoleAddResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthRoleAddResponse: MessageType<AuthRoleAddResponse> = messageType(
  'etcdserverpb.AuthRoleAddResponse',
  codec.createAuthRoleAddResponse,
  codec.readAuthRoleAddResponse,
  codec.writeAuthRoleAddResponse,
);

export interface AuthRoleGetResponse {
  readonly header: ResponseHeader | undefined;
  readonly perm: readonly Permission[];
}
export const AuthRoleGetResponse: MessageType<AuthRoleGetResponse> = messageType(
  'etcdserverpb.AuthRoleGetResponse',
  codec.createAuthRoleGetResponse,
  codec.readAuthRoleGetResponse,
  codec.writeAuthRoleGetResponse,
);

export interface AuthRoleListResponse {
  readonly header: ResponseHeader | undefined;
  readonly roles: readonly string[];
}
export const AuthRoleListResponse: MessageType<AuthRoleListResponse> = messageType(
  'etcdserverpb.AuthRoleListResponse',
  codec.createAuthRoleListResponse,
  codec.readAuthRoleListResponse,
  codec.writeAuthRoleListResponse,
);

export interface AuthUserListResponse {
  readonly header: ResponseHeader | undefined;
  readonly users: readonly string[];
}
export const AuthUserListResponse: MessageType<AuthUserListResponse> = messageType(
  'etcdserverpb.AuthUserListResponse',
  codec.createAuthUserListResponse,
  codec.readAuthUserListResponse,
  codec.writeAuthUserListResponse,
);

export interface AuthRoleDeleteResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthRoleDeleteResponse: MessageType<AuthRoleDeleteResponse> = messageType(
  'etcdserverpb.AuthRoleDeleteResponse',
  codec.createAuthRoleDeleteResponse,
  codec.readAuthRoleDeleteResponse,
  codec.writeAuthRoleDeleteResponse,
);

export interface AuthRoleGrantPermissionResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthRoleGrantPermissionResponse: MessageType<AuthRoleGrantPermissionResponse> = messageType(
  'etcdserverpb.AuthRoleGrantPermissionResponse',
  codec.createAuthRoleGrantPermissionResponse,
  codec.readAuthRoleGrantPermissionResponse,
  codec.writeAuthRoleGrantPermissionResponse,
);

export interface AuthRoleRevokePermissionResponse {
  readonly header: ResponseHeader | undefined;
}
export const AuthRoleRevokePermissionResponse: MessageType<AuthRoleRevokePermissionResponse> = messageType(
  'etcdserverpb.AuthRoleRevokePermissionResponse',
  codec.createAuthRoleRevokePermissionResponse,
  codec.readAuthRoleRevokePermissionResponse,
  codec.writeAuthRoleRevokePermissionResponse,
);

/** Keys and values. Every mutating request takes one revision, however many keys it changes. */
export const KV: {
  readonly typeName: 'etcdserverpb.KV';
  readonly methods: {
    readonly range: Method<RangeRequest, RangeResponse, 'unary'>;
    /** As Range, in chunks: merged, they are what Range would have answered. Since etcd 3.7. */
    readonly rangeStream: Method<RangeRequest, RangeStreamResponse, 'server-stream'>;
    readonly put: Method<PutRequest, PutResponse, 'unary'>;
    readonly deleteRange: Method<DeleteRangeRequest, DeleteRangeResponse, 'unary'>;
    readonly txn: Method<TxnRequest, TxnResponse, 'unary'>;
    readonly compact: Method<CompactionRequest, CompactionResponse, 'unary'>;
  };
} = {
  typeName: 'etcdserverpb.KV',
  methods: {
    range: { path: '/etcdserverpb.KV/Range', kind: 'unary', request: RangeRequest, response: RangeResponse },
    rangeStream: { path: '/etcdserverpb.KV/RangeStream', kind: 'server-stream', request: RangeRequest, response: RangeStreamResponse },
    put: { path: '/etcdserverpb.KV/Put', kind: 'unary', request: PutRequest, response: PutResponse },
    deleteRange: { path: '/etcdserverpb.KV/DeleteRange', kind: 'unary', request: DeleteRangeRequest, response: DeleteRangeResponse },
    txn: { path: '/etcdserverpb.KV/Txn', kind: 'unary', request: TxnRequest, response: TxnResponse },
    compact: { path: '/etcdserverpb.KV/Compact', kind: 'unary', request: CompactionRequest, response: CompactionResponse },
  },
};

export const Watch: {
  readonly typeName: 'etcdserverpb.Watch';
  readonly methods: {
    /** Many watchers share one stream, told apart by their watch_id. */
    readonly watch: Method<WatchRequest, WatchResponse, 'bidi-stream'>;
  };
} = {
  typeName: 'etcdserverpb.Watch',
  methods: {
    watch: { path: '/etcdserverpb.Watch/Watch', kind: 'bidi-stream', request: WatchRequest, response: WatchResponse },
  },
};

/** Leases: a time to live that keys can be tied to. */
export const Lease: {
  readonly typeName: 'etcdserverpb.Lease';
  readonly methods: {
    readonly leaseGrant: Method<LeaseGrantRequest, LeaseGrantResponse, 'unary'>;
    /** Ends a lease at once and deletes its keys. */
    readonly leaseRevoke: Method<LeaseRevokeRequest, LeaseRevokeResponse, 'unary'>;
    readonly leaseKeepAlive: Method<LeaseKeepAliveRequest, LeaseKeepAliveResponse, 'bidi-stream'>;
    readonly leaseTimeToLive: Method<LeaseTimeToLiveRequest, LeaseTimeToLiveResponse, 'unary'>;
    readonly leaseLeases: Method<LeaseLeasesRequest, LeaseLeasesResponse, 'unary'>;
  };
} = {
  typeName: 'etcdserverpb.Lease',
  methods: {
    leaseGrant: { path: '/etcdserverpb.Lease/LeaseGrant', kind: 'unary', request: LeaseGrantRequest, response: LeaseGrantResponse },
    leaseRevoke: { path: '/etcdserverpb.Lease/LeaseRevoke', kind: 'unary', request: LeaseRevokeRequest, response: LeaseRevokeResponse },
    leaseKeepAlive: {
      path: '/etcdserverpb.Lease/LeaseKeepAlive',
      kind: 'bidi-stream',
      request: LeaseKeepAliveRequest,
      response: LeaseKeepAliveResponse,
    },
    leaseTimeToLive: {
      path: '/etcdserverpb.Lease/LeaseTimeToLive',
      kind: 'unary',
      request: LeaseTimeToLiveRequest,
      response: LeaseTimeToLiveResponse,
    },
    leaseLeases: { path: '/etcdserverpb.Lease/LeaseLeases', kind: 'unary', request: LeaseLeasesRequest, response: LeaseLeasesResponse },
  },
};

/** The members of the cluster. */
export const Cluster: {
  readonly typeName: 'etcdserverpb.Cluster';
  readonly methods: {
    readonly memberAdd: Method<MemberAddRequest, MemberAddResponse, 'unary'>;
    readonly memberRemove: Method<MemberRemoveRequest, MemberRemoveResponse, 'unary'>;
    readonly memberUpdate: Method<MemberUpdateRequest, MemberUpdateResponse, 'unary'>;
    readonly memberList: Method<MemberListRequest, MemberListResponse, 'unary'>;
    /** Makes a learner a voter. */
    readonly memberPromote: Method<MemberPromoteRequest, MemberPromoteResponse, 'unary'>;
  };
} = {
  typeName: 'etcdserverpb.Cluster',
  methods: {
    memberAdd: { path: '/etcdserverpb.Cluster/MemberAdd', kind: 'unary', request: MemberAddRequest, response: MemberAddResponse },
    memberRemove: {
      path: '/etcdserverpb.Cluster/MemberRemove',
      kind: 'unary',
      request: MemberRemoveRequest,
      response: MemberRemoveResponse,
    },
    memberUpdate: {
      path: '/etcdserverpb.Cluster/MemberUpdate',
      kind: 'unary',
      request: MemberUpdateRequest,
      response: MemberUpdateResponse,
    },
    memberList: { path: '/etcdserverpb.Cluster/MemberList', kind: 'unary', request: MemberListRequest, response: MemberListResponse },
    memberPromote: {
      path: '/etcdserverpb.Cluster/MemberPromote',
      kind: 'unary',
      request: MemberPromoteRequest,
      response: MemberPromoteResponse,
    },
  },
};

/** For operators. Most of these concern the member that is asked, not the cluster. */
export const Maintenance: {
  readonly typeName: 'etcdserverpb.Maintenance';
  readonly methods: {
    readonly alarm: Method<AlarmRequest, AlarmResponse, 'unary'>;
    readonly status: Method<StatusRequest, StatusResponse, 'unary'>;
    readonly defragment: Method<DefragmentRequest, DefragmentResponse, 'unary'>;
    readonly hash: Method<HashRequest, HashResponse, 'unary'>;
    /** A hash of all keys at a revision: the same on every member, or the store is corrupt. */
    readonly hashKV: Method<HashKVRequest, HashKVResponse, 'unary'>;
    readonly snapshot: Method<SnapshotRequest, SnapshotResponse, 'server-stream'>;
    readonly moveLeader: Method<MoveLeaderRequest, MoveLeaderResponse, 'unary'>;
    readonly downgrade: Method<DowngradeRequest, DowngradeResponse, 'unary'>;
  };
} = {
  typeName: 'etcdserverpb.Maintenance',
  methods: {
    alarm: { path: '/etcdserverpb.Maintenance/Alarm', kind: 'unary', request: AlarmRequest, response: AlarmResponse },
    status: { path: '/etcdserverpb.Maintenance/Status', kind: 'unary', request: StatusRequest, response: StatusResponse },
    defragment: { path: '/etcdserverpb.Maintenance/Defragment', kind: 'unary', request: DefragmentRequest, response: DefragmentResponse },
    hash: { path: '/etcdserverpb.Maintenance/Hash', kind: 'unary', request: HashRequest, response: HashResponse },
    hashKV: { path: '/etcdserverpb.Maintenance/HashKV', kind: 'unary', request: HashKVRequest, response: HashKVResponse },
    snapshot: { path: '/etcdserverpb.Maintenance/Snapshot', kind: 'server-stream', request: SnapshotRequest, response: SnapshotResponse },
    moveLeader: { path: '/etcdserverpb.Maintenance/MoveLeader', kind: 'unary', request: MoveLeaderRequest, response: MoveLeaderResponse },
    downgrade: { path: '/etcdserverpb.Maintenance/Downgrade', kind: 'unary', request: DowngradeRequest, response: DowngradeResponse },
  },
};

export const Auth: {
  readonly typeName: 'etcdserverpb.Auth';
  readonly methods: {
    readonly authEnable: Method<AuthEnableRequest, AuthEnableResponse, 'unary'>;
    readonly authDisable: Method<AuthDisableRequest, AuthDisableResponse, 'unary'>;
    readonly authStatus: Method<AuthStatusRequest, AuthStatusResponse, 'unary'>;
    /** Trades a name and a password for a token. */
    readonly authenticate: Method<AuthenticateRequest, AuthenticateResponse, 'unary'>;
    readonly userAdd: Method<AuthUserAddRequest, AuthUserAddResponse, 'unary'>;
    readonly userGet: Method<AuthUserGetRequest, AuthUserGetResponse, 'unary'>;
    readonly userList: Method<AuthUserListRequest, AuthUserListResponse, 'unary'>;
    readonly userDelete: Method<AuthUserDeleteRequest, AuthUserDeleteResponse, 'unary'>;
    readonly userChangePassword: Method<AuthUserChangePasswordRequest, AuthUserChangePasswordResponse, 'unary'>;
    readonly userGrantRole: Method<AuthUserGrantRoleRequest, AuthUserGrantRoleResponse, 'unary'>;
    readonly userRevokeRole: Method<AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse, 'unary'>;
    readonly roleAdd: Method<AuthRoleAddRequest, AuthRoleAddResponse, 'unary'>;
    readonly roleGet: Method<AuthRoleGetRequest, AuthRoleGetResponse, 'unary'>;
    readonly roleList: Method<AuthRoleListRequest, AuthRoleListResponse, 'unary'>;
    readonly roleDelete: Method<AuthRoleDeleteRequest, AuthRoleDeleteResponse, 'unary'>;
    readonly roleGrantPermission: Method<AuthRoleGrantPermissionRequest, AuthRoleGrantPermissionResponse, 'unary'>;
    readonly roleRevokePermission: Method<AuthRoleRevokePermissionRequest, AuthRoleRevokePermissionResponse, 'unary'>;
  };
} = {
  typeName: 'etcdserverpb.Auth',
  methods: {
    authEnable: { path: '/etcdserverpb.Auth/AuthEnable', kind: 'unary', request: AuthEnableRequest, response: AuthEnableResponse },
    authDisable: { path: '/etcdserverpb.Auth/AuthDisable', kind: 'unary', request: AuthDisableRequest, response: AuthDisableResponse },
    authStatus: { path: '/etcdserverpb.Auth/AuthStatus', kind: 'unary', request: AuthStatusRequest, response: AuthStatusResponse },
    authenticate: { path: '/etcdserverpb.Auth/Authenticate', kind: 'unary', request: AuthenticateRequest, response: AuthenticateResponse },
    userAdd: { path: '/etcdserverpb.Auth/UserAdd', kind: 'unary', request: AuthUserAddRequest, response: AuthUserAddResponse },
    userGet: { path: '/etcdserverpb.Auth/UserGet', kind: 'unary', request: AuthUserGetRequest, response: AuthUserGetResponse },
    userList: { path: '/etcdserverpb.Auth/UserList', kind: 'unary', request: AuthUserListRequest, response: AuthUserListResponse },
    userDelete: { path: '/etcdserverpb.Auth/UserDelete', kind: 'unary', request: AuthUserDeleteRequest, response: AuthUserDeleteResponse },
    userChangePassword: {
      path: '/etcdserverpb.Auth/UserChangePassword',
      kind: 'unary',
      request: AuthUserChangePasswordRequest,
      response: AuthUserChangePasswordResponse,
    },
    userGrantRole: {
      path: '/etcdserverpb.Auth/UserGrantRole',
      kind: 'unary',
      request: AuthUserGrantRoleRequest,
      response: AuthUserGrantRoleResponse,
    },
    userRevokeRole: {
      path: '/etcdserverpb.Auth/UserRevokeRole',
      kind: 'unary',
      request: AuthUserRevokeRoleRequest,
      response: AuthUserRevokeRoleResponse,
    },
    roleAdd: { path: '/etcdserverpb.Auth/RoleAdd', kind: 'unary', request: AuthRoleAddRequest, response: AuthRoleAddResponse },
    roleGet: { path: '/etcdserverpb.Auth/RoleGet', kind: 'unary', request: AuthRoleGetRequest, response: AuthRoleGetResponse },
    roleList: { path: '/etcdserverpb.Auth/RoleList', kind: 'unary', request: AuthRoleListRequest, response: AuthRoleListResponse },
    roleDelete: { path: '/etcdserverpb.Auth/RoleDelete', kind: 'unary', request: AuthRoleDeleteRequest, response: AuthRoleDeleteResponse },
    roleGrantPermission: {
      path: '/etcdserverpb.Auth/RoleGrantPermission',
      kind: 'unary',
      request: AuthRoleGrantPermissionRequest,
      response: AuthRoleGrantPermissionResponse,
    },
    roleRevokePermission: {
      path: '/etcdserverpb.Auth/RoleRevokePermission',
      kind: 'unary',
      request: AuthRoleRevokePermissionRequest,
      response: AuthRoleRevokePermissionResponse,
    },
  },
};
