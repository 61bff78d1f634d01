// The write-ahead log: segments (log-file.ts) numbered without gaps, one for each memtable generation. A segment is synced
// whole before the next one is begun, and the next one's header names its size, so a segment that is missing,
// cut short or damaged in the middle of the log is always found out. Each record is one group of batches (batch.ts).
import type { Env } from '@distrokv/env';
import { corrupt } from './errors.ts';
import { isTransient, syncDirectoryOrFail, syncOrFail } from './fail-stop.ts';
import { type LogKind, LogWriter, MAX_LOG_BYTES, readLog } from './log-file.ts';
import { segmentName } from './names.ts';
import { readUint32, writeUint32 } from './ranges.ts';

export const WAL_KIND: LogKind = { magic: 'DKVWALOG', format: 1 };

export interface Segment {
  readonly number: number;
  readonly byteLength: number;
}

/** A segment that was read, and what is in it. */
export interface ReadSegment extends Segment {
  readonly path: string;
  readonly records: readonly Uint8Array[];
  /** Where the records end: less than the file's size where a torn tail follows. */
  readonly end: number;
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
      segments.push({ number, path, byteLength: bytes.length, records: [], end: 0, begun: false });
      break;
    }
    if (!isLast && contents.end < bytes.length)
      throw corrupt(path, contents.end, 'a record cannot be read, though a later segment follows');
    if (readUint32(contents.extra, 0) !== number)
      throw corrupt(path, 16, `it is segment ${readUint32(contents.extra, 0)} under another name`);
    const before = segments.at(-1);
    const beforeBytes = readUint32(contents.extra, 4);
    if (before !== undefined && before.byteLength !== beforeBytes)
      throw corrupt(before.path, before.byteLength, `it had ${beforeBytes} bytes when the next segment was begun`);
    segments.push({ number, path, byteLength: bytes.length, records: contents.records, end: contents.end, begun: true });
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
    if (file.size() > last.end) await file.truncate(last.end);
    await syncOrFail(file);
  } finally {
    await file.close();
  }
  return segments.map(({ number, end }) => ({ number, byteLength: end }));
}

/** Whole segments that are still needed, the oldest first. */
export class SealedSegments {
  readonly #env: Env;
  readonly #directory: string;
  readonly #segments: Segment[];

  constructor(env: Env, directory: string, segments: readonly Segment[]) {
    this.#env = env;
    this.#directory = directory;
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

  /** Removes those before `number`, the oldest first, so that what a crash leaves has no gap. */
  async removeBefore(number: number): Promise<void> {
    for (let first = this.#segments[0]; first !== undefined && first.number < number; first = this.#segments[0]) {
      await this.#env.fs.removeFile(`${this.#directory}/${segmentName(first.number)}`);
      this.#segments.shift();
    }
  }
}

export class Wal {
  readonly #env: Env;
  readonly #directory: string;
  readonly #sealed: SealedSegments;
  #number: number;
  #log: LogWriter;

  /** Begins segment `number`, behind `sealed`. */
  static async begin(env: Env, directory: string, sealed: SealedSegments, number: number): Promise<Wal> {
    return new Wal(env, directory, sealed, number, await beginSegment(env, directory, number, sealed.last?.byteLength ?? 0));
  }

  private constructor(env: Env, directory: string, sealed: SealedSegments, number: number, log: LogWriter) {
    this.#env = env;
    this.#directory = directory;
    this.#sealed = sealed;
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

  /** Appends a record, whose header `LogWriter.append` fills in. Throws FsError when the disk is full; then nothing was appended. */
  async append(record: Uint8Array): Promise<void> {
    try {
      this.#log.append(record);
    } catch (error) {
      await this.#log.rewind();
      throw error;
    }
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  /** Goes over to a new segment. Throws FsError when the disk is full; then the current one goes on. */
  async rotate(): Promise<void> {
    await this.#log.sync();
    const before = this.#log;
    this.#log = await beginSegment(this.#env, this.#directory, this.#number + 1, before.byteLength);
    this.#sealed.add({ number: this.#number, byteLength: before.byteLength });
    this.#number++;
    await before.drop();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** Closes the segment as it is, after a final failure. */
  drop(): Promise<void> {
    return this.#log.drop();
  }
}

async function beginSegment(env: Env, directory: string, number: number, beforeBytes: number): Promise<LogWriter> {
  const path = `${directory}/${segmentName(number)}`;
  const extra = new Uint8Array(8);
  writeUint32(extra, 0, number);
  writeUint32(extra, 4, beforeBytes);
  const file = await env.fs.open(path, 'create');
  try {
    const log = await LogWriter.create(env, file, WAL_KIND, extra);
    await syncDirectoryOrFail(env.fs, directory);
    return log;
  } catch (error) {
    await file.close().catch(() => {});
    // Its header names a size of the segment before, which goes on now: it must not come back after a crash.
    if (isTransient(error)) {
      await env.fs.removeFile(path);
      await syncDirectoryOrFail(env.fs, directory);
    }
    throw error;
  }
}
