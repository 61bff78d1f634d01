// What can be said against a request before it is proposed, from the request alone: etcd's v3rpc/key.go, to the letter.
import type { etcdserverpb as pb } from '@distrokv/proto';
import { ApiError } from './api-errors.ts';
import { type KeyRange, isEmptyRange, isInRange, keyRange } from './key-range.ts';

/** A little less than the engine takes: it keeps keys of leases too, with the lease's id before each. */
const MAX_KEY_BYTES = (1 << 20) - 64;
/** What the engine takes, less what a record has beside the value. */
const MAX_VALUE_BYTES = (255 << 20) - 64;
const HIGHEST_SORT_ORDER = 2; // NONE, ASCEND, DESCEND
const HIGHEST_SORT_TARGET = 4; // KEY, VERSION, CREATE, MOD, VALUE

export function checkRange(request: pb.RangeRequest): void {
  if (request.key.length === 0) throw new ApiError('empty-key');
  const known = (value: number, highest: number): boolean => value >= 0 && value <= highest;
  if (!known(request.sortOrder, HIGHEST_SORT_ORDER) || !known(request.sortTarget, HIGHEST_SORT_TARGET))
    throw new ApiError('invalid-sort-option');
}

export function checkPut(request: pb.PutRequest): void {
  if (request.key.length === 0) throw new ApiError('empty-key');
  if (request.key.length > MAX_KEY_BYTES || request.value.length > MAX_VALUE_BYTES) throw new ApiError('request-too-large');
  if (request.ignoreValue && request.value.length > 0) throw new ApiError('value-provided');
  if (request.ignoreLease && request.lease !== 0n) throw new ApiError('lease-provided');
}

export function checkDeleteRange(request: pb.DeleteRangeRequest): void {
  if (request.key.length === 0) throw new ApiError('empty-key');
}

/** Most compares and operations of a transaction with all that are nested in it: checking and applying them must not keep the event loop. */
const MAX_PARTS = 4096;

/** `maxOps` bounds each of compares, success and failure; a nested transaction has what its parent left. */
export function checkTxn(request: pb.TxnRequest, maxOps: number): void {
  checkTxnParts(request, maxOps);
  if (partsOf(request) > Math.max(MAX_PARTS, 3 * maxOps)) throw new ApiError('too-many-operations');
  checkWrites(request.success);
  checkWrites(request.failure);
}

function partsOf({ compare, success, failure }: pb.TxnRequest): number {
  let parts = compare.length + success.length + failure.length;
  for (const ops of [success, failure]) for (const { request } of ops) if (request?.case === 'requestTxn') parts += partsOf(request.value);
  return parts;
}

function checkTxnParts(request: pb.TxnRequest, maxOps: number): void {
  const used = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (used > maxOps) throw new ApiError('too-many-operations');
  for (const compare of request.compare) if (compare.key.length === 0) throw new ApiError('empty-key');
  for (const op of request.success) checkOp(op, maxOps - used);
  for (const op of request.failure) checkOp(op, maxOps - used);
}

function checkOp(op: pb.RequestOp, opsLeft: number): void {
  switch (op.request?.case) {
    case 'requestRange':
      return checkRange(op.request.value);
    case 'requestPut':
      return checkPut(op.request.value);
    case 'requestDeleteRange':
      return checkDeleteRange(op.request.value);
    case 'requestTxn':
      return checkTxnParts(op.request.value, opsLeft);
    case undefined:
      throw new ApiError('key-not-found'); // etcd's answer to an operation without content
  }
}

interface Writes {
  /** Keys as Latin-1 text, one character a byte. */
  readonly puts: Set<string>;
  readonly deletes: KeyRange[];
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/**
 * One revision holds at most one change of a key: no key is put twice, nor put and deleted, on one branch. Deletes may
 * overlap one another, and the two branches of a nested transaction exclude each other, so they may put the same key.
 */
function checkWrites(ops: readonly pb.RequestOp[]): Writes {
  const puts = new Set<string>();
  const deletes: KeyRange[] = [];
  for (const { request } of ops) {
    if (request?.case !== 'requestDeleteRange') continue;
    const range = keyRange(request.value.key, request.value.rangeEnd);
    if (!isEmptyRange(range)) deletes.push(range);
  }
  const addPut = (key: string, allowed?: ReadonlySet<string>): void => {
    if ((puts.has(key) && !allowed?.has(key)) || isDeleted(deletes, key)) throw new ApiError('duplicate-key');
    puts.add(key);
  };
  for (const { request } of ops) {
    if (request?.case !== 'requestTxn') continue;
    const success = checkWrites(request.value.success);
    const failure = checkWrites(request.value.failure);
    const deleted = [...success.deletes, ...failure.deletes];
    // etcd overlooks a delete that comes after the put, in a later nested transaction, and changes the key twice.
    for (const key of puts) if (isDeleted(deleted, key)) throw new ApiError('duplicate-key');
    for (const key of success.puts) addPut(key);
    for (const key of failure.puts) addPut(key, success.puts);
    deletes.push(...deleted);
  }
  for (const { request } of ops) if (request?.case === 'requestPut') addPut(latin1(request.value.key));
  return { puts, deletes };
}

function isDeleted(deletes: readonly KeyRange[], key: string): boolean {
  if (deletes.length === 0) return false;
  const bytes = Buffer.from(key, 'latin1');
  return deletes.some((range) => isInRange(range, bytes));
}

/** A transaction that can be answered without the log: nothing but ranges. A nested one counts as a write, as in etcd. */
export function isReadOnlyTxn(request: pb.TxnRequest): boolean {
  const ranges = (ops: readonly pb.RequestOp[]): boolean => ops.every((op) => op.request?.case === 'requestRange');
  return ranges(request.success) && ranges(request.failure);
}

/**
 * May it be answered from this member's own state? Only if it asks for ranges, and all of them are serializable. A transaction of compares
 * alone is linearizable here, while etcd may answer it from stale state.
 */
export function isSerializableTxn(request: pb.TxnRequest): boolean {
  const ops = [...request.success, ...request.failure];
  return ops.length > 0 && ops.every((op) => op.request?.case === 'requestRange' && op.request.value.serializable);
}

/** Does either branch put a key? Such a transaction is refused while there is no space. */
export function hasPut(request: pb.TxnRequest): boolean {
  const puts = (ops: readonly pb.RequestOp[]): boolean =>
    ops.some(({ request: op }) => op?.case === 'requestPut' || (op?.case === 'requestTxn' && hasPut(op.value)));
  return puts(request.success) || puts(request.failure);
}
