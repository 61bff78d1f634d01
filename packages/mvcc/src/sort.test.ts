// Sorting in steps sorts as `sort` does, and no step is long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { type Order, sortSteps } from './sort.ts';
import { runSteps } from './steps.ts';

interface Item {
  readonly rank: number;
  readonly place: number;
}

const byRank: Order<Item> = { compare: (a, b) => a.rank - b.rank, bytesOf: () => 0 };

test('it sorts as `sort` does: what compares alike stays in order', () => {
  const random = seededRandom(6);
  for (const count of [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 1000, 4097])
    for (const ranks of [1, 2, 10, count + 1]) {
      const items = Array.from({ length: count }, (_, place): Item => ({ rank: random.below(ranks), place }));
      const expected = items.toSorted(byRank.compare);
      assert.deepEqual(runSteps(sortSteps(items, byRank)), expected, `${count} items of ${ranks} ranks`);
    }
  for (const sign of [1, -1]) {
    const items = Array.from({ length: 1000 }, (_, place): Item => ({ rank: sign * place, place }));
    assert.deepEqual(runSteps(sortSteps(items, byRank)), items.toSorted(byRank.compare));
  }
});

test('no step compares more than 256 times, or fewer where there is much to look at', () => {
  const random = seededRandom(7);
  const items = Array.from({ length: 50_000 }, (_, place): Item => ({ rank: random.below(1_000_000), place }));
  for (const [bytes, most] of [
    [0, 256],
    [1 << 20, 1],
  ] as const) {
    let compared = 0;
    const steps = sortSteps(items.slice(0, bytes === 0 ? 50_000 : 1000), {
      compare: (a, b) => (compared++, a.rank - b.rank),
      bytesOf: () => bytes,
    });
    for (let step = steps.next(); step.done !== true; step = steps.next()) {
      assert.ok(compared <= most, `${compared} comparisons in a step`);
      compared = 0;
    }
  }
});
