// The messages of a stream of watchers, whoever shares them: what goes out is what the codec would have written, one after the other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import { etcdserverpb as pb, mvccpb } from '@distrokv/proto';
import { WatchOutput } from './watch-output.ts';

const IDS = [0, 1, 100, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 53 - 1, -1, -7, -(2 ** 53 - 1)];

function responseOf(random: Random): pb.WatchResponse {
  const event = (): mvccpb.Event => {
    const value = new Uint8Array(random.below(40) === 0 ? 40_000 : random.below(500)).fill(random.below(256));
    return mvccpb.Event.create({ kv: mvccpb.KeyValue.create({ key: utf8('k'), value, modRevision: random.below(1e9) }) });
  };
  const header = { clusterId: 1n, memberId: 2n, revision: random.below(1e9), raftTerm: 3 } as unknown as pb.ResponseHeader;
  return pb.WatchResponse.create({ header, events: Array.from({ length: 1 + random.below(3) }, event) });
}

test('what a stream sends is what was added, in order, whatever ids the watchers have and however many are given the same', () => {
  const random = seededRandom(7);
  for (let round = 0; round < 12; round++) {
    const sent: Uint8Array[] = [];
    const expected: Uint8Array[] = [];
    const output = new WatchOutput({
      emit: (messages) => sent.push(messages),
      allocate: (bytes) => (random.below(2) === 0 ? new Uint8Array(bytes).fill(0xee) : undefined),
    });
    for (let batch = 0; batch < 9; batch++) {
      const response = responseOf(random);
      const header = pb.WatchResponse.encode(pb.WatchResponse.create({ header: response.header }));
      const events = pb.WatchResponse.encode(pb.WatchResponse.create({ events: response.events }));
      for (let count = random.below(200); count > 0; count--) {
        const watchId = random.below(3) === 0 ? (IDS[random.below(IDS.length)] as number) : count;
        output.addEvents(header, watchId, events);
        expected.push(framed({ ...response, watchId }));
        if (random.below(50) > 0) continue;
        const canceled = pb.WatchResponse.create({ watchId, canceled: true });
        output.add(canceled);
        expected.push(framed(canceled));
      }
      assert.equal(bytesIn(sent) + output.pendingBytes, bytesIn(expected), 'it says what waits');
      if (random.below(2) === 0) continue;
      output.flush();
      assert.equal(output.pendingBytes, 0);
    }
    output.flush();
    assert.ok(Buffer.concat(sent).equals(Buffer.concat(expected)));
  }
});

function framed(response: pb.WatchResponse): Uint8Array {
  const body = pb.WatchResponse.encode(response);
  const bytes = Buffer.alloc(5 + body.length);
  bytes.writeUInt32BE(body.length, 1);
  bytes.set(body, 5);
  return bytes;
}

function bytesIn(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
