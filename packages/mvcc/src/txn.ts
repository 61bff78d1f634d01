// Transactions: every compare is evaluated before any operation, those of nested transactions included; then the chosen
// operations are checked; then they run in order, all in one revision (etcd's server/etcdserver/txn/txn.go).
import type { Revision } from '@distrokv/base';
import type { Keyspace } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';
import { isEmptyRange, keyRange } from './key-range.ts';
import { entryOf } from './range.ts';
import { type KeyRecord, decodeRecord } from './record.ts';
import { StepWork, type Steps } from './steps.ts';

/** The operations that the compares chose; `nested` has a path for each nested transaction among them, in order. */
export interface TxnPath {
  readonly succeeded: boolean;
  readonly ops: readonly pb.RequestOp[];
  readonly nested: readonly TxnPath[];
}

/** What a transaction runs on. Reads see the writes made through it before. */
export interface TxnView {
  range(request: pb.RangeRequest): Steps<pb.RangeResponse>;
  put(request: pb.PutRequest): pb.PutResponse;
  deleteRange(request: pb.DeleteRangeRequest): Steps<pb.DeleteRangeResponse>;
}

/** `patient`: a step may wait for the disk. */
export function* choosePath(kv: Keyspace, at: Revision, request: pb.TxnRequest, patient: boolean): Steps<TxnPath> {
  let succeeded = true;
  for (const compare of request.compare) {
    succeeded = yield* holds(kv, at, compare, patient);
    if (!succeeded) break;
  }
  const ops = succeeded ? request.success : request.failure;
  const nested: TxnPath[] = [];
  for (const { request: op } of ops) if (op?.case === 'requestTxn') nested.push(yield* choosePath(kv, at, op.value, patient));
  return { succeeded, ops, nested };
}

/** Calls `check` for each operation that will run, before any does, in their order: who refuses first is the same as in etcd. */
export function forEachOp(path: TxnPath, check: (op: NonNullable<pb.RequestOp['request']>) => void): void {
  let nested = 0;
  for (const { request } of path.ops) {
    if (request?.case === 'requestTxn') forEachOp(path.nested[nested++] as TxnPath, check);
    else if (request) check(request);
  }
}

/** Does it change nothing, whatever it finds? */
export function onlyReads(path: TxnPath): boolean {
  for (const { request } of path.ops) if (request?.case === 'requestPut' || request?.case === 'requestDeleteRange') return false;
  return path.nested.every(onlyReads);
}

export function* runPath(path: TxnPath, view: TxnView): Steps<pb.TxnResponse> {
  const responses: pb.ResponseOp[] = [];
  let nested = 0;
  for (const { request } of path.ops) {
    switch (request?.case) {
      case 'requestRange':
        responses.push({ response: { case: 'responseRange', value: yield* view.range(request.value) } });
        break;
      case 'requestPut':
        responses.push({ response: { case: 'responsePut', value: view.put(request.value) } });
        break;
      case 'requestDeleteRange':
        responses.push({ response: { case: 'responseDeleteRange', value: yield* view.deleteRange(request.value) } });
        break;
      case 'requestTxn': {
        const value = yield* runPath(path.nested[nested++] as TxnPath, view);
        responses.push({ response: { case: 'responseTxn', value } });
        break;
      }
      case undefined:
        break; // refused before it was proposed
    }
  }
  return pb.TxnResponse.create({ header: pb.ResponseHeader.create(), succeeded: path.succeeded, responses });
}

/** A header as operations inside a transaction have it: the revision alone. */
export function revisionHeader(revision: Revision): pb.ResponseHeader {
  return pb.ResponseHeader.create({ revision });
}

const MISSING: KeyRecord & { readonly modRevision: number } = {
  createRevision: 0 as Revision,
  version: 0,
  lease: 0n,
  value: new Uint8Array(0),
  modRevision: 0,
};

/** With a range, every key of it must compare true; an empty range compares as one key that is missing. */
function* holds(kv: Keyspace, at: Revision, compare: pb.Compare, patient: boolean): Steps<boolean> {
  const range = keyRange(compare.key, compare.rangeEnd);
  let hasKeys = false;
  if (range.single) {
    const found = patient ? yield* entryOf(kv, compare.key, at) : kv.getEntrySync(compare.key, at);
    if (found) return matches(compare, decodeRecord(found.value), found.version);
  } else if (!isEmptyRange(range)) {
    const work = new StepWork();
    const keys = kv.iterator({ gte: range.from, ...(range.to && { lt: range.to }), at, patient });
    try {
      for (let has = keys.advance(); has !== false; has = keys.advance()) {
        if (has !== true) {
          yield has;
          continue;
        }
        hasKeys = true;
        const { value } = keys;
        if (!matches(compare, decodeRecord(value), keys.version)) return false;
        if (work.add(value.length)) yield;
      }
    } finally {
      keys.close();
    }
  }
  // A value never compares true on a missing key, not even "not equal"; everything else of it is 0.
  return hasKeys || (compare.target !== pb.CompareTarget.VALUE && matches(compare, MISSING, 0));
}

function matches(compare: pb.Compare, record: KeyRecord, modRevision: number): boolean {
  const order = orderOf(compare, record, modRevision);
  switch (compare.result) {
    case pb.CompareResult.EQUAL:
      return order === 0;
    case pb.CompareResult.NOT_EQUAL:
      return order !== 0;
    case pb.CompareResult.GREATER:
      return order > 0;
    case pb.CompareResult.LESS:
      return order < 0;
    default:
      return true; // as etcd does with a result it does not know
  }
}

/** How the stored side stands to the given one; a target without its field in the union compares with 0 or nothing. */
function orderOf(compare: pb.Compare, record: KeyRecord, modRevision: number): number {
  const given = compare.targetUnion;
  switch (compare.target) {
    case pb.CompareTarget.VERSION:
      return record.version - (given?.case === 'version' ? given.value : 0);
    case pb.CompareTarget.CREATE:
      return record.createRevision - (given?.case === 'createRevision' ? given.value : 0);
    case pb.CompareTarget.MOD:
      return modRevision - (given?.case === 'modRevision' ? given.value : 0);
    case pb.CompareTarget.LEASE: {
      const lease = given?.case === 'lease' ? given.value : 0n;
      return record.lease < lease ? -1 : record.lease > lease ? 1 : 0;
    }
    case pb.CompareTarget.VALUE:
      return Buffer.compare(record.value, given?.case === 'value' ? given.value : MISSING.value);
    default:
      return 0;
  }
}
