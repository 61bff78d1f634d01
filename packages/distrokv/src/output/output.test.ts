// Golden outputs. `simple`, `json` and `fields` were compared with what etcdctl prints for the same store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import type { etcdserverpb, mvccpb } from '@distrokv/client';
import { goQuote, hexBytes, readable } from './escape.ts';
import { type EndpointStatus, type Format, type FormatName, formatSize, loadFormat } from './format.ts';

const header = { clusterId: 15875391935852295136n, memberId: 7383792418829112008n, revision: 9, raftTerm: 2 };
const foo: mvccpb.KeyValue = { key: utf8('foo'), createRevision: 2, modRevision: 7, version: 5, value: utf8('baz'), lease: 0n };
const binary: mvccpb.KeyValue = {
  key: utf8('bin'),
  createRevision: 9,
  modRevision: 9,
  version: 1,
  value: Uint8Array.of(0x61, 0, 0x62, 0x22, 0xff),
  lease: 0n,
};
const both: etcdserverpb.RangeResponse = { header, kvs: [binary, foo], more: false, count: 2 };
const nothing: etcdserverpb.RangeResponse = { header, kvs: [], more: false, count: 0 };
const plain = { valueOnly: false, countOnly: false };
const format = async (name: FormatName, hex = false): Promise<Format> => loadFormat(name, { hex });
const text = (rendered: string | Uint8Array): string => (typeof rendered === 'string' ? rendered : fromUtf8(rendered));

test('simple: put, get, del as etcdctl prints them', async () => {
  const simple = await format('simple');
  assert.equal(text(simple.put({ header, prevKv: undefined })), 'OK\n');
  assert.equal(text(simple.put({ header, prevKv: foo })), 'OK\nfoo\nbaz\n');
  assert.deepEqual(simple.get(both, plain), new Uint8Array(Buffer.from('bin\na\0b"\xff\nfoo\nbaz\n', 'latin1')));
  assert.equal(text(simple.get(nothing, plain)), '');
  assert.equal(text(simple.get({ ...both, kvs: [foo] }, { ...plain, valueOnly: true })), 'baz\n');
  assert.equal(text(simple.get({ ...nothing, count: 2 }, { ...plain, countOnly: true })), '2\n');
  assert.equal(text(simple.delete({ header, deleted: 1, prevKvs: [foo] })), '1\nfoo\nbaz\n');
});

test('simple --hex: every byte of keys and values', async () => {
  const simple = await format('simple', true);
  assert.equal(text(simple.get(both, plain)), '\\x62\\x69\\x6e\n\\x61\\x00\\x62\\x22\\xff\n\\x66\\x6f\\x6f\n\\x62\\x61\\x7a\n');
});

test('json: numbers of 64 bits are exact, bytes are base64, zeros are left out', async () => {
  const json = await format('json');
  const head = '{"cluster_id":15875391935852295136,"member_id":7383792418829112008,"revision":9,"raft_term":2}';
  const kv = '{"key":"Zm9v","create_revision":2,"mod_revision":7,"version":5,"value":"YmF6"}';
  assert.equal(json.put({ header, prevKv: undefined }), `{"header":${head}}\n`);
  assert.equal(json.put({ header, prevKv: foo }), `{"header":${head},"prev_kv":${kv}}\n`);
  assert.equal(json.get({ ...both, kvs: [foo], count: 1 }, plain), `{"header":${head},"kvs":[${kv}],"count":1}\n`);
  assert.equal(json.get(nothing, plain), `{"header":${head}}\n`);
  assert.equal(
    json.get({ ...both, kvs: [{ ...foo, lease: -5n }], more: true, count: 3 }, plain),
    `{"header":${head},"kvs":[${kv.slice(0, -1)},"lease":-5}],"more":true,"count":3}\n`,
  );
  assert.equal(json.delete({ header, deleted: 1, prevKvs: [foo] }), `{"header":${head},"deleted":1,"prev_kvs":[${kv}]}\n`);
});

test('fields: one a line, texts quoted as Go quotes them', async () => {
  const fields = await format('fields');
  const head = '"ClusterID" : 15875391935852295136\n"MemberID" : 7383792418829112008\n"Revision" : 9\n"RaftTerm" : 2\n';
  assert.equal(
    fields.get({ ...both, kvs: [binary], count: 1 }, plain),
    `${head}"Key" : "bin"\n"CreateRevision" : 9\n"ModRevision" : 9\n"Version" : 1\n"Value" : "a\\x00b\\"\\xff"\n"Lease" : 0\n"More" : false\n"Count" : 1\n`,
  );
  assert.equal(
    fields.put({ header, prevKv: foo }),
    `${head}"PrevKey" : "foo"\n"PrevCreateRevision" : 2\n"PrevModRevision" : 7\n"PrevVersion" : 5\n"PrevValue" : "baz"\n"PrevLease" : 0\n`,
  );
  assert.equal(fields.delete({ header, deleted: 0, prevKvs: [] }), `${head}"Deleted" : 0\n`);
});

test('table: text where it is text, escapes where not, long values cut', async () => {
  const table = await format('table');
  assert.equal(
    text(table.get(both, plain)),
    `+-----+-------------+---------+----------+---------+-------+
| KEY | VALUE       | CREATED | MODIFIED | VERSION | LEASE |
+-----+-------------+---------+----------+---------+-------+
| bin | a\\x00b"\\xff |       9 |        9 |       1 |       |
| foo | baz         |       2 |        7 |       5 |       |
+-----+-------------+---------+----------+---------+-------+
`,
  );
  assert.equal(text(table.get(nothing, plain)), '');
  const long = text(table.get({ ...both, kvs: [{ ...foo, value: utf8('ä\x1b[31m'.repeat(1000)) }] }, plain));
  assert.match(long, /ä\\x1b\[31mä.*… \(7000 bytes\)/);
  assert.ok(!long.includes('\x1b'));
});

const status: etcdserverpb.StatusResponse = {
  header: { ...header, revision: 11 },
  version: '3.4.23',
  dbSize: 24576,
  leader: 7383792418829112008n,
  raftIndex: 14,
  raftTerm: 2,
  raftAppliedIndex: 14,
  errors: [],
  dbSizeInUse: 16384,
  isLearner: false,
  storageVersion: '',
  dbSizeQuota: 0,
  downgradeInfo: undefined,
};
const endpoints: EndpointStatus[] = [
  { endpoint: '127.0.0.1:42379', status },
  { endpoint: '127.0.0.1:1', status: new Error('connection refused') },
];

test('endpoint status: answers in every format, and the table shows who gave none', async () => {
  assert.equal(
    (await format('simple')).endpointStatus(endpoints),
    '127.0.0.1:42379, 667880157b8812c8, 3.4.23, 25 kB, true, false, 2, 14, 14, \n',
  );
  assert.equal(
    (await format('json')).endpointStatus(endpoints),
    '[{"Endpoint":"127.0.0.1:42379","Status":{"header":{"cluster_id":15875391935852295136,"member_id":7383792418829112008,"revision":11,"raft_term":2},' +
      '"version":"3.4.23","dbSize":24576,"leader":7383792418829112008,"raftIndex":14,"raftTerm":2,"raftAppliedIndex":14,"dbSizeInUse":16384}}]\n',
  );
  const table = (await format('table')).endpointStatus(endpoints).split('\n');
  assert.match(table[3] ?? '', /^\| 127.0.0.1:42379 \| 667880157b8812c8 \| 3.4.23 +\| 25 kB +\| true +\| false /);
  assert.match(table[4] ?? '', /^\| 127.0.0.1:1 .*\| connection refused \|$/);
});

test('endpoint health and member list', async () => {
  const health = [
    { endpoint: 'a:1', tookMs: 3.4312934, error: undefined },
    { endpoint: 'b:1', tookMs: 1500, error: new Error('no answer') },
  ];
  assert.equal(
    (await format('simple')).endpointHealth(health),
    'a:1 is healthy: successfully committed proposal: took = 3.431ms\nb:1 is unhealthy: failed to commit proposal: no answer\n',
  );
  assert.equal(
    (await format('json')).endpointHealth(health),
    '[{"endpoint":"a:1","health":true,"took":"3.431ms"},{"endpoint":"b:1","health":false,"took":"1.5s","error":"no answer"}]\n',
  );
  const urls = { peerURLs: ['http://127.0.0.1:42380'], clientURLs: ['http://127.0.0.1:42379'] };
  const members = { header: { ...header, revision: 0 }, members: [{ id: header.memberId, name: 'default', ...urls, isLearner: false }] };
  assert.equal(
    (await format('simple')).memberList(members),
    '667880157b8812c8, started, default, http://127.0.0.1:42380, http://127.0.0.1:42379, false\n',
  );
  assert.equal(
    (await format('json')).memberList(members),
    '{"header":{"cluster_id":15875391935852295136,"member_id":7383792418829112008,"raft_term":2},"members":[{"ID":7383792418829112008,"name":"default",' +
      '"peerURLs":["http://127.0.0.1:42380"],"clientURLs":["http://127.0.0.1:42379"]}]}\n',
  );
});

test('escapes: what can be read stays, what plays tricks does not', () => {
  assert.equal(readable(utf8('héllo 世界 🙂 "q" \\')), 'héllo 世界 🙂 "q" \\');
  assert.equal(readable(utf8('a\n\x1b[2J\u202e\u{e0001}')), 'a\\n\\x1b[2J\\u202e\\U000e0001');
  assert.equal(readable(Uint8Array.of(0xe4, 0xb8, 0x41, 0xff, 0xf0)), '\\xe4\\xb8A\\xff\\xf0');
  assert.equal(goQuote(utf8('"\\\t')), '"\\"\\\\\\t"');
  assert.equal(hexBytes(Uint8Array.of(0, 0xab)), '\\x00\\xab');
});

test('sizes in the units of the SI', () => {
  assert.deepEqual([0, 999, 1000, 9949, 9950, 20480, 24576, 2 ** 31, 1.5e15].map(formatSize), [
    '0 B',
    '999 B',
    '1.0 kB',
    '9.9 kB',
    '10 kB',
    '20 kB',
    '25 kB',
    '2.1 GB',
    '1.5 PB',
  ]);
});
