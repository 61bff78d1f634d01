import { CodedError } from '@distrokv/base';

/**
 * - `corrupt`: bytes on disk are not what the engine wrote; the message names the file and the offset.
 * - `newer-format`: a file is of a format that this release does not read, as a later release writes it; nothing was touched.
 * - `no-space`: the disk is full; the write was not done, and may be tried again when there is room.
 * - `failed`: a sync or a background task failed earlier; the engine refuses writes and should be closed.
 * - `closed`: the engine was closed.
 * - `compacted`: a read as of a version below the keyspace's retention.
 * - `invalid`: the caller's mistake.
 */
export type LsmErrorCode = 'corrupt' | 'newer-format' | 'no-space' | 'failed' | 'closed' | 'compacted' | 'invalid';

export class LsmError extends CodedError<LsmErrorCode> {}

/** LsmError `corrupt`, with the place. */
export class CorruptError extends LsmError {
  readonly path: string;
  readonly offset: number;
  /** How the damage shows. */
  readonly what: string;

  constructor(path: string, offset: number, what: string) {
    super('corrupt', `${path} is corrupt at byte ${offset}: ${what}`);
    this.path = path;
    this.offset = offset;
    this.what = what;
  }
}

export function corrupt(path: string, offset: number, what: string): CorruptError {
  return new CorruptError(path, offset, what);
}
