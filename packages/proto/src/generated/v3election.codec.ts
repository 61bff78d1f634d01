// Generated from proto/v3election.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY } from '@distrokv/base';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type {
  CampaignRequest,
  CampaignResponse,
  LeaderKey,
  LeaderRequest,
  LeaderResponse,
  ProclaimRequest,
  ProclaimResponse,
  ResignRequest,
  ResignResponse,
} from './v3election.ts';
import { emptyResponseHeader, readResponseHeader, writeResponseHeader } from './rpc.codec.ts';
import { emptyKeyValue, readKeyValue, writeKeyValue } from './kv.codec.ts';

export function createCampaignRequest(fields: Partial<CampaignRequest>): CampaignRequest {
  return { name: fields.name ?? EMPTY, lease: fields.lease ?? 0n, value: fields.value ?? EMPTY };
}

export function readCampaignRequest(r: Reader, end: number, before: CampaignRequest): CampaignRequest {
  let { name, lease, value } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.bytes();
        break;
      case 16:
        lease = r.int64();
        break;
      case 26:
        value = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { name, lease, value };
}

export function writeCampaignRequest(w: Writer, m: CampaignRequest): void {
  if (m.value.length > 0) w.bytes(26, m.value);
  if (m.lease !== 0n) w.int64(16, m.lease);
  if (m.name.length > 0) w.bytes(10, m.name);
}

export function createCampaignResponse(fields: Partial<CampaignResponse>): CampaignResponse {
  return { header: fields.header, leader: fields.leader };
}

export function readCampaignResponse(r: Reader, end: number, before: CampaignResponse): CampaignResponse {
  let { header, leader } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        leader = readLeaderKey(r, r.enter(), leader ?? emptyLeaderKey);
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, leader };
}

export function writeCampaignResponse(w: Writer, m: CampaignResponse): void {
  if (m.leader !== undefined) {
    const end = w.mark();
    writeLeaderKey(w, m.leader);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createLeaderKey(fields: Partial<LeaderKey>): LeaderKey {
  return { name: fields.name ?? EMPTY, key: fields.key ?? EMPTY, rev: fields.rev ?? 0, lease: fields.lease ?? 0n };
}

export const emptyLeaderKey: LeaderKey = createLeaderKey({});

export function readLeaderKey(r: Reader, end: number, before: LeaderKey): LeaderKey {
  let { name, key, rev, lease } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.bytes();
        break;
      case 18:
        key = r.bytes();
        break;
      case 24:
        rev = r.int64Number();
        break;
      case 32:
        lease = r.int64();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4]);
    }
  }
  r.leave(end);
  return { name, key, rev, lease };
}

export function writeLeaderKey(w: Writer, m: LeaderKey): void {
  if (m.lease !== 0n) w.int64(32, m.lease);
  if (m.rev !== 0) w.int64Number(24, m.rev);
  if (m.key.length > 0) w.bytes(18, m.key);
  if (m.name.length > 0) w.bytes(10, m.name);
}

export function createLeaderRequest(fields: Partial<LeaderRequest>): LeaderRequest {
  return { name: fields.name ?? EMPTY };
}

export function readLeaderRequest(r: Reader, end: number, before: LeaderRequest): LeaderRequest {
  let { name } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.bytes();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { name };
}

export function writeLeaderRequest(w: Writer, m: LeaderRequest): void {
  if (m.name.length > 0) w.bytes(10, m.name);
}

export function createLeaderResponse(fields: Partial<LeaderResponse>): LeaderResponse {
  return { header: fields.header, kv: fields.kv };
}

export function readLeaderResponse(r: Reader, end: number, before: LeaderResponse): LeaderResponse {
  let { header, kv } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        kv = readKeyValue(r, r.enter(), kv ?? emptyKeyValue);
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, kv };
}

export function writeLeaderResponse(w: Writer, m: LeaderResponse): void {
  if (m.kv !== undefined) {
    const end = w.mark();
    writeKeyValue(w, m.kv);
    w.close(18, end);
  }
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createResignRequest(fields: Partial<ResignRequest>): ResignRequest {
  return { leader: fields.leader };
}

export function readResignRequest(r: Reader, end: number, before: ResignRequest): ResignRequest {
  let { leader } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        leader = readLeaderKey(r, r.enter(), leader ?? emptyLeaderKey);
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { leader };
}

export function writeResignRequest(w: Writer, m: ResignRequest): void {
  if (m.leader !== undefined) {
    const end = w.mark();
    writeLeaderKey(w, m.leader);
    w.close(10, end);
  }
}

export function createResignResponse(fields: Partial<ResignResponse>): ResignResponse {
  return { header: fields.header };
}

export function readResignResponse(r: Reader, end: number, before: ResignResponse): ResignResponse {
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

export function writeResignResponse(w: Writer, m: ResignResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createProclaimRequest(fields: Partial<ProclaimRequest>): ProclaimRequest {
  return { leader: fields.leader, value: fields.value ?? EMPTY };
}

export function readProclaimRequest(r: Reader, end: number, before: ProclaimRequest): ProclaimRequest {
  let { leader, value } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        leader = readLeaderKey(r, r.enter(), leader ?? emptyLeaderKey);
        break;
      case 18:
        value = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { leader, value };
}

export function writeProclaimRequest(w: Writer, m: ProclaimRequest): void {
  if (m.value.length > 0) w.bytes(18, m.value);
  if (m.leader !== undefined) {
    const end = w.mark();
    writeLeaderKey(w, m.leader);
    w.close(10, end);
  }
}

export function createProclaimResponse(fields: Partial<ProclaimResponse>): ProclaimResponse {
  return { header: fields.header };
}

export function readProclaimResponse(r: Reader, end: number, before: ProclaimResponse): ProclaimResponse {
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

export function writeProclaimResponse(w: Writer, m: ProclaimResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}
