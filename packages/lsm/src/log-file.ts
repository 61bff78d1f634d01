// The file format that the write-ahead log, the manifest and the Raft log share: a header, then records that are appended. It is made
// to tell a torn tail (a crash took what was never synced, nobody was promised it) from damage to what had been synced.
//
//   header  magic 8 | format uint32 | salt uint32 | extra 8 bytes | CRC-32 of the 24 bytes before
//   record  CRC-32 of the 16 bytes that follow | position uint32 | length uint32 | synced uint32 | CRC-32 of the payload | payload
//
// `synced` says how far the file was known to be synced when the record was written. So where a record cannot be read, a
// later record whose `synced` lies beyond it is the proof that it had been durable: damage. Without such a proof the rest
// is a torn tail, or was never written to.
//
// For bytes may lie behind the records: zeros that were written to make room, and, in a file that is used again, the records of its
// earlier lives. They never pass for records. The checksums start from the salt, a random number per file, to which each new life adds
// one: equal bytes have different checksums under different salts, surely and not just probably, since CRC-32 maps the salts one to
// one. Bytes that lie elsewhere, or a value made up by a client, would have to guess the position, too.
import { assert, crc32Pure } from '@distrokv/base';
import { type Env, type File, crc32 } from '@distrokv/env';
import { LsmError, corrupt } from './errors.ts';
import { isTransient, syncOrFail } from './fail-stop.ts';
import { readUint32, writeUint32 } from './ranges.ts';

export const HEADER_BYTES = 28;
export const RECORD_HEADER_BYTES = 20;
/** Positions are 32 bits wide. */
export const MAX_LOG_BYTES = 0xffff_ffff;
const EXTRA_BYTES = 8;

/** What kind of log a file is. */
export interface LogKind {
  /** Eight ASCII characters. */
  readonly magic: string;
  readonly format: number;
}

/** Writes a log file. Records are appended with `append`, made durable with `sync`. */
export class LogWriter {
  readonly #file: File;
  readonly #salt: number;
  #end: number;
  #synced: number;
  /** An append threw, and left nobody knows what behind the end. */
  #isTorn = false;
  /** A sync failed: nothing is known of what the file holds. */
  #hasFailed = false;

  /**
   * Writes the header into a file that is empty, or over one of the same kind that nobody needs any more, which had the salt `saltBefore`;
   * and syncs it.
   */
  static async create(env: Env, file: File, kind: LogKind, extra: Uint8Array, saltBefore?: number): Promise<LogWriter> {
    assert(extra.length === EXTRA_BYTES, 'a log header carries eight bytes of its owner');
    assert(saltBefore !== undefined || file.size() === 0, 'what may lie behind the header is known');
    const salt = saltBefore === undefined ? env.random.uint32() : (saltBefore + 1) >>> 0;
    const header = new Uint8Array(HEADER_BYTES);
    for (let i = 0; i < 8; i++) header[i] = kind.magic.charCodeAt(i);
    writeUint32(header, 8, kind.format);
    writeUint32(header, 12, salt);
    header.set(extra, 16);
    writeUint32(header, 24, crc32Pure(header, 0, 0, 24));
    file.writeSync(header, 0);
    await syncOrFail(file);
    return new LogWriter(file, salt, HEADER_BYTES);
  }

  /** Goes on behind what `readLog` found in a file, once that is durable (`makeDurable`). Throws LsmError `failed`. */
  static async resume(file: File, contents: LogContents): Promise<LogWriter> {
    await makeDurable(file, contents);
    return new LogWriter(file, contents.salt, contents.end);
  }

  private constructor(file: File, salt: number, end: number) {
    this.#file = file;
    this.#salt = salt;
    this.#end = end;
    this.#synced = end;
  }

  get salt(): number {
    return this.#salt;
  }

  /** Bytes up to the end of the last record. */
  get byteLength(): number {
    return this.#end;
  }

  /**
   * Appends a record; `record[0, RECORD_HEADER_BYTES)` is filled in here, the payload follows. It is not durable before
   * `sync`. Throws FsError if the disk is full; then `rewind` before anything else is written.
   */
  append(record: Uint8Array): void {
    const length = record.length - RECORD_HEADER_BYTES;
    assert(this.#end + record.length <= MAX_LOG_BYTES, 'a log file stays below 4 GiB');
    writeUint32(record, 4, this.#end);
    writeUint32(record, 8, length);
    writeUint32(record, 12, this.#synced);
    writeUint32(record, 16, crc32(record.subarray(RECORD_HEADER_BYTES), this.#salt));
    writeUint32(record, 0, crc32Pure(record, this.#salt, 4, RECORD_HEADER_BYTES));
    this.#isTorn = true;
    this.#file.writeSync(record, this.#end);
    this.#isTorn = false;
    this.#end += record.length;
  }

  /**
   * Makes sure that the next `bytes` are written over what is there, by zeros in front: syncing such a write takes a disk half as long as
   * one that makes the file longer. Throws FsError if the disk is full, which does no harm.
   */
  makeRoom(bytes: number): void {
    const missing = Math.min(this.#end + bytes, MAX_LOG_BYTES) - this.#file.size();
    if (missing > 0) this.#file.writeSync(new Uint8Array(missing), this.#file.size());
  }

  /** Bytes that can be written over what is there. */
  get roomBytes(): number {
    return this.#file.size() - this.#end;
  }

  /** Cuts off what an append that threw may have left; room that was made stays, if the append did not come so far. */
  async rewind(): Promise<void> {
    if (!this.#isTorn) return;
    await this.#file.truncate(this.#end);
    await this.sync();
    this.#isTorn = false;
  }

  /** Makes every record so far durable. Throws LsmError `failed`, which is final. */
  async sync(): Promise<void> {
    const end = this.#end;
    try {
      await syncOrFail(this.#file);
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
    this.#synced = end;
  }

  /**
   * Leaves the proof, for whoever reads the file next, that all of it was synced, if the disk has room for it; then closes it. After a sync that
   * failed there is no such proof, whatever the next one says.
   */
  async close(): Promise<void> {
    if (this.#hasFailed) return this.drop();
    try {
      if (this.#synced < this.#end) await this.sync();
      await this.#leaveProof();
      // For the sake of space alone: whether it is done, or survives a crash, makes no difference.
      if (this.#file.size() > this.#end) await this.#file.truncate(this.#end).catch(() => {});
    } finally {
      await this.#file.close();
    }
  }

  async #leaveProof(): Promise<void> {
    try {
      this.append(new Uint8Array(RECORD_HEADER_BYTES));
    } catch (error) {
      if (!isTransient(error)) throw error;
      return this.rewind();
    }
    await this.sync();
  }

  /** Closes the file as it is. */
  async drop(): Promise<void> {
    await this.#file.close();
  }
}

export interface LogContents {
  readonly salt: number;
  readonly extra: Uint8Array;
  /** Payloads in order, as views of the file's bytes; empty ones are left out. */
  readonly records: readonly Uint8Array[];
  /** Where the last whole record ends. What follows is a torn tail, or room for more records. */
  readonly end: number;
  /** The last bytes before `end`, which no record proves to have been synced. */
  readonly unproven: Uint8Array;
  /** Where the record lies, behind `end`, that proves that what follows `end` was synced, and is damaged. */
  readonly proof: number | undefined;
}

/**
 * Cuts off what follows the records that were found in a file, and makes them durable, since from here on they count. A process that was
 * killed leaves its writes in the page cache; and after a sync that failed, the kernel takes pages for clean that never reached the disk, so
 * that no later sync writes them (Rebello et al., ATC 2020). So what no record proves to have been synced is written once more.
 * Throws LsmError `failed`.
 */
export async function makeDurable(file: File, { end, unproven }: Pick<LogContents, 'end' | 'unproven'>): Promise<void> {
  if (file.size() > end) await file.truncate(end);
  if (unproven.length > 0) file.writeSync(unproven, end - unproven.length);
  await syncOrFail(file);
}

/**
 * Reads a log file's bytes; undefined if even its header was never completed. Throws LsmError `corrupt` where something
 * that had been synced cannot be read, `newer-format` for a file of another format.
 */
export function readLog(bytes: Uint8Array, kind: LogKind, path: string): LogContents | undefined {
  const contents = salvageLog(bytes, kind, path);
  if (contents === undefined) return undefined;
  const { end, proof } = contents;
  if (proof !== undefined)
    throw corrupt(path, end, `a record cannot be read, though it was synced before the one at byte ${proof} was written`);
  return contents;
}

/** As `readLog`, but takes whatever ends the sound records for their end: for a repair, which saves what is there. */
export function salvageLog(bytes: Uint8Array, kind: LogKind, path: string): LogContents | undefined {
  // The header is synced before the first record is written.
  if (bytes.length <= HEADER_BYTES && !isHeader(bytes, kind)) return undefined;
  if (!isHeader(bytes, kind)) throw corrupt(path, 0, 'a header that is not one');
  const format = readUint32(bytes, 8);
  if (format !== kind.format)
    throw new LsmError('newer-format', `${path} is of format ${format}; this release reads format ${kind.format}`);
  return contentsOf(bytes, readUint32(bytes, 12), bytes.subarray(16, 24));
}

/**
 * As `salvageLog`, for a file that lost its header and not its records, by damage or because a crash tore the header of its next life: the records tell the
 * salt, which is the one in the header, or, where that is the next life's already, the one before. `extra` is what the header should say. Undefined if there
 * is a header, or no record.
 */
export function salvageHeadless(bytes: Uint8Array, kind: LogKind, extra: Uint8Array): LogContents | undefined {
  if (bytes.length <= HEADER_BYTES || isHeader(bytes, kind)) return undefined;
  const salt = readUint32(bytes, 12);
  for (const each of [salt, (salt - 1) >>> 0]) {
    const contents = contentsOf(bytes, each, extra);
    if (contents.end > HEADER_BYTES) return contents;
  }
  return undefined;
}

function contentsOf(bytes: Uint8Array, salt: number, extra: Uint8Array): LogContents {
  const records: Uint8Array[] = [];
  let at = HEADER_BYTES;
  let proven = HEADER_BYTES;
  for (let length = recordLength(bytes, at, at, salt); length !== undefined; length = recordLength(bytes, at, at, salt)) {
    if (length > 0) records.push(bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length));
    proven = Math.max(proven, Math.min(at, readUint32(bytes, at + 12)));
    at += RECORD_HEADER_BYTES + length;
  }
  const unproven = bytes.subarray(proven, at);
  return { salt, extra, records, end: at, unproven, proof: findProof(bytes, at, salt) };
}

function isHeader(bytes: Uint8Array, kind: LogKind): boolean {
  if (bytes.length < HEADER_BYTES || crc32Pure(bytes, 0, 0, 24) !== readUint32(bytes, 24)) return false;
  for (let i = 0; i < 8; i++) if (bytes[i] !== kind.magic.charCodeAt(i)) return false;
  return true;
}

/** The payload's length of the record at `at`, if a whole and sound one lies there whose place in the file is `position`. */
function recordLength(bytes: Uint8Array, at: number, position: number, salt: number): number | undefined {
  if (!isRecordHeader(bytes, at, position, salt)) return undefined;
  const length = readUint32(bytes, at + 8);
  const start = at + RECORD_HEADER_BYTES;
  if (length > bytes.length - start) return undefined;
  return crc32(bytes.subarray(start, start + length), salt) === readUint32(bytes, at + 16) ? length : undefined;
}

function isRecordHeader(bytes: Uint8Array, at: number, position: number, salt: number): boolean {
  return (
    at + RECORD_HEADER_BYTES <= bytes.length &&
    readUint32(bytes, at + 4) === position &&
    crc32Pure(bytes, salt, at + 4, at + RECORD_HEADER_BYTES) === readUint32(bytes, at)
  );
}

/** Where a record header lies behind `from` that says that the file was synced beyond `from`. */
function findProof(bytes: Uint8Array, from: number, salt: number): number | undefined {
  for (let at = from; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    if (!isRecordHeader(bytes, at, at, salt)) continue;
    const synced = readUint32(bytes, at + 12);
    if (synced > from && synced <= at) return at;
  }
  return undefined;
}

/**
 * The payload of the record at `at` of `bytes`, a part of a log file, if a whole and sound one lies there whose place in the file is
 * `position`; for owners that remember where records lie.
 */
export function recordAt(bytes: Uint8Array, at: number, position: number, salt: number): Uint8Array | undefined {
  const length = recordLength(bytes, at, position, salt);
  return length === undefined ? undefined : bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
}
