// Generated from proto/kvservice.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY } from '@distrokv/base';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { DeleteRequest, DeleteResponse, GetRequest, GetResponse, PutRequest, PutResponse } from './kvservice.ts';

export function createPutRequest(fields: Partial<PutRequest>): PutRequest {
  return { key: fields.key ?? '', value: fields.value ?? EMPTY };
}

export function readPutRequest(r: Reader, end: number, before: PutRequest): PutRequest {
  let { key, value } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.string();
        break;
      case 18:
        value = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { key, value };
}

export function writePutRequest(w: Writer, m: PutRequest): void {
  if (m.value.length > 0) w.bytes(18, m.value);
  if (m.key !== '') w.string(10, m.key);
}

export function createPutResponse(fields: Partial<PutResponse>): PutResponse {
  return { success: fields.success ?? false };
}

export function readPutResponse(r: Reader, end: number, before: PutResponse): PutResponse {
  let { success } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        success = r.bool();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { success };
}

export function writePutResponse(w: Writer, m: PutResponse): void {
  if (m.success) w.bool(8, m.success);
}

export function createGetRequest(fields: Partial<GetRequest>): GetRequest {
  return { key: fields.key ?? '' };
}

export function readGetRequest(r: Reader, end: number, before: GetRequest): GetRequest {
  let { key } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { key };
}

export function writeGetRequest(w: Writer, m: GetRequest): void {
  if (m.key !== '') w.string(10, m.key);
}

export function createGetResponse(fields: Partial<GetResponse>): GetResponse {
  return { found: fields.found ?? false, value: fields.value ?? EMPTY };
}

export function readGetResponse(r: Reader, end: number, before: GetResponse): GetResponse {
  let { found, value } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        found = r.bool();
        break;
      case 18:
        value = r.bytes();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { found, value };
}

export function writeGetResponse(w: Writer, m: GetResponse): void {
  if (m.value.length > 0) w.bytes(18, m.value);
  if (m.found) w.bool(8, m.found);
}

export function createDeleteRequest(fields: Partial<DeleteRequest>): DeleteRequest {
  return { key: fields.key ?? '' };
}

export function readDeleteRequest(r: Reader, end: number, before: DeleteRequest): DeleteRequest {
  let { key } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { key };
}

export function writeDeleteRequest(w: Writer, m: DeleteRequest): void {
  if (m.key !== '') w.string(10, m.key);
}

export function createDeleteResponse(fields: Partial<DeleteResponse>): DeleteResponse {
  return { success: fields.success ?? false };
}

export function readDeleteResponse(r: Reader, end: number, before: DeleteResponse): DeleteResponse {
  let { success } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        success = r.bool();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { success };
}

export function writeDeleteResponse(w: Writer, m: DeleteResponse): void {
  if (m.success) w.bool(8, m.success);
}
