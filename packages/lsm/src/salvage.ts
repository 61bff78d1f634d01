// What a repair can still read: the manifest as far as it goes, the blocks of tables that are sound, and the log up to the first
// record that is not.
import type { Env } from '@distrokv/env';
import { applyGroup } from './batch.ts';
import { BlockCache } from './block-cache.ts';
import { BlockCursor } from './block-cursor.ts';
import type { Cursor } from './cursor.ts';
import { LsmError } from './errors.ts';
import { faultOf } from './fault.ts';
import { FilePool } from './file-pool.ts';
import type { KeyspaceState } from './keyspace-state.ts';
import { HEADER_BYTES, type LogContents, MAX_LOG_BYTES, RECORD_HEADER_BYTES, salvageHeadless, salvageLog } from './log-file.ts';
import { MANIFEST_KIND, ManifestState, readManifest } from './manifest.ts';
import { Memtable } from './memtable.ts';
import { MANIFEST, parseName, segmentName, tableName } from './names.ts';
import type { RepairOptions } from './repair.ts';
import { readUint32, writeUint32 } from './ranges.ts';
import { Table } from './table.ts';
import { decodeEdit } from './version-edit.ts';
import { type BlockPlace, checkTable } from './verify-table.ts';
import { keyspaceStates } from './verify.ts';
import { WAL_KIND } from './wal.ts';

/** Where a repair puts what was there before it. */
export const LOST = 'lost';
/** Of however many tables there are. */
const MAX_OPEN_FILES = 64;

/**
 * What is left of the manifest, or of the one that a repair put aside which a crash cut short; it must tell the keyspaces, or
 * the options must. `isWhole`: it is the store's own, and all of it could be read.
 */
export async function salvageManifest(
  env: Env,
  directory: string,
  { keyspaces }: RepairOptions,
): Promise<{ readonly state: ManifestState; readonly isWhole: boolean }> {
  const path = `${directory}/${MANIFEST}`;
  const whole = await attempt(path, () => readManifest(env, directory));
  if (whole !== undefined) return { state: whole.state, isWhole: true };
  let state = await salvageState(env, path);
  for (const repair of state === undefined ? await repairsIn(env, directory) : [])
    state ??= await salvageState(env, `${directory}/${LOST}/${repair}/${MANIFEST}`);
  state ??= new ManifestState();
  if (state.keyspaces.size === 0) {
    if (keyspaces === undefined)
      throw new LsmError(
        'invalid',
        `nothing in ${directory} tells its keyspaces any more: name them, in the order in which they were made`,
      );
    for (const [i, { name, versions }] of keyspaces.entries()) state.keyspaces.set(i + 1, { id: i + 1, name, versions });
  }
  return { state, isWhole: false };
}

/** The numbers of earlier repairs, the latest first. */
export async function repairsIn(env: Env, directory: string): Promise<number[]> {
  if (!(await env.fs.readDirectory(directory)).includes(LOST)) return [];
  const numbers = (await env.fs.readDirectory(`${directory}/${LOST}`)).map(Number).filter(Number.isSafeInteger);
  return numbers.sort((a, b) => b - a);
}

/** What `work` reads, or undefined if that is damaged. */
async function attempt<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    faultOf(error, path);
    return undefined;
  }
}

/** The state up to the first edit that cannot be read; undefined if there is none. */
async function salvageState(env: Env, path: string): Promise<ManifestState | undefined> {
  const contents = await attempt(path, async () => salvageLog(await env.fs.readFile(path, MAX_LOG_BYTES), MANIFEST_KIND, path));
  if (contents === undefined) return undefined;
  const state = new ManifestState();
  for (const record of contents.records) {
    const edit = decodeEdit(record);
    if (edit === undefined || !state.apply(edit)) break;
  }
  return state;
}

/** Tables that can be opened, and their blocks that are sound. */
export class SalvagedTables {
  readonly #env: Env;
  readonly #files: FilePool;
  readonly #tables: { readonly table: Table; readonly soundBlocks: readonly BlockPlace[] }[] = [];
  /** The highest version that was seen, by keyspace id. */
  readonly lastVersions: Map<number, number> = new Map();
  lostBlocks = 0;
  lostTables = 0;

  constructor(env: Env) {
    this.#env = env;
    this.#files = new FilePool(env.fs, MAX_OPEN_FILES);
  }

  async open(directory: string, number: number, byteLength: number): Promise<void> {
    const table = await attempt(tableName(number), () => Table.open(this.#files, directory, number, byteLength, new BlockCache(0)));
    if (table === undefined) {
      this.lostTables++;
      return;
    }
    const { soundBlocks, lastVersions } = await checkTable(table, () => this.#env.timers.yield());
    this.#tables.push({ table, soundBlocks });
    this.lostBlocks += table.properties.blocks - soundBlocks.length;
    for (const [id, version] of lastVersions) this.lastVersions.set(id, Math.max(version, this.lastVersions.get(id) ?? 0));
  }

  cursors(): Cursor[] {
    return this.#tables.map(({ table, soundBlocks }) => new SoundCursor(table, soundBlocks));
  }

  async close(): Promise<void> {
    for (const { table } of this.#tables) await table.close();
  }
}

/** Walks the sound blocks of a table from the first entry to the last. */
class SoundCursor extends BlockCursor implements Cursor {
  readonly #table: Table;
  readonly #blocks: readonly BlockPlace[];
  #at = 0;

  constructor(table: Table, blocks: readonly BlockPlace[]) {
    super();
    this.#table = table;
    this.#blocks = blocks;
  }

  /** A repair reads everything: it seeks the beginning only. */
  seek(): void {
    this.#at = -1;
    this.#nextBlock();
  }

  seekBefore(): void {
    this.valid = false;
  }

  next(): void {
    this.nextInBlock();
    if (!this.valid) this.#nextBlock();
  }

  prev(): void {
    this.valid = false;
  }

  #nextBlock(): void {
    this.#at++;
    const block = this.#blocks[this.#at];
    if (block !== undefined) this.firstInBlock(this.#table.readBlockSync(block.offset, block.byteLength));
  }
}

export interface SalvagedLog {
  readonly memtable: Memtable;
  readonly sequence: number;
  readonly lastVersions: ReadonlyMap<number, number>;
  /** Behind every segment that is there. */
  readonly nextSegment: number;
  /** What follows the first record that cannot be read: a later write without an earlier one was never the store's state. */
  readonly lostBytes: number;
}

/**
 * `isWhole`: as of the manifest. Else nobody knows which segment is the first that is needed. Segments go in order, but one that is kept as a spare
 * (wal.ts): so where one is missing behind the first, or the first has begun to be another one, that was the spare: what is in it is in tables.
 */
export async function salvageSegments(env: Env, directory: string, state: ManifestState, isWhole: boolean): Promise<SalvagedLog> {
  const numbers: number[] = [];
  for (const name of await env.fs.readDirectory(directory)) {
    const file = parseName(name);
    if (file?.kind === 'segment' && file.number >= state.walFrom) numbers.push(file.number);
  }
  numbers.sort((a, b) => a - b);
  const keyspaces = keyspaceStates(state);
  const memtable = new Memtable(1 << 20);
  let [sequence, lostBytes, isBroken] = [0, 0, false];
  let endBefore: number | undefined;
  for (const [i, number] of numbers.entries()) {
    const path = `${directory}/${segmentName(number)}`;
    const byteLength = (await env.fs.sizeOf(path)) ?? 0;
    const contents = await readSegment(env, path, number, i === 0);
    const isSpare = i === 0 && !isWhole && numbers.length > 1 && (numbers[1] !== number + 1 || isOfAnother(contents, number));
    if (isSpare) continue;
    isBroken ||= isOfAnother(contents, number) || (endBefore !== undefined && number !== (numbers[i - 1] as number) + 1);
    // The header says where the records of the segment before ended.
    isBroken ||= contents !== undefined && endBefore !== undefined && readUint32(contents.extra, 4) !== endBefore;
    let end = contents === undefined ? 0 : HEADER_BYTES;
    for (const record of isBroken ? [] : (contents?.records ?? [])) {
      const after = isGroup(record, keyspaces) ? applyGroup(record, 0, keyspaces, memtable) : undefined;
      if (after === undefined) break;
      sequence = Math.max(sequence, after);
      end = record.byteOffset + record.length;
    }
    // The mark that closing leaves is no record.
    if (contents !== undefined && contents.end - end <= RECORD_HEADER_BYTES) end = contents.end;
    const isSound = contents !== undefined && end === contents.end && contents.proof === undefined;
    // Behind records that are whole there may be room for more; nobody was promised anything there.
    if (!isSound) lostBytes += byteLength - end;
    isBroken ||= !isSound;
    endBefore = end;
  }
  memtable.publish();
  const lastVersions = new Map<number, number>();
  for (const keyspace of keyspaces) if (keyspace?.versions === 'caller') lastVersions.set(keyspace.id, keyspace.lastWritten);
  return { memtable, sequence, lastVersions, nextSegment: (numbers.at(-1) ?? 0) + 1, lostBytes };
}

/**
 * What can be read of a segment. The first one needs no header, if its records can be read: nothing comes before them, and where they end the next
 * segment says. So it does not matter whether the header was damaged, or is that of a spare which was being made another segment: what is in one comes
 * again, and does no harm.
 */
async function readSegment(env: Env, path: string, number: number, isFirst: boolean): Promise<LogContents | undefined> {
  const bytes = await attempt(path, () => env.fs.readFile(path, MAX_LOG_BYTES));
  if (bytes === undefined) return undefined;
  const contents = await attempt(path, async () => salvageLog(bytes, WAL_KIND, path));
  if (contents !== undefined || !isFirst) return contents;
  const extra = new Uint8Array(8);
  writeUint32(extra, 0, number);
  return salvageHeadless(bytes, WAL_KIND, extra);
}

/** Whether a segment says that it has another number than its name. */
function isOfAnother(contents: LogContents | undefined, number: number): boolean {
  return contents !== undefined && readUint32(contents.extra, 0) !== number;
}

/** Whether a record can be applied whole; one that cannot must leave nothing behind. */
function isGroup(record: Uint8Array, keyspaces: readonly KeyspaceState[]): boolean {
  return applyGroup(record, 0, keyspaces, new Memtable(record.length)) !== undefined;
}
