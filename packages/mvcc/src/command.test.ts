import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { ProtoError, etcdserverpb as pb } from '@distrokv/proto';
import { decodeCommand, encodeCommand } from './command.ts';
import { StoreError } from './errors.ts';

const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

test('a put reads back from anywhere, however long its key and value are', () => {
  const random = seededRandom(7);
  const lengths = [0, 1, 16, 63, 64, 65, 127, 128, 129, 300, 16_383, 16_384, 16_385, 70_000, (1 << 21) - 1, 1 << 21, (1 << 21) + 1];
  for (const keyLength of lengths.slice(0, 10)) {
    for (const valueLength of lengths) {
      const request = pb.PutRequest.create({ key: random.bytes(keyLength), value: random.bytes(valueLength) });
      if (random.chance(0.2)) Object.assign(request, { lease: -5n, prevKv: true });
      const command = encodeCommand({ kind: 'put', request });
      const inside = Buffer.concat([random.bytes(3), command, random.bytes(9)]);
      const read = decodeCommand(inside, 3, 3 + command.length);
      assert.ok(read.kind === 'put');
      assert.deepEqual({ ...read.request, key: plain(read.request.key), value: plain(read.request.value) }, request);
    }
  }
});

test('a put with changed bytes is refused, or is what protobuf says it is', () => {
  const random = seededRandom(8);
  for (let i = 0; i < 20_000; i++) {
    const request = pb.PutRequest.create({ key: random.bytes(random.below(70)), value: random.bytes(random.below(200)) });
    const bytes = Uint8Array.from(encodeCommand({ kind: 'put', request }));
    for (let n = random.below(3); n >= 0; n--) bytes[random.between(1, Math.min(bytes.length, 8))] = random.below(256);
    const cut = bytes.subarray(0, bytes.length - (random.chance(0.2) ? random.below(bytes.length) : 0));
    const outcome = (work: () => pb.PutRequest): unknown => {
      try {
        const { key, value, ...rest } = work();
        return { key: plain(key), value: plain(value), ...rest };
      } catch (error) {
        assert.ok(error instanceof ProtoError || error instanceof StoreError, String(error));
        return 'refused';
      }
    };
    const read = outcome(() => decodeCommand(cut).request as pb.PutRequest);
    assert.deepEqual(
      read,
      outcome(() => {
        if (cut[0] !== 1) throw new StoreError('corrupt', 'no put');
        return pb.PutRequest.decode(cut.subarray(1));
      }),
    );
  }
});
