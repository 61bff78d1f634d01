import assert from 'node:assert/strict';
import { test } from 'node:test';
import { etcdserverpb as pb } from '@distrokv/proto';
import { ApiError } from './api-errors.ts';
import { StoreFixture } from './testing/fixture.ts';
import { compare, del, put, range, show, txn } from './testing/requests.ts';

const all = { end: '\0' };
const keysOf = (response: pb.RangeResponse): string[] => response.kvs.map(show);

async function withKeys(...keys: string[]): Promise<StoreFixture> {
  const fixture = await StoreFixture.open();
  for (const key of keys) await fixture.put(put(key, `v${key}`));
  return fixture;
}

test('a fresh store is at revision 1; each change adds one', async () => {
  const f = await StoreFixture.open();
  assert.equal(f.range(range('a')).header?.revision, 1);
  assert.equal((await f.put(put('a', '1'))).header?.revision, 2);
  assert.equal((await f.put(put('a', '1'))).header?.revision, 3, 'the same value is a change, too');
  assert.equal((await f.del(del('nothing'))).header?.revision, 3, 'a delete of nothing is none');
  assert.deepEqual(keysOf(f.range(range('a'))), ['a=1@2/3/2']);
});

test('the header of a range names the revision that it was read at, not a later one', async () => {
  const f = await withKeys('a');
  const { steps, toResponse } = f.rangeSteps(range('a'));
  await f.put(put('b', '1'));
  const step = steps.next();
  assert.ok(step.done);
  assert.equal(toResponse(step.value).header?.revision, 2, 'who watches on from revision 3 misses nothing');
});

test('version and create_revision start again after a delete', async () => {
  const f = await withKeys('a', 'a');
  const gone = await f.del(del('a', { prevKv: true }));
  assert.deepEqual([gone.deleted, gone.prevKvs.map(show), gone.header?.revision], [1, ['a=va@2/3/2'], 4]);
  assert.equal(f.range(range('a')).count, 0);
  await f.put(put('a', 'new'));
  assert.deepEqual(keysOf(f.range(range('a'))), ['a=new@5/5/1']);
});

test('Put: prev_kv, ignore_value, unknown lease', async () => {
  const f = await withKeys('a');
  const { prevKv } = await f.put(put('a', 'w', { prevKv: true }));
  assert.equal(prevKv && show(prevKv), 'a=va@2/2/1');
  await f.put(put('a', '', { ignoreValue: true }));
  assert.deepEqual(keysOf(f.range(range('a'))), ['a=w@2/4/3']);
  await assert.rejects(f.put(put('none', '', { ignoreValue: true })), { message: 'etcdserver: key not found' });
  await assert.rejects(f.put(put('a', '', { lease: 7n })), { message: 'etcdserver: requested lease not found' });
  assert.equal(f.store.state.revision, 4, 'what is refused changes nothing');
});

test('Range: single key, interval, prefix, from key, all keys, empty intervals', async () => {
  const f = await withKeys('a', 'b', 'ba', 'c');
  const keys = (key: string, end?: string): string =>
    f
      .range(range(key, end === undefined ? {} : { end }))
      .kvs.map((kv) => String.fromCharCode(...kv.key))
      .join();
  assert.equal(keys('b'), 'b');
  assert.equal(keys('b', 'c'), 'b,ba');
  assert.equal(keys('b', '\0'), 'b,ba,c');
  assert.equal(keys('\0', '\0'), 'a,b,ba,c');
  assert.equal(keys('c', 'b'), '');
  assert.equal(keys('b', 'b'), '');
});

test('Range: limit, more and count', async () => {
  const f = await withKeys('a', 'b', 'c');
  const limited = f.range(range('a', { ...all, limit: 2 }));
  assert.deepEqual([limited.kvs.length, limited.more, limited.count], [2, true, 3]);
  const exact = f.range(range('a', { ...all, limit: 3 }));
  assert.deepEqual([exact.kvs.length, exact.more, exact.count], [3, false, 3]);
  const counted = f.range(range('a', { ...all, countOnly: true, limit: 1 }));
  assert.deepEqual([counted.kvs.length, counted.more, counted.count], [0, false, 3]);
  const keysOnly = f.range(range('a', { ...all, keysOnly: true }));
  assert.deepEqual(keysOf(keysOnly), ['a=@2/2/1', 'b=@3/3/1', 'c=@4/4/1']);
});

test('Range: as of a revision; the header names the current one; the future is refused', async () => {
  const f = await withKeys('a', 'b');
  await f.del(del('a'));
  const past = f.range(range('\0', { ...all, revision: 3 }));
  assert.deepEqual([keysOf(past), past.header?.revision], [['a=va@2/2/1', 'b=vb@3/3/1'], 4]);
  assert.deepEqual(keysOf(f.range(range('\0', { ...all, revision: 4 }))), ['b=vb@3/3/1']);
  assert.deepEqual(keysOf(f.range(range('\0', { ...all, revision: -1 }))), ['b=vb@3/3/1']);
  assert.throws(() => f.range(range('a', { revision: 5 })), { message: 'etcdserver: mvcc: required revision is a future revision' });
});

test('Range: sorting and revision filters come before the cut; count ignores both', async () => {
  const f = await withKeys('a', 'b', 'c');
  await f.put(put('a', 'z'));
  const order = (fields: Partial<pb.RangeRequest>): string =>
    f
      .range(range('\0', { ...all, ...fields }))
      .kvs.map((kv) => String.fromCharCode(...kv.key))
      .join();
  const { SortOrder, SortTarget } = pb;
  assert.equal(order({ sortOrder: SortOrder.DESCEND }), 'c,b,a');
  assert.equal(order({ sortTarget: SortTarget.MOD }), 'b,c,a', 'a target without an order sorts ascending');
  assert.equal(order({ sortTarget: SortTarget.VERSION, sortOrder: SortOrder.DESCEND, limit: 1 }), 'a');
  assert.equal(order({ sortTarget: SortTarget.VALUE, sortOrder: SortOrder.DESCEND, keysOnly: true }), 'a,c,b');
  assert.equal(order({ minModRevision: 4 }), 'a,c');
  assert.equal(order({ maxCreateRevision: 3, minCreateRevision: 3 }), 'b');
  assert.equal(f.range(range('\0', { ...all, minModRevision: 4 })).count, 3);
  assert.equal(f.range(range('a', { minModRevision: 99 })).count, 1);
  await f.put(put('b', 'later than a, and c is oldest'));
  assert.equal(
    order({ sortTarget: SortTarget.MOD, limit: 1 }),
    'a',
    'without an order: limit + 1 keys in key order, then sorted, then cut',
  );
});

test('Txn: compares choose the branch; one revision for all changes; reads see the writes before them', async () => {
  const f = await withKeys('a');
  const done = await f.txn(
    txn([compare('a', 'version', '=', 1), compare('x', 'create', '=', 0)], [put('b', '1'), range('b'), del('a'), range('a')], [put('no')]),
  );
  assert.deepEqual([done.succeeded, done.header?.revision], [true, 3]);
  const [putB, readB, deleted, readA] = done.responses.map((r) => r.response);
  assert.equal(putB?.case === 'responsePut' && putB.value.header?.revision, 3);
  assert.deepEqual(readB?.case === 'responseRange' && readB.value.kvs.map(show), ['b=1@3/3/1']);
  assert.equal(deleted?.case === 'responseDeleteRange' && deleted.value.deleted, 1);
  assert.equal(readA?.case === 'responseRange' && readA.value.count, 0);
  const failed = await f.txn(txn([compare('a', 'version', '>', 0)], [put('no')], [range('b')]));
  assert.deepEqual([failed.succeeded, failed.header?.revision, f.range(range('no')).count], [false, 3, 0]);
});

test('Txn: every target and sign; a missing key has 0, but no value', async () => {
  const f = await withKeys('a', 'b');
  const holds = async (c: pb.Compare): Promise<boolean> => (await f.txn(txn([c], []))).succeeded;
  const yes = [
    compare('a', 'mod', '=', 2),
    compare('a', 'mod', '<', 3),
    compare('a', 'value', '>', 'v'),
    compare('a', 'value', '!=', 'x'),
    compare('a', 'lease', '=', 0),
    compare('x', 'mod', '<', 1),
  ];
  for (const c of yes) assert.ok(await holds(c));
  const no = [
    compare('a', 'mod', '>', 2),
    compare('a', 'value', '=', 'x'),
    compare('x', 'value', '!=', 'x'),
    compare('x', 'value', '=', ''),
    compare('a', 'version', '!=', 1),
  ];
  for (const c of no) assert.ok(!(await holds(c)));
  const has = { version: 1, create: 2, mod: 2, lease: 0, value: 'va' } as const;
  for (const field of ['version', 'create', 'mod', 'lease', 'value'] as const) {
    const [below, above] = field === 'value' ? ['v', 'vb'] : [has[field] - 1, has[field] + 1];
    for (const [given, signs] of [
      [below, ['>', '!=']],
      [has[field], ['=']],
      [above, ['<', '!=']],
    ] as const)
      for (const sign of ['=', '!=', '<', '>'] as const)
        assert.equal(
          await holds(compare('a', field, sign, given)),
          (signs as readonly string[]).includes(sign),
          `${field} ${sign} ${given}`,
        );
  }
  assert.ok(await holds(compare('a', 'version', '=', 1, 'c')), 'every key of a range');
  assert.ok(!(await holds(compare('a', 'create', '=', 2, 'c'))), 'one key differs');
  assert.ok(await holds(compare('x', 'version', '=', 0, 'z')), 'an empty range is one missing key');
  assert.ok(!(await holds(compare('x', 'value', '!=', 'q', 'z'))));
});

test('Txn: all compares, nested ones too, are evaluated before any operation', async () => {
  const f = await StoreFixture.open();
  const inner = txn([compare('a', 'version', '=', 0)], [put('inner', 'saw no a')], [put('inner', 'saw a')]);
  const done = await f.txn(txn([], [put('a', '1'), inner]));
  assert.deepEqual(keysOf(f.range(range('inner'))), ['inner=saw no a@2/2/1']);
  const nested = done.responses[1]?.response;
  assert.ok(nested?.case === 'responseTxn' && nested.value.succeeded && nested.value.header?.revision === 0);
});

test('pages of a large range: each tells how many keys are left, and only the first counts them', async () => {
  const f = await StoreFixture.open();
  const name = (i: number): string => `k${String(i).padStart(5, '0')}`;
  for (let i = 0; i < 3000; i += 100)
    await f.txn(
      txn(
        [],
        Array.from({ length: 100 }, (_, n) => put(name(i + n))),
      ),
    );
  const revision = f.store.state.revision;
  const page = (key: string, fields: Partial<pb.RangeRequest>): { readonly steps: number; readonly response: pb.RangeResponse } => {
    const { steps, toResponse } = f.rangeSteps(range(key, { end: 'l', limit: 50, ...fields }));
    for (let count = 0; ; count++) {
      const step = steps.next();
      if (step.done === true) return { steps: count, response: toResponse(step.value) };
    }
  };
  let key = 'k';
  for (let left = 3000; left > 0; left -= 50) {
    const { steps, response } = page(key, { revision });
    assert.deepEqual([response.kvs.length, response.count, response.more], [50, left, left > 50]);
    assert.equal(show(response.kvs[0] as never).split('=')[0], name(3000 - left));
    if (left < 3000 && left > 1000) assert.equal(steps, 0, 'nothing is walked but the page');
    if (left === 2000) await f.del(del(name(2900)));
    key = `${name(3000 - left + 49)}\0`;
  }
  assert.equal(page('k', {}).response.count, 2999, 'what was deleted since is not counted now');
  assert.equal(page('k', { revision }).response.count, 3000);
  assert.equal(page('k', { revision, countOnly: true }).response.count, 3000);
  const counted = page('k', { revision, sortOrder: pb.SortOrder.DESCEND }).response;
  assert.deepEqual([counted.count, counted.kvs.length, counted.more], [3000, 50, true]);
});

test('Txn: one whose compares choose nothing but ranges needs no log; any other does', async () => {
  const f = await withKeys('a');
  const isRead = (request: pb.TxnRequest): boolean => f.store.reads.wouldOnlyRead(request) === true;
  const taken = compare('a', 'version', '=', 0);
  const free = compare('b', 'version', '=', 0);
  assert.ok(isRead(txn([taken], [put('a')], [range('a')])), 'what would have been written is not');
  assert.ok(isRead(txn([taken], [put('a')])), 'nothing to do');
  assert.ok(isRead(txn([taken], [put('a')], [txn([], [range('a')])])), 'nested');
  assert.ok(!isRead(txn([free], [put('b')], [range('b')])));
  assert.ok(!isRead(txn([taken], [put('a')], [txn([free], [del('b')])])));
  const before = f.log.length;
  const { responses } = await f.txn(txn([taken], [put('a')], [range('a')])); // the fixture compares the two answers
  assert.equal(responses.length, 1);
  await assert.rejects(f.txn(txn([taken], [put('a')], [range('a', { revision: 9 })])), { code: 'future-revision' });
  assert.equal(f.store.state.revision, 2);
  assert.equal(f.log.length, before + 2);
});

test('Txn: an operation that cannot run refuses the whole transaction', async () => {
  const f = await withKeys('a');
  await assert.rejects(f.txn(txn([], [put('b'), range('a', { revision: 9 })])), { code: 'future-revision' });
  await assert.rejects(f.txn(txn([], [put('b'), put('c', '', { ignoreValue: true })])), { code: 'key-not-found' });
  assert.deepEqual([f.range(range('b')).count, f.store.state.revision], [0, 2]);
  await f.txn(txn([], [put('b')], [range('a', { revision: 9 })]));
  assert.equal(f.range(range('b')).count, 1, 'the branch that was not chosen is not checked');
});

test('commands of one entry see each other; a refused one leaves the others alone', async () => {
  const f = await StoreFixture.open();
  const results = await f.apply(
    { kind: 'put', request: put('a', '1') },
    { kind: 'put', request: put('z', '', { lease: 1n }) },
    { kind: 'put', request: put('a', '2') },
  );
  assert.ok(results[1] instanceof ApiError);
  assert.deepEqual(keysOf(f.range(range('\0', all))), ['a=2@2/3/2']);
});

test('members: told attributes are kept, strangers are not', async () => {
  const f = await StoreFixture.open();
  await f.apply({
    kind: 'member-attributes',
    request: pb.Member.create({ id: 1n, name: 'n1', clientURLs: ['http://c'], peerURLs: ['http://lie'] }),
  });
  await f.apply({ kind: 'member-attributes', request: pb.Member.create({ id: 2n, name: 'stranger' }) });
  assert.deepEqual(f.store.members, [{ id: 1n, name: 'n1', peerURLs: ['http://127.0.0.1:1'], clientURLs: ['http://c'], isLearner: false }]);
  assert.equal(f.store.state.revision, 1, 'no revision is used up');
});

test('reliability 15: after a crash the log is applied again from exactly where the data stands', async () => {
  const f = await withKeys('a', 'b');
  await f.flush();
  assert.equal(await f.store.durableIndex(), 2);
  await f.put(put('a', 'again'));
  await f.crashAndRecover();
  assert.deepEqual([keysOf(f.range(range('\0', all))), f.store.state.revision], [['a=again@2/4/2', 'b=vb@3/3/1'], 4]);
});
