import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { etcdserverpb as pb } from '@distrokv/proto';
import { ApiError } from './api-errors.ts';
import { checkDeleteRange, checkPut, checkRange, checkTxn, isReadOnlyTxn, isSerializableTxn } from './check.ts';
import { compare, del, put, range, txn } from './testing/requests.ts';

function refusedWith(text: string, work: () => void): void {
  assert.throws(work, (error) => error instanceof ApiError && error.message === `etcdserver: ${text}`);
}

test('KV Range, Put, DeleteRange: an empty key is refused', () => {
  refusedWith('key is not provided', () => checkRange(range('')));
  refusedWith('key is not provided', () => checkPut(put('')));
  refusedWith('key is not provided', () => checkDeleteRange(del('')));
});

test('KV Range: an unknown sort order or target is refused', () => {
  refusedWith('invalid sort option', () => checkRange(range('a', { sortOrder: 3 })));
  refusedWith('invalid sort option', () => checkRange(range('a', { sortTarget: 5 })));
  refusedWith('invalid sort option', () => checkRange(range('a', { sortTarget: -1 })));
});

test('KV Put: ignore_value with a value, ignore_lease with a lease are refused', () => {
  refusedWith('value is provided', () => checkPut(put('a', 'v', { ignoreValue: true })));
  refusedWith('lease is provided', () => checkPut(put('a', '', { ignoreLease: true, lease: 1n })));
});

test('KV Txn: each of compares, success and failure is bounded; a nested one has what its parent left', () => {
  const puts = (n: number): pb.PutRequest[] => Array.from({ length: n }, (_, i) => put(`k${i}`));
  checkTxn(txn([], puts(3)), 3);
  refusedWith('too many operations in txn request', () => checkTxn(txn([], puts(4)), 3));
  refusedWith('too many operations in txn request', () => checkTxn(txn([], [], puts(4)), 3));
  refusedWith('too many operations in txn request', () =>
    checkTxn(txn(Array(4).fill(compare('a', 'version', '=', 0)) as pb.Compare[], []), 3),
  );
  checkTxn(txn([], [txn([], puts(2))]), 3);
  refusedWith('too many operations in txn request', () => checkTxn(txn([], [txn([], puts(3))]), 3));
  refusedWith('too many operations in txn request', () => checkTxn(txn([], [], [txn([], puts(3))]), 3));
});

test('KV Txn: all operations of a transaction and of those nested in it are bounded, too', () => {
  const wide = (depth: number): pb.TxnRequest => {
    const inner = depth === 0 ? range('k') : wide(depth - 1);
    return txn([], Array<typeof inner>(16).fill(inner));
  };
  checkTxn(wide(1), 128);
  refusedWith('too many operations in txn request', () => checkTxn(wide(2), 128));
  const flat = Array.from({ length: 5000 }, (_, i) => put(`k${i}`));
  checkTxn(txn([], flat, flat), 5000);
});

test('KV Txn: an empty compare key, and an operation without content', () => {
  refusedWith('key is not provided', () => checkTxn(txn([compare('', 'version', '=', 0)], []), 128));
  refusedWith('key not found', () => checkTxn({ compare: [], success: [{ request: undefined }], failure: [] }, 128));
});

const duplicates: readonly (readonly [string, pb.TxnRequest])[] = [
  ['put and put', txn([], [put('a'), put('a')])],
  ['put and delete', txn([], [put('a'), del('a')])],
  ['delete and put', txn([], [del('a'), put('a')])],
  ['put in a deleted range', txn([], [del('a', { end: 'c' }), put('b')])],
  ['put behind a from-key delete', txn([], [del('a', { end: '\0' }), put('zz')])],
  ['put and nested put', txn([], [put('a'), txn([], [put('a')])])],
  ['delete and nested put', txn([], [del('a'), txn([], [put('a')])])],
  ['put and nested delete', txn([], [put('a'), txn([], [], [del('a')])])],
  ['nested put, and a delete in a later nested transaction', txn([], [txn([], [put('a')]), txn([], [del('a')])])],
  ['nested delete, and a put in a later nested transaction', txn([], [txn([], [del('a')]), txn([], [], [put('a')])])],
  ['two nested puts', txn([], [txn([], [put('a')]), txn([], [put('a')])])],
  ['in the failure branch', txn([], [], [put('a'), put('a')])],
];
for (const [name, request] of duplicates) {
  test(`KV Txn: a duplicate key is refused: ${name}`, () =>
    refusedWith('duplicate key given in txn request', () => checkTxn(request, 128)));
}

const legal: readonly (readonly [string, pb.TxnRequest])[] = [
  ['overlapping deletes', txn([], [del('a', { end: 'c' }), del('b')])],
  ['the same key in success and failure', txn([], [put('a')], [put('a')])],
  ['the same key in both branches of one nested transaction', txn([], [txn([], [put('a')], [put('a')])])],
  ['a put and a delete of it in the branches of one nested transaction', txn([], [txn([], [put('a')], [del('a')])])],
  ['a put outside of the deleted range', txn([], [del('a', { end: 'c' }), put('c')])],
  ['a put and an empty delete range', txn([], [del('c', { end: 'a' }), put('b')])],
  ['a put and a range over it', txn([], [put('a'), range('a')])],
];
for (const [name, request] of legal) test(`KV Txn: legal: ${name}`, () => checkTxn(request, 128));

test('KV Txn: read-only means ranges alone; serializable means all of them are, and there is one', () => {
  assert.ok(isReadOnlyTxn(txn([], [range('a')], [range('b')])));
  assert.ok(!isReadOnlyTxn(txn([], [range('a')], [put('b')])));
  assert.ok(!isReadOnlyTxn(txn([], [txn([], [range('a')])])));
  assert.ok(isSerializableTxn(txn([], [range('a', { serializable: true })])));
  assert.ok(!isSerializableTxn(txn([], [range('a', { serializable: true })], [range('b')])));
  assert.ok(!isSerializableTxn(txn([compare('a', 'version', '=', 0)], [])));
});
