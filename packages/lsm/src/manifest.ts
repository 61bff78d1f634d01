// The manifest: which tables make up the store, and from where the log counts. A log file (log-file.ts) of version edits;
// the first one makes the whole state. When it has grown, it is written anew under a temporary name and renamed over.
import { messageOf } from '@distrokv/base';
import type { Env, File, Logger } from '@distrokv/env';
import { LsmError, corrupt } from './errors.ts';
import { isTransient, syncDirectoryOrFail } from './fail-stop.ts';
import { type LogContents, type LogKind, LogWriter, MAX_LOG_BYTES, RECORD_HEADER_BYTES, readLog } from './log-file.ts';
import { MANIFEST, temporaryName } from './names.ts';
import type { KeptRange } from './range-ledger.ts';
import { type KeyspaceRecord, type TableRecord, type VersionEdit, decodeEdit, encodeEdit } from './version-edit.ts';

export const MANIFEST_KIND: LogKind = { magic: 'DKVMANIF', format: 2 };
const NO_EXTRA: Uint8Array = new Uint8Array(8);
/** A manifest is not rewritten below this size. */
const REWRITE_BYTES = 64 << 10;

/** All that the edits of a manifest add up to. */
export class ManifestState {
  /** By id, dropped ones too. */
  readonly keyspaces: Map<number, KeyspaceRecord> = new Map();
  readonly dropped: Set<number> = new Set();
  readonly tables: Map<number, TableRecord> = new Map();
  readonly ranges: Map<number, KeptRange> = new Map();
  readonly lastVersions: Map<number, number> = new Map();
  readonly retentions: Map<number, number> = new Map();
  readonly written: Map<number, number> = new Map();
  arrived = 0;
  walFrom = 1;
  sequence = 0;
  nextNumber = 1;

  /** False if the edit does not fit: then the manifest is damaged. */
  apply(edit: VersionEdit): boolean {
    for (const keyspace of edit.keyspaces ?? []) {
      if (this.keyspaces.has(keyspace.id)) return false;
      this.keyspaces.set(keyspace.id, keyspace);
    }
    for (const id of edit.dropped ?? []) {
      if (!this.keyspaces.has(id) || this.dropped.has(id)) return false;
      this.dropped.add(id);
      this.lastVersions.delete(id);
      this.retentions.delete(id);
    }
    for (const number of edit.removed ?? []) if (!this.tables.delete(number)) return false;
    for (const table of edit.added ?? []) {
      if (this.tables.has(table.number)) return false;
      this.tables.set(table.number, table);
    }
    for (const number of edit.rangesRemoved ?? []) if (!this.ranges.delete(number)) return false;
    for (const range of edit.rangesAdded ?? []) {
      if (this.ranges.has(range.number)) return false;
      this.ranges.set(range.number, range);
    }
    // A flush may tell of a keyspace that was dropped meanwhile.
    for (const [id, version] of edit.lastVersions ?? []) if (!this.dropped.has(id)) this.lastVersions.set(id, version);
    for (const [id, version] of edit.retentions ?? []) if (!this.dropped.has(id)) this.retentions.set(id, version);
    for (const [level, bytes] of edit.written ?? []) this.written.set(level, bytes);
    this.arrived = edit.arrived ?? this.arrived;
    this.walFrom = edit.walFrom ?? this.walFrom;
    this.sequence = edit.sequence ?? this.sequence;
    this.nextNumber = edit.nextNumber ?? this.nextNumber;
    return true;
  }

  /** The edit that makes this state out of nothing. */
  whole(): VersionEdit {
    const { walFrom, sequence, nextNumber, lastVersions, retentions, written, arrived } = this;
    const [keyspaces, dropped, added] = [[...this.keyspaces.values()], [...this.dropped], [...this.tables.values()]];
    return {
      keyspaces,
      dropped,
      added,
      rangesAdded: [...this.ranges.values()],
      written,
      ...(arrived > 0 ? { arrived } : {}),
      walFrom,
      sequence,
      nextNumber,
      lastVersions,
      retentions,
    };
  }
}

/** What lies in a manifest on disk; undefined if there is none. Reads only. Throws LsmError `corrupt` or `newer-format`. */
export async function readManifest(env: Env, directory: string): Promise<{ state: ManifestState; contents: LogContents } | undefined> {
  const path = `${directory}/${MANIFEST}`;
  if ((await env.fs.sizeOf(path)) === undefined) return undefined;
  const contents = readLog(await env.fs.readFile(path, MAX_LOG_BYTES), MANIFEST_KIND, path);
  if (contents === undefined || contents.records.length === 0) throw corrupt(path, 0, 'it was renamed into place whole, and is not');
  const state = new ManifestState();
  for (const record of contents.records) {
    const edit = decodeEdit(record);
    if (edit === undefined || !state.apply(edit)) throw corrupt(path, record.byteOffset, 'an edit that makes no sense');
  }
  return { state, contents };
}

export class Manifest {
  readonly state: ManifestState;
  readonly #env: Env;
  readonly #directory: string;
  readonly #logger: Logger;
  #log: LogWriter;
  /** Bytes of the file when its first record was written. */
  #wholeBytes: number;
  /** The end of the line of appends: one at a time. */
  #line: Promise<unknown> = Promise.resolve();
  /** The final failure of an append: nothing is known of the file since. */
  #failure: LsmError | undefined;

  /** Writes the first manifest of a new store. */
  static async create(env: Env, directory: string, logger: Logger): Promise<Manifest> {
    const state = new ManifestState();
    return new Manifest(env, directory, logger, state, await writeManifest(env, directory, state));
  }

  /**
   * Goes on with a manifest that was read: makes it durable (LogWriter.resume), and its name, which a killed process may
   * not have done. Only then may files go that it does not name.
   */
  static async resume(env: Env, directory: string, logger: Logger, state: ManifestState, contents: LogContents): Promise<Manifest> {
    const file = await env.fs.open(`${directory}/${MANIFEST}`, 'write');
    try {
      const log = await LogWriter.resume(file, contents);
      await syncDirectoryOrFail(env.fs, directory);
      return new Manifest(env, directory, logger, state, log);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
  }

  private constructor(env: Env, directory: string, logger: Logger, state: ManifestState, log: LogWriter) {
    this.#env = env;
    this.#directory = directory;
    this.#logger = logger;
    this.state = state;
    this.#log = log;
    this.#wholeBytes = log.byteLength;
  }

  get byteLength(): number {
    return this.#log.byteLength;
  }

  /**
   * Makes an edit durable, and part of `state`. Throws FsError when the disk is full: then the edit is not in the manifest,
   * and may be tried again. Any other failure is final, for those who wait behind it too: a sync that succeeds after one that failed
   * proves nothing.
   */
  append(edit: VersionEdit): Promise<void> {
    const done = this.#line.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#append(edit);
    });
    this.#line = done.catch((error: unknown) => {
      if (!isTransient(error))
        this.#failure ??= new LsmError('failed', `the manifest takes no more edits: ${messageOf(error)}`, { cause: error });
    });
    return done;
  }

  async close(): Promise<void> {
    await this.#line;
    await this.#log.close();
  }

  /** Closes the file as it is, after a final failure. */
  async drop(): Promise<void> {
    await this.#line;
    await this.#log.drop();
  }

  async #append(edit: VersionEdit): Promise<void> {
    try {
      this.#log.append(encodeEdit(edit, RECORD_HEADER_BYTES));
    } catch (error) {
      // The edit must not come back to life after a crash when the caller has removed its tables.
      await this.#log.rewind();
      throw error;
    }
    await this.#log.sync();
    this.state.apply(edit);
    if (this.#log.byteLength > REWRITE_BYTES + 4 * this.#wholeBytes) await this.#rewrite();
  }

  async #rewrite(): Promise<void> {
    const before = this.#log;
    try {
      this.#log = await writeManifest(this.#env, this.#directory, this.state);
    } catch (error) {
      if (!isTransient(error)) throw error;
      this.#logger.warn('the manifest could not be rewritten, it keeps growing for now', { error });
      return;
    }
    this.#wholeBytes = this.#log.byteLength;
    // All of it was synced, so a close that fails leaves nothing undone; and the edit that is in it counts whatever comes of this.
    await before.drop().catch(() => {});
  }
}

/** Puts a manifest that holds `state` in the place of the one that is there, if any. */
export async function writeManifest(env: Env, directory: string, state: ManifestState): Promise<LogWriter> {
  const path = `${directory}/${MANIFEST}`;
  const temporary = temporaryName(path);
  let file: File | undefined;
  try {
    // One that was left over from a crash is written over.
    file = await env.fs.open(temporary, 'write');
    if (file.size() > 0) await file.truncate(0);
    const log = await LogWriter.create(env, file, MANIFEST_KIND, NO_EXTRA);
    log.append(encodeEdit(state.whole(), RECORD_HEADER_BYTES));
    await log.sync();
    await env.fs.rename(temporary, path);
    await syncDirectoryOrFail(env.fs, directory);
    return log;
  } catch (error) {
    await file?.close().catch(() => {});
    await env.fs.removeFile(temporary).catch(() => {});
    throw error;
  }
}
