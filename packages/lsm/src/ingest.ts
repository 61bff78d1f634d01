// Ingestion: tables that were made elsewhere (table-file.ts) become part of the store, without passing the log and the memtable, and without
// being merged from level to level. It goes in two steps:
//
// 1. Long, and at no particular moment: the files are read, checked whole, and copied into tables of the store's own, with their keyspace's id.
//    A copy, and not a link: whoever made a file may do with it what he likes, and what may be wrong with it is found before it counts.
// 2. Short: no merge runs, the memtable is frozen. That is the moment of the ingestion in the order of writes. What was written before it is flushed;
//    then one edit of the manifest puts the tables into the deepest level above which nothing older lies that they overlap.
//
// In a `latest` keyspace all entries get one version, which has to be known in the first step, and to be above all of those before the second. So it
// is taken from far ahead, and the sequence jumps there at the moment of the ingestion.
import { EMPTY } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { BlockCache } from './block-cache.ts';
import { type Cursor, NEWEST } from './cursor.ts';
import { LsmError, corrupt } from './errors.ts';
import { FilePool } from './file-pool.ts';
import { Below, type KeyBounds, overlappingRange } from './key-bounds.ts';
import { type KeyspaceState, checkKey } from './keyspace-state.ts';
import { MergingCursor } from './merging-cursor.ts';
import { compareRanges, copyRange, grown } from './ranges.ts';
import { ReadAhead } from './read-ahead.ts';
import { KEEP_ALL, Retention } from './retention.ts';
import { type Run, RunCursor, areDisjoint, makeRun } from './run.ts';
import { type RunWriterOptions, writeRun } from './run-writer.ts';
import { FILE_KEYSPACE, tableFileAt } from './table-file.ts';
import type { WrittenTable } from './table-writer.ts';
import { Table } from './table.ts';
import { LAST_LEVEL } from './version.ts';

/** How far the sequence jumps: more writes than there can be while files are copied. */
const JUMP = 2 ** 32;
/** Beyond it the sequence does not jump any more; there is room for a million ingestions before, and for as many writes as ever after. */
const MAX_SEQUENCE = 2 ** 52;
const MAX_FILES = 10_000;
const MAX_OPEN_FILES = 32;

/** The version that all entries get that are ingested into a `latest` keyspace from now on; the sequence is `sequence`. */
export function versionAhead(sequence: number): number {
  if (sequence > MAX_SEQUENCE) throw new LsmError('invalid', 'too many ingestions: the sequence has no room for one more');
  return sequence + JUMP;
}

export interface CopiedTables {
  readonly tables: readonly WrittenTable[];
  readonly entries: number;
  readonly lowestVersion: number;
  readonly highestVersion: number;
  /** Internal keys around all of them. */
  readonly bounds: KeyBounds;
}

/**
 * Copies files into tables of the store, which are durable when it returns, and in no manifest yet. `version`: of every entry; undefined: their own.
 * Throws LsmError `invalid` for files that overlap or do not suit the keyspace, `corrupt`, `newer-format`; FsError.
 */
export async function copyFiles(
  env: Env,
  paths: readonly string[],
  keyspace: KeyspaceState,
  version: number | undefined,
  writing: RunWriterOptions,
): Promise<CopiedTables> {
  if (paths.length === 0 || paths.length > MAX_FILES) throw new LsmError('invalid', `1 to ${MAX_FILES} files are ingested at once`);
  const files = new FilePool(env.fs, MAX_OPEN_FILES);
  const cache = new BlockCache(0);
  const opened: Table[] = [];
  try {
    for (const path of paths) {
      const { directory, number } = tableFileAt(path);
      const byteLength = await env.fs.sizeOf(path);
      if (byteLength === undefined) throw new LsmError('invalid', `${path} is not there`);
      opened.push(await Table.open(files, directory, number, byteLength, cache));
    }
    const run = makeRun(0, 0, opened);
    if (!areDisjoint(run.tables)) throw new LsmError('invalid', 'the files overlap: each key lies in one of them');
    const source = new ReadAhead(writing.ownThread === true);
    const cursor = new CopyCursor(run, source, keyspace, version);
    const entries = new MergingCursor([cursor], false);
    entries.seek(EMPTY, NEWEST);
    const beforeSlice = async (): Promise<void> => {
      await writing.beforeSlice();
      await source.fill();
    };
    const all = new Retention(new Map([[keyspace.id, KEEP_ALL]]), new Below([]));
    const tables = await writeRun(entries, all, { ...writing, beforeSlice });
    const { lowestVersion, highestVersion } = cursor;
    return { tables, entries: cursor.entries, lowestVersion, highestVersion, bounds: cursor.bounds };
  } finally {
    for (const table of opened) await table.close();
  }
}

/** The deepest level where tables within `bounds` may go that are newer than all of `runs`: nothing in it or above it may overlap them. */
export function deepestLevel(runs: readonly Run[], bounds: KeyBounds): number {
  let level = LAST_LEVEL;
  for (const run of runs) {
    const { start, end } = overlappingRange(run.tables, bounds);
    if (start < end) level = Math.min(level, Math.max(0, run.level - 1));
  }
  return level;
}

/** Walks files with the keyspace's id in their keys, and checks that they are what their writer makes. */
class CopyCursor implements Cursor {
  keyBytes: Uint8Array = new Uint8Array(64);
  readonly keyStart = 0;
  keyEnd = 0;
  version = 0;
  entries = 0;
  lowestVersion = NEWEST;
  highestVersion = 0;
  readonly #cursor: RunCursor;
  readonly #run: Run;
  readonly #keyspace: KeyspaceState;
  readonly #version: number | undefined;
  #smallestKey: Uint8Array = EMPTY;

  constructor(run: Run, source: ReadAhead, keyspace: KeyspaceState, version: number | undefined) {
    this.#cursor = new RunCursor(run, source);
    this.#run = run;
    this.#keyspace = keyspace;
    this.#version = version;
  }

  get bounds(): KeyBounds {
    return { smallestKey: this.#smallestKey, largestKey: this.keyBytes.slice(0, this.keyEnd) };
  }

  get valid(): boolean {
    return this.#cursor.valid;
  }

  get tombstone(): boolean {
    return this.#cursor.tombstone;
  }

  get valueBytes(): Uint8Array {
    return this.#cursor.valueBytes;
  }

  get valueStart(): number {
    return this.#cursor.valueStart;
  }

  get valueEnd(): number {
    return this.#cursor.valueEnd;
  }

  seek(key: Uint8Array, version: number): void {
    this.#cursor.seek(key, version);
    this.#take();
  }

  seekBefore(): void {
    throw new Error('files are copied from their beginning');
  }

  next(): void {
    this.#cursor.next();
    this.#take();
  }

  prev(): void {
    this.seekBefore();
  }

  #take(): void {
    const cursor = this.#cursor;
    if (!cursor.valid) return this.#checkComplete();
    const { keyBytes, keyStart, keyEnd, version } = cursor;
    const length = keyEnd - keyStart;
    if (keyBytes[keyStart] !== FILE_KEYSPACE) throw this.#corrupt('an entry of another keyspace');
    checkKey(keyEnd - keyStart - 1);
    // Without the first byte, which is another one here and there.
    const order = this.entries === 0 ? 1 : compareRanges(keyBytes, keyStart + 1, keyEnd, this.keyBytes, 1, this.keyEnd);
    if (this.#version === undefined) {
      if (order < 0 || (order === 0 && version >= this.version)) throw this.#corrupt('an entry out of order');
    } else if (version !== 0 || order <= 0) {
      throw new LsmError('invalid', `keyspace ${this.#keyspace.name} numbers its writes itself: each key comes once, without a version`);
    }
    this.keyBytes = grown(this.keyBytes, 0, length);
    this.keyEnd = copyRange(keyBytes, keyStart, keyEnd, this.keyBytes, 0);
    this.keyBytes[0] = this.#keyspace.id;
    this.version = this.#version ?? version;
    if (this.entries === 0) this.#smallestKey = this.keyBytes.slice(0, length);
    this.entries++;
    this.lowestVersion = Math.min(this.lowestVersion, this.version);
    this.highestVersion = Math.max(this.highestVersion, this.version);
  }

  #checkComplete(): void {
    const said = this.#run.tables.reduce((sum, { properties }) => sum + properties.entries, 0);
    if (said !== this.entries) throw this.#corrupt(`${this.entries} entries, though ${said} were written`);
  }

  #corrupt(what: string): LsmError {
    const { path } = this.#run.tables[0] as Table;
    const others = this.#run.tables.length - 1;
    return corrupt(path, 0, others === 0 ? what : `${what}, in it or the ${others} files after it`);
  }
}
