import { CodedError, type CodedErrorOptions } from '@distrokv/base';

/**
 * Why a server does not start, or stopped:
 * - `invalid-config`: a setting that makes no sense; the message names it.
 * - `address-in-use`, `cannot-listen`: a listen address that could not be taken.
 * - `data-locked`: another process uses the data directory.
 * - `newer-format`: the data directory was written by a newer version.
 * - `cannot-join`: no member of the running cluster took this one in; or it has not been added.
 * - `removed`: this member was removed from its cluster, for good.
 * - `corrupt`: a file that fails its checksum in the middle; nothing was changed.
 * - `disk`: a file operation failed.
 * - `fail-stop`: a failed sync or a broken invariant while running.
 */
export type ServerErrorCode =
  | 'invalid-config'
  | 'address-in-use'
  | 'cannot-listen'
  | 'data-locked'
  | 'newer-format'
  | 'cannot-join'
  | 'removed'
  | 'corrupt'
  | 'disk'
  | 'fail-stop';

export class ServerError extends CodedError<ServerErrorCode> {
  constructor(code: ServerErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
  }
}
