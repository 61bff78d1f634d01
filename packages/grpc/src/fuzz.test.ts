// Bytes of every kind against the reading of messages and of protobuf: what is whole comes out whole, however it is cut; what
// is not ends in a GrpcError, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { concatBytes, hex, type Random, seededRandom } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import { GrpcError } from './status.ts';
import { MessageBuffer, decodeRequest, frame } from './wire/framing.ts';
import { percentDecode, percentEncode, statusOf } from './wire/trailers.ts';
import { parseTimeout } from './wire/timeout.ts';

const SEED = Number(process.env['DISTROKV_TEST_SEED'] ?? 1);
const SCALE = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);
const INPUTS = 25_000 * SCALE;
const MAX_BYTES = 4000;

function cut(random: Random, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = random.chance(0.3) ? 1 : random.between(1, 1 + random.below(bytes.length));
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function messages(buffer: MessageBuffer, pieces: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (const piece of pieces) {
    buffer.push(piece);
    for (let message = buffer.next(); message !== undefined; message = buffer.next()) out.push(message.slice());
  }
  return out;
}

function requestOf(random: Random): pb.PutRequest {
  const large = random.chance(0.02);
  return pb.PutRequest.create({
    key: random.bytes(random.below(large ? 1000 : 20)),
    value: random.bytes(random.below(large ? 3000 : 60)),
    lease: BigInt(random.uint32()),
    prevKv: random.chance(0.5),
  });
}

test('messages come out as they went in, however they are cut', () => {
  for (let n = 0; n < INPUTS / 5; n++) {
    const random = seededRandom(SEED * 1_000_003 + n);
    const sent = Array.from({ length: random.between(1, 5) }, () => requestOf(random));
    const packed = random.chance(0.1);
    const bytes = concatBytes(
      sent.map((request) => {
        if (!packed) return frame(pb.PutRequest, request);
        const body = gzipSync(pb.PutRequest.encode(request));
        return concatBytes([Uint8Array.of(1, 0, 0, body.length >> 8, body.length & 255), body]);
      }),
    );
    const buffer = new MessageBuffer(MAX_BYTES * 2, { compression: packed ? 'gzip' : 'identity' });
    const got = messages(buffer, cut(random, bytes)).map((message) => pb.PutRequest.decode(message, true));
    assert.deepEqual(got, sent, `input ${n} of seed ${SEED}`);
    assert.equal(buffer.isWithinMessage, false);
  }
});

test('a large message is gathered whole, and what follows it too', () => {
  for (let n = 0; n < 200; n++) {
    const random = seededRandom(SEED * 7919 + n);
    const sizes = [random.below(200), 60_000 + random.below(300_000), random.below(200), 65_536];
    const sent = sizes.map((size) => pb.PutRequest.create({ value: new Uint8Array(size).fill(n + size) }));
    const bytes = concatBytes(sent.map((request) => frame(pb.PutRequest, request)));
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = random.between(1, 40_000);
      pieces.push(bytes.slice(at, at + length));
      at += length;
    }
    const buffer = new MessageBuffer(1 << 20, { compression: 'identity' });
    const got: pb.PutRequest[] = [];
    for (const piece of pieces) {
      buffer.push(piece);
      piece.fill(0xee); // it is valid during the call only
      for (let message = buffer.next(); message !== undefined; message = buffer.next()) got.push(pb.PutRequest.decode(message, true));
    }
    assert.deepEqual(got, sent, `input ${n} of seed ${SEED}`);
  }
});

test('mutated bytes end in messages or in a GrpcError', () => {
  let refused = 0;
  for (let n = 0; n < INPUTS; n++) {
    const random = seededRandom(SEED * 2_000_003 + n);
    const bytes = concatBytes(Array.from({ length: random.between(1, 3) }, () => frame(pb.PutRequest, requestOf(random)))).slice();
    for (let i = random.between(1, 4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    const input = random.chance(0.3) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
    const buffer = new MessageBuffer(MAX_BYTES, { compression: random.chance(0.5) ? 'gzip' : 'identity' });
    try {
      for (const message of messages(buffer, cut(random, input))) decodeRequest(pb.PutRequest, message);
      assert.ok(buffer.bytes <= input.length);
    } catch (error) {
      refused++;
      assert.ok(error instanceof GrpcError, `input ${n} of seed ${SEED}: ${hex(input)}: ${String(error)}`);
    }
  }
  assert.ok(refused > INPUTS / 20 && refused < INPUTS, `${refused} of ${INPUTS} were refused`);
});

test('headers of every kind have a meaning, or none', () => {
  for (let n = 0; n < INPUTS; n++) {
    const random = seededRandom(SEED * 3_000_017 + n);
    const text = String.fromCharCode(...Array.from({ length: random.below(12) }, () => random.below(random.chance(0.5) ? 128 : 0x3000)));
    assert.equal(percentDecode(percentEncode(text)), text);
    const latin = String.fromCharCode(...random.bytes(random.below(12)));
    percentDecode(latin);
    const timeout = parseTimeout(latin);
    assert.ok(timeout === undefined || (timeout >= 0 && timeout < 2 ** 31));
    assert.ok(statusOf(['grpc-status', latin, 'grpc-message', latin]) instanceof GrpcError || latin === '0');
  }
});
