// A table that is made outside of an engine, to be ingested by one (ingest.ts): in another process, or another thread, long before. It is a
// table like those of a store, of one keyspace, whose id in it is 1 whatever it will be.
import { EMPTY } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { isAvailable } from './codec.ts';
import type { Codec } from './engine.ts';
import { LsmError } from './errors.ts';
import { syncDirectoryOrFail } from './fail-stop.ts';
import { internalKey } from './key-range.ts';
import { checkKey, checkValue } from './keyspace-state.ts';
import { parseName, temporaryName } from './names.ts';
import { compareRanges } from './ranges.ts';
import { TableWriter } from './table-writer.ts';

/** The keyspace of all entries, until they are ingested. */
export const FILE_KEYSPACE = 1;
/** The file is written when this much waits for it. */
const DRAIN_BYTES = 1 << 20;
/** Tables are read whole indexes at a time. */
const MAX_FILE_BYTES = 4 * 2 ** 30;

export interface TableFileOptions {
  readonly env: Env;
  /** `…/NNNNNN.sst`, six digits or more; not there yet, in a directory that is. */
  readonly path: string;
  /** Target size of a block (default 4 KiB). */
  readonly blockBytes?: number;
  /** Default: none. */
  readonly codec?: Codec;
}

export interface TableFile {
  readonly path: string;
  readonly byteLength: number;
  readonly entries: number;
}

/** Where a table file is; throws LsmError `invalid` for a path that is none of one. */
export function tableFileAt(path: string): { readonly directory: string; readonly number: number } {
  const slash = path.lastIndexOf('/');
  const file = parseName(path.slice(slash + 1));
  if (file?.kind !== 'table') throw new LsmError('invalid', `${path} is no table by its name: NNNNNN.sst`);
  return { directory: slash < 0 ? '.' : path.slice(0, Math.max(1, slash)), number: file.number };
}

/**
 * Writes entries, by rising keys, and of one key by falling versions, into a file. For a `latest` keyspace each key comes once, without a
 * version. End it with `finish` or `abandon`.
 */
export class TableFileWriter {
  readonly #options: TableFileOptions;
  readonly #writer: TableWriter;
  /** The last entry, as an internal key. */
  #key: Uint8Array = EMPTY;
  #version = 0;

  /** Throws LsmError `invalid`, FsError. */
  static async create(options: TableFileOptions): Promise<TableFileWriter> {
    const { env, path, blockBytes = 4096, codec = 'none' } = options;
    const { directory, number } = tableFileAt(path);
    if (!isAvailable(codec)) throw new LsmError('invalid', `this runtime has no codec ${codec}`);
    if ((await env.fs.sizeOf(path)) !== undefined) throw new LsmError('invalid', `${path} is there already`);
    // What a crash left of an earlier attempt.
    if ((await env.fs.sizeOf(temporaryName(path))) !== undefined) await env.fs.removeFile(temporaryName(path));
    return new TableFileWriter(options, await TableWriter.create(env.fs, directory, number, { blockBytes, codec }));
  }

  private constructor(options: TableFileOptions, writer: TableWriter) {
    this.#options = options;
    this.#writer = writer;
  }

  get entries(): number {
    return this.#writer.entries;
  }

  /** The size of the file so far, about. */
  get byteLength(): number {
    return this.#writer.byteLength;
  }

  /** Key and value are copied. Returns a promise to wait for before the next entry when much waits for the disk. Throws LsmError `invalid`. */
  put(key: Uint8Array, value: Uint8Array, version: number = 0): Promise<void> | undefined {
    checkValue(value.length);
    return this.#add(key, value, false, version);
  }

  /** A tombstone. */
  delete(key: Uint8Array, version: number = 0): Promise<void> | undefined {
    return this.#add(key, EMPTY, true, version);
  }

  /**
   * Completes the file, which is durable under its name when this resolves, if the directory is: who has just made that syncs what it lies in. Throws
   * LsmError `invalid` without an entry.
   */
  async finish(): Promise<TableFile> {
    const { env, path } = this.#options;
    const { entries } = this;
    if (entries === 0) throw new LsmError('invalid', `${path} would hold nothing`);
    const { byteLength } = await this.#writer.finish();
    await syncDirectoryOrFail(env.fs, tableFileAt(path).directory);
    return { path, byteLength, entries };
  }

  /** Removes the file. */
  abandon(): Promise<void> {
    return this.#writer.abandon();
  }

  #add(key: Uint8Array, value: Uint8Array, tombstone: boolean, version: number): Promise<void> | undefined {
    checkKey(key.length);
    if (!Number.isSafeInteger(version) || version < 0) throw new LsmError('invalid', `a version is a safe natural number, not ${version}`);
    if (this.byteLength > MAX_FILE_BYTES) throw new LsmError('invalid', `a table has at most ${MAX_FILE_BYTES} bytes: begin another`);
    const keyBytes = internalKey(FILE_KEYSPACE, key);
    const order = compareRanges(keyBytes, 0, keyBytes.length, this.#key, 0, this.#key.length);
    if (this.#key.length > 0 && (order < 0 || (order === 0 && version >= this.#version)))
      throw new LsmError('invalid', 'the keys of a table rise, and the versions of one key fall');
    this.#key = keyBytes;
    this.#version = version;
    this.#writer.add({ ...STILL, keyBytes, keyEnd: keyBytes.length, version, tombstone, valueBytes: value, valueEnd: value.length });
    return this.#writer.bufferedBytes >= DRAIN_BYTES ? this.#writer.drain() : undefined;
  }
}

const still = (): never => {
  throw new Error('an entry that is being written is not walked from');
};
/** The parts of a cursor that an entry by itself has no use for. */
const STILL = { valid: true, keyStart: 0, valueStart: 0, seek: still, seekBefore: still, next: still, prev: still } as const;
