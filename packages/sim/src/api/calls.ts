// What a client of the etcd API can ask for in one call, and what it can be told: requests and responses as the protocol has them, so that every
// field of both is judged.
import type { etcdserverpb as pb } from '@distrokv/proto';

export type Call =
  /** `isStreamed`: by RangeStream, whose chunks come to the same answer. */
  | { readonly kind: 'range'; readonly request: pb.RangeRequest; readonly isStreamed?: boolean }
  | { readonly kind: 'put'; readonly request: pb.PutRequest }
  | { readonly kind: 'delete-range'; readonly request: pb.DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: pb.TxnRequest }
  | { readonly kind: 'compact'; readonly request: pb.CompactionRequest }
  | { readonly kind: 'lease-grant'; readonly request: pb.LeaseGrantRequest }
  | { readonly kind: 'lease-revoke'; readonly request: pb.LeaseRevokeRequest }
  | { readonly kind: 'lease-keep-alive'; readonly request: pb.LeaseKeepAliveRequest }
  | { readonly kind: 'lease-time-to-live'; readonly request: pb.LeaseTimeToLiveRequest }
  | { readonly kind: 'lease-leases' };

export type CallKind = Call['kind'];

export type Response =
  | pb.RangeResponse
  | pb.PutResponse
  | pb.DeleteRangeResponse
  | pb.TxnResponse
  | pb.CompactionResponse
  | pb.LeaseGrantResponse
  | pb.LeaseRevokeResponse
  | pb.LeaseKeepAliveResponse
  | pb.LeaseTimeToLiveResponse
  | pb.LeaseLeasesResponse;

/** An answer of the store: a response, or the text of the error with which it refuses. */
export type Reply = { readonly kind: 'response'; readonly response: Response } | { readonly kind: 'error'; readonly why: string };

/** Keys in the models are texts of one character for each byte: they sort as the bytes do. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** Two messages are the same if they print the same. Of a header only the revision counts: the rest says who answered. */
export function print(message: object): string {
  return JSON.stringify(plain(message));
}

/** For people: without the fields that say nothing, and what values are filled up with. */
export function show(message: object): string {
  const isNothing = (value: unknown): boolean =>
    value === 0 || value === '' || value === '0' || value === false || (Array.isArray(value) && value.length === 0);
  return JSON.stringify(plain(message), (_, value: unknown) => (isNothing(value) ? undefined : value)).replaceAll(/"|Â·/g, '');
}

type Plain = string | number | boolean | undefined | readonly Plain[] | { readonly [name: string]: Plain };

/** Bytes as texts, fields in the order of their names. */
function plain(value: unknown): Plain {
  if (value instanceof Uint8Array) return textOf(value);
  if (typeof value === 'bigint') return `${value}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value as Plain;
  const fields = value as Readonly<Record<string, unknown>>;
  const out: Record<string, Plain> = {};
  for (const name of Object.keys(fields).sort())
    out[name] = name === 'header' ? ((fields[name] as pb.ResponseHeader | undefined)?.revision ?? 0) : plain(fields[name]);
  return out;
}

export function describeCall(call: Call): string {
  if (call.kind === 'lease-leases') return call.kind;
  const name = call.kind === 'range' && call.isStreamed === true ? 'range-stream' : call.kind;
  return `${name} ${show(call.request)}`;
}

export function describeReply(reply: Reply): string {
  return reply.kind === 'error' ? reply.why : show(reply.response);
}

/** Whether it goes through the log: reads do not, transactions of nothing but ranges neither. */
export function isWrite(call: Call): boolean {
  switch (call.kind) {
    case 'range':
    case 'lease-time-to-live':
    case 'lease-leases':
      return false;
    case 'txn':
      return [...call.request.success, ...call.request.failure].some(({ request }) => request?.case !== 'requestRange');
    default:
      return true;
  }
}
