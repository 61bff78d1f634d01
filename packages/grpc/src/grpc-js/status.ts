// A status between our form, a GrpcError, and grpc-js's.
import { fromUtf8, utf8 } from '@distrokv/base';
import { GrpcError, StatusCode, statusName } from '../status.ts';

export interface CarrierStatus {
  readonly code: number;
  readonly details: string;
}

/** A status message travels in a header, and peers have limits on these. */
const MAX_MESSAGE_CHARS = 4096;

/** An error as grpc-js takes it; half a surrogate pair, which has no UTF-8, becomes U+FFFD. */
export function statusOf(error: GrpcError): CarrierStatus {
  return { code: StatusCode[error.code], details: fromUtf8(utf8(error.message.slice(0, MAX_MESSAGE_CHARS))) };
}

/** The error that a call ended with, without a note of grpc-js's that is mostly empty. */
export function errorOf({ code, details }: CarrierStatus): GrpcError {
  const fault = code === StatusCode.unavailable ? connectFault(details) : undefined;
  if (fault !== undefined) return new GrpcError('unavailable', fault, { neverSent: true });
  return new GrpcError(statusName(code), details.replace(/\.? Resolution note: $/, ''));
}

/** Why there was no connection to send a call on, in our own words; undefined where the status is not about that. The carrier says so in a text only. */
function connectFault(details: string): string | undefined {
  if (details.startsWith('Name resolution failed')) return 'the host name does not resolve';
  if (!details.startsWith('No connection established')) return undefined;
  if (details.includes('ECONNREFUSED')) return 'connection refused';
  return /Last error: ([^(]*[^( ])/.exec(details)?.[1] ?? 'no connection';
}
