// Generated from proto/health.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { noEntries } from '../codec.ts';
import { insert, type Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse } from './health.ts';

export function createHealthCheckRequest(fields: Partial<HealthCheckRequest>): HealthCheckRequest {
  return { service: fields.service ?? '' };
}

export function readHealthCheckRequest(r: Reader, end: number, before: HealthCheckRequest): HealthCheckRequest {
  let { service } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        service = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { service };
}

export function writeHealthCheckRequest(w: Writer, m: HealthCheckRequest): void {
  if (m.service !== '') w.string(10, m.service);
}

export function createHealthCheckResponse(fields: Partial<HealthCheckResponse>): HealthCheckResponse {
  return { status: fields.status ?? 0 };
}

export const emptyHealthCheckResponse: HealthCheckResponse = createHealthCheckResponse({});

export function readHealthCheckResponse(r: Reader, end: number, before: HealthCheckResponse): HealthCheckResponse {
  let { status } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        status = r.int32();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { status };
}

export function writeHealthCheckResponse(w: Writer, m: HealthCheckResponse): void {
  if (m.status !== 0) w.int32(8, m.status);
}

export function createHealthListRequest(_fields: Partial<HealthListRequest>): HealthListRequest {
  return {};
}

export function readHealthListRequest(r: Reader, end: number, _before: HealthListRequest): HealthListRequest {
  while (r.at < end) r.unknown(r.tag(), []);
  r.leave(end);
  return {};
}

export function writeHealthListRequest(_w: Writer, _m: HealthListRequest): void {}

interface HealthListResponseStatusesEntry {
  readonly key: string;
  readonly value: HealthCheckResponse | undefined;
}

function createHealthListResponseStatusesEntry(fields: Partial<HealthListResponseStatusesEntry>): HealthListResponseStatusesEntry {
  return { key: fields.key ?? '', value: fields.value };
}

const emptyHealthListResponseStatusesEntry: HealthListResponseStatusesEntry = createHealthListResponseStatusesEntry({});

function readHealthListResponseStatusesEntry(
  r: Reader,
  end: number,
  before: HealthListResponseStatusesEntry,
): HealthListResponseStatusesEntry {
  let { key, value } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.string();
        break;
      case 18:
        value = readHealthCheckResponse(r, r.enter(), value ?? emptyHealthCheckResponse);
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { key, value };
}

function writeHealthListResponseStatusesEntry(w: Writer, m: HealthListResponseStatusesEntry): void {
  if (m.value !== undefined) {
    const end = w.mark();
    writeHealthCheckResponse(w, m.value);
    w.close(18, end);
  }
  if (m.key !== '') w.string(10, m.key);
}

export function createHealthListResponse(fields: Partial<HealthListResponse>): HealthListResponse {
  return { statuses: fields.statuses ?? noEntries };
}

export function readHealthListResponse(r: Reader, end: number, before: HealthListResponse): HealthListResponse {
  let { statuses } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10: {
        const entry = readHealthListResponseStatusesEntry(r, r.enter(), emptyHealthListResponseStatusesEntry);
        statuses = insert(statuses, entry.key, entry.value ?? emptyHealthCheckResponse);
        break;
      }
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { statuses };
}

export function writeHealthListResponse(w: Writer, m: HealthListResponse): void {
  for (const [key, value] of [...m.statuses].reverse()) {
    const end = w.mark();
    writeHealthListResponseStatusesEntry(w, { key, value });
    w.close(10, end);
  }
}
