// How a call ended: gRPC's status codes by name, and the error that carries one.
import { CodedError, type CodedErrorOptions } from '@distrokv/base';

/** The status codes of gRPC by name, with their numbers on the wire (gRPC "Status codes"). */
export const StatusCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  'invalid-argument': 3,
  'deadline-exceeded': 4,
  'not-found': 5,
  'already-exists': 6,
  'permission-denied': 7,
  'resource-exhausted': 8,
  'failed-precondition': 9,
  aborted: 10,
  'out-of-range': 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  'data-loss': 15,
  unauthenticated: 16,
} as const;

export type StatusName = keyof typeof StatusCode;

export interface GrpcErrorOptions extends CodedErrorOptions {
  readonly neverSent?: boolean;
  /** What goes with the status as `grpc-status-details-bin`: a google.rpc.Status in protobuf. At most 4 KiB travel. */
  readonly details?: Uint8Array;
}

/** A call that ended with another status than OK; thrown by clients, and by handlers to choose the status. */
export class GrpcError extends CodedError<StatusName> {
  /** True if the call surely did not leave this process, for want of a connection: it may be made again, elsewhere too. */
  readonly neverSent: boolean;
  /** A google.rpc.Status in protobuf, if there is one. */
  readonly details: Uint8Array | undefined;

  constructor(code: StatusName, message: string, options: GrpcErrorOptions = {}) {
    super(code, message, options);
    this.neverSent = options.neverSent ?? false;
    this.details = options.details;
  }
}

const names = new Map<number, StatusName>(Object.entries(StatusCode).map(([name, code]) => [code, name as StatusName]));

/** The name of a code from the wire; `unknown` for one that gRPC does not have. */
export function statusName(code: number): StatusName {
  return names.get(code) ?? 'unknown';
}
