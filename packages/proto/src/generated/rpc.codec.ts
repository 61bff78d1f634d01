// Generated from proto/rpc.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY, unreachable } from '@distrokv/base';
import { noItems } from '../codec.ts';
import { append, type Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { Event, KeyValue } from './kv.ts';
import type {
  AlarmMember,
  AlarmRequest,
  AlarmResponse,
  AuthDisableRequest,
  AuthDisableResponse,
  AuthEnableRequest,
  AuthEnableResponse,
  AuthRoleAddRequest,
  AuthRoleAddResponse,
  AuthRoleDeleteRequest,
  AuthRoleDeleteResponse,
  AuthRoleGetRequest,
  AuthRoleGetResponse,
  AuthRoleGrantPermissionRequest,
  AuthRoleGrantPermissionResponse,
  AuthRoleListRequest,
  AuthRoleListResponse,
  AuthRoleRevokePermissionRequest,
  AuthRoleRevokePermissionResponse,
  AuthStatusRequest,
  AuthStatusResponse,
  AuthUserAddRequest,
  AuthUserAddResponse,
  AuthUserChangePasswordRequest,
  AuthUserChangePasswordResponse,
  AuthUserDeleteRequest,
  AuthUserDeleteResponse,
  AuthUserGetRequest,
  AuthUserGetResponse,
  AuthUserGrantRoleRequest,
  AuthUserGrantRoleResponse,
  AuthUserListRequest,
  AuthUserListResponse,
  AuthUserRevokeRoleRequest,
  AuthUserRevokeRoleResponse,
  AuthenticateRequest,
  AuthenticateResponse,
  CompactionRequest,
  CompactionResponse,
  Compare,
  DefragmentRequest,
  DefragmentResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  DowngradeInfo,
  DowngradeRequest,
  DowngradeResponse,
  DowngradeVersionTestRequest,
  HashKVRequest,
  HashKVResponse,
  HashRequest,
  HashResponse,
  LeaseCheckpoint,
  LeaseCheckpointRequest,
  LeaseCheckpointResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseLeasesRequest,
  LeaseLeasesResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  LeaseStatus,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
  Member,
  MemberAddRequest,
  MemberAddResponse,
  MemberListRequest,
  MemberListResponse,
  MemberPromoteRequest,
  MemberPromoteResponse,
  MemberRemoveRequest,
  MemberRemoveResponse,
  MemberUpdateRequest,
  MemberUpdateResponse,
  MoveLeaderRequest,
  MoveLeaderResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RangeStreamResponse,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  SnapshotRequest,
  SnapshotResponse,
  StatusRequest,
  StatusResponse,
  TxnRequest,
  TxnResponse,
  WatchCancelRequest,
  WatchCreateRequest,
  WatchProgressRequest,
  WatchRequest,
  WatchResponse,
} from './rpc.ts';
import type { Permission } from './auth.ts';
import { emptyEvent, emptyKeyValue, readEvent, readKeyValue, writeEvent, writeKeyValue } from './kv.codec.ts';
import {
  emptyPermission,
  emptyUserAddOptions,
  readPermission,
  readUserAddOptions,
  writePermission,
  writeUserAddOptions,
} from './auth.codec.ts';

export function createResponseHeader(fields: Partial<ResponseHeader>): ResponseHeader {
  return {
    clusterId: fields.clusterId ?? 0n,
    memberId: fields.memberId ?? 0n,
    revision: fields.revision ?? 0,
    raftTerm: fields.raftTerm ?? 0,
  };
}

export const emptyResponseHeader: ResponseHeader = createResponseHeader({});

export function readResponseHeader(r: Reader, end: number, before: ResponseHeader): ResponseHeader {
  let { clusterId, memberId, revision, raftTerm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        clusterId = r.uint64();
        break;
      case 16:
        memberId = r.uint64();
        break;
      case 24:
        revision = r.int64Number();
        break;
      case 32:
        raftTerm = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { clusterId, memberId, revision, raftTerm };
}

export function writeResponseHeader(w: Writer, m: ResponseHeader): void {
  if (m.raftTerm !== 0) w.int64Number(32, m.raftTerm);
  if (m.revision !== 0) w.int64Number(24, m.revision);
  if (m.memberId !== 0n) w.int64(16, m.memberId);
  if (m.clusterId !== 0n) w.int64(8, m.clusterId);
}

export function createRangeRequest(fields: Partial<RangeRequest>): RangeRequest {
  return {
    key: fields.key ?? EMPTY,
    rangeEnd: fields.rangeEnd ?? EMPTY,
    limit: fields.limit ?? 0,
    revision: fields.revision ?? 0,
    sortOrder: fields.sortOrder ?? 0,
    sortTarget: fields.sortTarget ?? 0,
    serializable: fields.serializable ?? false,
    keysOnly: fields.keysOnly ?? false,
    countOnly: fields.countOnly ?? false,
    minModRevision: fields.minModRevision ?? 0,
    maxModRevision: fields.maxModRevision ?? 0,
    minCreateRevision: fields.minCreateRevision ?? 0,
    maxCreateRevision: fields.maxCreateRevision ?? 0,
  };
}

export const emptyRangeRequest: RangeRequest = createRangeRequest({});

export function readRangeRequest(r: Reader, end: number, before: RangeRequest): RangeRequest {
  let {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.bytes();
        break;
      case 18:
        rangeEnd = r.bytes();
        break;
      case 24:
        limit = r.int64Number();
        break;
      case 32:
        revision = r.int64Number();
        break;
      case 40:
        sortOrder = r.int32();
        break;
      case 48:
        sortTarget = r.int32();
        break;
      case 56:
        serializable = r.bool();
        break;
      case 64:
        keysOnly = r.bool();
        break;
      case 72:
        countOnly = r.bool();
        break;
      case 80:
        minModRevision = r.int64Number();
        break;
      case 88:
        maxModRevision = r.int64Number();
        break;
      case 96:
        minCreateRevision = r.int64Number();
        break;
      case 104:
        maxCreateRevision = r.int64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    }
  }
  r.leave(end);
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

export function writeRangeRequest(w: Writer, m: RangeRequest): void {
  if (m.maxCreateRevision !== 0) w.int64Number(104, m.maxCreateRevision);
  if (m.minCreateRevision !== 0) w.int64Number(96, m.minCreateRevision);
  if (m.maxModRevision !== 0) w.int64Number(88, m.maxModRevision);
  if (m.minModRevision !== 0) w.int64Number(80, m.minModRevision);
  if (m.countOnly) w.bool(72, m.countOnly);
  if (m.keysOnly) w.bool(64, m.keysOnly);
  if (m.serializable) w.bool(56, m.serializable);
  if (m.sortTarget !== 0) w.int32(48, m.sortTarget);
  if (m.sortOrder !== 0) w.int32(40, m.sortOrder);
  if (m.revision !== 0) w.int64Number(32, m.revision);
  if (m.limit !== 0) w.int64Number(24, m.limit);
  if (m.rangeEnd.length > 0) w.bytes(18, m.rangeEnd);
  if (m.key.length > 0) w.bytes(10, m.key);
}

export function createRangeResponse(fields: Partial<RangeResponse>): RangeResponse {
  return { header: fields.header, kvs: fields.kvs ?? noItems, more: fields.more ?? false, count: fields.count ?? 0 };
}

export const emptyRangeResponse: RangeResponse = createRangeResponse({});

export function readRangeResponse(r: Reader, end: number, before: RangeResponse): RangeResponse {
  let { header, kvs, more, count } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        kvs = append(kvs, readKeyValue(r, r.enter(), emptyKeyValue));
        break;
      case 24:
        more = r.bool();
        break;
      case 32:
        count = r.int64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { header, kvs, more, count };
}

export function writeRangeResponse(w: Writer, m: RangeResponse): void {
  if (m.count !== 0) w.int64Number(32, m.count);
  if (m.more) w.bool(24, m.more);
  for (let i = m.kvs.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeKeyValue(w, m.kvs[i] as KeyValue);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createRangeStreamResponse(fields: Partial<RangeStreamResponse>): RangeStreamResponse {
  return { rangeResponse: fields.rangeResponse };
}

export function readRangeStreamResponse(r: Reader, end: number, before: RangeStreamResponse): RangeStreamResponse {
  let { rangeResponse } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        rangeResponse = readRangeResponse(r, r.enter(), rangeResponse ?? emptyRangeResponse);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { rangeResponse };
}

export function writeRangeStreamResponse(w: Writer, m: RangeStreamResponse): void {
  if (m.rangeResponse !== undefined) {
    const end = w.mark();
    writeRangeResponse(w, m.rangeResponse);
    w.close(10, end);
  }
}

export function createPutRequest(fields: Partial<PutRequest>): PutRequest {
  return {
    key: fields.key ?? EMPTY,
    value: fields.value ?? EMPTY,
    lease: fields.lease ?? 0n,
    prevKv: fields.prevKv ?? false,
    ignoreValue: fields.ignoreValue ?? false,
    ignoreLease: fields.ignoreLease ?? false,
  };
}

export const emptyPutRequest: PutRequest = createPutRequest({});

export function readPutRequest(r: Reader, end: number, before: PutRequest): PutRequest {
  let { key, value, lease, prevKv, ignoreValue, ignoreLease } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.bytes();
        break;
      case 18:
        value = r.bytes();
        break;
      case 24:
        lease = r.int64();
        break;
      case 32:
        prevKv = r.bool();
        break;
      case 40:
        ignoreValue = r.bool();
        break;
      case 48:
        ignoreLease = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6]);
    }
  }
  r.leave(end);
  return { key, value, lease, prevKv, ignoreValue, ignoreLease };
}

export function writePutRequest(w: Writer, m: PutRequest): void {
  if (m.ignoreLease) w.bool(48, m.ignoreLease);
  if (m.ignoreValue) w.bool(40, m.ignoreValue);
  if (m.prevKv) w.bool(32, m.prevKv);
  if (m.lease !== 0n) w.int64(24, m.lease);
  if (m.value.length > 0) w.bytes(18, m.value);
  if (m.key.length > 0) w.bytes(10, m.key);
}

export function createPutResponse(fields: Partial<PutResponse>): PutResponse {
  return { header: fields.header, prevKv: fields.prevKv };
}

export const emptyPutResponse: PutResponse = createPutResponse({});

export function readPutResponse(r: Reader, end: number, before: PutResponse): PutResponse {
  let { header, prevKv } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        prevKv = readKeyValue(r, r.enter(), prevKv ?? emptyKeyValue);
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, prevKv };
}

export function writePutResponse(w: Writer, m: PutResponse): void {
  if (m.prevKv !== undefined) {
    const end = w.mark();
    writeKeyValue(w, m.prevKv);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createDeleteRangeRequest(fields: Partial<DeleteRangeRequest>): DeleteRangeRequest {
  return { key: fields.key ?? EMPTY, rangeEnd: fields.rangeEnd ?? EMPTY, prevKv: fields.prevKv ?? false };
}

export const emptyDeleteRangeRequest: DeleteRangeRequest = createDeleteRangeRequest({});

export function readDeleteRangeRequest(r: Reader, end: number, before: DeleteRangeRequest): DeleteRangeRequest {
  let { key, rangeEnd, prevKv } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.bytes();
        break;
      case 18:
        rangeEnd = r.bytes();
        break;
      case 24:
        prevKv = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { key, rangeEnd, prevKv };
}

export function writeDeleteRangeRequest(w: Writer, m: DeleteRangeRequest): void {
  if (m.prevKv) w.bool(24, m.prevKv);
  if (m.rangeEnd.length > 0) w.bytes(18, m.rangeEnd);
  if (m.key.length > 0) w.bytes(10, m.key);
}

export function createDeleteRangeResponse(fields: Partial<DeleteRangeResponse>): DeleteRangeResponse {
  return { header: fields.header, deleted: fields.deleted ?? 0, prevKvs: fields.prevKvs ?? noItems };
}

export const emptyDeleteRangeResponse: DeleteRangeResponse = createDeleteRangeResponse({});

export function readDeleteRangeResponse(r: Reader, end: number, before: DeleteRangeResponse): DeleteRangeResponse {
  let { header, deleted, prevKvs } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        deleted = r.int64Number();
        break;
      case 26:
        prevKvs = append(prevKvs, readKeyValue(r, r.enter(), emptyKeyValue));
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { header, deleted, prevKvs };
}

export function writeDeleteRangeResponse(w: Writer, m: DeleteRangeResponse): void {
  for (let i = m.prevKvs.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeKeyValue(w, m.prevKvs[i] as KeyValue);
    w.close(26, end);
  }
  if (m.deleted !== 0) w.int64Number(16, m.deleted);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createRequestOp(fields: Partial<RequestOp>): RequestOp {
  return { request: fields.request };
}

export const emptyRequestOp: RequestOp = createRequestOp({});

export function readRequestOp(r: Reader, end: number, before: RequestOp): RequestOp {
  let { request } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        request = {
          case: 'requestRange',
          value: readRangeRequest(r, r.enter(), request?.case === 'requestRange' ? request.value : emptyRangeRequest),
        };
        break;
      case 18:
        request = {
          case: 'requestPut',
          value: readPutRequest(r, r.enter(), request?.case === 'requestPut' ? request.value : emptyPutRequest),
        };
        break;
      case 26:
        request = {
          case: 'requestDeleteRange',
          value: readDeleteRangeRequest(r, r.enter(), request?.case === 'requestDeleteRange' ? request.value : emptyDeleteRangeRequest),
        };
        break;
      case 34:
        request = {
          case: 'requestTxn',
          value: readTxnRequest(r, r.enter(), request?.case === 'requestTxn' ? request.value : emptyTxnRequest),
        };
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { request };
}

export function writeRequestOp(w: Writer, m: RequestOp): void {
  if (m.request !== undefined) {
    switch (m.request.case) {
      case 'requestRange': {
        const end = w.mark();
        writeRangeRequest(w, m.request.value);
        w.close(10, end);
        break;
      }
      case 'requestPut': {
        const end = w.mark();
        writePutRequest(w, m.request.value);
        w.close(18, end);
        break;
      }
      case 'requestDeleteRange': {
        const end = w.mark();
        writeDeleteRangeRequest(w, m.request.value);
        w.close(26, end);
        break;
      }
      case 'requestTxn': {
        const end = w.mark();
        writeTxnRequest(w, m.request.value);
        w.close(34, end);
        break;
      }
      default:
        unreachable(m.request);
    }
  }
}

export function createResponseOp(fields: Partial<ResponseOp>): ResponseOp {
  return { response: fields.response };
}

export const emptyResponseOp: ResponseOp = createResponseOp({});

export function readResponseOp(r: Reader, end: number, before: ResponseOp): ResponseOp {
  let { response } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        response = {
          case: 'responseRange',
          value: readRangeResponse(r, r.enter(), response?.case === 'responseRange' ? response.value : emptyRangeResponse),
        };
        break;
      case 18:
        response = {
          case: 'responsePut',
          value: readPutResponse(r, r.enter(), response?.case === 'responsePut' ? response.value : emptyPutResponse),
        };
        break;
      case 26:
        response = {
          case: 'responseDeleteRange',
          value: readDeleteRangeResponse(
            r,
            r.enter(),
            response?.case === 'responseDeleteRange' ? response.value : emptyDeleteRangeResponse,
          ),
        };
        break;
      case 34:
        response = {
          case: 'responseTxn',
          value: readTxnResponse(r, r.enter(), response?.case === 'responseTxn' ? response.value : emptyTxnResponse),
        };
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { response };
}

export function writeResponseOp(w: Writer, m: ResponseOp): void {
  if (m.response !== undefined) {
    switch (m.response.case) {
      case 'responseRange': {
        const end = w.mark();
        writeRangeResponse(w, m.response.value);
        w.close(10, end);
        break;
      }
      case 'responsePut': {
        const end = w.mark();
        writePutResponse(w, m.response.value);
        w.close(18, end);
        break;
      }
      case 'responseDeleteRange': {
        const end = w.mark();
        writeDeleteRangeResponse(w, m.response.value);
        w.close(26, end);
        break;
      }
      case 'responseTxn': {
        const end = w.mark();
        writeTxnResponse(w, m.response.value);
        w.close(34, end);
        break;
      }
      default:
        unreachable(m.response);
    }
  }
}

export function createCompare(fields: Partial<Compare>): Compare {
  return {
    result: fields.result ?? 0,
    target: fields.target ?? 0,
    key: fields.key ?? EMPTY,
    targetUnion: fields.targetUnion,
    rangeEnd: fields.rangeEnd ?? EMPTY,
  };
}

export const emptyCompare: Compare = createCompare({});

export function readCompare(r: Reader, end: number, before: Compare): Compare {
  let { result, target, key, targetUnion, rangeEnd } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        result = r.int32();
        break;
      case 16:
        target = r.int32();
        break;
      case 26:
        key = r.bytes();
        break;
      case 32:
        targetUnion = { case: 'version', value: r.int64Number() };
        break;
      case 40:
        targetUnion = { case: 'createRevision', value: r.int64Number() };
        break;
      case 48:
        targetUnion = { case: 'modRevision', value: r.int64Number() };
        break;
      case 58:
        targetUnion = { case: 'value', value: r.bytes() };
        break;
      case 64:
        targetUnion = { case: 'lease', value: r.int64() };
        break;
      case 514:
        rangeEnd = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6, 7, 8, 64]);
    }
  }
  r.leave(end);
  return { result, target, key, targetUnion, rangeEnd };
}

export function writeCompare(w: Writer, m: Compare): void {
  if (m.rangeEnd.length > 0) w.bytes(514, m.rangeEnd);
  if (m.targetUnion !== undefined) {
    switch (m.targetUnion.case) {
      case 'version':
        w.int64Number(32, m.targetUnion.value);
        break;
      case 'createRevision':
        w.int64Number(40, m.targetUnion.value);
        break;
      case 'modRevision':
        w.int64Number(48, m.targetUnion.value);
        break;
      case 'value':
        w.bytes(58, m.targetUnion.value);
        break;
      case 'lease':
        w.int64(64, m.targetUnion.value);
        break;
      default:
        unreachable(m.targetUnion);
    }
  }
  if (m.key.length > 0) w.bytes(26, m.key);
  if (m.target !== 0) w.int32(16, m.target);
  if (m.result !== 0) w.int32(8, m.result);
}

export function createTxnRequest(fields: Partial<TxnRequest>): TxnRequest {
  return { compare: fields.compare ?? noItems, success: fields.success ?? noItems, failure: fields.failure ?? noItems };
}

export const emptyTxnRequest: TxnRequest = createTxnRequest({});

export function readTxnRequest(r: Reader, end: number, before: TxnRequest): TxnRequest {
  let { compare, success, failure } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        compare = append(compare, readCompare(r, r.enter(), emptyCompare));
        break;
      case 18:
        success = append(success, readRequestOp(r, r.enter(), emptyRequestOp));
        break;
      case 26:
        failure = append(failure, readRequestOp(r, r.enter(), emptyRequestOp));
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { compare, success, failure };
}

export function writeTxnRequest(w: Writer, m: TxnRequest): void {
  for (let i = m.failure.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeRequestOp(w, m.failure[i] as RequestOp);
    w.close(26, end);
  }
  for (let i = m.success.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeRequestOp(w, m.success[i] as RequestOp);
    w.close(18, end);
  }
  for (let i = m.compare.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeCompare(w, m.compare[i] as Compare);
    w.close(10, end);
  }
}

export function createTxnResponse(fields: Partial<TxnResponse>): TxnResponse {
  return { header: fields.header, succeeded: fields.succeeded ?? false, responses: fields.responses ?? noItems };
}

export const emptyTxnResponse: TxnResponse = createTxnResponse({});

export function readTxnResponse(r: Reader, end: number, before: TxnResponse): TxnResponse {
  let { header, succeeded, responses } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        succeeded = r.bool();
        break;
      case 26:
        responses = append(responses, readResponseOp(r, r.enter(), emptyResponseOp));
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { header, succeeded, responses };
}

export function writeTxnResponse(w: Writer, m: TxnResponse): void {
  for (let i = m.responses.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeResponseOp(w, m.responses[i] as ResponseOp);
    w.close(26, end);
  }
  if (m.succeeded) w.bool(16, m.succeeded);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createCompactionRequest(fields: Partial<CompactionRequest>): CompactionRequest {
  return { revision: fields.revision ?? 0, physical: fields.physical ?? false };
}

export function readCompactionRequest(r: Reader, end: number, before: CompactionRequest): CompactionRequest {
  let { revision, physical } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        revision = r.int64Number();
        break;
      case 16:
        physical = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { revision, physical };
}

export function writeCompactionRequest(w: Writer, m: CompactionRequest): void {
  if (m.physical) w.bool(16, m.physical);
  if (m.revision !== 0) w.int64Number(8, m.revision);
}

export function createCompactionResponse(fields: Partial<CompactionResponse>): CompactionResponse {
  return { header: fields.header };
}

export function readCompactionResponse(r: Reader, end: number, before: CompactionResponse): CompactionResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeCompactionResponse(w: Writer, m: CompactionResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createHashRequest(_fields: Partial<HashRequest>): HashRequest {
  return {};
}

export function readHashRequest(r: Reader, end: number, _before: HashRequest): HashRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeHashRequest(_w: Writer, _m: HashRequest): void {}

export function createHashKVRequest(fields: Partial<HashKVRequest>): HashKVRequest {
  return { revision: fields.revision ?? 0 };
}

export function readHashKVRequest(r: Reader, end: number, before: HashKVRequest): HashKVRequest {
  let { revision } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        revision = r.int64Number();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { revision };
}

export function writeHashKVRequest(w: Writer, m: HashKVRequest): void {
  if (m.revision !== 0) w.int64Number(8, m.revision);
}

export function createHashKVResponse(fields: Partial<HashKVResponse>): HashKVResponse {
  return {
    header: fields.header,
    hash: fields.hash ?? 0,
    compactRevision: fields.compactRevision ?? 0,
    hashRevision: fields.hashRevision ?? 0,
  };
}

export function readHashKVResponse(r: Reader, end: number, before: HashKVResponse): HashKVResponse {
  let { header, hash, compactRevision, hashRevision } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        hash = r.uint32();
        break;
      case 24:
        compactRevision = r.int64Number();
        break;
      case 32:
        hashRevision = r.int64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { header, hash, compactRevision, hashRevision };
}

export function writeHashKVResponse(w: Writer, m: HashKVResponse): void {
  if (m.hashRevision !== 0) w.int64Number(32, m.hashRevision);
  if (m.compactRevision !== 0) w.int64Number(24, m.compactRevision);
  if (m.hash !== 0) w.uint32(16, m.hash);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createHashResponse(fields: Partial<HashResponse>): HashResponse {
  return { header: fields.header, hash: fields.hash ?? 0 };
}

export function readHashResponse(r: Reader, end: number, before: HashResponse): HashResponse {
  let { header, hash } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        hash = r.uint32();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, hash };
}

export function writeHashResponse(w: Writer, m: HashResponse): void {
  if (m.hash !== 0) w.uint32(16, m.hash);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createSnapshotRequest(_fields: Partial<SnapshotRequest>): SnapshotRequest {
  return {};
}

export function readSnapshotRequest(r: Reader, end: number, _before: SnapshotRequest): SnapshotRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeSnapshotRequest(_w: Writer, _m: SnapshotRequest): void {}

export function createSnapshotResponse(fields: Partial<SnapshotResponse>): SnapshotResponse {
  return { header: fields.header, remainingBytes: fields.remainingBytes ?? 0, blob: fields.blob ?? EMPTY, version: fields.version ?? '' };
}

export function readSnapshotResponse(r: Reader, end: number, before: SnapshotResponse): SnapshotResponse {
  let { header, remainingBytes, blob, version } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        remainingBytes = r.uint64Number();
        break;
      case 26:
        blob = r.bytes();
        break;
      case 34:
        version = r.string();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { header, remainingBytes, blob, version };
}

export function writeSnapshotResponse(w: Writer, m: SnapshotResponse): void {
  if (m.version !== '') w.string(34, m.version);
  if (m.blob.length > 0) w.bytes(26, m.blob);
  if (m.remainingBytes !== 0) w.int64Number(16, m.remainingBytes);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createWatchRequest(fields: Partial<WatchRequest>): WatchRequest {
  return { requestUnion: fields.requestUnion };
}

export function readWatchRequest(r: Reader, end: number, before: WatchRequest): WatchRequest {
  let { requestUnion } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        requestUnion = {
          case: 'createRequest',
          value: readWatchCreateRequest(
            r,
            r.enter(),
            requestUnion?.case === 'createRequest' ? requestUnion.value : emptyWatchCreateRequest,
          ),
        };
        break;
      case 18:
        requestUnion = {
          case: 'cancelRequest',
          value: readWatchCancelRequest(
            r,
            r.enter(),
            requestUnion?.case === 'cancelRequest' ? requestUnion.value : emptyWatchCancelRequest,
          ),
        };
        break;
      case 26:
        requestUnion = {
          case: 'progressRequest',
          value: readWatchProgressRequest(
            r,
            r.enter(),
            requestUnion?.case === 'progressRequest' ? requestUnion.value : emptyWatchProgressRequest,
          ),
        };
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { requestUnion };
}

export function writeWatchRequest(w: Writer, m: WatchRequest): void {
  if (m.requestUnion !== undefined) {
    switch (m.requestUnion.case) {
      case 'createRequest': {
        const end = w.mark();
        writeWatchCreateRequest(w, m.requestUnion.value);
        w.close(10, end);
        break;
      }
      case 'cancelRequest': {
        const end = w.mark();
        writeWatchCancelRequest(w, m.requestUnion.value);
        w.close(18, end);
        break;
      }
      case 'progressRequest': {
        const end = w.mark();
        writeWatchProgressRequest(w, m.requestUnion.value);
        w.close(26, end);
        break;
      }
      default:
        unreachable(m.requestUnion);
    }
  }
}

export function createWatchCreateRequest(fields: Partial<WatchCreateRequest>): WatchCreateRequest {
  return {
    key: fields.key ?? EMPTY,
    rangeEnd: fields.rangeEnd ?? EMPTY,
    startRevision: fields.startRevision ?? 0,
    progressNotify: fields.progressNotify ?? false,
    filters: fields.filters ?? noItems,
    prevKv: fields.prevKv ?? false,
    watchId: fields.watchId ?? 0,
    fragment: fields.fragment ?? false,
  };
}

export const emptyWatchCreateRequest: WatchCreateRequest = createWatchCreateRequest({});

export function readWatchCreateRequest(r: Reader, end: number, before: WatchCreateRequest): WatchCreateRequest {
  let { key, rangeEnd, startRevision, progressNotify, filters, prevKv, watchId, fragment } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.bytes();
        break;
      case 18:
        rangeEnd = r.bytes();
        break;
      case 24:
        startRevision = r.int64Number();
        break;
      case 32:
        progressNotify = r.bool();
        break;
      case 42:
        filters = r.packedInt32(filters);
        break;
      case 40:
        filters = append(filters, r.int32());
        break;
      case 48:
        prevKv = r.bool();
        break;
      case 56:
        watchId = r.int64Number();
        break;
      case 64:
        fragment = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
  }
  r.leave(end);
  return { key, rangeEnd, startRevision, progressNotify, filters, prevKv, watchId, fragment };
}

export function writeWatchCreateRequest(w: Writer, m: WatchCreateRequest): void {
  if (m.fragment) w.bool(64, m.fragment);
  if (m.watchId !== 0) w.int64Number(56, m.watchId);
  if (m.prevKv) w.bool(48, m.prevKv);
  if (m.filters.length > 0) w.packedInt32(42, m.filters);
  if (m.progressNotify) w.bool(32, m.progressNotify);
  if (m.startRevision !== 0) w.int64Number(24, m.startRevision);
  if (m.rangeEnd.length > 0) w.bytes(18, m.rangeEnd);
  if (m.key.length > 0) w.bytes(10, m.key);
}

export function createWatchCancelRequest(fields: Partial<WatchCancelRequest>): WatchCancelRequest {
  return { watchId: fields.watchId ?? 0 };
}

export const emptyWatchCancelRequest: WatchCancelRequest = createWatchCancelRequest({});

export function readWatchCancelRequest(r: Reader, end: number, before: WatchCancelRequest): WatchCancelRequest {
  let { watchId } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        watchId = r.int64Number();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { watchId };
}

export function writeWatchCancelRequest(w: Writer, m: WatchCancelRequest): void {
  if (m.watchId !== 0) w.int64Number(8, m.watchId);
}

export function createWatchProgressRequest(_fields: Partial<WatchProgressRequest>): WatchProgressRequest {
  return {};
}

export const emptyWatchProgressRequest: WatchProgressRequest = createWatchProgressRequest({});

export function readWatchProgressRequest(r: Reader, end: number, _before: WatchProgressRequest): WatchProgressRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeWatchProgressRequest(_w: Writer, _m: WatchProgressRequest): void {}

export function createWatchResponse(fields: Partial<WatchResponse>): WatchResponse {
  return {
    header: fields.header,
    watchId: fields.watchId ?? 0,
    created: fields.created ?? false,
    canceled: fields.canceled ?? false,
    compactRevision: fields.compactRevision ?? 0,
    cancelReason: fields.cancelReason ?? '',
    fragment: fields.fragment ?? false,
    events: fields.events ?? noItems,
  };
}

export function readWatchResponse(r: Reader, end: number, before: WatchResponse): WatchResponse {
  let { header, watchId, created, canceled, compactRevision, cancelReason, fragment, events } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        watchId = r.int64Number();
        break;
      case 24:
        created = r.bool();
        break;
      case 32:
        canceled = r.bool();
        break;
      case 40:
        compactRevision = r.int64Number();
        break;
      case 50:
        cancelReason = r.string();
        break;
      case 56:
        fragment = r.bool();
        break;
      case 90:
        events = append(events, readEvent(r, r.enter(), emptyEvent));
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6, 7, 11]);
    }
  }
  r.leave(end);
  return { header, watchId, created, canceled, compactRevision, cancelReason, fragment, events };
}

export function writeWatchResponse(w: Writer, m: WatchResponse): void {
  for (let i = m.events.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeEvent(w, m.events[i] as Event);
    w.close(90, end);
  }
  if (m.fragment) w.bool(56, m.fragment);
  if (m.cancelReason !== '') w.string(50, m.cancelReason);
  if (m.compactRevision !== 0) w.int64Number(40, m.compactRevision);
  if (m.canceled) w.bool(32, m.canceled);
  if (m.created) w.bool(24, m.created);
  if (m.watchId !== 0) w.int64Number(16, m.watchId);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaseGrantRequest(fields: Partial<LeaseGrantRequest>): LeaseGrantRequest {
  return { ttl: fields.ttl ?? 0, id: fields.id ?? 0n };
}

export function readLeaseGrantRequest(r: Reader, end: number, before: LeaseGrantRequest): LeaseGrantRequest {
  let { ttl, id } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        ttl = r.int64Number();
        break;
      case 16:
        id = r.int64();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { ttl, id };
}

export function writeLeaseGrantRequest(w: Writer, m: LeaseGrantRequest): void {
  if (m.id !== 0n) w.int64(16, m.id);
  if (m.ttl !== 0) w.int64Number(8, m.ttl);
}

export function createLeaseGrantResponse(fields: Partial<LeaseGrantResponse>): LeaseGrantResponse {
  return { header: fields.header, id: fields.id ?? 0n, ttl: fields.ttl ?? 0, error: fields.error ?? '' };
}

export function readLeaseGrantResponse(r: Reader, end: number, before: LeaseGrantResponse): LeaseGrantResponse {
  let { header, id, ttl, error } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        id = r.int64();
        break;
      case 24:
        ttl = r.int64Number();
        break;
      case 34:
        error = r.string();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { header, id, ttl, error };
}

export function writeLeaseGrantResponse(w: Writer, m: LeaseGrantResponse): void {
  if (m.error !== '') w.string(34, m.error);
  if (m.ttl !== 0) w.int64Number(24, m.ttl);
  if (m.id !== 0n) w.int64(16, m.id);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaseRevokeRequest(fields: Partial<LeaseRevokeRequest>): LeaseRevokeRequest {
  return { id: fields.id ?? 0n };
}

export function readLeaseRevokeRequest(r: Reader, end: number, before: LeaseRevokeRequest): LeaseRevokeRequest {
  let { id } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.int64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { id };
}

export function writeLeaseRevokeRequest(w: Writer, m: LeaseRevokeRequest): void {
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createLeaseRevokeResponse(fields: Partial<LeaseRevokeResponse>): LeaseRevokeResponse {
  return { header: fields.header };
}

export function readLeaseRevokeResponse(r: Reader, end: number, before: LeaseRevokeResponse): LeaseRevokeResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeLeaseRevokeResponse(w: Writer, m: LeaseRevokeResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaseCheckpoint(fields: Partial<LeaseCheckpoint>): LeaseCheckpoint {
  return { id: fields.id ?? 0n, remainingTTL: fields.remainingTTL ?? 0 };
}

export const emptyLeaseCheckpoint: LeaseCheckpoint = createLeaseCheckpoint({});

export function readLeaseCheckpoint(r: Reader, end: number, before: LeaseCheckpoint): LeaseCheckpoint {
  let { id, remainingTTL } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.int64();
        break;
      case 16:
        remainingTTL = r.int64Number();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { id, remainingTTL };
}

export function writeLeaseCheckpoint(w: Writer, m: LeaseCheckpoint): void {
  if (m.remainingTTL !== 0) w.int64Number(16, m.remainingTTL);
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createLeaseCheckpointRequest(fields: Partial<LeaseCheckpointRequest>): LeaseCheckpointRequest {
  return { checkpoints: fields.checkpoints ?? noItems };
}

export function readLeaseCheckpointRequest(r: Reader, end: number, before: LeaseCheckpointRequest): LeaseCheckpointRequest {
  let { checkpoints } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        checkpoints = append(checkpoints, readLeaseCheckpoint(r, r.enter(), emptyLeaseCheckpoint));
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { checkpoints };
}

export function writeLeaseCheckpointRequest(w: Writer, m: LeaseCheckpointRequest): void {
  for (let i = m.checkpoints.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeLeaseCheckpoint(w, m.checkpoints[i] as LeaseCheckpoint);
    w.close(10, end);
  }
}

export function createLeaseCheckpointResponse(fields: Partial<LeaseCheckpointResponse>): LeaseCheckpointResponse {
  return { header: fields.header };
}

export function readLeaseCheckpointResponse(r: Reader, end: number, before: LeaseCheckpointResponse): LeaseCheckpointResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeLeaseCheckpointResponse(w: Writer, m: LeaseCheckpointResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaseKeepAliveRequest(fields: Partial<LeaseKeepAliveRequest>): LeaseKeepAliveRequest {
  return { id: fields.id ?? 0n };
}

export function readLeaseKeepAliveRequest(r: Reader, end: number, before: LeaseKeepAliveRequest): LeaseKeepAliveRequest {
  let { id } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.int64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { id };
}

export function writeLeaseKeepAliveRequest(w: Writer, m: LeaseKeepAliveRequest): void {
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createLeaseKeepAliveResponse(fields: Partial<LeaseKeepAliveResponse>): LeaseKeepAliveResponse {
  return { header: fields.header, id: fields.id ?? 0n, ttl: fields.ttl ?? 0 };
}

export function readLeaseKeepAliveResponse(r: Reader, end: number, before: LeaseKeepAliveResponse): LeaseKeepAliveResponse {
  let { header, id, ttl } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        id = r.int64();
        break;
      case 24:
        ttl = r.int64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { header, id, ttl };
}

export function writeLeaseKeepAliveResponse(w: Writer, m: LeaseKeepAliveResponse): void {
  if (m.ttl !== 0) w.int64Number(24, m.ttl);
  if (m.id !== 0n) w.int64(16, m.id);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaseTimeToLiveRequest(fields: Partial<LeaseTimeToLiveRequest>): LeaseTimeToLiveRequest {
  return { id: fields.id ?? 0n, keys: fields.keys ?? false };
}

export function readLeaseTimeToLiveRequest(r: Reader, end: number, before: LeaseTimeToLiveRequest): LeaseTimeToLiveRequest {
  let { id, keys } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.int64();
        break;
      case 16:
        keys = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { id, keys };
}

export function writeLeaseTimeToLiveRequest(w: Writer, m: LeaseTimeToLiveRequest): void {
  if (m.keys) w.bool(16, m.keys);
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createLeaseTimeToLiveResponse(fields: Partial<LeaseTimeToLiveResponse>): LeaseTimeToLiveResponse {
  return {
    header: fields.header,
    id: fields.id ?? 0n,
    ttl: fields.ttl ?? 0,
    grantedTTL: fields.grantedTTL ?? 0,
    keys: fields.keys ?? noItems,
  };
}

export function readLeaseTimeToLiveResponse(r: Reader, end: number, before: LeaseTimeToLiveResponse): LeaseTimeToLiveResponse {
  let { header, id, ttl, grantedTTL, keys } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        id = r.int64();
        break;
      case 24:
        ttl = r.int64Number();
        break;
      case 32:
        grantedTTL = r.int64Number();
        break;
      case 42:
        keys = append(keys, r.bytes());
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5]);
    }
  }
  r.leave(end);
  return { header, id, ttl, grantedTTL, keys };
}

export function writeLeaseTimeToLiveResponse(w: Writer, m: LeaseTimeToLiveResponse): void {
  for (let i = m.keys.length - 1; i >= 0; i--) {
    w.bytes(42, m.keys[i] as Uint8Array);
  }
  if (m.grantedTTL !== 0) w.int64Number(32, m.grantedTTL);
  if (m.ttl !== 0) w.int64Number(24, m.ttl);
  if (m.id !== 0n) w.int64(16, m.id);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaseLeasesRequest(_fields: Partial<LeaseLeasesRequest>): LeaseLeasesRequest {
  return {};
}

export function readLeaseLeasesRequest(r: Reader, end: number, _before: LeaseLeasesRequest): LeaseLeasesRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeLeaseLeasesRequest(_w: Writer, _m: LeaseLeasesRequest): void {}

export function createLeaseStatus(fields: Partial<LeaseStatus>): LeaseStatus {
  return { id: fields.id ?? 0n };
}

export const emptyLeaseStatus: LeaseStatus = createLeaseStatus({});

export function readLeaseStatus(r: Reader, end: number, before: LeaseStatus): LeaseStatus {
  let { id } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.int64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { id };
}

export function writeLeaseStatus(w: Writer, m: LeaseStatus): void {
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createLeaseLeasesResponse(fields: Partial<LeaseLeasesResponse>): LeaseLeasesResponse {
  return { header: fields.header, leases: fields.leases ?? noItems };
}

export function readLeaseLeasesResponse(r: Reader, end: number, before: LeaseLeasesResponse): LeaseLeasesResponse {
  let { header, leases } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        leases = append(leases, readLeaseStatus(r, r.enter(), emptyLeaseStatus));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, leases };
}

export function writeLeaseLeasesResponse(w: Writer, m: LeaseLeasesResponse): void {
  for (let i = m.leases.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeLeaseStatus(w, m.leases[i] as LeaseStatus);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createMember(fields: Partial<Member>): Member {
  return {
    id: fields.id ?? 0n,
    name: fields.name ?? '',
    peerURLs: fields.peerURLs ?? noItems,
    clientURLs: fields.clientURLs ?? noItems,
    isLearner: fields.isLearner ?? false,
  };
}

export const emptyMember: Member = createMember({});

export function readMember(r: Reader, end: number, before: Member): Member {
  let { id, name, peerURLs, clientURLs, isLearner } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.uint64();
        break;
      case 18:
        name = r.string();
        break;
      case 26:
        peerURLs = append(peerURLs, r.string());
        break;
      case 34:
        clientURLs = append(clientURLs, r.string());
        break;
      case 40:
        isLearner = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5]);
    }
  }
  r.leave(end);
  return { id, name, peerURLs, clientURLs, isLearner };
}

export function writeMember(w: Writer, m: Member): void {
  if (m.isLearner) w.bool(40, m.isLearner);
  for (let i = m.clientURLs.length - 1; i >= 0; i--) {
    w.string(34, m.clientURLs[i] as string);
  }
  for (let i = m.peerURLs.length - 1; i >= 0; i--) {
    w.string(26, m.peerURLs[i] as string);
  }
  if (m.name !== '') w.string(18, m.name);
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createMemberAddRequest(fields: Partial<MemberAddRequest>): MemberAddRequest {
  return { peerURLs: fields.peerURLs ?? noItems, isLearner: fields.isLearner ?? false };
}

export function readMemberAddRequest(r: Reader, end: number, before: MemberAddRequest): MemberAddRequest {
  let { peerURLs, isLearner } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        peerURLs = append(peerURLs, r.string());
        break;
      case 16:
        isLearner = r.bool();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { peerURLs, isLearner };
}

export function writeMemberAddRequest(w: Writer, m: MemberAddRequest): void {
  if (m.isLearner) w.bool(16, m.isLearner);
  for (let i = m.peerURLs.length - 1; i >= 0; i--) {
    w.string(10, m.peerURLs[i] as string);
  }
}

export function createMemberAddResponse(fields: Partial<MemberAddResponse>): MemberAddResponse {
  return { header: fields.header, member: fields.member, members: fields.members ?? noItems };
}

export function readMemberAddResponse(r: Reader, end: number, before: MemberAddResponse): MemberAddResponse {
  let { header, member, members } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        member = readMember(r, r.enter(), member ?? emptyMember);
        break;
      case 26:
        members = append(members, readMember(r, r.enter(), emptyMember));
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { header, member, members };
}

export function writeMemberAddResponse(w: Writer, m: MemberAddResponse): void {
  for (let i = m.members.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeMember(w, m.members[i] as Member);
    w.close(26, end);
  }
  if (m.member !== undefined) {
    const end = w.mark();
    writeMember(w, m.member);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createMemberRemoveRequest(fields: Partial<MemberRemoveRequest>): MemberRemoveRequest {
  return { id: fields.id ?? 0n };
}

export function readMemberRemoveRequest(r: Reader, end: number, before: MemberRemoveRequest): MemberRemoveRequest {
  let { id } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.uint64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { id };
}

export function writeMemberRemoveRequest(w: Writer, m: MemberRemoveRequest): void {
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createMemberRemoveResponse(fields: Partial<MemberRemoveResponse>): MemberRemoveResponse {
  return { header: fields.header, members: fields.members ?? noItems };
}

export function readMemberRemoveResponse(r: Reader, end: number, before: MemberRemoveResponse): MemberRemoveResponse {
  let { header, members } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        members = append(members, readMember(r, r.enter(), emptyMember));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, members };
}

export function writeMemberRemoveResponse(w: Writer, m: MemberRemoveResponse): void {
  for (let i = m.members.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeMember(w, m.members[i] as Member);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createMemberUpdateRequest(fields: Partial<MemberUpdateRequest>): MemberUpdateRequest {
  return { id: fields.id ?? 0n, peerURLs: fields.peerURLs ?? noItems };
}

export function readMemberUpdateRequest(r: Reader, end: number, before: MemberUpdateRequest): MemberUpdateRequest {
  let { id, peerURLs } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.uint64();
        break;
      case 18:
        peerURLs = append(peerURLs, r.string());
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { id, peerURLs };
}

export function writeMemberUpdateRequest(w: Writer, m: MemberUpdateRequest): void {
  for (let i = m.peerURLs.length - 1; i >= 0; i--) {
    w.string(18, m.peerURLs[i] as string);
  }
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createMemberUpdateResponse(fields: Partial<MemberUpdateResponse>): MemberUpdateResponse {
  return { header: fields.header, members: fields.members ?? noItems };
}

export function readMemberUpdateResponse(r: Reader, end: number, before: MemberUpdateResponse): MemberUpdateResponse {
  let { header, members } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        members = append(members, readMember(r, r.enter(), emptyMember));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, members };
}

export function writeMemberUpdateResponse(w: Writer, m: MemberUpdateResponse): void {
  for (let i = m.members.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeMember(w, m.members[i] as Member);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createMemberListRequest(fields: Partial<MemberListRequest>): MemberListRequest {
  return { linearizable: fields.linearizable ?? false };
}

export function readMemberListRequest(r: Reader, end: number, before: MemberListRequest): MemberListRequest {
  let { linearizable } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        linearizable = r.bool();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { linearizable };
}

export function writeMemberListRequest(w: Writer, m: MemberListRequest): void {
  if (m.linearizable) w.bool(8, m.linearizable);
}

export function createMemberListResponse(fields: Partial<MemberListResponse>): MemberListResponse {
  return { header: fields.header, members: fields.members ?? noItems };
}

export function readMemberListResponse(r: Reader, end: number, before: MemberListResponse): MemberListResponse {
  let { header, members } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        members = append(members, readMember(r, r.enter(), emptyMember));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, members };
}

export function writeMemberListResponse(w: Writer, m: MemberListResponse): void {
  for (let i = m.members.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeMember(w, m.members[i] as Member);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createMemberPromoteRequest(fields: Partial<MemberPromoteRequest>): MemberPromoteRequest {
  return { id: fields.id ?? 0n };
}

export function readMemberPromoteRequest(r: Reader, end: number, before: MemberPromoteRequest): MemberPromoteRequest {
  let { id } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        id = r.uint64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { id };
}

export function writeMemberPromoteRequest(w: Writer, m: MemberPromoteRequest): void {
  if (m.id !== 0n) w.int64(8, m.id);
}

export function createMemberPromoteResponse(fields: Partial<MemberPromoteResponse>): MemberPromoteResponse {
  return { header: fields.header, members: fields.members ?? noItems };
}

export function readMemberPromoteResponse(r: Reader, end: number, before: MemberPromoteResponse): MemberPromoteResponse {
  let { header, members } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        members = append(members, readMember(r, r.enter(), emptyMember));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, members };
}

export function writeMemberPromoteResponse(w: Writer, m: MemberPromoteResponse): void {
  for (let i = m.members.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeMember(w, m.members[i] as Member);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createDefragmentRequest(_fields: Partial<DefragmentRequest>): DefragmentRequest {
  return {};
}

export function readDefragmentRequest(r: Reader, end: number, _before: DefragmentRequest): DefragmentRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeDefragmentRequest(_w: Writer, _m: DefragmentRequest): void {}

export function createDefragmentResponse(fields: Partial<DefragmentResponse>): DefragmentResponse {
  return { header: fields.header };
}

export function readDefragmentResponse(r: Reader, end: number, before: DefragmentResponse): DefragmentResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeDefragmentResponse(w: Writer, m: DefragmentResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createMoveLeaderRequest(fields: Partial<MoveLeaderRequest>): MoveLeaderRequest {
  return { targetID: fields.targetID ?? 0n };
}

export function readMoveLeaderRequest(r: Reader, end: number, before: MoveLeaderRequest): MoveLeaderRequest {
  let { targetID } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        targetID = r.uint64();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { targetID };
}

export function writeMoveLeaderRequest(w: Writer, m: MoveLeaderRequest): void {
  if (m.targetID !== 0n) w.int64(8, m.targetID);
}

export function createMoveLeaderResponse(fields: Partial<MoveLeaderResponse>): MoveLeaderResponse {
  return { header: fields.header };
}

export function readMoveLeaderResponse(r: Reader, end: number, before: MoveLeaderResponse): MoveLeaderResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeMoveLeaderResponse(w: Writer, m: MoveLeaderResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAlarmRequest(fields: Partial<AlarmRequest>): AlarmRequest {
  return { action: fields.action ?? 0, memberID: fields.memberID ?? 0n, alarm: fields.alarm ?? 0 };
}

export function readAlarmRequest(r: Reader, end: number, before: AlarmRequest): AlarmRequest {
  let { action, memberID, alarm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        action = r.int32();
        break;
      case 16:
        memberID = r.uint64();
        break;
      case 24:
        alarm = r.int32();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { action, memberID, alarm };
}

export function writeAlarmRequest(w: Writer, m: AlarmRequest): void {
  if (m.alarm !== 0) w.int32(24, m.alarm);
  if (m.memberID !== 0n) w.int64(16, m.memberID);
  if (m.action !== 0) w.int32(8, m.action);
}

export function createAlarmMember(fields: Partial<AlarmMember>): AlarmMember {
  return { memberID: fields.memberID ?? 0n, alarm: fields.alarm ?? 0 };
}

export const emptyAlarmMember: AlarmMember = createAlarmMember({});

export function readAlarmMember(r: Reader, end: number, before: AlarmMember): AlarmMember {
  let { memberID, alarm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        memberID = r.uint64();
        break;
      case 16:
        alarm = r.int32();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { memberID, alarm };
}

export function writeAlarmMember(w: Writer, m: AlarmMember): void {
  if (m.alarm !== 0) w.int32(16, m.alarm);
  if (m.memberID !== 0n) w.int64(8, m.memberID);
}

export function createAlarmResponse(fields: Partial<AlarmResponse>): AlarmResponse {
  return { header: fields.header, alarms: fields.alarms ?? noItems };
}

export function readAlarmResponse(r: Reader, end: number, before: AlarmResponse): AlarmResponse {
  let { header, alarms } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        alarms = append(alarms, readAlarmMember(r, r.enter(), emptyAlarmMember));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, alarms };
}

export function writeAlarmResponse(w: Writer, m: AlarmResponse): void {
  for (let i = m.alarms.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeAlarmMember(w, m.alarms[i] as AlarmMember);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createDowngradeRequest(fields: Partial<DowngradeRequest>): DowngradeRequest {
  return { action: fields.action ?? 0, version: fields.version ?? '' };
}

export function readDowngradeRequest(r: Reader, end: number, before: DowngradeRequest): DowngradeRequest {
  let { action, version } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        action = r.int32();
        break;
      case 18:
        version = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { action, version };
}

export function writeDowngradeRequest(w: Writer, m: DowngradeRequest): void {
  if (m.version !== '') w.string(18, m.version);
  if (m.action !== 0) w.int32(8, m.action);
}

export function createDowngradeResponse(fields: Partial<DowngradeResponse>): DowngradeResponse {
  return { header: fields.header, version: fields.version ?? '' };
}

export function readDowngradeResponse(r: Reader, end: number, before: DowngradeResponse): DowngradeResponse {
  let { header, version } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        version = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, version };
}

export function writeDowngradeResponse(w: Writer, m: DowngradeResponse): void {
  if (m.version !== '') w.string(18, m.version);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createDowngradeVersionTestRequest(fields: Partial<DowngradeVersionTestRequest>): DowngradeVersionTestRequest {
  return { ver: fields.ver ?? '' };
}

export function readDowngradeVersionTestRequest(r: Reader, end: number, before: DowngradeVersionTestRequest): DowngradeVersionTestRequest {
  let { ver } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        ver = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { ver };
}

export function writeDowngradeVersionTestRequest(w: Writer, m: DowngradeVersionTestRequest): void {
  if (m.ver !== '') w.string(10, m.ver);
}

export function createStatusRequest(_fields: Partial<StatusRequest>): StatusRequest {
  return {};
}

export function readStatusRequest(r: Reader, end: number, _before: StatusRequest): StatusRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeStatusRequest(_w: Writer, _m: StatusRequest): void {}

export function createStatusResponse(fields: Partial<StatusResponse>): StatusResponse {
  return {
    header: fields.header,
    version: fields.version ?? '',
    dbSize: fields.dbSize ?? 0,
    leader: fields.leader ?? 0n,
    raftIndex: fields.raftIndex ?? 0,
    raftTerm: fields.raftTerm ?? 0,
    raftAppliedIndex: fields.raftAppliedIndex ?? 0,
    errors: fields.errors ?? noItems,
    dbSizeInUse: fields.dbSizeInUse ?? 0,
    isLearner: fields.isLearner ?? false,
    storageVersion: fields.storageVersion ?? '',
    dbSizeQuota: fields.dbSizeQuota ?? 0,
    downgradeInfo: fields.downgradeInfo,
  };
}

export function readStatusResponse(r: Reader, end: number, before: StatusResponse): StatusResponse {
  let {
    header,
    version,
    dbSize,
    leader,
    raftIndex,
    raftTerm,
    raftAppliedIndex,
    errors,
    dbSizeInUse,
    isLearner,
    storageVersion,
    dbSizeQuota,
    downgradeInfo,
  } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        version = r.string();
        break;
      case 24:
        dbSize = r.int64Number();
        break;
      case 32:
        leader = r.uint64();
        break;
      case 40:
        raftIndex = r.uint64Number();
        break;
      case 48:
        raftTerm = r.uint64Number();
        break;
      case 56:
        raftAppliedIndex = r.uint64Number();
        break;
      case 66:
        errors = append(errors, r.string());
        break;
      case 72:
        dbSizeInUse = r.int64Number();
        break;
      case 80:
        isLearner = r.bool();
        break;
      case 90:
        storageVersion = r.string();
        break;
      case 96:
        dbSizeQuota = r.int64Number();
        break;
      case 106:
        downgradeInfo = readDowngradeInfo(r, r.enter(), downgradeInfo ?? emptyDowngradeInfo);
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    }
  }
  r.leave(end);
  return {
    header,
    version,
    dbSize,
    leader,
    raftIndex,
    raftTerm,
    raftAppliedIndex,
    errors,
    dbSizeInUse,
    isLearner,
    storageVersion,
    dbSizeQuota,
    downgradeInfo,
  };
}

export function writeStatusResponse(w: Writer, m: StatusResponse): void {
  if (m.downgradeInfo !== undefined) {
    const end = w.mark();
    writeDowngradeInfo(w, m.downgradeInfo);
    w.close(106, end);
  }
  if (m.dbSizeQuota !== 0) w.int64Number(96, m.dbSizeQuota);
  if (m.storageVersion !== '') w.string(90, m.storageVersion);
  if (m.isLearner) w.bool(80, m.isLearner);
  if (m.dbSizeInUse !== 0) w.int64Number(72, m.dbSizeInUse);
  for (let i = m.errors.length - 1; i >= 0; i--) {
    w.string(66, m.errors[i] as string);
  }
  if (m.raftAppliedIndex !== 0) w.int64Number(56, m.raftAppliedIndex);
  if (m.raftTerm !== 0) w.int64Number(48, m.raftTerm);
  if (m.raftIndex !== 0) w.int64Number(40, m.raftIndex);
  if (m.leader !== 0n) w.int64(32, m.leader);
  if (m.dbSize !== 0) w.int64Number(24, m.dbSize);
  if (m.version !== '') w.string(18, m.version);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createDowngradeInfo(fields: Partial<DowngradeInfo>): DowngradeInfo {
  return { enabled: fields.enabled ?? false, targetVersion: fields.targetVersion ?? '' };
}

export const emptyDowngradeInfo: DowngradeInfo = createDowngradeInfo({});

export function readDowngradeInfo(r: Reader, end: number, before: DowngradeInfo): DowngradeInfo {
  let { enabled, targetVersion } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        enabled = r.bool();
        break;
      case 18:
        targetVersion = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { enabled, targetVersion };
}

export function writeDowngradeInfo(w: Writer, m: DowngradeInfo): void {
  if (m.targetVersion !== '') w.string(18, m.targetVersion);
  if (m.enabled) w.bool(8, m.enabled);
}

export function createAuthEnableRequest(_fields: Partial<AuthEnableRequest>): AuthEnableRequest {
  return {};
}

export function readAuthEnableRequest(r: Reader, end: number, _before: AuthEnableRequest): AuthEnableRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeAuthEnableRequest(_w: Writer, _m: AuthEnableRequest): void {}

export function createAuthDisableRequest(_fields: Partial<AuthDisableRequest>): AuthDisableRequest {
  return {};
}

export function readAuthDisableRequest(r: Reader, end: number, _before: AuthDisableRequest): AuthDisableRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeAuthDisableRequest(_w: Writer, _m: AuthDisableRequest): void {}

export function createAuthStatusRequest(_fields: Partial<AuthStatusRequest>): AuthStatusRequest {
  return {};
}

export function readAuthStatusRequest(r: Reader, end: number, _before: AuthStatusRequest): AuthStatusRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeAuthStatusRequest(_w: Writer, _m: AuthStatusRequest): void {}

export function createAuthenticateRequest(fields: Partial<AuthenticateRequest>): AuthenticateRequest {
  return { name: fields.name ?? '', password: fields.password ?? '' };
}

export function readAuthenticateRequest(r: Reader, end: number, before: AuthenticateRequest): AuthenticateRequest {
  let { name, password } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      case 18:
        password = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { name, password };
}

export function writeAuthenticateRequest(w: Writer, m: AuthenticateRequest): void {
  if (m.password !== '') w.string(18, m.password);
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthUserAddRequest(fields: Partial<AuthUserAddRequest>): AuthUserAddRequest {
  return { name: fields.name ?? '', password: fields.password ?? '', options: fields.options, hashedPassword: fields.hashedPassword ?? '' };
}

export function readAuthUserAddRequest(r: Reader, end: number, before: AuthUserAddRequest): AuthUserAddRequest {
  let { name, password, options, hashedPassword } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      case 18:
        password = r.string();
        break;
      case 26:
        options = readUserAddOptions(r, r.enter(), options ?? emptyUserAddOptions);
        break;
      case 34:
        hashedPassword = r.string();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { name, password, options, hashedPassword };
}

export function writeAuthUserAddRequest(w: Writer, m: AuthUserAddRequest): void {
  if (m.hashedPassword !== '') w.string(34, m.hashedPassword);
  if (m.options !== undefined) {
    const end = w.mark();
    writeUserAddOptions(w, m.options);
    w.close(26, end);
  }
  if (m.password !== '') w.string(18, m.password);
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthUserGetRequest(fields: Partial<AuthUserGetRequest>): AuthUserGetRequest {
  return { name: fields.name ?? '' };
}

export function readAuthUserGetRequest(r: Reader, end: number, before: AuthUserGetRequest): AuthUserGetRequest {
  let { name } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { name };
}

export function writeAuthUserGetRequest(w: Writer, m: AuthUserGetRequest): void {
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthUserDeleteRequest(fields: Partial<AuthUserDeleteRequest>): AuthUserDeleteRequest {
  return { name: fields.name ?? '' };
}

export function readAuthUserDeleteRequest(r: Reader, end: number, before: AuthUserDeleteRequest): AuthUserDeleteRequest {
  let { name } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { name };
}

export function writeAuthUserDeleteRequest(w: Writer, m: AuthUserDeleteRequest): void {
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthUserChangePasswordRequest(fields: Partial<AuthUserChangePasswordRequest>): AuthUserChangePasswordRequest {
  return { name: fields.name ?? '', password: fields.password ?? '', hashedPassword: fields.hashedPassword ?? '' };
}

export function readAuthUserChangePasswordRequest(
  r: Reader,
  end: number,
  before: AuthUserChangePasswordRequest,
): AuthUserChangePasswordRequest {
  let { name, password, hashedPassword } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      case 18:
        password = r.string();
        break;
      case 26:
        hashedPassword = r.string();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { name, password, hashedPassword };
}

export function writeAuthUserChangePasswordRequest(w: Writer, m: AuthUserChangePasswordRequest): void {
  if (m.hashedPassword !== '') w.string(26, m.hashedPassword);
  if (m.password !== '') w.string(18, m.password);
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthUserGrantRoleRequest(fields: Partial<AuthUserGrantRoleRequest>): AuthUserGrantRoleRequest {
  return { user: fields.user ?? '', role: fields.role ?? '' };
}

export function readAuthUserGrantRoleRequest(r: Reader, end: number, before: AuthUserGrantRoleRequest): AuthUserGrantRoleRequest {
  let { user, role } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        user = r.string();
        break;
      case 18:
        role = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { user, role };
}

export function writeAuthUserGrantRoleRequest(w: Writer, m: AuthUserGrantRoleRequest): void {
  if (m.role !== '') w.string(18, m.role);
  if (m.user !== '') w.string(10, m.user);
}

export function createAuthUserRevokeRoleRequest(fields: Partial<AuthUserRevokeRoleRequest>): AuthUserRevokeRoleRequest {
  return { name: fields.name ?? '', role: fields.role ?? '' };
}

export function readAuthUserRevokeRoleRequest(r: Reader, end: number, before: AuthUserRevokeRoleRequest): AuthUserRevokeRoleRequest {
  let { name, role } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      case 18:
        role = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { name, role };
}

export function writeAuthUserRevokeRoleRequest(w: Writer, m: AuthUserRevokeRoleRequest): void {
  if (m.role !== '') w.string(18, m.role);
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthRoleAddRequest(fields: Partial<AuthRoleAddRequest>): AuthRoleAddRequest {
  return { name: fields.name ?? '' };
}

export function readAuthRoleAddRequest(r: Reader, end: number, before: AuthRoleAddRequest): AuthRoleAddRequest {
  let { name } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { name };
}

export function writeAuthRoleAddRequest(w: Writer, m: AuthRoleAddRequest): void {
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthRoleGetRequest(fields: Partial<AuthRoleGetRequest>): AuthRoleGetRequest {
  return { role: fields.role ?? '' };
}

export function readAuthRoleGetRequest(r: Reader, end: number, before: AuthRoleGetRequest): AuthRoleGetRequest {
  let { role } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        role = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { role };
}

export function writeAuthRoleGetRequest(w: Writer, m: AuthRoleGetRequest): void {
  if (m.role !== '') w.string(10, m.role);
}

export function createAuthUserListRequest(_fields: Partial<AuthUserListRequest>): AuthUserListRequest {
  return {};
}

export function readAuthUserListRequest(r: Reader, end: number, _before: AuthUserListRequest): AuthUserListRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeAuthUserListRequest(_w: Writer, _m: AuthUserListRequest): void {}

export function createAuthRoleListRequest(_fields: Partial<AuthRoleListRequest>): AuthRoleListRequest {
  return {};
}

export function readAuthRoleListRequest(r: Reader, end: number, _before: AuthRoleListRequest): AuthRoleListRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeAuthRoleListRequest(_w: Writer, _m: AuthRoleListRequest): void {}

export function createAuthRoleDeleteRequest(fields: Partial<AuthRoleDeleteRequest>): AuthRoleDeleteRequest {
  return { role: fields.role ?? '' };
}

export function readAuthRoleDeleteRequest(r: Reader, end: number, before: AuthRoleDeleteRequest): AuthRoleDeleteRequest {
  let { role } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        role = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { role };
}

export function writeAuthRoleDeleteRequest(w: Writer, m: AuthRoleDeleteRequest): void {
  if (m.role !== '') w.string(10, m.role);
}

export function createAuthRoleGrantPermissionRequest(fields: Partial<AuthRoleGrantPermissionRequest>): AuthRoleGrantPermissionRequest {
  return { name: fields.name ?? '', perm: fields.perm };
}

export function readAuthRoleGrantPermissionRequest(
  r: Reader,
  end: number,
  before: AuthRoleGrantPermissionRequest,
): AuthRoleGrantPermissionRequest {
  let { name, perm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      case 18:
        perm = readPermission(r, r.enter(), perm ?? emptyPermission);
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { name, perm };
}

export function writeAuthRoleGrantPermissionRequest(w: Writer, m: AuthRoleGrantPermissionRequest): void {
  if (m.perm !== undefined) {
    const end = w.mark();
    writePermission(w, m.perm);
    w.close(18, end);
  }
  if (m.name !== '') w.string(10, m.name);
}

export function createAuthRoleRevokePermissionRequest(fields: Partial<AuthRoleRevokePermissionRequest>): AuthRoleRevokePermissionRequest {
  return { role: fields.role ?? '', key: fields.key ?? EMPTY, rangeEnd: fields.rangeEnd ?? EMPTY };
}

export function readAuthRoleRevokePermissionRequest(
  r: Reader,
  end: number,
  before: AuthRoleRevokePermissionRequest,
): AuthRoleRevokePermissionRequest {
  let { role, key, rangeEnd } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        role = r.string();
        break;
      case 18:
        key = r.bytes();
        break;
      case 26:
        rangeEnd = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { role, key, rangeEnd };
}

export function writeAuthRoleRevokePermissionRequest(w: Writer, m: AuthRoleRevokePermissionRequest): void {
  if (m.rangeEnd.length > 0) w.bytes(26, m.rangeEnd);
  if (m.key.length > 0) w.bytes(18, m.key);
  if (m.role !== '') w.string(10, m.role);
}

export function createAuthEnableResponse(fields: Partial<AuthEnableResponse>): AuthEnableResponse {
  return { header: fields.header };
}

export function readAuthEnableResponse(r: Reader, end: number, before: AuthEnableResponse): AuthEnableResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthEnableResponse(w: Writer, m: AuthEnableResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthDisableResponse(fields: Partial<AuthDisableResponse>): AuthDisableResponse {
  return { header: fields.header };
}

export function readAuthDisableResponse(r: Reader, end: number, before: AuthDisableResponse): AuthDisableResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthDisableResponse(w: Writer, m: AuthDisableResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthStatusResponse(fields: Partial<AuthStatusResponse>): AuthStatusResponse {
  return { header: fields.header, enabled: fields.enabled ?? false, authRevision: fields.authRevision ?? 0 };
}

export function readAuthStatusResponse(r: Reader, end: number, before: AuthStatusResponse): AuthStatusResponse {
  let { header, enabled, authRevision } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 16:
        enabled = r.bool();
        break;
      case 24:
        authRevision = r.uint64Number();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { header, enabled, authRevision };
}

export function writeAuthStatusResponse(w: Writer, m: AuthStatusResponse): void {
  if (m.authRevision !== 0) w.int64Number(24, m.authRevision);
  if (m.enabled) w.bool(16, m.enabled);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthenticateResponse(fields: Partial<AuthenticateResponse>): AuthenticateResponse {
  return { header: fields.header, token: fields.token ?? '' };
}

export function readAuthenticateResponse(r: Reader, end: number, before: AuthenticateResponse): AuthenticateResponse {
  let { header, token } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        token = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, token };
}

export function writeAuthenticateResponse(w: Writer, m: AuthenticateResponse): void {
  if (m.token !== '') w.string(18, m.token);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserAddResponse(fields: Partial<AuthUserAddResponse>): AuthUserAddResponse {
  return { header: fields.header };
}

export function readAuthUserAddResponse(r: Reader, end: number, before: AuthUserAddResponse): AuthUserAddResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthUserAddResponse(w: Writer, m: AuthUserAddResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserGetResponse(fields: Partial<AuthUserGetResponse>): AuthUserGetResponse {
  return { header: fields.header, roles: fields.roles ?? noItems };
}

export function readAuthUserGetResponse(r: Reader, end: number, before: AuthUserGetResponse): AuthUserGetResponse {
  let { header, roles } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        roles = append(roles, r.string());
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, roles };
}

export function writeAuthUserGetResponse(w: Writer, m: AuthUserGetResponse): void {
  for (let i = m.roles.length - 1; i >= 0; i--) {
    w.string(18, m.roles[i] as string);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserDeleteResponse(fields: Partial<AuthUserDeleteResponse>): AuthUserDeleteResponse {
  return { header: fields.header };
}

export function readAuthUserDeleteResponse(r: Reader, end: number, before: AuthUserDeleteResponse): AuthUserDeleteResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthUserDeleteResponse(w: Writer, m: AuthUserDeleteResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserChangePasswordResponse(fields: Partial<AuthUserChangePasswordResponse>): AuthUserChangePasswordResponse {
  return { header: fields.header };
}

export function readAuthUserChangePasswordResponse(
  r: Reader,
  end: number,
  before: AuthUserChangePasswordResponse,
): AuthUserChangePasswordResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthUserChangePasswordResponse(w: Writer, m: AuthUserChangePasswordResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserGrantRoleResponse(fields: Partial<AuthUserGrantRoleResponse>): AuthUserGrantRoleResponse {
  return { header: fields.header };
}

export function readAuthUserGrantRoleResponse(r: Reader, end: number, before: AuthUserGrantRoleResponse): AuthUserGrantRoleResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthUserGrantRoleResponse(w: Writer, m: AuthUserGrantRoleResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserRevokeRoleResponse(fields: Partial<AuthUserRevokeRoleResponse>): AuthUserRevokeRoleResponse {
  return { header: fields.header };
}

export function readAuthUserRevokeRoleResponse(r: Reader, end: number, before: AuthUserRevokeRoleResponse): AuthUserRevokeRoleResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthUserRevokeRoleResponse(w: Writer, m: AuthUserRevokeRoleResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthRoleAddResponse(fields: Partial<AuthRoleAddResponse>): AuthRoleAddResponse {
  return { header: fields.header };
}

export function readAuthRoleAddResponse(r: Reader, end: number, before: AuthRoleAddResponse): AuthRoleAddResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthRoleAddResponse(w: Writer, m: AuthRoleAddResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthRoleGetResponse(fields: Partial<AuthRoleGetResponse>): AuthRoleGetResponse {
  return { header: fields.header, perm: fields.perm ?? noItems };
}

export function readAuthRoleGetResponse(r: Reader, end: number, before: AuthRoleGetResponse): AuthRoleGetResponse {
  let { header, perm } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        perm = append(perm, readPermission(r, r.enter(), emptyPermission));
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, perm };
}

export function writeAuthRoleGetResponse(w: Writer, m: AuthRoleGetResponse): void {
  for (let i = m.perm.length - 1; i >= 0; i--) {
    const end = w.mark();
    writePermission(w, m.perm[i] as Permission);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthRoleListResponse(fields: Partial<AuthRoleListResponse>): AuthRoleListResponse {
  return { header: fields.header, roles: fields.roles ?? noItems };
}

export function readAuthRoleListResponse(r: Reader, end: number, before: AuthRoleListResponse): AuthRoleListResponse {
  let { header, roles } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        roles = append(roles, r.string());
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, roles };
}

export function writeAuthRoleListResponse(w: Writer, m: AuthRoleListResponse): void {
  for (let i = m.roles.length - 1; i >= 0; i--) {
    w.string(18, m.roles[i] as string);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthUserListResponse(fields: Partial<AuthUserListResponse>): AuthUserListResponse {
  return { header: fields.header, users: fields.users ?? noItems };
}

export function readAuthUserListResponse(r: Reader, end: number, before: AuthUserListResponse): AuthUserListResponse {
  let { header, users } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        users = append(users, r.string());
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, users };
}

export function writeAuthUserListResponse(w: Writer, m: AuthUserListResponse): void {
  for (let i = m.users.length - 1; i >= 0; i--) {
    w.string(18, m.users[i] as string);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthRoleDeleteResponse(fields: Partial<AuthRoleDeleteResponse>): AuthRoleDeleteResponse {
  return { header: fields.header };
}

export function readAuthRoleDeleteResponse(r: Reader, end: number, before: AuthRoleDeleteResponse): AuthRoleDeleteResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthRoleDeleteResponse(w: Writer, m: AuthRoleDeleteResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthRoleGrantPermissionResponse(fields: Partial<AuthRoleGrantPermissionResponse>): AuthRoleGrantPermissionResponse {
  return { header: fields.header };
}

export function readAuthRoleGrantPermissionResponse(
  r: Reader,
  end: number,
  before: AuthRoleGrantPermissionResponse,
): AuthRoleGrantPermissionResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthRoleGrantPermissionResponse(w: Writer, m: AuthRoleGrantPermissionResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createAuthRoleRevokePermissionResponse(
  fields: Partial<AuthRoleRevokePermissionResponse>,
): AuthRoleRevokePermissionResponse {
  return { header: fields.header };
}

export function readAuthRoleRevokePermissionResponse(
  r: Reader,
  end: number,
  before: AuthRoleRevokePermissionResponse,
): AuthRoleRevokePermissionResponse {
  let { header } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { header };
}

export function writeAuthRoleRevokePermissionResponse(w: Writer, m: AuthRoleRevokePermissionResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}
