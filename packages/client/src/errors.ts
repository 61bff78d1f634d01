import { CodedError, type CodedErrorOptions } from '@distrokv/base';
import type { StatusName } from '@distrokv/grpc';

/**
 * How a call failed, by what its caller may conclude:
 * - `invalid-endpoint`: the text is no address; nothing was tried.
 * - `unreachable`: no endpoint could be reached; nothing happened.
 * - `refused`: a server answered with an error: `status` is its code, the message its text (etcd's, as "etcdserver: key is not provided").
 * - `no-answer`: a read was not answered; nothing happened, it may be repeated.
 * - `unknown-outcome`: a write was sent and not answered: it may have been applied, or may be yet.
 * - `cancelled`: the caller's signal was aborted; of a write nothing is known.
 * - `closed`: the client was closed.
 * - `compacted`: a watch wants to see what is compacted away; `compactRevision` is the first revision that it can have.
 * - `lost`: a lease, a lock or leadership that is held no longer.
 */
export type ClientErrorCode =
  'invalid-endpoint' | 'unreachable' | 'refused' | 'no-answer' | 'unknown-outcome' | 'cancelled' | 'closed' | 'compacted' | 'lost';

export interface ClientErrorOptions extends CodedErrorOptions {
  readonly status?: StatusName;
  readonly endpoint?: string;
  readonly compactRevision?: number;
}

export class ClientError extends CodedError<ClientErrorCode> {
  /** The gRPC status that it came from, if any. */
  readonly status: StatusName | undefined;
  /** The endpoint that was asked last. */
  readonly endpoint: string | undefined;
  /** With `compacted`. */
  readonly compactRevision: number | undefined;

  constructor(code: ClientErrorCode, message: string, options: ClientErrorOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.endpoint = options.endpoint;
    this.compactRevision = options.compactRevision;
  }
}
