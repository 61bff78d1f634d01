// A store from outside: which levels and tables it is made of, as its manifest and the tables themselves tell. Reads only.
import { compareBytes } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { LsmError } from './errors.ts';
import { type ManifestState, readManifest } from './manifest.ts';
import { parseName } from './names.ts';
import { Table } from './table.ts';
import type { KeyspaceRecord } from './version-edit.ts';

export interface TableSummary {
  readonly number: number;
  readonly level: number;
  readonly run: number;
  readonly bytes: number;
  readonly blocks: number;
  readonly entries: number;
  readonly tombstones: number;
  /** Of all entries, before prefixes are shared. */
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** The first byte of a key is its keyspace's id. */
  readonly smallestKey: Uint8Array;
  readonly largestKey: Uint8Array;
}

export interface LevelSummary extends Omit<TableSummary, 'number' | 'run'> {
  readonly tables: number;
  readonly runs: number;
  /** Bytes of tables that flushes, merges and ingestions ever wrote into the level. */
  readonly writtenBytes: number;
  /** The same, for each byte that came into the store by a flush or an ingestion. */
  readonly writeAmplification: number | undefined;
}

export interface StoreSummary {
  readonly keyspaces: readonly KeyspaceRecord[];
  /** Operations that the engine had seen at the last flush. */
  readonly sequence: number;
  readonly levels: readonly LevelSummary[];
  /** By level, then by number. */
  readonly tables: readonly TableSummary[];
  /** Range deletes that hide something in tables, or hide it from readers of some versions. */
  readonly rangeDeletes: number;
  readonly segments: readonly { readonly number: number; readonly bytes: number }[];
  /** Bytes of tables that were ever written for each byte that a flush or an ingestion brought; the log is not counted. */
  readonly writeAmplification: number | undefined;
  /** Bytes of all tables for each byte of the deepest level, which holds what is left when everything is merged; undefined without tables. */
  readonly spaceAmplification: number | undefined;
}

/** Throws LsmError `corrupt` or `newer-format`; `invalid` if there is no store. */
export async function inspectStore(env: Env, directory: string): Promise<StoreSummary> {
  const read = await readManifest(env, directory);
  if (read === undefined) throw new LsmError('invalid', `${directory} holds no store: it has no manifest`);
  const { state } = read;
  const tables: TableSummary[] = [];
  for (const { number, level, run, byteLength } of state.tables.values()) {
    const table = await Table.openAlone(env.fs, directory, number, byteLength);
    const { blocks, entries, tombstones, keyBytes, valueBytes, smallestKey, largestKey } = table.properties;
    await table.close();
    tables.push({ number, level, run, bytes: byteLength, blocks, entries, tombstones, keyBytes, valueBytes, smallestKey, largestKey });
  }
  tables.sort((a, b) => a.level - b.level || a.number - b.number);
  const levels = [...new Set(tables.map(({ level }) => level))].map((level) =>
    summary(
      tables.filter((table) => table.level === level),
      state,
    ),
  );
  const segments: { number: number; bytes: number }[] = [];
  for (const name of await env.fs.readDirectory(directory)) {
    const file = parseName(name);
    if (file?.kind === 'segment') segments.push({ number: file.number, bytes: (await env.fs.sizeOf(`${directory}/${name}`)) ?? 0 });
  }
  const written = [...state.written.values()].reduce((total, bytes) => total + bytes, 0);
  const writeAmplification = state.arrived === 0 ? undefined : written / state.arrived;
  const deepest = levels.at(-1);
  const spaceAmplification = deepest === undefined ? undefined : sum(tables, 'bytes') / deepest.bytes;
  return {
    keyspaces: [...state.keyspaces.values()].filter(({ id }) => !state.dropped.has(id)),
    sequence: state.sequence,
    levels,
    tables,
    rangeDeletes: state.ranges.size,
    segments,
    writeAmplification,
    spaceAmplification,
  };
}

function summary(tables: readonly TableSummary[], { written, arrived }: ManifestState): LevelSummary {
  const { level } = tables[0] as TableSummary;
  const writtenBytes = written.get(level) ?? 0;
  const smallest = tables.map(({ smallestKey }) => smallestKey).sort(compareBytes);
  const largest = tables.map(({ largestKey }) => largestKey).sort(compareBytes);
  return {
    level,
    tables: tables.length,
    runs: new Set(tables.map(({ run }) => run)).size,
    bytes: sum(tables, 'bytes'),
    blocks: sum(tables, 'blocks'),
    entries: sum(tables, 'entries'),
    tombstones: sum(tables, 'tombstones'),
    keyBytes: sum(tables, 'keyBytes'),
    valueBytes: sum(tables, 'valueBytes'),
    writtenBytes,
    writeAmplification: arrived === 0 ? undefined : writtenBytes / arrived,
    smallestKey: smallest[0] as Uint8Array,
    largestKey: largest.at(-1) as Uint8Array,
  };
}

function sum(tables: readonly TableSummary[], field: 'bytes' | 'blocks' | 'entries' | 'tombstones' | 'keyBytes' | 'valueBytes'): number {
  return tables.reduce((total, table) => total + table[field], 0);
}
