// Opening: reads everything that the directory says, and only when all of it made sense changes anything. So a store of a
// newer format, or a damaged one, is left as it is.
import { unreachable } from '@distrokv/base';
import { applyGroup } from './batch.ts';
import type { BlockCache } from './block-cache.ts';
import { syncParents } from './directories.ts';
import { corrupt } from './errors.ts';
import { syncDirectoryOrFail } from './fail-stop.ts';
import type { FilePool } from './file-pool.ts';
import { Generations } from './generations.ts';
import { Keyspaces } from './keyspaces.ts';
import { Manifest, ManifestState, readManifest } from './manifest.ts';
import { MANIFEST, parseName } from './names.ts';
import type { Settings } from './options.ts';
import { type Run, areDisjoint, makeRun } from './run.ts';
import { Table } from './table.ts';
import { LAST_LEVEL } from './version.ts';
import { type ReadSegment, SealedSegments, Wal, readSegments, sealSegments } from './wal.ts';

/** What an engine starts from. */
export interface Recovered {
  readonly manifest: Manifest;
  readonly runs: readonly Run[];
  readonly generations: Generations;
  readonly keyspaces: Keyspaces;
  readonly sealed: SealedSegments;
  /** Undefined without a log. */
  readonly wal: Wal | undefined;
  /** The first segment behind all that were read. */
  readonly nextSegment: number;
}

export async function recover(settings: Settings, files: FilePool, cache: BlockCache, owner: object): Promise<Recovered> {
  const { env, directory, logger } = settings;
  await env.fs.makeDirectory(directory);
  const names = await env.fs.readDirectory(directory);
  const read = await readManifest(env, directory);
  if (read === undefined) checkEmpty(directory, names);
  const state = read?.state ?? new ManifestState();
  const keyspaces = new Keyspaces(owner, state);
  const newKeyspaces = keyspaces.missing(settings.keyspaces);
  keyspaces.add(newKeyspaces);
  const tables: Table[] = [];
  let manifest: Manifest | undefined;
  try {
    const runs = await openRuns(settings, state, files, cache, tables);
    const segments = await readSegments(env, directory, segmentNumbers(names, state.walFrom), state.walFrom);
    const generations = replay(settings, state, keyspaces, segments);
    // Everything made sense. From here on the directory is ours.
    manifest = await startManifest(settings, read);
    await removeOrphans(settings, manifest.state);
    if (newKeyspaces.length > 0) await manifest.append({ keyspaces: newKeyspaces });
    const walOptions = { env, directory, memtableBytes: settings.memtableBytes, isSynced: settings.wal === 'sync' };
    const sealed = new SealedSegments(walOptions, await sealSegments(env, segments));
    const nextSegment = Math.max(state.walFrom, (sealed.last?.number ?? 0) + 1);
    const wal = settings.wal === 'none' ? undefined : await Wal.begin(walOptions, sealed, nextSegment);
    logger.info('opened the storage engine', { directory, tables: tables.length, replayed: generations.active.entries });
    return { manifest, runs, generations, keyspaces, sealed, wal, nextSegment };
  } catch (error) {
    for (const table of tables) await table.close().catch(() => {});
    await manifest?.drop().catch(() => {});
    throw error;
  }
}

/** A store's manifest is never missing: it is there before the first table or segment is. */
function checkEmpty(directory: string, names: readonly string[]): void {
  const other = names.find((name) => parseName(name)?.kind === 'table' || parseName(name)?.kind === 'segment');
  if (other !== undefined) throw corrupt(`${directory}/${MANIFEST}`, 0, `it is missing, though ${other} is there`);
}

async function openRuns(
  { directory }: Settings,
  state: ManifestState,
  files: FilePool,
  cache: BlockCache,
  opened: Table[],
): Promise<Run[]> {
  const runs = new Map<string, { readonly level: number; readonly number: number; readonly tables: Table[] }>();
  for (const { number, level, run, byteLength } of state.tables.values()) {
    const table = await Table.open(files, directory, number, byteLength, cache);
    opened.push(table);
    const known = runs.get(`${level}/${run}`);
    if (known === undefined) runs.set(`${level}/${run}`, { level, number: run, tables: [table] });
    else known.tables.push(table);
  }
  return [...runs.values()].map(({ level, number, tables }) => {
    const run = makeRun(level, number, tables);
    if (level > LAST_LEVEL || (level > 0 && number !== 0) || !areDisjoint(run.tables))
      throw corrupt(`${directory}/${MANIFEST}`, 0, `level ${level} is no level of a tree`);
    return run;
  });
}

/** The segments that are still needed, in order. */
function segmentNumbers(names: readonly string[], from: number): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const file = parseName(name);
    if (file?.kind === 'segment' && file.number >= from) numbers.push(file.number);
  }
  return numbers.sort((a, b) => a - b);
}

/** Puts what the log holds into memtables; what was flushed already comes again, and does no harm. */
function replay({ memtableBytes }: Settings, state: ManifestState, { byId }: Keyspaces, segments: readonly ReadSegment[]): Generations {
  const generations = new Generations(memtableBytes, state.sequence, byId);
  for (const { records, path, number } of segments) {
    for (const record of records) {
      const sequence = applyGroup(record, 0, byId, generations.active);
      if (sequence === undefined) throw corrupt(path, record.byteOffset, 'a record that makes no sense');
      generations.sequence = Math.max(generations.sequence, sequence);
    }
    generations.active.publish();
    if (generations.isFull) generations.freeze(number + 1);
  }
  return generations;
}

async function startManifest({ env, directory, logger }: Settings, read: Awaited<ReturnType<typeof readManifest>>): Promise<Manifest> {
  if (read !== undefined) return Manifest.resume(env, directory, logger, read.state, read.contents);
  await syncParents(env.fs, directory);
  return Manifest.create(env, directory, logger);
}

/** Removes what a crash left behind. */
async function removeOrphans({ env, directory, logger }: Settings, state: ManifestState): Promise<void> {
  for (const name of await env.fs.readDirectory(directory)) {
    if (!isOrphan(name, state)) continue;
    logger.info('removed a file that an unfinished flush or merge left behind', { directory, name });
    await env.fs.removeFile(`${directory}/${name}`);
  }
  await syncDirectoryOrFail(env.fs, directory);
}

function isOrphan(name: string, state: ManifestState): boolean {
  const file = parseName(name);
  if (file === undefined) return false;
  switch (file.kind) {
    case 'manifest':
      return false;
    case 'temporary':
      return true;
    case 'table':
      return !state.tables.has(file.number);
    case 'segment':
      return file.number < state.walFrom;
    default:
      return unreachable(file.kind, 'kind of file');
  }
}
