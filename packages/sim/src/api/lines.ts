// What the services Lock and Election do with keys, as etcd documents it for its clients (clientv3/concurrency): each name has a line of keys, `name/` and
// the lease in hexadecimal; who has the lowest create revision is first. What a service asks for on behalf of a client is told by its look.
import { utf8 } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Call, textOf } from './calls.ts';

/** Nobody else writes keys that begin so, or names leases from here on. */
export const LINE_NAMES = ['m', 'mm'] as const;
export const FIRST_LINE_LEASE = 1000n;

export function placeKey(name: string, lease: bigint): Uint8Array {
  return utf8(`${name}/${lease.toString(16)}`);
}

function ifCreatedAt(key: Uint8Array, createRevision: number): pb.Compare {
  const { EQUAL } = pb.CompareResult;
  const targetUnion = { case: 'createRevision', value: createRevision } as const;
  return pb.Compare.create({ key, result: EQUAL, target: pb.CompareTarget.CREATE, targetUnion });
}

export function enterCall(name: string, lease: bigint, value: Uint8Array): Call & { readonly kind: 'txn' } {
  const key = placeKey(name, lease);
  const put = { case: 'requestPut', value: pb.PutRequest.create({ key, value, lease }) } as const;
  const get = { case: 'requestRange', value: pb.RangeRequest.create({ key }) } as const;
  return { kind: 'txn', request: { compare: [ifCreatedAt(key, 0)], success: [{ request: put }], failure: [{ request: get }] } };
}

export function proclaimCall(
  { key, rev, lease }: Pick<pb.PutRequest, 'key' | 'lease'> & { readonly rev: number },
  value: Uint8Array,
): Call {
  const put = { case: 'requestPut', value: pb.PutRequest.create({ key, value, lease }) } as const;
  return { kind: 'txn', request: { compare: [ifCreatedAt(key, rev)], success: [{ request: put }], failure: [] } };
}

export function resignCall(key: Uint8Array, createRevision: number): Call {
  const del = { case: 'requestDeleteRange', value: pb.DeleteRangeRequest.create({ key }) } as const;
  return { kind: 'txn', request: { compare: [ifCreatedAt(key, createRevision)], success: [{ request: del }], failure: [] } };
}

/** The first of a line, as a range. */
export function firstCall(name: string): Call & { readonly kind: 'range' } {
  const { CREATE } = pb.SortTarget;
  const range = { key: utf8(`${name}/`), rangeEnd: utf8(`${name}0`), limit: 1, sortTarget: CREATE, sortOrder: pb.SortOrder.ASCEND };
  return { kind: 'range', request: pb.RangeRequest.create(range) };
}

/** A service renews leases of who waits, and takes a place back, or writes to it, if it is still the same: nobody asks for that in so many words. */
export function isOfService(call: Call): boolean {
  if (call.kind === 'lease-keep-alive') return call.request.id >= FIRST_LINE_LEASE;
  if (call.kind !== 'txn') return false;
  const { compare, success, failure } = call.request;
  const [only, ...others] = compare;
  const [op, ...ops] = success;
  if (!only || others.length + ops.length + failure.length > 0 || only.target !== pb.CompareTarget.CREATE) return false;
  const isLine = LINE_NAMES.some((name) => textOf(only.key).startsWith(`${name}/`));
  const changed = op?.request?.case === 'requestDeleteRange' || op?.request?.case === 'requestPut' ? op.request.value : undefined;
  const isAlone = op?.request?.case !== 'requestDeleteRange' || op.request.value.rangeEnd.length === 0;
  return isLine && isAlone && changed !== undefined && textOf(changed.key) === textOf(only.key);
}
