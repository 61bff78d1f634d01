// Finding the log again: the segments of the directory in order, every batch of them checked, a torn end cut off.
import { messageOf } from '@distrokv/base';
import type { Env, File, FileSystem } from '@distrokv/env';
import { type LogContents, type LogKind, LogWriter, LsmError, MAX_LOG_BYTES, RECORD_HEADER_BYTES, readLog } from '@distrokv/lsm';
import { ServerError } from '../errors.ts';
import { type LogRecord, type SegmentHeader, decodeRecord, encodeHeader } from './codec.ts';
import type { LogImage } from './image.ts';
import { Segment } from './segment.ts';

const KIND: LogKind = { magic: 'DKVRAFTL', format: 2 };
const SUFFIX = '.raftlog';
const TEMPORARY = '.tmp';
/** The eight bytes of the file's header that are the owner's: unused, the header record says more. */
const EXTRA = new Uint8Array(8);

function pathOf(directory: string, sequence: number): string {
  return `${directory}/${sequence.toString().padStart(16, '0')}${SUFFIX}`;
}

/** A new segment with its first batch, if there is one: durable as a whole when it appears under its name. */
export async function createSegment(
  env: Env,
  directory: string,
  sequence: number,
  header: SegmentHeader,
  batch?: Uint8Array,
): Promise<{ segment: Segment; writer: LogWriter }> {
  const { fs } = env;
  const path = pathOf(directory, sequence);
  if ((await fs.sizeOf(path + TEMPORARY)) !== undefined) await fs.removeFile(path + TEMPORARY);
  const file = await fs.open(path + TEMPORARY, 'create');
  try {
    const writer = await LogWriter.create(env, file, KIND, EXTRA);
    writer.append(encodeHeader(header));
    if (batch) writer.append(batch);
    await writer.sync();
    await fs.rename(path + TEMPORARY, path);
    await fs.syncDirectory(directory);
    return { segment: new Segment({ sequence, path, file, salt: writer.salt, header }), writer };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Fills `image`; returns where the last segment goes on, or undefined if there is none. Throws ServerError `corrupt` or `newer-format`. */
export async function recoverSegments(env: Env, directory: string, image: LogImage): Promise<LogWriter | undefined> {
  const opened: File[] = [];
  try {
    return await recoverInto(env, directory, image, opened);
  } catch (error) {
    for (const file of opened) await file.close().catch(() => {});
    throw error;
  }
}

async function recoverInto(env: Env, directory: string, image: LogImage, opened: File[]): Promise<LogWriter | undefined> {
  const sequences = await listSegments(env.fs, directory);
  const newest = sequences.at(-1);
  for (const sequence of sequences) {
    const path = pathOf(directory, sequence);
    const bytes = await env.fs.readFile(path, MAX_LOG_BYTES);
    const contents = read(bytes, path);
    if (sequence !== newest && !isRoom(bytes, contents.end))
      throw new ServerError(
        'corrupt',
        `${path}: ends in a torn record at offset ${contents.end}, but newer segments follow: nothing was changed`,
      );
    const file = await env.fs.open(path, 'write');
    opened.push(file);
    const leftovers = addToImage(image, sequence, file, contents, bytes.byteOffset);
    await removeSegments(env.fs, directory, leftovers);
    if (sequence !== newest) continue;
    // A process that was killed may not have synced the name of its last segment; from here on that counts, too.
    await env.fs.syncDirectory(directory);
    return await LogWriter.resume(file, contents);
  }
  return undefined;
}

/** Is there nothing from `from` on but the zeros that a writer puts in front of its records? */
function isRoom(bytes: Uint8Array, from: number): boolean {
  for (let i = from; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function read(bytes: Uint8Array, path: string): LogContents {
  try {
    const contents = readLog(bytes, KIND, path);
    if (contents) return contents;
  } catch (error) {
    if (error instanceof LsmError && error.code === 'newer-format')
      throw new ServerError('newer-format', messageOf(error), { cause: error });
    throw new ServerError('corrupt', `${messageOf(error)}: nothing was changed; restore the directory from a backup`, { cause: error });
  }
  throw new ServerError('corrupt', `${path}: has no header: nothing was changed; restore the directory from a backup`);
}

/** Removes files of a log from its front, one by one: a crash may keep any of the removals that are not synced, and a gap in the log is damage. */
export async function removeSegments(fs: FileSystem, directory: string, segments: readonly Segment[]): Promise<void> {
  for (const { file, path } of segments) {
    await file.close();
    await fs.removeFile(path);
    await fs.syncDirectory(directory);
  }
}

/** Returns the segments before this one that it shows to be leftovers. */
function addToImage(image: LogImage, sequence: number, file: File, contents: LogContents, base: number): readonly Segment[] {
  let segment: Segment | undefined;
  let leftovers: readonly Segment[] = [];
  for (const payload of contents.records) {
    const offset = payload.byteOffset - base - RECORD_HEADER_BYTES;
    const record = decodeRecord(payload, `${file.path} at offset ${offset}`);
    const refuse = (why: string): ServerError =>
      new ServerError('corrupt', `${file.path}: ${why}, at offset ${offset}: nothing was changed`);
    if ((segment === undefined) !== (record.kind === 'header')) throw refuse('a segment of the Raft log has one header, at its start');
    if (record.kind === 'header') leftovers = image.takeLeftovers(record.previousIndex);
    const fault = faultOf(image, record);
    if (fault !== undefined) throw refuse(fault);
    if (record.kind === 'header') {
      segment = new Segment({ sequence, path: file.path, file, salt: contents.salt, header: record });
      image.addSegment(segment);
    } else {
      image.addBatch(record, { offset, length: RECORD_HEADER_BYTES + payload.length });
    }
  }
  if (!segment)
    throw new ServerError('corrupt', `${file.path}: has no header record: nothing was changed; restore the directory from a backup`);
  return leftovers;
}

/** Why this record cannot follow what the image has; each passed its checksum, so this is a file that was swapped or a bug. */
function faultOf(image: LogImage, record: LogRecord): string | undefined {
  if (record.kind === 'header') {
    const { previousIndex, previousTerm } = record;
    const first = image.segments.length === 0;
    return first || (previousIndex <= image.lastIndex && image.termAt(previousIndex) === previousTerm)
      ? undefined
      : 'does not go on where the segment before it ends';
  }
  const first = record.entries[0]?.index;
  const fits = first === undefined || (first > image.current.header.previousIndex && first <= image.lastIndex + 1);
  return fits ? undefined : `a batch from entry ${first} on does not follow entry ${image.lastIndex}`;
}

async function listSegments(fs: FileSystem, directory: string): Promise<number[]> {
  const sequences: number[] = [];
  for (const name of await fs.readDirectory(directory)) {
    if (name.endsWith(TEMPORARY)) await fs.removeFile(`${directory}/${name}`);
    else if (name.endsWith(SUFFIX)) sequences.push(Number(name.slice(0, -SUFFIX.length)));
  }
  for (let i = 1; i < sequences.length; i++) {
    const missing = (sequences[i - 1] as number) + 1;
    if (sequences[i] !== missing)
      throw new ServerError('corrupt', `${pathOf(directory, missing)}: is missing, though newer segments are there: nothing was changed`);
  }
  return sequences;
}
