// How a call ended, as headers (gRPC over HTTP/2, "Responses"): the status code, its text percent-encoded, and details.
import { fromUtf8, utf8 } from '@distrokv/base';
import { HeaderBlock, type HeaderList } from '@distrokv/http2';
import { GrpcError, StatusCode, statusName, type StatusName } from '../status.ts';
import { fromBase64, toBase64 } from './metadata.ts';

/** A status message travels in a header, and peers have limits on these. */
const MAX_MESSAGE_CHARS = 4096;
const MAX_DETAILS_BYTES = 4096;

export const okTrailers: HeaderBlock = new HeaderBlock(['grpc-status', '0']);

/** The trailers of a call that failed. */
export function errorTrailers(error: GrpcError): string[] {
  const trailers = ['grpc-status', String(StatusCode[error.code])];
  if (error.message !== '') trailers.push('grpc-message', percentEncode(error.message.slice(0, MAX_MESSAGE_CHARS)));
  if (error.details !== undefined && error.details.length <= MAX_DETAILS_BYTES)
    trailers.push('grpc-status-details-bin', toBase64(error.details));
  return trailers;
}

/** What the trailers say: undefined for OK. */
export function statusOf(trailers: HeaderList): GrpcError | undefined {
  let code = '';
  let message = '';
  let details: string | undefined;
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i];
    const value = trailers[i + 1] as string;
    if (name === 'grpc-status') code = value;
    else if (name === 'grpc-message') message = value;
    else if (name === 'grpc-status-details-bin') details = value;
  }
  if (code === '0') return undefined;
  if (!/^\d{1,9}$/.test(code))
    return new GrpcError(
      'unknown',
      code === '' ? 'the server ended the call without a status' : `the server sent the status ${JSON.stringify(code)}`,
    );
  return new GrpcError(statusName(Number(code)), percentDecode(message), details === undefined ? {} : { details: fromBase64(details) });
}

/** The status of an answer that is none of gRPC's (gRPC "HTTP to gRPC Status Code Mapping"). */
export function statusOfHttp(status: string, contentType: string | undefined): GrpcError {
  if (status === '200')
    return new GrpcError('unknown', `the server answered with the content type ${JSON.stringify(contentType ?? '')}, which is not gRPC's`);
  return new GrpcError(httpStatuses[status] ?? 'unknown', `the server answered with the HTTP status ${status}`);
}

const httpStatuses: Readonly<Record<string, StatusName>> = {
  '400': 'internal',
  '401': 'unauthenticated',
  '403': 'permission-denied',
  '404': 'unimplemented',
  '429': 'unavailable',
  '502': 'unavailable',
  '503': 'unavailable',
  '504': 'unavailable',
};

/** Printable ASCII but '%' as it is, every other byte of the UTF-8 form as %XX; half a surrogate pair becomes U+FFFD. */
export function percentEncode(text: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(text)) return text;
  let out = '';
  for (const byte of utf8(text)) {
    out +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25 ? String.fromCharCode(byte) : `%${(byte + 0x100).toString(16).slice(1).toUpperCase()}`;
  }
  return out;
}

/** Never fails: what is no escape stays as it is. */
export function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const escaped = text.charCodeAt(i) === 0x25 ? /^[0-9a-fA-F]{2}$/.exec(text.slice(i + 1, i + 3)) : null;
    bytes[length++] = escaped === null ? text.charCodeAt(i) : parseInt(escaped[0], 16);
    if (escaped !== null) i += 2;
  }
  return fromUtf8(bytes.subarray(0, length));
}
