// Of the model of the API: what can be said against a request whatever the store holds. Written from the comments of rpc.proto ("it is not allowed to
// modify the same key several times within one txn") and the errors of etcd's API.
import type { etcdserverpb as pb } from '@distrokv/proto';
import { type Call, textOf } from './calls.ts';
import { namer } from './model-range.ts';

/** As a server has it by default. */
const MAX_TXN_OPS = 128;
const MAX_LEASE_TTL = 9_000_000_000;

/** The text of the error, if there is one. */
export function refusalOf(call: Call): string | undefined {
  switch (call.kind) {
    case 'range':
      return refusalOfRange(call.request);
    case 'put':
      return refusalOfPut(call.request);
    case 'delete-range':
      return refusalOfKey(call.request.key);
    case 'txn':
      return (
        refusalOfTxn(call.request, MAX_TXN_OPS) ??
        (changesTwice(call.request) ? 'etcdserver: duplicate key given in txn request' : undefined)
      );
    case 'lease-grant':
      return call.request.ttl > MAX_LEASE_TTL ? 'etcdserver: too large lease TTL' : undefined;
    default:
      return undefined;
  }
}

const refusalOfKey = (key: Uint8Array): string | undefined => (key.length === 0 ? 'etcdserver: key is not provided' : undefined);

function refusalOfRange({ key, sortOrder, sortTarget }: pb.RangeRequest): string | undefined {
  const isKnown = sortOrder >= 0 && sortOrder <= 2 && sortTarget >= 0 && sortTarget <= 4;
  return refusalOfKey(key) ?? (isKnown ? undefined : 'etcdserver: invalid sort option');
}

function refusalOfPut({ key, value, lease, ignoreValue, ignoreLease }: pb.PutRequest): string | undefined {
  const why = refusalOfKey(key);
  if (why !== undefined) return why;
  if (ignoreValue && value.length > 0) return 'etcdserver: value is provided';
  return ignoreLease && lease !== 0n ? 'etcdserver: lease is provided' : undefined;
}

function refusalOfTxn({ compare, success, failure }: pb.TxnRequest, most: number): string | undefined {
  const used = Math.max(compare.length, success.length, failure.length);
  if (used > most) return 'etcdserver: too many operations in txn request';
  for (const { key } of compare) if (key.length === 0) return refusalOfKey(key);
  for (const op of [...success, ...failure]) {
    const why = refusalOfOp(op, most - used);
    if (why !== undefined) return why;
  }
  return undefined;
}

function refusalOfOp({ request }: pb.RequestOp, most: number): string | undefined {
  switch (request?.case) {
    case 'requestRange':
      return refusalOfRange(request.value);
    case 'requestPut':
      return refusalOfPut(request.value);
    case 'requestDeleteRange':
      return refusalOfKey(request.value.key);
    case 'requestTxn':
      return refusalOfTxn(request.value, most);
    case undefined:
      return 'etcdserver: key not found';
  }
}

interface Changes {
  readonly puts: readonly string[];
  readonly deletes: readonly ((key: string) => boolean)[];
}

/** Every way through the transaction, tried: is a key put twice on one of them, or put and deleted? */
function changesTwice(txn: pb.TxnRequest): boolean {
  return waysThrough(txn).some(
    ({ puts, deletes }) => new Set(puts).size < puts.length || puts.some((key) => deletes.some((isDeleted) => isDeleted(key))),
  );
}

function waysThrough({ success, failure }: pb.TxnRequest): Changes[] {
  return [success, failure].flatMap((ops) =>
    ops.reduce<Changes[]>(
      (ways, op) =>
        ways.flatMap((way) =>
          changesOf(op).map((next) => ({ puts: [...way.puts, ...next.puts], deletes: [...way.deletes, ...next.deletes] })),
        ),
      [{ puts: [], deletes: [] }],
    ),
  );
}

function changesOf({ request }: pb.RequestOp): Changes[] {
  if (request?.case === 'requestPut') return [{ puts: [textOf(request.value.key)], deletes: [] }];
  if (request?.case === 'requestDeleteRange') return [{ puts: [], deletes: [namer(request.value.key, request.value.rangeEnd)] }];
  return request?.case === 'requestTxn' ? waysThrough(request.value) : [{ puts: [], deletes: [] }];
}
