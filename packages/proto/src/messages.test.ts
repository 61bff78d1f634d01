// Every generated message, against itself and against protobufjs, another implementation of the same format.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type protobuf from 'protobufjs';
import { hex, seededRandom } from '@distrokv/base';
import * as proto from './index.ts';
import type { MessageType } from './message.ts';
import { loadRoot, MessageMaker, messageTypes } from './testing/random-message.ts';

const { authpb, etcdserverpb, health, kvservice, mvccpb, peer, reflection } = proto;
const groups = [authpb, etcdserverpb, health, kvservice, mvccpb, peer, reflection];
const SEED = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);
const types = messageTypes(loadRoot());

/** What the package exports under a full protobuf name. */
function generated(fullName: string): MessageType<unknown> {
  for (const group of groups) {
    for (const item of Object.values(group))
      if ('typeName' in item && 'decode' in item && `.${item.typeName}` === fullName) return item as MessageType<unknown>;
  }
  throw new assert.AssertionError({ message: `${fullName} is not generated` });
}

/** Runs `check` on random messages of every type. */
function forAll(
  count: number,
  check: (ours: MessageType<unknown>, theirs: protobuf.Type, message: ReturnType<MessageMaker['message']>) => void,
): void {
  types.forEach((theirs, i) => {
    const ours = generated(theirs.fullName);
    const maker = new MessageMaker(seededRandom(SEED * 1000 + i));
    for (let n = 0; n < count; n++) {
      try {
        check(ours, theirs, maker.message(theirs));
      } catch (error) {
        throw new Error(`${theirs.fullName}, message ${n} of DISTROKV_TEST_SEED=${SEED}`, { cause: error });
      }
    }
  });
}

test('every message of the .proto files is generated, and nothing else', () => {
  assert.ok(types.length > 120, `${types.length} types`);
  const names = new Set(types.map((type) => type.fullName.slice(1)));
  for (const group of groups) {
    for (const item of Object.values(group)) if ('decode' in item) assert.ok(names.has(item.typeName), item.typeName);
  }
  assert.equal(new Set(types.map((type) => generated(type.fullName))).size, types.length);
});

test('what is encoded decodes to the same message', () => {
  forAll(30, (ours, _theirs, message) => {
    assert.deepEqual(ours.decode(ours.encode(message.ours)), ours.create(message.ours));
  });
});

test('protobufjs encodes to what we decode', () => {
  forAll(30, (ours, theirs, message) => {
    assert.deepEqual(ours.decode(theirs.encode(message.theirs).finish()), ours.create(message.ours));
  });
});

test('protobufjs decodes what we encode', () => {
  forAll(30, (ours, theirs, message) => {
    const again = theirs.encode(theirs.decode(ours.encode(message.ours))).finish();
    assert.deepEqual(ours.decode(again), ours.create(message.ours));
  });
});

test('a message that comes in pieces is merged: the last of a scalar, all of a list, fields of fields', () => {
  const { PutResponse, RangeResponse, ResponseHeader, RequestOp, RangeRequest, PutRequest } = etcdserverpb;
  const merged = <T>(type: MessageType<T>, ...pieces: readonly Partial<T>[]): T =>
    type.decode(Buffer.concat(pieces.map((piece) => type.encode(type.create(piece)))));
  const header = ResponseHeader.create({ clusterId: 1n, memberId: 2n });
  const later = ResponseHeader.create({ memberId: 3n, revision: 4 });
  assert.deepEqual(merged(PutResponse, { header }, { header: later }).header, { clusterId: 1n, memberId: 3n, revision: 4, raftTerm: 0 });
  const [a, b] = [mvccpb.KeyValue.create({ version: 1 }), mvccpb.KeyValue.create({ version: 2 })];
  const ranges = merged(RangeResponse, { kvs: [a], count: 1 }, { kvs: [b, a], count: 2 });
  assert.deepEqual([ranges.kvs, ranges.count], [[a, b, a], 2]);
  const range = { case: 'requestRange', value: RangeRequest.create({ limit: 1 }) } as const;
  const more = { case: 'requestRange', value: RangeRequest.create({ revision: 2 }) } as const;
  const put = { case: 'requestPut', value: PutRequest.create({ lease: 3n }) } as const;
  const both = RangeRequest.create({ limit: 1, revision: 2 });
  assert.deepEqual(merged(RequestOp, { request: range }, { request: more }).request, { case: 'requestRange', value: both });
  assert.deepEqual(merged(RequestOp, { request: range }, { request: put }).request, put);
  const statuses = (...entries: [string, number][]) => ({ statuses: new Map(entries.map(([name, status]) => [name, { status }])) });
  assert.deepEqual(merged(health.HealthListResponse, statuses(['a', 1], ['b', 1]), statuses(['b', 2])), statuses(['a', 1], ['b', 2]));
});

test('services name the methods, kinds and types of the .proto files', () => {
  let methods = 0;
  for (const [fullName, group] of [
    ['etcdserverpb', etcdserverpb],
    ['proto', kvservice],
    ['grpc.health.v1', health],
    ['distrokv.peer', peer],
  ] as const) {
    for (const item of Object.values(group)) {
      if (!('methods' in item)) continue;
      const service: proto.Service = item;
      const theirs = loadRoot().lookupService(service.typeName);
      assert.ok(service.typeName.startsWith(`${fullName}.`));
      for (const method of Object.values(service.methods)) {
        const name = method.path.split('/').at(-1) as string;
        const their = theirs.methods[name] as protobuf.Method;
        assert.equal(method.path, `/${service.typeName}/${name}`);
        assert.equal(method.kind.startsWith('bidi') || method.kind.startsWith('client'), their.requestStream === true);
        assert.equal(method.kind.startsWith('bidi') || method.kind.startsWith('server'), their.responseStream === true);
        their.resolve();
        assert.equal(`.${method.request.typeName}`, (their.resolvedRequestType as protobuf.Type).fullName);
        assert.equal(`.${method.response.typeName}`, (their.resolvedResponseType as protobuf.Type).fullName);
        methods++;
      }
      assert.equal(Object.keys(service.methods).length, theirs.methodsArray.length);
    }
  }
  assert.equal(methods, 52);
});

test('the bytes are those of the encoding guide', () => {
  const request = etcdserverpb.PutRequest.create({ key: Buffer.from('k'), value: Buffer.from('v'), lease: -1n, prevKv: true });
  assert.equal(hex(etcdserverpb.PutRequest.encode(request)), '0a016b120176' + '18ffffffffffffffffff01' + '2001');
});

test("the peer protocol's worked example in docs/04-wire.md", () => {
  const { AppendEntries, EntryKind, PeerBatch } = peer;
  const entry = { index: 301, term: 5, kind: EntryKind.COMMAND, data: Buffer.from('put') };
  const append = AppendEntries.create({ prevLogIndex: 300, prevLogTerm: 4, entries: [entry], leaderCommit: 300 });
  const batches = [
    PeerBatch.create({ hello: { clusterId: 0x1234n, memberId: 1n, formatVersion: 1, peerUrls: [] } }),
    PeerBatch.create({ messages: [{ from: 1n, to: 2n, term: 5, body: { case: 'appendEntries', value: append } }] }),
  ];
  const chapter = readFileSync(new URL('../../../docs/04-wire.md', import.meta.url), 'utf8');
  const blocks = [...chapter.matchAll(/```hex\n([^`]*)```/g)];
  // Each line is bytes, then at least two spaces, then words.
  const bytes = blocks.map(([, block]) => (block as string).replace(/(?<=\S) {2,}.*$/gm, '').replace(/\s/g, ''));
  assert.deepEqual(
    bytes,
    batches.map((batch) => hex(PeerBatch.encode(batch))),
  );
});
