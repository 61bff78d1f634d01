// What changes from one version of the tree to the next, as the manifest writes it down: a list of fields, each a tag and
// its numbers as varints. The first record of a manifest is the edit that makes the whole state out of nothing.
import { MAX_VARINT_BYTES, VarintReader, fromUtf8Strict, utf8, writeVarint } from '@distrokv/base';
import type { VersionMode } from './engine.ts';

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
const MODES: readonly VersionMode[] = ['caller', 'latest'];

/** The edit behind `reserve` bytes that are left for a header. */
export function encodeEdit(edit: VersionEdit, reserve: number): Uint8Array {
  const fields: number[][] = [];
  const names: Uint8Array[] = [];
  for (const { id, name, versions } of edit.keyspaces ?? []) {
    const bytes = utf8(name);
    names.push(bytes);
    fields.push([KEYSPACE, id, MODES.indexOf(versions), bytes.length]);
  }
  for (const id of edit.dropped ?? []) fields.push([DROPPED, id]);
  for (const { number, level, run, byteLength } of edit.added ?? []) fields.push([ADDED, number, level, run, byteLength]);
  for (const number of edit.removed ?? []) fields.push([REMOVED, number]);
  if (edit.walFrom !== undefined) fields.push([WAL_FROM, edit.walFrom]);
  if (edit.sequence !== undefined) fields.push([SEQUENCE, edit.sequence]);
  if (edit.nextNumber !== undefined) fields.push([NEXT_NUMBER, edit.nextNumber]);
  for (const [id, version] of edit.lastVersions ?? []) fields.push([LAST_VERSION, id, version]);
  for (const [id, version] of edit.retentions ?? []) fields.push([RETENTION, id, version]);

  const nameBytes = names.reduce((sum, name) => sum + name.length, 0);
  const out = new Uint8Array(reserve + fields.length * 5 * MAX_VARINT_BYTES + nameBytes);
  let at = reserve;
  for (const [i, field] of fields.entries()) {
    for (const n of field) at = writeVarint(out, at, n);
    const name = names[i];
    if (name === undefined) continue;
    out.set(name, at);
    at += name.length;
  }
  return out.subarray(0, at);
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
  const single: { walFrom?: number; sequence?: number; nextNumber?: number } = {};
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
  return reader.ok ? { keyspaces, dropped, added, removed, lastVersions, retentions, ...single } : undefined;
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
