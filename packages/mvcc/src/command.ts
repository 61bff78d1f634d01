// What goes through the log: one command for each request that changes the store. On the log a command is one byte for
// its kind and the request in protobuf's binary form, as in docs/format/store.md.
import { VarintReader, varintLength, writeVarint } from '@distrokv/base';
import { etcdserverpb as pb, type MessageType } from '@distrokv/proto';
import { StoreError } from './errors.ts';
import { PUT, PlainPut } from './plain-put.ts';

export type Command =
  | { readonly kind: 'put'; readonly request: pb.PutRequest }
  | { readonly kind: 'delete-range'; readonly request: pb.DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: pb.TxnRequest }
  /** A member tells its name and where it serves clients. */
  | { readonly kind: 'member-attributes'; readonly request: pb.Member }
  | { readonly kind: 'compact'; readonly request: pb.CompactionRequest }
  /** With the id and the TTL that the lease gets. */
  | { readonly kind: 'lease-grant'; readonly request: pb.LeaseGrantRequest }
  | { readonly kind: 'lease-revoke'; readonly request: pb.LeaseRevokeRequest }
  | { readonly kind: 'lease-renew'; readonly request: pb.LeaseKeepAliveRequest }
  | { readonly kind: 'lease-tick'; readonly request: LeaseTick }
  | { readonly kind: 'alarm'; readonly request: pb.AlarmRequest };

/** Moves the lease clock on, unless another tick came first (`leases.ts`). */
export interface LeaseTick {
  /** The reading that the proposer has seen. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Kind bytes; never reused. */
const DELETE_RANGE = 2;
const TXN = 3;
const MEMBER_ATTRIBUTES = 4;
const COMPACT = 5;
const LEASE_GRANT = 6;
const LEASE_REVOKE = 7;
const LEASE_RENEW = 8;
const LEASE_TICK = 9;
const ALARM = 10;

export function encodeCommand(command: Command): Uint8Array {
  switch (command.kind) {
    case 'put':
      return tagged(PUT, pb.PutRequest, command.request);
    case 'delete-range':
      return tagged(DELETE_RANGE, pb.DeleteRangeRequest, command.request);
    case 'txn':
      return tagged(TXN, pb.TxnRequest, command.request);
    case 'member-attributes':
      return tagged(MEMBER_ATTRIBUTES, pb.Member, command.request);
    case 'compact':
      return tagged(COMPACT, pb.CompactionRequest, command.request);
    case 'lease-grant':
      return tagged(LEASE_GRANT, pb.LeaseGrantRequest, command.request);
    case 'lease-revoke':
      return tagged(LEASE_REVOKE, pb.LeaseRevokeRequest, command.request);
    case 'lease-renew':
      return tagged(LEASE_RENEW, pb.LeaseKeepAliveRequest, command.request);
    case 'lease-tick':
      return encodeTick(command.request);
    case 'alarm':
      return tagged(ALARM, pb.AlarmRequest, command.request);
  }
}

function tagged<T>(kind: number, type: MessageType<T>, request: T): Uint8Array {
  const out = type.encode(request, 1);
  out[0] = kind;
  return out;
}

const plain = new PlainPut();

/**
 * The command `bytes[start, end)`, which nobody changes any more: what is long in it is a view. Throws StoreError `corrupt`, or ProtoError, on
 * bytes that `encodeCommand` cannot have made.
 */
export function decodeCommand(bytes: Uint8Array, start = 0, end: number = bytes.length): Command {
  const kind = start < end ? bytes[start] : undefined;
  if (kind === PUT) {
    if (!plain.read(bytes, start, end)) return { kind: 'put', request: pb.PutRequest.decode(bytes.subarray(start + 1, end)) };
    const request = { key: plain.key(), value: plain.value(), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    return { kind: 'put', request };
  }
  const body = bytes.subarray(start + 1, end);
  switch (kind) {
    case DELETE_RANGE:
      return { kind: 'delete-range', request: pb.DeleteRangeRequest.decode(body) };
    case TXN:
      return { kind: 'txn', request: pb.TxnRequest.decode(body) };
    case MEMBER_ATTRIBUTES:
      return { kind: 'member-attributes', request: pb.Member.decode(body) };
    case COMPACT:
      return { kind: 'compact', request: pb.CompactionRequest.decode(body) };
    case LEASE_GRANT:
      return { kind: 'lease-grant', request: pb.LeaseGrantRequest.decode(body) };
    case LEASE_REVOKE:
      return { kind: 'lease-revoke', request: pb.LeaseRevokeRequest.decode(body) };
    case LEASE_RENEW:
      return { kind: 'lease-renew', request: pb.LeaseKeepAliveRequest.decode(body) };
    case LEASE_TICK:
      return { kind: 'lease-tick', request: decodeTick(body) };
    case ALARM:
      return { kind: 'alarm', request: pb.AlarmRequest.decode(body) };
    default:
      throw new StoreError('corrupt', `the log holds a command of the unknown kind ${kind}: it was written by a newer version`);
  }
}

function encodeTick({ fromMs, toMs }: LeaseTick): Uint8Array {
  const out = new Uint8Array(1 + varintLength(fromMs) + varintLength(toMs));
  out[0] = LEASE_TICK;
  writeVarint(out, writeVarint(out, 1, fromMs), toMs);
  return out;
}

function decodeTick(body: Uint8Array): LeaseTick {
  const reader = new VarintReader(body);
  const tick = { fromMs: reader.varint(), toMs: reader.varint() };
  if (!reader.ok || !reader.done) throw new StoreError('corrupt', 'the log holds a tick of the lease clock that does not decode');
  return tick;
}
