// Repairing a store that does not open: everything sound that lies in its directory is merged into new tables, and a new
// manifest names them. Entries carry their versions, so it does not matter that nobody knows any more which table was
// written when. Nothing is deleted: the files that were there move to `lost/1`, `lost/2`, …
//
// A crash in the middle leaves a directory without a manifest, which does not open and can be repaired again:
//   1. the new tables are written and synced, beside everything else
//   2. the old files get a second name in lost/, and that is synced
//   3. the old manifest's first name goes, and that is synced: the new tables and the old ones now count alike
//   4. the first names of the other files go; the new manifest takes its place
import { EMPTY } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { NEWEST } from './cursor.ts';
import type { KeyspaceOptions, VersionMode } from './engine.ts';
import { LsmError } from './errors.ts';
import { syncDirectoryOrFail } from './fail-stop.ts';
import type { Fault } from './fault.ts';
import { Below } from './key-bounds.ts';
import { ManifestState, writeManifest } from './manifest.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { MergingCursor } from './merging-cursor.ts';
import { MANIFEST, parseName } from './names.ts';
import { isRipe } from './range-ledger.ts';
import { Retention, watermarksOf } from './retention.ts';
import { writeRun } from './run-writer.ts';
import type { WrittenTable } from './table-writer.ts';
import { Table } from './table.ts';
import { MAX_KEYSPACE_ID } from './version-edit.ts';
import { LOST, type SalvagedLog, SalvagedTables, repairsIn, salvageManifest, salvageSegments } from './salvage.ts';
import { tablesIn, verifyStore } from './verify.ts';

export interface RepairOptions {
  /** The keyspaces in the order in which they were made; needed only when the manifest does not tell them any more. */
  readonly keyspaces?: readonly KeyspaceOptions[];
}

export interface RepairReport {
  /** What was damaged. Empty: the store is sound, and was left as it is. */
  readonly faults: readonly Fault[];
  /** Where the files are now that were there before. */
  readonly lostDirectory: string | undefined;
  readonly tables: number;
  /** Entries in the new tables. */
  readonly entries: number;
  /** Tables of which nothing could be read. */
  readonly lostTables: number;
  /** Blocks of other tables, and bytes of the log, that could not be read. */
  readonly lostBlocks: number;
  readonly lostLogBytes: number;
}

const TABLE_BYTES = 64 << 20;
const BLOCK_BYTES = 4096;

/**
 * Repairs the closed store in `directory`, whose lock the caller holds. Range deletes that only a part of the manifest knew that is lost are undone. Throws LsmError `newer-format` with nothing touched,
 * `invalid` if there is no store or nobody knows its keyspaces; FsError.
 */
export async function repairStore(env: Env, directory: string, options: RepairOptions = {}): Promise<RepairReport> {
  const { faults } = await verifyStore(env, directory);
  if (faults.length === 0)
    return { faults, lostDirectory: undefined, tables: 0, entries: 0, lostTables: 0, lostBlocks: 0, lostLogBytes: 0 };
  const newer = faults.find(({ kind }) => kind === 'newer-format');
  if (newer !== undefined) throw new LsmError('newer-format', newer.what);
  const { state, isWhole } = await salvageManifest(env, directory, options);
  const tables = new SalvagedTables(env);
  try {
    // A manifest that is whole tells which tables count; else all do that are there.
    for (const { number, byteLength } of isWhole ? [...state.tables.values()] : await tablesIn(env, directory)) {
      await tables.open(directory, number, byteLength);
    }
    const log = await salvageSegments(env, directory, state, isWhole);
    const names = (await env.fs.readDirectory(directory)).filter((name) => parseName(name) !== undefined);
    const rebuilt = new ManifestState();
    for (const [id, keyspace] of state.keyspaces) rebuilt.keyspaces.set(id, keyspace);
    for (const id of state.dropped) rebuilt.dropped.add(id);
    for (const [id, version] of state.retentions) rebuilt.retentions.set(id, version);
    // Numbers of unfinished tables are taken too.
    const numbers = names.map((name) => Number(/^\d+/.exec(name)?.[0] ?? 0));
    rebuilt.walFrom = Math.max(state.walFrom, log.nextSegment);
    rebuilt.nextNumber = Math.max(state.nextNumber, ...numbers) + 1;
    nameTheLost(rebuilt, tables);
    noteVersions(rebuilt, state, tables, log);
    const watermarks = watermarksOf(keptOf(rebuilt), rebuilt.retentions);
    const deleted = [...state.ranges.values(), ...log.memtable.ranges];
    const entries = new MergingCursor([new MemtableCursor(log.memtable), ...tables.cursors()], false);
    entries.seek(EMPTY, NEWEST);
    const written = await writeRun(entries, new Retention(watermarks, new Below([]), deleted), {
      env,
      directory,
      blockBytes: BLOCK_BYTES,
      codec: 'none',
      tableBytes: TABLE_BYTES,
      nextNumber: () => rebuilt.nextNumber++,
      beforeSlice: async () => {},
    });
    const run = rebuilt.nextNumber++;
    for (const { number, byteLength } of written) rebuilt.tables.set(number, { number, level: 0, run, byteLength });
    for (const { start, end, version } of deleted) {
      const number = rebuilt.nextNumber++;
      // What the others hide is gone.
      if (!isRipe({ start, end, version }, watermarks)) rebuilt.ranges.set(number, { number, start, end, version });
    }
    const lostDirectory = await moveToLost(env, directory, names);
    const manifest = await writeManifest(env, directory, rebuilt);
    await manifest.close();
    return {
      faults,
      lostDirectory,
      tables: written.length,
      entries: await countEntries(env, directory, written),
      lostTables: tables.lostTables,
      lostBlocks: tables.lostBlocks,
      lostLogBytes: log.lostBytes,
    };
  } finally {
    await tables.close();
  }
}

/** What a keyspace that the manifest no longer tells of holds is kept whole. */
function keptOf({ keyspaces, dropped }: ManifestState): { id: number; versions: VersionMode; isDropped: boolean }[] {
  const ids = Array.from({ length: MAX_KEYSPACE_ID }, (_, i) => i + 1);
  return ids.map((id) => ({ id, versions: keyspaces.get(id)?.versions ?? 'caller', isDropped: dropped.has(id) }));
}

/**
 * What has entries in tables and is told of by nobody becomes keyspace `lost-ID`: it can be looked at, and dropped, and its id does not go to a
 * keyspace that is made later, in which it would come to light.
 */
function nameTheLost({ keyspaces }: ManifestState, tables: SalvagedTables): void {
  const names = new Set([...keyspaces.values()].map(({ name }) => name));
  for (const id of [...tables.lastVersions.keys()].sort((a, b) => a - b)) {
    if (keyspaces.has(id) || id < 1 || id > MAX_KEYSPACE_ID) continue;
    let name = `lost-${id}`;
    while (names.has(name)) name += '-';
    names.add(name);
    keyspaces.set(id, { id, name, versions: 'caller' });
  }
}

/** Versions go on from the highest that was ever seen. */
function noteVersions(rebuilt: ManifestState, before: ManifestState, tables: SalvagedTables, log: SalvagedLog): void {
  rebuilt.sequence = Math.max(before.sequence, log.sequence);
  for (const [id, { versions }] of rebuilt.keyspaces) {
    const last = Math.max(before.lastVersions.get(id) ?? 0, tables.lastVersions.get(id) ?? 0, log.lastVersions.get(id) ?? 0);
    if (versions === 'caller') rebuilt.lastVersions.set(id, last);
    else rebuilt.sequence = Math.max(rebuilt.sequence, last);
  }
}

/** Moves files to a new directory below `lost/`, the manifest first; returns it. */
async function moveToLost(env: Env, directory: string, names: readonly string[]): Promise<string> {
  const { fs } = env;
  const lost = `${directory}/${LOST}`;
  await fs.makeDirectory(lost);
  const target = `${lost}/${((await repairsIn(env, directory))[0] ?? 0) + 1}`;
  await fs.makeDirectory(target);
  for (const name of names) await fs.link(`${directory}/${name}`, `${target}/${name}`);
  await syncDirectoryOrFail(fs, target);
  if (names.includes(MANIFEST)) await fs.removeFile(`${directory}/${MANIFEST}`);
  await syncDirectoryOrFail(fs, directory);
  for (const name of names) if (name !== MANIFEST) await fs.removeFile(`${directory}/${name}`);
  await syncDirectoryOrFail(fs, directory);
  return target;
}

async function countEntries(env: Env, directory: string, written: readonly WrittenTable[]): Promise<number> {
  let entries = 0;
  for (const { number, byteLength } of written) {
    const table = await Table.openAlone(env.fs, directory, number, byteLength);
    entries += table.properties.entries;
    await table.close();
  }
  return entries;
}
