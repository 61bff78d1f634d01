// What goes through the log: one command for each request that changes the store. On the log a command is one byte for
// its kind and the request in protobuf's binary form, as in docs/format/store.md.
import { etcdserverpb as pb, type MessageType } from '@distrokv/proto';
import { StoreError } from './errors.ts';

export type Command =
  | { readonly kind: 'put'; readonly request: pb.PutRequest }
  | { readonly kind: 'delete-range'; readonly request: pb.DeleteRangeRequest }
  | { readonly kind: 'txn'; readonly request: pb.TxnRequest }
  /** A member tells its name and where it serves clients. */
  | { readonly kind: 'member-attributes'; readonly request: pb.Member };

export type CommandKind = Command['kind'];

/** Kind bytes; never reused. */
const PUT = 1;
const DELETE_RANGE = 2;
const TXN = 3;
const MEMBER_ATTRIBUTES = 4;

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
  }
}

function tagged<T>(kind: number, type: MessageType<T>, request: T): Uint8Array {
  const body = type.encode(request);
  const out = Buffer.allocUnsafe(1 + body.length);
  out[0] = kind;
  out.set(body, 1);
  return out;
}

/** Throws StoreError `corrupt`, or ProtoError, on bytes that `encodeCommand` cannot have made. */
export function decodeCommand(bytes: Uint8Array): Command {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case PUT:
      return { kind: 'put', request: pb.PutRequest.decode(body) };
    case DELETE_RANGE:
      return { kind: 'delete-range', request: pb.DeleteRangeRequest.decode(body) };
    case TXN:
      return { kind: 'txn', request: pb.TxnRequest.decode(body) };
    case MEMBER_ATTRIBUTES:
      return { kind: 'member-attributes', request: pb.Member.decode(body) };
    default:
      throw new StoreError('corrupt', `the log holds a command of the unknown kind ${bytes[0]}: it was written by a newer version`);
  }
}
