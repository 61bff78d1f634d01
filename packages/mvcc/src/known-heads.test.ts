import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, revision, seededRandom } from '@distrokv/base';
import { KnownHeads, UNKNOWN } from './known-heads.ts';
import { RecordHead } from './record.ts';

interface Plain {
  readonly createRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

function headOf({ createRevision, version, lease }: Plain): RecordHead {
  return Object.assign(new RecordHead(), { createRevision: revision(createRevision), version, lease });
}

/** What is known of a key; undefined if nothing. */
function recall(known: KnownHeads, key: Uint8Array): Plain | undefined {
  const place = known.find(key, 0, key.length);
  if (place === UNKNOWN) return undefined;
  const head = new RecordHead();
  known.read(place, head);
  const { createRevision, version, lease } = head;
  return { createRevision, version, lease };
}

const LEASES = [0n, 0n, 1n, -1n, 1n << 32n, -(1n << 63n), (1n << 63n) - 1n];
const LENGTHS = [0, 1, 3, 4, 5, 12, 16, 60, 1024, 1025];

const pick = <T>(from: readonly T[], random: Random): T => from[random.below(from.length)] as T;

/** Few keys, alike in all but a byte, and so many lengths that the ring ends at every place of an entry. */
function keyOf(random: Random): Uint8Array {
  const key = new Uint8Array(pick(LENGTHS, random)).fill(7);
  if (key.length > 0) key[random.below(key.length)] = random.below(3);
  return key;
}

for (const [bytes, first] of [
  [2048, 2048],
  [4096, 4096],
  [1 << 16, 1 << 16],
  [1 << 17, 2048],
] as const) {
  test(`what is known of a key is what it has, while a ring of ${first} to ${bytes} bytes comes round`, () => {
    const random = seededRandom(bytes);
    const known = new KnownHeads(bytes, first);
    const model = new Map<string, Plain>();
    const ring = new Set<string>();
    let hits = 0;
    for (let i = 0; i < 20_000; i++) {
      const key = keyOf(random);
      const name = Buffer.from(key).toString('hex');
      const found = recall(known, key);
      if (found !== undefined) {
        hits++;
        assert.ok(ring.has(name), 'nothing is known of a key that was never added');
        const expected = model.get(name);
        if (expected === undefined) assert.equal(found.version, 0, 'the key was deleted');
        else assert.deepEqual(found, expected);
      }
      if (random.chance(0.2)) {
        known.clear(key);
        model.delete(name);
        continue;
      }
      const next = { createRevision: random.below(2 ** 40), version: 1 + random.below(2 ** 40), lease: pick(LEASES, random) };
      // Inside of something larger, as a key lies in a command.
      const inside = Uint8Array.of(9, ...key, 9, 9);
      const place = known.find(inside, 1, 1 + key.length);
      if (place === UNKNOWN) known.add(inside, 1, 1 + key.length, headOf(next));
      else known.write(place, headOf(next));
      model.set(name, next);
      ring.add(name);
      if (key.length <= 1024) assert.deepEqual(recall(known, key), next, 'what was just written is known');
    }
    assert.ok(hits > 2000, `${hits} of 20,000`);
  });
}

test('as many short keys as it is made for are known, and the oldest go first', () => {
  const known = new KnownHeads(1 << 20, 1 << 20);
  const keyAt = (i: number): Uint8Array => Buffer.from(`key-of-16-bytes-${i}`.slice(-16));
  const head = headOf({ createRevision: 1, version: 1, lease: 0n });
  const count = (from: number, to: number): number => {
    let sum = 0;
    for (let i = from; i < to; i++) if (known.find(keyAt(i), 0, 16) !== UNKNOWN) sum++;
    return sum;
  };
  for (let i = 0; i < 20_000; i++) known.add(keyAt(i), 0, 16, head);
  assert.ok(count(0, 20_000) > 18_000, `${count(0, 20_000)} of 20,000`);
  for (let i = 20_000; i < 40_000; i++) known.add(keyAt(i), 0, 16, head);
  assert.equal(count(0, 18_000), 0);
  assert.ok(count(20_000, 40_000) > 18_000, `${count(20_000, 40_000)} of 20,000`);
});
