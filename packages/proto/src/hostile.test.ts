// Bytes from anyone: the outcome is a message or a ProtoError, whatever they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, type Random } from '@distrokv/base';
import { ProtoError } from './errors.ts';
import { etcdserverpb, health, mvccpb, peer, type MessageType } from './index.ts';
import { loadRoot, MessageMaker } from './testing/random-message.ts';

const { HashRequest, PutRequest, RangeRequest, StatusResponse, TxnRequest, WatchCreateRequest } = etcdserverpb;

function refuses(type: MessageType<unknown>, bytes: readonly number[], code: string, message: RegExp): void {
  assert.throws(
    () => type.decode(Uint8Array.from(bytes)),
    (error) => error instanceof ProtoError && error.code === code && message.test(error.message),
  );
}

test('what is cut off is refused at every byte', () => {
  const whole = PutRequest.encode(PutRequest.create({ key: Buffer.from('key'), value: new Uint8Array(300), lease: 2n ** 62n }));
  const ends = new Set([5, 5 + 3 + 300, whole.length]);
  for (let length = 1; length < whole.length; length++) {
    if (ends.has(length)) PutRequest.decode(whole.subarray(0, length));
    else refuses(PutRequest, [...whole.subarray(0, length)], 'malformed', /cut off/);
  }
});

test('lengths that lie are refused before anything is allocated', () => {
  refuses(PutRequest, [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07], 'malformed', /cut off/);
  refuses(PutRequest, [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 'malformed', /larger than 32 bits/);
  // The inner message claims a byte of the outer one.
  refuses(TxnRequest, [0x0a, 0x02, 0x1a, 0x02, 0x12, 0x00], 'malformed', /beyond the end of its message/);
});

test('varints are at most 64 bits', () => {
  const long = Array<number>(9).fill(0xff);
  assert.equal(PutRequest.decode(Uint8Array.from([0x18, ...long, 0x01])).lease, -1n);
  refuses(PutRequest, [0x18, ...long, 0x02], 'malformed', /64 bits/);
  refuses(PutRequest, [0x18, ...long, 0x81, 0x00], 'malformed', /64 bits/);
});

test('64-bit fields that are numbers saturate', () => {
  const most = Array<number>(9).fill(0xff);
  assert.equal(RangeRequest.decode(Uint8Array.from([0x18, ...most.slice(0, 8), 0x7f])).limit, Number.MAX_SAFE_INTEGER);
  assert.equal(RangeRequest.decode(Uint8Array.from([0x18, ...Array<number>(9).fill(0x80), 0x01])).limit, Number.MIN_SAFE_INTEGER);
  assert.equal(StatusResponse.decode(Uint8Array.from([0x28, ...most, 0x01])).raftIndex, Number.MAX_SAFE_INTEGER);
});

test('a known field with another wire type is refused, an unknown one of any type is skipped', () => {
  refuses(PutRequest, [0x08, 0x01], 'malformed', /field 1 has wire type 0/);
  refuses(PutRequest, [0x1a, 0x00], 'malformed', /field 3 has wire type 2/);
  const unknown = [0x38, 0x01, 0x39, 1, 2, 3, 4, 5, 6, 7, 8, 0x3a, 0x02, 0, 0, 0x3b, 0x08, 0x01, 0x3c, 0x3d, 1, 2, 3, 4];
  assert.deepEqual(PutRequest.decode(Uint8Array.from([...unknown, 0x0a, 0x01, 0x6b])), PutRequest.create({ key: Uint8Array.of(0x6b) }));
  refuses(PutRequest, [0x3e], 'malformed', /wire type 6/);
  refuses(PutRequest, [0x3c], 'malformed', /wire type 4/);
  refuses(HashRequest, [0x02, 0x00], 'malformed', /number 0/);
  refuses(HashRequest, [0x3b, 0x44], 'malformed', /group 7 ends as group 8/);
});

test('nesting has a bound, of messages and of groups', () => {
  let deep: Uint8Array = new Uint8Array(0);
  // RequestOp { request_txn: TxnRequest { success: RequestOp ... } }
  for (let i = 0; i < 60; i++) deep = wrap(0x12, wrap(0x22, deep));
  refuses(TxnRequest, [...deep], 'too-deep', /nested more than 100 deep/);
  refuses(HashRequest, Array<number>(100_000).fill(0x0b), 'too-deep', /groups/);
});

function wrap(tag: number, bytes: Uint8Array): Uint8Array {
  assert.ok(bytes.length < 0x4000);
  return Uint8Array.from([tag, (bytes.length & 0x7f) | 0x80, bytes.length >> 7, ...bytes]);
}

test('a string is UTF-8', () => {
  refuses(health.HealthCheckRequest, [0x0a, 0x02, 0xc3, 0x28], 'malformed', /not UTF-8/);
});

test('repeated numbers are read packed and one by one', () => {
  assert.deepEqual(WatchCreateRequest.decode(Uint8Array.from([0x28, 0x01, 0x2a, 0x02, 0x00, 0x01, 0x28, 0x00])).filters, [1, 0, 1, 0]);
});

test('a message in a thousand pieces is put together without a cost that grows with their square', () => {
  // request_txn of one step, over and over: each piece adds to the same list.
  const piece = [0x22, 0x04, 0x12, 0x02, 0x0a, 0x00];
  const pieces = 100_000;
  const op = etcdserverpb.RequestOp.decode(Uint8Array.from({ length: pieces * piece.length }, (_, i) => piece[i % piece.length] as number));
  assert.equal(op.request?.case === 'requestTxn' ? op.request.value.success.length : 0, pieces);
});

test('what is decoded does not change with the bytes, nor with another message', () => {
  const bytes = mvccpb.KeyValue.encode(mvccpb.KeyValue.create({ key: new Uint8Array(100).fill(1), value: new Uint8Array(10).fill(2) }));
  const first = mvccpb.KeyValue.decode(bytes);
  bytes.fill(0xee);
  mvccpb.KeyValue.encode(mvccpb.KeyValue.create({ key: new Uint8Array(100).fill(9) }));
  assert.deepEqual([first.key, first.value], [new Uint8Array(100).fill(1), new Uint8Array(10).fill(2)]);
  assert.deepEqual(RangeRequest.decode(new Uint8Array(0)), RangeRequest.create());
});

const SCALE = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);

test('mutations of good messages throw nothing but ProtoError', () => {
  const seed = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);
  const random = seededRandom(seed);
  const maker = new MessageMaker(random);
  const root = loadRoot();
  const targets: MessageType<unknown>[] = [
    TxnRequest,
    etcdserverpb.TxnResponse,
    etcdserverpb.WatchResponse,
    peer.PeerBatch,
    StatusResponse,
    health.HealthListResponse,
  ];
  let refused = 0;
  for (const target of targets) {
    const theirs = root.lookupType(target.typeName);
    for (let n = 0; n < 1000 * SCALE; n++) {
      const bytes = mutate(target.encode(maker.message(theirs).ours), random);
      try {
        target.encode(target.decode(bytes));
      } catch (error) {
        if (!(error instanceof ProtoError))
          throw new Error(`${target.typeName}, DISTROKV_TEST_SEED=${seed}: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
        refused++;
      }
    }
  }
  assert.ok(refused > 500, `only ${refused} were refused`);
});

/** Changes, cuts out, repeats or adds bytes, a few times. */
function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out = [...bytes];
  for (let times = random.between(1, 4); times > 0; times--) {
    const at = random.below(out.length + 1);
    const some = random.between(1, 8);
    switch (random.below(5)) {
      case 0:
        out[at] = random.below(256);
        break;
      case 1:
        out.splice(at, some);
        break;
      case 2:
        out.splice(at, 0, ...out.slice(at, at + some));
        break;
      case 3:
        out.splice(at, 0, ...random.bytes(some));
        break;
      default:
        out = out.slice(0, at);
    }
  }
  return Uint8Array.from(out);
}
