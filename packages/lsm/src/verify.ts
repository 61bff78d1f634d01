// Verifying: reads every file of a store and checks all that can be checked, and changes nothing. One that is closed is checked
// from its directory; one that is open checks the tables that it holds, while it works on.
import { compareBytes } from '@distrokv/base';
import { type Env, FsError } from '@distrokv/env';
import { applyGroup } from './batch.ts';
import { LsmError, corrupt } from './errors.ts';
import { type Fault, faultOf } from './fault.ts';
import { KeyspaceState } from './keyspace-state.ts';
import { MAX_LOG_BYTES, readLog } from './log-file.ts';
import { type ManifestState, readManifest } from './manifest.ts';
import { Memtable } from './memtable.ts';
import { MANIFEST, parseName, segmentName, tableName } from './names.ts';
import { Table } from './table.ts';
import type { TableRecord } from './version-edit.ts';
import { checkTable } from './verify-table.ts';
import { WAL_KIND, readSegments } from './wal.ts';

export interface VerifyOptions {
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Stops the check with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface VerifyProgress {
  /** Of the data of tables, which is nearly everything. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface VerifyReport {
  readonly faults: readonly Fault[];
  readonly tables: number;
  readonly tableBytes: number;
  readonly segments: number;
}

/** Checks the closed store in `directory`. Throws LsmError `invalid` if there is none, FsError if it cannot be looked at. */
export async function verifyStore(env: Env, directory: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const names = await env.fs.readDirectory(directory);
  const files = names.map((name) => parseName(name)).filter((file) => file !== undefined);
  if (!files.some(({ kind }) => kind !== 'temporary')) throw new LsmError('invalid', `${directory} holds no store`);
  const faults: Fault[] = [];
  const state = await attempt(faults, `${directory}/${MANIFEST}`, async () => {
    const read = await readManifest(env, directory);
    if (read === undefined) throw corrupt(`${directory}/${MANIFEST}`, 0, 'it is missing');
    return read.state;
  });
  const records = [...(state?.tables.values() ?? (await tablesIn(env, directory)))];
  const tracker = new Tracker(env, options, records);
  const runs = new Map<string, Table[]>();
  for (const record of records) {
    const { number, byteLength } = record;
    const path = `${directory}/${tableName(number)}`;
    const table = await attempt(faults, path, () => Table.openAlone(env.fs, directory, number, byteLength));
    if (table === undefined) continue;
    const run = `${record.level}/${record.run}`;
    runs.set(run, [...(runs.get(run) ?? []), table]);
    try {
      faults.push(...(await checkTable(table, tracker.step)).faults);
    } finally {
      await table.close();
    }
  }
  for (const run of runs.values()) faults.push(...overlaps(run));
  const segments = files.filter(({ kind, number }) => kind === 'segment' && number >= (state?.walFrom ?? 0));
  if (state !== undefined)
    await checkSegments(
      env,
      directory,
      segments.map(({ number }) => number).sort((a, b) => a - b),
      state,
      faults,
    );
  return { faults, tables: records.length, tableBytes: tracker.totalBytes, segments: segments.length };
}

/** Checks the files of an engine that is open: its manifest, its segments, and the tables of a version that the caller holds. */
export async function verifyOpen(env: Env, directory: string, tables: readonly Table[], options: VerifyOptions): Promise<VerifyReport> {
  const faults: Fault[] = [];
  const tracker = new Tracker(env, options, tables);
  for (const table of tables) faults.push(...(await checkTable(table, tracker.step)).faults);
  await attempt(faults, `${directory}/${MANIFEST}`, () => readManifest(env, directory));
  const names = await env.fs.readDirectory(directory);
  const segments = names.filter((name) => parseName(name)?.kind === 'segment');
  for (const name of segments) {
    const path = `${directory}/${name}`;
    // What is behind the last whole record is being written, and a segment may go at any time: its memtable was flushed.
    await attempt(faults, path, async () => {
      try {
        readLog(await env.fs.readFile(path, MAX_LOG_BYTES), WAL_KIND, path);
      } catch (error) {
        if (!(error instanceof FsError && error.code === 'not-found')) throw error;
      }
    });
  }
  return { faults, tables: tables.length, tableBytes: tracker.totalBytes, segments: segments.length };
}

/** The tables that lie in a directory, as if each were a run of its own. */
export async function tablesIn(env: Env, directory: string): Promise<TableRecord[]> {
  const records: TableRecord[] = [];
  for (const name of await env.fs.readDirectory(directory)) {
    const file = parseName(name);
    if (file?.kind !== 'table') continue;
    const byteLength = (await env.fs.sizeOf(`${directory}/${name}`)) ?? 0;
    records.push({ number: file.number, level: 0, run: file.number, byteLength });
  }
  return records;
}

/** Does `work`; what it finds damaged becomes a fault. */
async function attempt<T>(faults: Fault[], path: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    faults.push(faultOf(error, path));
    return undefined;
  }
}

/** Tells how far the check is, stops it, and lets other events run. */
class Tracker {
  readonly totalBytes: number;
  readonly #env: Env;
  readonly #options: VerifyOptions;
  #doneBytes = 0;

  constructor(env: Env, options: VerifyOptions, tables: readonly { readonly byteLength: number }[]) {
    this.#env = env;
    this.#options = options;
    this.totalBytes = tables.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  readonly step = async (bytes: number): Promise<void> => {
    this.#doneBytes += bytes;
    this.#options.onProgress?.({ doneBytes: this.#doneBytes, totalBytes: this.totalBytes });
    await this.#env.timers.yield();
    this.#options.signal?.throwIfAborted();
  };
}

/** Tables of one run follow each other, and all versions of a key lie in one of them. */
function overlaps(run: readonly Table[]): Fault[] {
  const inOrder = run.toSorted((a, b) => compareBytes(a.smallestKey, b.smallestKey));
  return inOrder.flatMap((table, i) => {
    const before = inOrder[i - 1];
    if (before === undefined || compareBytes(before.largestKey, table.smallestKey) < 0) return [];
    return [faultOf(corrupt(table.path, 0, `its keys begin before those of ${before.path}, of the same run, end`), table.path)];
  });
}

/** Reads the log as opening would. */
async function checkSegments(
  env: Env,
  directory: string,
  numbers: readonly number[],
  state: ManifestState,
  faults: Fault[],
): Promise<void> {
  const path = `${directory}/${segmentName(numbers[0] ?? state.walFrom)}`;
  await attempt(faults, path, async () => {
    const keyspaces = keyspaceStates(state);
    for (const segment of await readSegments(env, directory, numbers, state.walFrom)) {
      for (const record of segment.records) {
        if (applyGroup(record, 0, keyspaces, new Memtable(record.length)) === undefined)
          throw corrupt(segment.path, record.byteOffset, 'a record that makes no sense');
      }
    }
  });
}

/** The keyspaces of a manifest, by id, for those who read its log. */
export function keyspaceStates({ keyspaces, dropped, lastVersions, retentions }: ManifestState): KeyspaceState[] {
  const states: KeyspaceState[] = [];
  for (const { id, name, versions } of keyspaces.values()) {
    const state = new KeyspaceState(id, name, versions, lastVersions.get(id) ?? 0, retentions.get(id) ?? 0, {});
    state.isDropped = dropped.has(id);
    states[id] = state;
  }
  return states;
}
