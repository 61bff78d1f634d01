// Generated from proto/v3lock.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY } from '@distrokv/base';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { LockRequest, LockResponse, UnlockRequest, UnlockResponse } from './v3lock.ts';
import { emptyResponseHeader, readResponseHeader, writeResponseHeader } from './rpc.codec.ts';

export function createLockRequest(fields: Partial<LockRequest>): LockRequest {
  return { name: fields.name ?? EMPTY, lease: fields.lease ?? 0n };
}

export function readLockRequest(r: Reader, end: number, before: LockRequest): LockRequest {
  let { name, lease } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.bytes();
        break;
      case 16:
        lease = r.int64();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { name, lease };
}

export function writeLockRequest(w: Writer, m: LockRequest): void {
  if (m.lease !== 0n) w.int64(16, m.lease);
  if (m.name.length > 0) w.bytes(10, m.name);
}

export function createLockResponse(fields: Partial<LockResponse>): LockResponse {
  return { header: fields.header, key: fields.key ?? EMPTY };
}

export function readLockResponse(r: Reader, end: number, before: LockResponse): LockResponse {
  let { header, key } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        header = readResponseHeader(r, r.enter(), header ?? emptyResponseHeader);
        break;
      case 18:
        key = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { header, key };
}

export function writeLockResponse(w: Writer, m: LockResponse): void {
  if (m.key.length > 0) w.bytes(18, m.key);
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}

export function createUnlockRequest(fields: Partial<UnlockRequest>): UnlockRequest {
  return { key: fields.key ?? EMPTY };
}

export function readUnlockRequest(r: Reader, end: number, before: UnlockRequest): UnlockRequest {
  let { key } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.bytes();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { key };
}

export function writeUnlockRequest(w: Writer, m: UnlockRequest): void {
  if (m.key.length > 0) w.bytes(10, m.key);
}

export function createUnlockResponse(fields: Partial<UnlockResponse>): UnlockResponse {
  return { header: fields.header };
}

export function readUnlockResponse(r: Reader, end: number, before: UnlockResponse): UnlockResponse {
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

export function writeUnlockResponse(w: Writer, m: UnlockResponse): void {
  if (m.header !== undefined) {
    const end = w.mark();
    writeResponseHeader(w, m.header);
    w.close(10, end);
  }
}
