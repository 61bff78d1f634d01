// The one error of this package. Both bindings build it here, so that a failure reads the same on a disk and in memory.
import { CodedError, type CodedErrorOptions } from '@distrokv/base';
import type { FsErrorCode } from './env.ts';

/** A failed file operation. `path` is the file it was about; the message names it too. */
export class FsError extends CodedError<FsErrorCode> {
  readonly path: string;

  constructor(code: FsErrorCode, path: string, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
    this.path = path;
  }
}

/** What a person would say of each code; `os` is said by the operating system's own text. */
const reasons: Readonly<Record<FsErrorCode, string>> = {
  'not-found': 'there is no such file or directory',
  exists: 'it is there already',
  'no-space': 'the disk is full',
  io: 'the disk reports an error',
  'too-many-files': 'too many files are open',
  permission: 'not permitted',
  'not-a-directory': 'a part of the path is not a directory',
  'not-empty': 'the directory is not empty',
  locked: 'it is locked',
  closed: 'it is closed',
  os: 'the operating system refused',
};

/** `cannot <verb> <path>: <reason>`, in one line. */
export function fsError(code: FsErrorCode, verb: string, path: string, reason: string = reasons[code], cause?: unknown): FsError {
  return new FsError(code, path, `cannot ${verb} ${path}: ${reason}`, { cause });
}
