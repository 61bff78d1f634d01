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
