// The write-ahead log: segments (log-file.ts) numbered without gaps, one for each memtable generation. A segment is synced
// whole before the next one is begun, and the next one's header names its size, so a segment that is missing,
// cut short or damaged in the middle of the log is always found out. Each record is one group of batches (batch.ts).
//
// Where each group is synced, records are written over bytes that are there already, for then a sync has the records to write, but no
// new size of the file. A new file gets zeros a bit ahead of the records; better, a segment that is not needed any more becomes the next
// one: it gets its header, which is synced, and only then its new name. Until then its number says that it is not needed.
import type { Env } from '@distrokv/env';
import { type LsmError, corrupt } from './errors.ts';
import { isTransient, syncDirectoryOrFail } from './fail-stop.ts';
import { type LogKind, LogWriter, MAX_LOG_BYTES, makeDurable, readLog } from './log-file.ts';
import { segmentName } from './names.ts';
import { readUint32, writeUint32 } from './ranges.ts';

export const WAL_KIND: LogKind = { magic: 'DKVWALOG', format: 2 };

/** Room is made this far ahead of the records, or a quarter of a memtable, whichever is less; the last part of it is for deletes alone. */
const MAX_AHEAD_BYTES = 256 << 10;
const RESERVED_PART = 1 / 4;
/** Where groups are not synced, the segment is synced behind the writers each time it has gained this much, so that its end waits for little. */
const SYNC_BEHIND_BYTES = 4 << 20;

export interface Segment {
  readonly number: number;
  /** Up to the end of its records. */
  readonly byteLength: number;
  readonly salt: number;
}

export interface WalOptions {
  readonly env: Env;
  readonly directory: string;
  readonly memtableBytes: number;
  /** Each group is synced. */
  readonly isSynced: boolean;
}

/** A segment that was read, and what is in it. */
export interface ReadSegment extends Segment {
  readonly path: string;
  readonly records: readonly Uint8Array[];
  /** As in LogContents. */
  readonly unproven: Uint8Array;
  /** False for a last segment whose header was never completed. */
  readonly begun: boolean;
}

/**
 * Reads the segments `numbers` (rising), the first of which the manifest says is `from` or later. Touches nothing. Throws
 * LsmError `corrupt` for whatever had been synced and is not there any more.
 */
export async function readSegments(env: Env, directory: string, numbers: readonly number[], from: number): Promise<ReadSegment[]> {
  const segments: ReadSegment[] = [];
  for (const [i, number] of numbers.entries()) {
    const path = `${directory}/${segmentName(number)}`;
    const bytes = await env.fs.readFile(path, MAX_LOG_BYTES);
    const isLast = i === numbers.length - 1;
    const contents = readLog(bytes, WAL_KIND, path);
    if (number !== from + i)
      throw corrupt(`${directory}/${segmentName(from + i)}`, 0, `it is missing, though ${segmentName(number)} is there`);
    if (contents === undefined) {
      if (!isLast) throw corrupt(path, 0, 'a header that is not one');
      segments.push({ number, path, salt: 0, byteLength: 0, records: [], unproven: new Uint8Array(0), begun: false });
      break;
    }
    if (readUint32(contents.extra, 0) !== number)
      throw corrupt(path, 16, `it is segment ${readUint32(contents.extra, 0)} under another name`);
    const before = segments.at(-1);
    const beforeBytes = readUint32(contents.extra, 4);
    if (before !== undefined && before.byteLength !== beforeBytes)
      throw corrupt(before.path, before.byteLength, `its records ended at byte ${beforeBytes} when the next segment was begun`);
    segments.push({
      number,
      path,
      salt: contents.salt,
      byteLength: contents.end,
      records: contents.records,
      unproven: contents.unproven,
      begun: true,
    });
  }
  return segments;
}

/** Readies segments that were read for one that follows: without a torn tail, and synced, which a killed process may not have done. */
export async function sealSegments(env: Env, segments: readonly ReadSegment[]): Promise<Segment[]> {
  const last = segments.at(-1);
  if (last === undefined) return [];
  if (!last.begun) {
    await env.fs.removeFile(last.path);
    return sealSegments(env, segments.slice(0, -1));
  }
  const file = await env.fs.open(last.path, 'write');
  try {
    await makeDurable(file, { end: last.byteLength, unproven: last.unproven });
  } finally {
    await file.close();
  }
  return segments.map(({ number, byteLength, salt }) => ({ number, byteLength, salt }));
}

/** Whole segments that are still needed, the oldest first. */
export class SealedSegments {
  readonly #options: WalOptions;
  readonly #segments: Segment[];
  #spare: Segment | undefined;

  constructor(options: WalOptions, segments: readonly Segment[]) {
    this.#options = options;
    this.#segments = [...segments];
  }

  get last(): Segment | undefined {
    return this.#segments.at(-1);
  }

  get byteLength(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.byteLength, 0);
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  /** Does away with those before `number`, the oldest first, so that what a crash leaves has no gap. One is kept as a spare, if that is of use. */
  async removeBefore(number: number): Promise<void> {
    const { env, directory, isSynced } = this.#options;
    for (let first = this.#segments[0]; first !== undefined && first.number < number; first = this.#segments[0]) {
      if (isSynced && this.#spare === undefined) this.#spare = first;
      else await env.fs.removeFile(`${directory}/${segmentName(first.number)}`);
      this.#segments.shift();
    }
  }

  /** A segment that nobody needs, if there is one; it is the caller's from now on. */
  takeSpare(): Segment | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare;
  }

  /** Takes back a spare that was not touched: it goes with those that are not needed next, for there may be another one meanwhile. */
  giveBack(spare: Segment): void {
    this.#segments.unshift(spare);
  }

  /** A store that is closed needs none; one that stays is removed when the store is opened. */
  async removeSpare(): Promise<void> {
    const { env, directory } = this.#options;
    const spare = this.takeSpare();
    if (spare !== undefined) await env.fs.removeFile(`${directory}/${segmentName(spare.number)}`).catch(() => {});
  }
}

export class Wal {
  readonly #options: WalOptions;
  readonly #sealed: SealedSegments;
  readonly #aheadBytes: number;
  readonly #reservedBytes: number;
  /** The disk had no room for what comes next when it was last asked. */
  isFull = false;
  #number: number;
  #log: LogWriter;
  /** The sync behind the writers, as long as there is one, up to which byte the last one goes, and what went wrong with one. */
  #syncingBehind: Promise<void> | undefined;
  #behindBytes = 0;
  #failure: LsmError | undefined;

  /** Begins segment `number`, behind `sealed`. */
  static async begin(options: WalOptions, sealed: SealedSegments, number: number): Promise<Wal> {
    return new Wal(options, sealed, number, await beginSegment(options, sealed, number, sealed.last?.byteLength ?? 0));
  }

  private constructor(options: WalOptions, sealed: SealedSegments, number: number, log: LogWriter) {
    this.#options = options;
    this.#sealed = sealed;
    this.#aheadBytes = options.isSynced ? Math.min(MAX_AHEAD_BYTES, options.memtableBytes >>> 2) : 0;
    this.#reservedBytes = Math.floor(this.#aheadBytes * RESERVED_PART);
    this.#number = number;
    this.#log = log;
  }

  /** The segment that takes the records. */
  get number(): number {
    return this.#number;
  }

  /** Bytes of the current segment. */
  get byteLength(): number {
    return this.#log.byteLength;
  }

  /** Bytes that the current segment can still take. */
  get room(): number {
    return MAX_LOG_BYTES - this.#log.byteLength;
  }

  /**
   * Appends a record, whose header `LogWriter.append` fills in. Throws FsError when the disk is full; then `rewind` comes next. Deletes may
   * use the room that is kept for them. Throws LsmError `failed` if a sync behind the writers did.
   */
  append(record: Uint8Array, isDelete: boolean): void {
    this.#checkSynced();
    if (this.#log.roomBytes < record.length + this.#reservedBytes) this.#makeRoom(record.length, isDelete);
    this.#log.append(record);
    if (!this.#options.isSynced && this.#syncingBehind === undefined && this.byteLength - this.#behindBytes >= SYNC_BEHIND_BYTES)
      this.#syncingBehind = this.#syncBehind();
  }

  /** Takes back what an append that threw may have left. */
  rewind(): Promise<void> {
    return this.#log.rewind();
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  /** Goes over to a new segment. Throws FsError when the disk is full; then the current one goes on. */
  async rotate(): Promise<void> {
    await this.#syncingBehind;
    this.#checkSynced();
    await this.#log.sync();
    const before = this.#log;
    this.#log = await beginSegment(this.#options, this.#sealed, this.#number + 1, before.byteLength);
    this.#sealed.add({ number: this.#number, byteLength: before.byteLength, salt: before.salt });
    this.#number++;
    this.#behindBytes = 0;
    await before.drop();
  }

  async close(): Promise<void> {
    await this.#syncingBehind;
    // After a sync that failed it only drops the file.
    await this.#log.close();
    this.#checkSynced();
    await this.#sealed.removeSpare();
  }

  /** Closes the segment as it is, after a final failure. */
  async drop(): Promise<void> {
    await this.#syncingBehind;
    await this.#log.drop();
  }

  async #syncBehind(): Promise<void> {
    this.#behindBytes = this.byteLength;
    try {
      await this.#log.sync();
    } catch (error) {
      this.#failure = error as LsmError; // `sync` throws nothing else.
    } finally {
      this.#syncingBehind = undefined;
    }
  }

  #checkSynced(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #makeRoom(bytes: number, isDelete: boolean): void {
    // A large record is as good as room: it makes the file longer once for all that it holds.
    if (bytes >= this.#aheadBytes) return;
    try {
      this.#log.makeRoom(bytes + this.#aheadBytes);
      this.isFull = false;
    } catch (error) {
      if (!isTransient(error)) throw error;
      this.isFull = true;
      // Without as much ahead it may do.
      if (this.#log.roomBytes < bytes + (isDelete ? 0 : this.#reservedBytes)) throw error;
    }
  }
}

/** Makes segment `number`, out of a spare if there is one. */
async function beginSegment(
  { env, directory }: WalOptions,
  sealed: SealedSegments,
  number: number,
  beforeBytes: number,
): Promise<LogWriter> {
  const spare = sealed.takeSpare();
  const path = `${directory}/${segmentName(number)}`;
  const sparePath = spare === undefined ? path : `${directory}/${segmentName(spare.number)}`;
  const extra = new Uint8Array(8);
  writeUint32(extra, 0, number);
  writeUint32(extra, 4, beforeBytes);
  const file = await env.fs.open(sparePath, spare === undefined ? 'create' : 'write').catch((error: unknown) => {
    if (spare !== undefined) sealed.giveBack(spare);
    throw error;
  });
  try {
    const log = await LogWriter.create(env, file, WAL_KIND, extra, spare?.salt);
    if (spare !== undefined) await env.fs.rename(sparePath, path);
    await syncDirectoryOrFail(env.fs, directory);
    return log;
  } catch (error) {
    await file.close().catch(() => {});
    // Its header names a size of the segment before, which goes on now: it must not come back after a crash.
    if (isTransient(error)) {
      await env.fs.removeFile(sparePath);
      await syncDirectoryOrFail(env.fs, directory);
    }
    throw error;
  }
}
