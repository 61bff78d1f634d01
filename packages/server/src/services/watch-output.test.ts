// The messages of streams of watchers, whoever shares them: what goes out is what the codec would have written, one after the other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, seededRandom, utf8 } from '@distrokv/base';
import type { MessageMemory } from '@distrokv/grpc';
import { etcdserverpb as pb, mvccpb } from '@distrokv/proto';
import { WatchCopies } from './watch-copies.ts';
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
      memory: new Memory(random),
      copies: new WatchCopies(),
    });
    for (let batch = 0; batch < 9; batch++) {
      const response = responseOf(random);
      const header = pb.WatchResponse.encode(pb.WatchResponse.create({ header: response.header }));
      const events = pb.WatchResponse.encode(pb.WatchResponse.create({ events: response.events }));
      for (let count = random.below(200); count > 0; count--) {
        const watchId = random.below(3) === 0 ? (IDS[random.below(IDS.length)] as number) : count;
        output.addEvents({ header, events }, [{ tag: watchId }], 0, 1);
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

test('streams whose watchers have the same ids send the same memory, and it is used again when all of them have written it', () => {
  const random = seededRandom(11);
  const memory = new Memory(random);
  const copies = new WatchCopies();
  let [emitted, made] = [0, 0];
  const streams = Array.from({ length: 6 }, () => {
    const stream = {
      waiting: [] as Uint8Array[],
      written: [] as Uint8Array[],
      expected: [] as Uint8Array[],
      // What is not written to the end before the next go is written later.
      write(count: number) {
        for (const piece of stream.waiting.splice(0, count)) {
          stream.written.push(piece.slice());
          if (piece.length > 16 << 10) memory.giveBack(piece);
        }
      },
      output: new WatchOutput({ emit: (messages) => void (stream.waiting.push(messages), emitted++), memory, copies }),
    };
    return stream;
  });
  for (let go = 0; go < 30; go++) {
    const response = responseOf(random);
    const header = pb.WatchResponse.encode(pb.WatchResponse.create({ header: response.header }));
    const events = pb.WatchResponse.encode(pb.WatchResponse.create({ events: response.events }));
    const count = 1 + random.below(400);
    for (const { output, expected } of streams) {
      // Most of them have the same watchers, in the same order.
      const skipped = random.below(4) === 0 ? random.below(count) : -1;
      for (let watchId = 0; watchId < count; watchId++) {
        if (watchId === skipped) continue;
        output.addEvents({ header, events }, [{ tag: watchId }], 0, 1);
        expected.push(framed({ ...response, watchId }));
      }
    }
    for (const stream of streams) if (random.below(8) > 0) stream.output.flush();
    made += copies.size;
    copies.clear();
    for (const stream of streams) stream.write(random.below(4));
  }
  for (const stream of streams) {
    stream.output.flush();
    copies.clear();
    stream.write(Infinity);
    assert.ok(Buffer.concat(stream.written).equals(Buffer.concat(stream.expected)));
  }
  assert.ok(made < emitted / 2, `${emitted} pieces, of which ${made} were made`);
  assert.ok(memory.allocated > 10);
  assert.equal(memory.inUse, 0, 'all memory came back');
});

/** Memory that is spoilt before anybody uses it, and when nobody does any more. */
class Memory implements MessageMemory {
  readonly #random: Random;
  readonly #users = new Map<ArrayBufferLike, number>();
  allocated = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get inUse(): number {
    return this.#users.size;
  }

  allocate(bytes: number): Uint8Array | undefined {
    if (this.#random.below(2) === 0) return undefined;
    const memory = new Uint8Array(bytes).fill(0xee);
    this.#users.set(memory.buffer, 1);
    this.allocated++;
    return memory;
  }

  share({ buffer }: Uint8Array): void {
    const users = this.#users.get(buffer);
    if (users !== undefined) this.#users.set(buffer, users + 1);
  }

  giveBack({ buffer }: Uint8Array): void {
    const users = this.#users.get(buffer);
    if (users === undefined) return;
    if (users > 1) this.#users.set(buffer, users - 1);
    else {
      this.#users.delete(buffer);
      new Uint8Array(buffer).fill(0xdd);
    }
  }
}

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
