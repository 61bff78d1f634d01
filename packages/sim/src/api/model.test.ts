// The model by hand: cases that the documentation of etcd's API states, each as short as it can be.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type Call, type Response, bytesOf, textOf } from './calls.ts';
import { ApiModel } from './model.ts';

const put = (key: string, value = '', fields: Partial<pb.PutRequest> = {}): pb.PutRequest =>
  pb.PutRequest.create({ key: bytesOf(key), value: bytesOf(value), ...fields });
const range = (key: string, end = '', fields: Partial<pb.RangeRequest> = {}): pb.RangeRequest =>
  pb.RangeRequest.create({ key: bytesOf(key), rangeEnd: bytesOf(end), ...fields });
const del = (key: string, end = ''): pb.DeleteRangeRequest => pb.DeleteRangeRequest.create({ key: bytesOf(key), rangeEnd: bytesOf(end) });
const version = (key: string, value: number): pb.Compare =>
  pb.Compare.create({ key: bytesOf(key), target: pb.CompareTarget.VERSION, targetUnion: { case: 'version', value } });
const puts = (value: pb.PutRequest): pb.RequestOp => ({ request: { case: 'requestPut', value } });
const gets = (value: pb.RangeRequest): pb.RequestOp => ({ request: { case: 'requestRange', value } });
const dels = (value: pb.DeleteRangeRequest): pb.RequestOp => ({ request: { case: 'requestDeleteRange', value } });
const nested = (value: pb.TxnRequest): pb.RequestOp => ({ request: { case: 'requestTxn', value } });
const txn = (compare: pb.Compare[], success: pb.RequestOp[], failure: pb.RequestOp[] = []): pb.TxnRequest => ({
  compare,
  success,
  failure,
});

class Asked extends ApiModel {
  ask<T extends Response>(call: Call): T {
    const reply = this.perform(call);
    if (reply.kind === 'error') throw new Error(reply.why);
    return reply.response as T;
  }

  put(key: string, value = '', fields: Partial<pb.PutRequest> = {}): pb.PutResponse {
    return this.ask({ kind: 'put', request: put(key, value, fields) });
  }

  keys(request: pb.RangeRequest): string[] {
    return this.ask<pb.RangeResponse>({ kind: 'range', request }).kvs.map(
      ({ key, value, createRevision, modRevision, version: v }) => `${textOf(key)}=${textOf(value)}@${createRevision}/${modRevision}/${v}`,
    );
  }
}

const refused = (why: string): { message: string } => ({ message: `etcdserver: ${why}` });

describe('the model of the API', () => {
  test('a fresh store is at revision 1; a change adds one, and what changes nothing adds none', () => {
    const model = new Asked();
    assert.equal(model.revision, 1);
    assert.equal(model.put('a').header?.revision, 2);
    assert.equal(model.ask<pb.DeleteRangeResponse>({ kind: 'delete-range', request: del('x') }).header?.revision, 2);
    assert.equal(model.ask<pb.TxnResponse>({ kind: 'txn', request: txn([], [puts(put('b')), puts(put('c'))]) }).header?.revision, 3);
  });

  test('versions begin again after a delete; the past can be read until it is compacted', () => {
    const model = new Asked();
    model.put('a', '1');
    model.put('a', '2');
    model.ask({ kind: 'delete-range', request: del('a') });
    model.put('a', '3');
    assert.deepEqual(model.keys(range('a')), ['a=3@5/5/1']);
    assert.deepEqual(model.keys(range('a', '', { revision: 3 })), ['a=2@2/3/2']);
    model.ask({ kind: 'compact', request: { revision: 3, physical: false } });
    assert.deepEqual(model.keys(range('a', '', { revision: 3 })), ['a=2@2/3/2']);
    assert.throws(() => model.keys(range('a', '', { revision: 2 })), refused('mvcc: required revision has been compacted'));
    assert.throws(() => model.keys(range('a', '', { revision: 6 })), refused('mvcc: required revision is a future revision'));
    assert.throws(
      () => model.ask({ kind: 'compact', request: { revision: 3, physical: false } }),
      refused('mvcc: required revision has been compacted'),
    );
  });

  test('ranges: from a key on, all, none; a limit without an order cuts before it sorts', () => {
    const model = new Asked();
    for (const [key, value] of [
      ['a', '3'],
      ['b', '2'],
      ['c', '1'],
    ] as const)
      model.put(key, value);
    assert.deepEqual(model.keys(range('b', '\0')), ['b=2@3/3/1', 'c=1@4/4/1']);
    assert.equal(model.keys(range('\0', '\0')).length, 3);
    assert.deepEqual(model.keys(range('b', 'a')), []);
    assert.deepEqual(model.keys(range('a', 'z', { limit: 1, sortTarget: pb.SortTarget.VALUE })), ['b=2@3/3/1']);
    assert.deepEqual(model.keys(range('a', 'z', { limit: 1, sortTarget: pb.SortTarget.VALUE, sortOrder: pb.SortOrder.ASCEND })), [
      'c=1@4/4/1',
    ]);
    const counted = model.ask<pb.RangeResponse>({ kind: 'range', request: range('a', 'z', { limit: 1, minModRevision: 3 }) });
    assert.deepEqual([counted.count, counted.more, counted.kvs.length], [3, true, 1]);
  });

  test('nested transactions: all compares come before all operations, and a range sees what was put before it', () => {
    const model = new Asked();
    const inner = txn([version('a', 0)], [gets(range('a'))], [puts(put('b', 'wrong'))]);
    const response = model.ask<pb.TxnResponse>({ kind: 'txn', request: txn([version('a', 0)], [puts(put('a', '1')), nested(inner)]) });
    const second = response.responses[1]?.response;
    assert.ok(second?.case === 'responseTxn' && second.value.succeeded);
    const got = second.value.responses[0]?.response;
    assert.ok(got?.case === 'responseRange');
    assert.deepEqual([got.value.kvs.length, got.value.header?.revision, model.revision], [1, 2, 2]);
    assert.deepEqual(model.keys(range('b')), []);
  });

  test('a value of a key that is not there compares with nothing, and everything else of it is 0', () => {
    const model = new Asked();
    const compare = (fields: Partial<pb.Compare>): boolean =>
      model.ask<pb.TxnResponse>({ kind: 'txn', request: txn([pb.Compare.create({ key: bytesOf('x'), ...fields })], []) }).succeeded;
    assert.equal(
      compare({ target: pb.CompareTarget.VALUE, result: pb.CompareResult.NOT_EQUAL, targetUnion: { case: 'value', value: bytesOf('v') } }),
      false,
    );
    assert.equal(compare({ target: pb.CompareTarget.MOD }), true);
    assert.equal(compare({ target: pb.CompareTarget.LEASE, result: pb.CompareResult.GREATER }), false);
  });

  test('no key is changed twice on one way through a transaction', () => {
    const model = new Asked();
    const twice = (ops: pb.RequestOp[]): void => void model.ask({ kind: 'txn', request: txn([], ops) });
    const duplicate = refused('duplicate key given in txn request');
    assert.throws(() => twice([puts(put('a')), puts(put('a'))]), duplicate);
    assert.throws(() => twice([nested(txn([], [puts(put('a'))])), nested(txn([], [], [dels(del('a'))]))]), duplicate);
    twice([nested(txn([], [puts(put('a'))], [dels(del('a'))]))]);
    twice([dels(del('a', 'c')), dels(del('b', 'd'))]);
  });

  test('a lease takes its keys with it in one revision; a put moves a key off it', () => {
    const model = new Asked();
    model.ask({ kind: 'lease-grant', request: { id: 7n, ttl: 5 } });
    for (const key of ['b', 'a', 'c']) model.put(key, '', { lease: 7n });
    model.put('c');
    const told = model.ask<pb.LeaseTimeToLiveResponse>({ kind: 'lease-time-to-live', request: { id: 7n, keys: true } });
    assert.deepEqual([told.grantedTTL, told.keys.map(textOf)], [5, ['a', 'b']]);
    model.expire(7n);
    assert.deepEqual(
      model.history.get(6)?.map(({ type, kv }) => `${type} ${textOf(kv?.key ?? bytesOf(''))}`),
      ['1 a', '1 b'],
    );
    assert.deepEqual(model.keys(range('\0', '\0')), ['c=@4/5/2']);
    assert.throws(() => model.put('d', '', { lease: 7n }), refused('requested lease not found'));
    assert.equal(model.ask<pb.LeaseKeepAliveResponse>({ kind: 'lease-keep-alive', request: { id: 7n } }).ttl, 0);
    assert.equal(model.ask<pb.LeaseTimeToLiveResponse>({ kind: 'lease-time-to-live', request: { id: 7n, keys: false } }).ttl, -1);
  });

  test('ignore_value and ignore_lease keep what there is, and need it', () => {
    const model = new Asked();
    model.ask({ kind: 'lease-grant', request: { id: 7n, ttl: 5 } });
    assert.throws(() => model.put('a', '', { ignoreValue: true }), refused('key not found'));
    model.put('a', '1', { lease: 7n });
    model.put('a', '2', { ignoreLease: true });
    model.put('a', '', { ignoreValue: true, lease: 7n });
    assert.deepEqual(model.keys(range('a')), ['a=2@2/4/3']);
    assert.throws(() => model.put('a', 'x', { ignoreValue: true }), refused('value is provided'));
    assert.throws(() => model.put('a', 'x', { ignoreLease: true, lease: 7n }), refused('lease is provided'));
  });
});
