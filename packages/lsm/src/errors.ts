import { CodedError } from '@distrokv/base';

/**
 * - `corrupt`: bytes on disk are not what the engine wrote; the message names the file and the offset.
 * - `newer-format`: a file was written by a later release; nothing was touched.
 * - `no-space`: the disk is full; the write was not done, and may be tried again when there is room.
 * - `failed`: a sync or a background task failed earlier; the engine refuses writes and should be closed.
 * - `closed`: the engine was closed.
 * - `compacted`: a read as of a version below the keyspace's retention.
 * - `invalid`: the caller's mistake.
 */
export type LsmErrorCode = 'corrupt' | 'newer-format' | 'no-space' | 'failed' | 'closed' | 'compacted' | 'invalid';

export class LsmError extends CodedError<LsmErrorCode> {}

/** Bytes at `offset` of `path` are damaged: `what` says how that shows. */
export function corrupt(path: string, offset: number, what: string): LsmError {
  return new LsmError('corrupt', `${path} is corrupt at byte ${offset}: ${what}`);
}
