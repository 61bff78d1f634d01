// What is in one file of a store, piece by piece, in the order of the file. Stops at the first byte that is damaged.
import { EMPTY, hex } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { applyGroup } from './batch.ts';
import { type Cursor, NEWEST } from './cursor.ts';
import { LsmError, corrupt } from './errors.ts';
import { MAX_LOG_BYTES, readLog } from './log-file.ts';
import { MANIFEST_KIND, readManifest } from './manifest.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { Memtable } from './memtable.ts';
import { parseName } from './names.ts';
import { readUint32 } from './ranges.ts';
import { type BlockSource, RunCursor, makeRun } from './run.ts';
import { Table } from './table.ts';
import { decodeEdit } from './version-edit.ts';
import { keyspaceStates } from './verify.ts';
import { WAL_KIND } from './wal.ts';

export interface DumpedPiece {
  /** Where it begins, or for an entry the block or record that it is in. */
  readonly offset: number;
  readonly what: 'header' | 'edit' | 'record' | 'table' | 'block' | 'put' | 'delete' | 'deleteRange' | 'rest';
  readonly fields: Readonly<Record<string, number | string | Uint8Array>>;
}

/** The pieces of the manifest, a segment of the log or a table, told by its name. Throws LsmError `corrupt`, `newer-format`, `invalid`. */
export async function* dumpFile(env: Env, path: string): AsyncGenerator<DumpedPiece> {
  const slash = path.lastIndexOf('/');
  const directory = slash < 0 ? '.' : path.slice(0, Math.max(1, slash));
  const file = parseName(path.slice(slash + 1));
  if (file === undefined || file.kind === 'temporary')
    throw new LsmError('invalid', `${path} is no file of a store by its name: manifest, NNNNNN.wal or NNNNNN.sst`);
  if (file.kind === 'manifest') yield* dumpManifest(env, path);
  else if (file.kind === 'segment') yield* dumpSegment(env, directory, path);
  else yield* dumpTable(env, directory, path, file.number);
}

async function* dumpManifest(env: Env, path: string): AsyncGenerator<DumpedPiece> {
  const bytes = await env.fs.readFile(path, MAX_LOG_BYTES);
  const contents = readLog(bytes, MANIFEST_KIND, path);
  if (contents === undefined) throw corrupt(path, 0, 'a header that is not one');
  yield { offset: 0, what: 'header', fields: { kind: 'manifest', format: readUint32(bytes, 8), salt: contents.salt } };
  for (const record of contents.records) {
    const edit = decodeEdit(record);
    if (edit === undefined) throw corrupt(path, record.byteOffset, 'an edit that makes no sense');
    yield {
      offset: record.byteOffset,
      what: 'edit',
      fields: { edit: JSON.stringify(edit, plain) },
    };
  }
  yield* rest(contents.end, bytes);
}

/** Maps as lists, bytes in hex, and without what is empty. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  const list = value instanceof Map ? [...value] : value;
  return Array.isArray(list) && list.length === 0 ? undefined : list;
}

async function* dumpSegment(env: Env, directory: string, path: string): AsyncGenerator<DumpedPiece> {
  // Only the manifest tells whose operations carry a version.
  const manifest = await readManifest(env, directory);
  if (manifest === undefined) throw new LsmError('invalid', `a segment is read together with its manifest, and ${directory} has none`);
  const keyspaces = keyspaceStates(manifest.state);
  for (const keyspace of keyspaces) if (keyspace !== undefined) keyspace.isDropped = false;
  const bytes = await env.fs.readFile(path, MAX_LOG_BYTES);
  const contents = readLog(bytes, WAL_KIND, path);
  if (contents === undefined) return yield* rest(0, bytes);
  const [number, bytesBefore] = [readUint32(contents.extra, 0), readUint32(contents.extra, 4)];
  yield { offset: 0, what: 'header', fields: { kind: 'segment', format: readUint32(bytes, 8), salt: contents.salt, number, bytesBefore } };
  for (const record of contents.records) {
    const memtable = new Memtable(record.length);
    const sequence = applyGroup(record, 0, keyspaces, memtable);
    if (sequence === undefined) throw corrupt(path, record.byteOffset, 'a record that makes no sense');
    memtable.publish();
    yield { offset: record.byteOffset, what: 'record', fields: { bytes: record.length, sequence, operations: memtable.entries } };
    yield* entriesOf(new MemtableCursor(memtable), record.byteOffset);
    for (const { start, end, version } of memtable.ranges) {
      const fields = { keyspace: start[0] as number, from: start.slice(1), end, version };
      yield { offset: record.byteOffset, what: 'deleteRange', fields };
    }
  }
  yield* rest(contents.end, bytes);
}

async function* dumpTable(env: Env, directory: string, path: string, number: number): AsyncGenerator<DumpedPiece> {
  const byteLength = (await env.fs.sizeOf(path)) ?? 0;
  const table = await Table.openAlone(env.fs, directory, number, byteLength);
  try {
    const { shares, ...properties } = table.properties;
    const garbageBytes = shares.reduce((sum, share) => sum + share.garbageBytes, 0);
    yield { offset: 0, what: 'table', fields: { bytes: byteLength, ...properties, garbageBytes } };
    let last = { offset: 0, bytes: 0 };
    const source: BlockSource = {
      index: (from, page) => from.readIndexSync(page),
      block(from, page, block) {
        last = { offset: page.offset(block), bytes: page.byteLength(block) };
        return from.readBlockSync(last.offset, last.bytes);
      },
    };
    const cursor = new RunCursor(makeRun(0, 0, [table]), source);
    let shown: typeof last | undefined;
    for (cursor.seek(EMPTY, NEWEST); cursor.valid; cursor.next()) {
      if (last !== shown) yield { offset: last.offset, what: 'block', fields: { bytes: last.bytes } };
      shown = last;
      yield entryOf(cursor, last.offset);
    }
  } finally {
    await table.close();
  }
}

function* entriesOf(cursor: Cursor, offset: number): Generator<DumpedPiece> {
  for (cursor.seek(EMPTY, NEWEST); cursor.valid; cursor.next()) yield entryOf(cursor, offset);
}

function entryOf(
  { keyBytes, keyStart, keyEnd, version, tombstone, valueBytes, valueStart, valueEnd }: Cursor,
  offset: number,
): DumpedPiece {
  const fields = { keyspace: keyBytes[keyStart] as number, key: keyBytes.slice(keyStart + 1, keyEnd), version };
  if (tombstone) return { offset, what: 'delete', fields };
  return { offset, what: 'put', fields: { ...fields, value: valueBytes.slice(valueStart, valueEnd) } };
}

/** A torn record, room for more, or what an earlier segment left in the file. */
function* rest(end: number, bytes: Uint8Array): Generator<DumpedPiece> {
  if (end < bytes.length) yield { offset: end, what: 'rest', fields: { bytes: bytes.length - end } };
}
