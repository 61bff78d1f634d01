// Generated from proto/kv.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { EMPTY } from '@distrokv/base';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type { Event, KeyValue } from './kv.ts';

export function createKeyValue(fields: Partial<KeyValue>): KeyValue {
  return {
    key: fields.key ?? EMPTY,
    createRevision: fields.createRevision ?? 0,
    modRevision: fields.modRevision ?? 0,
    version: fields.version ?? 0,
    value: fields.value ?? EMPTY,
    lease: fields.lease ?? 0n,
  };
}

export const emptyKeyValue: KeyValue = createKeyValue({});

export function readKeyValue(r: Reader, end: number, before: KeyValue): KeyValue {
  let { key, createRevision, modRevision, version, value, lease } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        key = r.bytes();
        break;
      case 16:
        createRevision = r.int64Number();
        break;
      case 24:
        modRevision = r.int64Number();
        break;
      case 32:
        version = r.int64Number();
        break;
      case 42:
        value = r.bytes();
        break;
      case 48:
        lease = r.int64();
        break;
      default:
        r.unknown(tag, [1, 2, 3, 4, 5, 6]);
    }
  }
  r.leave(end);
  return { key, createRevision, modRevision, version, value, lease };
}

export function writeKeyValue(w: Writer, m: KeyValue): void {
  if (m.lease !== 0n) w.int64(48, m.lease);
  if (m.value.length > 0) w.bytes(42, m.value);
  if (m.version !== 0) w.int64Number(32, m.version);
  if (m.modRevision !== 0) w.int64Number(24, m.modRevision);
  if (m.createRevision !== 0) w.int64Number(16, m.createRevision);
  if (m.key.length > 0) w.bytes(10, m.key);
}

export function createEvent(fields: Partial<Event>): Event {
  return { type: fields.type ?? 0, kv: fields.kv, prevKv: fields.prevKv };
}

export const emptyEvent: Event = createEvent({});

export function readEvent(r: Reader, end: number, before: Event): Event {
  let { type, kv, prevKv } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        type = r.int32();
        break;
      case 18:
        kv = readKeyValue(r, r.enter(), kv ?? emptyKeyValue);
        break;
      case 26:
        prevKv = readKeyValue(r, r.enter(), prevKv ?? emptyKeyValue);
        break;
      default:
        r.unknown(tag, [1, 2, 3]);
    }
  }
  r.leave(end);
  return { type, kv, prevKv };
}

export function writeEvent(w: Writer, m: Event): void {
  if (m.prevKv !== undefined) {
    const end = w.mark();
    writeKeyValue(w, m.prevKv);
    w.close(26, end);
  }
  if (m.kv !== undefined) {
    const end = w.mark();
    writeKeyValue(w, m.kv);
    w.close(18, end);
  }
  if (m.type !== 0) w.int32(8, m.type);
}
