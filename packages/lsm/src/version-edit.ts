// What changes from one version of the tree to the next, as the manifest writes it down: a list of fields, each a tag and
// its numbers as varints. The first record of a manifest is the edit that makes the whole state out of nothing.
import { MAX_VARINT_BYTES, VarintReader, fromUtf8Strict, utf8, writeVarint } from '@distrokv/base';
import type { VersionMode } from './engine.ts';
import type { KeptRange } from './range-ledger.ts';
import { compareRanges, copyRange } from './ranges.ts';

export interface KeyspaceRecord {
  /** 1 to 127: the first byte of its internal keys. Never given to another keyspace. */
  readonly id: number;
  readonly name: string;
  readonly versions: VersionMode;
}

export interface TableRecord {
  readonly number: number;
  readonly level: number;
  /** In level 0 the flush that it came from, else 0. */
  readonly run: number;
  readonly byteLength: number;
}

export interface VersionEdit {
  readonly keyspaces?: readonly KeyspaceRecord[];
  /** Ids of keyspaces that are no more. */
  readonly dropped?: readonly number[];
  readonly added?: readonly TableRecord[];
  /** Numbers of tables. */
  readonly removed?: readonly number[];
  /** The first segment of the log that is still needed. */
  readonly walFrom?: number;
  /** The engine's own version counter as of the last flush. */
  readonly sequence?: number;
  /** Files and runs get numbers from here on. */
  readonly nextNumber?: number;
  /** The highest version that was flushed, by the id of a `caller` keyspace. */
  readonly lastVersions?: ReadonlyMap<number, number>;
  /** The watermark of retention that came with the last flush, by the id of a `caller` keyspace. */
  readonly retentions?: ReadonlyMap<number, number>;
  /** Bytes of tables that were ever written, by level. */
  readonly written?: ReadonlyMap<number, number>;
  /** And of those that flushes and ingestions wrote: what came, as against what merges wrote again. */
  readonly arrived?: number;
  readonly rangesAdded?: readonly KeptRange[];
  /** Numbers of range deletes. */
  readonly rangesRemoved?: readonly number[];
}

export const MAX_KEYSPACE_ID = 127;

const KEYSPACE = 1;
const ADDED = 2;
const REMOVED = 3;
const WAL_FROM = 4;
const SEQUENCE = 5;
const NEXT_NUMBER = 6;
const LAST_VERSION = 7;
const RETENTION = 8;
const DROPPED = 9;
const RANGE_ADDED = 10;
const RANGE_REMOVED = 11;
const WRITTEN = 12;
const ARRIVED = 13;
const MODES: readonly VersionMode[] = ['caller', 'latest'];

/** The edit behind `reserve` bytes that are left for a header. */
export function encodeEdit(edit: VersionEdit, reserve: number): Uint8Array {
  const parts: (number | Uint8Array)[] = [];
  for (const { id, name, versions } of edit.keyspaces ?? []) parts.push(KEYSPACE, id, MODES.indexOf(versions), ...prefixed(utf8(name)));
  for (const id of edit.dropped ?? []) parts.push(DROPPED, id);
  for (const { number, level, run, byteLength } of edit.added ?? []) parts.push(ADDED, number, level, run, byteLength);
  for (const number of edit.removed ?? []) parts.push(REMOVED, number);
  if (edit.walFrom !== undefined) parts.push(WAL_FROM, edit.walFrom);
  if (edit.sequence !== undefined) parts.push(SEQUENCE, edit.sequence);
  if (edit.nextNumber !== undefined) parts.push(NEXT_NUMBER, edit.nextNumber);
  for (const [id, version] of edit.lastVersions ?? []) parts.push(LAST_VERSION, id, version);
  for (const [id, version] of edit.retentions ?? []) parts.push(RETENTION, id, version);
  for (const [level, bytes] of edit.written ?? []) parts.push(WRITTEN, level, bytes);
  if (edit.arrived !== undefined) parts.push(ARRIVED, edit.arrived);
  for (const { number, start, end, version } of edit.rangesAdded ?? [])
    parts.push(RANGE_ADDED, number, version, ...prefixed(start), ...prefixed(end));
  for (const number of edit.rangesRemoved ?? []) parts.push(RANGE_REMOVED, number);

  const bytes = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? MAX_VARINT_BYTES : part.length), 0);
  const out = new Uint8Array(reserve + bytes);
  let at = reserve;
  for (const part of parts) at = typeof part === 'number' ? writeVarint(out, at, part) : copyRange(part, 0, part.length, out, at);
  return out.subarray(0, at);
}

function prefixed(bytes: Uint8Array): [length: number, bytes: Uint8Array] {
  return [bytes.length, bytes];
}

/** Undefined if the bytes are no edit. */
export function decodeEdit(bytes: Uint8Array): VersionEdit | undefined {
  const reader = new VarintReader(bytes);
  const keyspaces: KeyspaceRecord[] = [];
  const dropped: number[] = [];
  const added: TableRecord[] = [];
  const removed: number[] = [];
  const lastVersions = new Map<number, number>();
  const retentions = new Map<number, number>();
  const written = new Map<number, number>();
  const rangesAdded: KeptRange[] = [];
  const rangesRemoved: number[] = [];
  const single: { walFrom?: number; sequence?: number; nextNumber?: number; arrived?: number } = {};
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case KEYSPACE: {
        const keyspace = readKeyspace(reader);
        if (keyspace === undefined) return undefined;
        keyspaces.push(keyspace);
        break;
      }
      case DROPPED:
        dropped.push(reader.varint());
        break;
      case ADDED:
        added.push({ number: reader.varint(), level: reader.varint(), run: reader.varint(), byteLength: reader.varint() });
        break;
      case REMOVED:
        removed.push(reader.varint());
        break;
      case RANGE_ADDED: {
        const range = readRange(reader);
        if (range === undefined) return undefined;
        rangesAdded.push(range);
        break;
      }
      case WRITTEN:
        written.set(reader.varint(), reader.varint());
        break;
      case ARRIVED:
        single.arrived = reader.varint();
        break;
      case RANGE_REMOVED:
        rangesRemoved.push(reader.varint());
        break;
      case WAL_FROM:
        single.walFrom = reader.varint();
        break;
      case SEQUENCE:
        single.sequence = reader.varint();
        break;
      case NEXT_NUMBER:
        single.nextNumber = reader.varint();
        break;
      case LAST_VERSION:
        lastVersions.set(reader.varint(), reader.varint());
        break;
      case RETENTION:
        retentions.set(reader.varint(), reader.varint());
        break;
      default:
        return undefined;
    }
  }
  return reader.ok
    ? { keyspaces, dropped, added, removed, lastVersions, retentions, written, rangesAdded, rangesRemoved, ...single }
    : undefined;
}

function readKeyspace(reader: VarintReader): KeyspaceRecord | undefined {
  const id = reader.varint();
  const versions = MODES[reader.varint()];
  const name = reader.take(reader.varint());
  if (!reader.ok || versions === undefined || id < 1 || id > MAX_KEYSPACE_ID) return undefined;
  try {
    return { id, name: fromUtf8Strict(name), versions };
  } catch {
    return undefined;
  }
}

function readRange(reader: VarintReader): KeptRange | undefined {
  const number = reader.varint();
  const version = reader.varint();
  const start = reader.take(reader.varint()).slice();
  const end = reader.take(reader.varint()).slice();
  return reader.ok && isRange(start, end) ? { number, start, end, version } : undefined;
}

/** Whether these internal keys bound a range of one keyspace. */
export function isRange(start: Uint8Array, end: Uint8Array): boolean {
  const id = start[0];
  if (id === undefined || id < 1 || id > MAX_KEYSPACE_ID || compareRanges(start, 0, start.length, end, 0, end.length) >= 0) return false;
  return end[0] === id || (end.length === 1 && end[0] === id + 1);
}
