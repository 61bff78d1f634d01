// Long answers that are encoded in slices are the same bytes as in one go, and no slice is long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revision } from '@distrokv/base';
import type { Steps } from '@distrokv/mvcc';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type Encoded, encodedLeases, encodedRange, mayBeEncoded } from './encoded.ts';

const HEADROOM = 5;
const header = pb.ResponseHeader.create({ clusterId: 1n, memberId: 2n, revision: 3, raftTerm: 4 });

function pairs(count: number, valueBytes: number): mvccpb.KeyValue[] {
  const value = Buffer.alloc(valueBytes, 'v');
  const at = revision(7);
  return Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(`k${i}`),
    value,
    createRevision: at,
    modRevision: at,
    version: i + 1,
    lease: BigInt(i % 3),
  }));
}

/** The result, and how many steps it took. */
function run<T>(steps: Steps<T>): { readonly result: T; readonly count: number } {
  for (let count = 1; ; count++) {
    const step = steps.next();
    if (step.done === true) return { result: step.value, count };
  }
}

test('a range is encoded as in one go, whatever its size', () => {
  const type = mayBeEncoded(pb.RangeResponse);
  for (const [count, valueBytes] of [
    [0, 0],
    [1, 10],
    [4096, 0],
    [4097, 0],
    [5120, 3],
    [10_000, 100],
    [3, 3 << 20],
    [700, 9_000],
  ] as const) {
    const response = pb.RangeResponse.create({ header, kvs: pairs(count, valueBytes), more: count % 2 === 1, count });
    const { result } = run(encodedRange(response));
    const bytes = type.encode(result, HEADROOM);
    assert.ok(bytes.length > HEADROOM || count === 0);
    assert.ok(Buffer.from(bytes.subarray(HEADROOM)).equals(pb.RangeResponse.encode(response)), `${count} pairs of ${valueBytes} bytes`);
  }
});

test('a list of leases is encoded as in one go', () => {
  const type = mayBeEncoded(pb.LeaseLeasesResponse);
  for (const count of [0, 1, 4096, 4097, 4608, 100_000]) {
    const ids = Array.from({ length: count }, (_, i) => BigInt(i) - 7n);
    const { result } = run(encodedLeases(header, ids));
    const whole = pb.LeaseLeasesResponse.encode({ header, leases: ids.map((id) => ({ id })) });
    assert.ok(Buffer.from(type.encode(result)).equals(whole), `${count} leases`);
  }
});

test('no step is of more than 512 items, or of more than a mebibyte and one value', () => {
  const stepsOf = (steps: Steps<pb.RangeResponse | Encoded>): number => run(steps).count;
  const range = (count: number, valueBytes: number): Steps<pb.RangeResponse | Encoded> =>
    encodedRange(pb.RangeResponse.create({ header, kvs: pairs(count, valueBytes), count }));
  // Each part is encoded in a step, and copied in another.
  assert.ok(stepsOf(range(100_000, 1)) >= 2 * Math.floor(100_000 / 512));
  assert.ok(stepsOf(range(40, 1 << 19)) >= 2 * 20);
  assert.ok(
    run(
      encodedLeases(
        header,
        Array.from({ length: 100_000 }, (_, i) => BigInt(i)),
      ),
    ).count >=
      2 * Math.floor(100_000 / 512),
  );
});
