import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockCache, type BlockSlots, CachedBlock } from './block-cache.ts';

/** A payload that passes for a block: one restart at 0. */
const payload = new Uint8Array(1000);
payload[996] = 1;

function add(cache: BlockCache, slots: BlockSlots, slot: number): void {
  cache.add(new CachedBlock(payload, 'table', 0, slots, slot));
}

function present(slots: BlockSlots): number[] {
  return slots.flatMap((block, slot) => (block === undefined ? [] : [slot]));
}

test('the cache keeps its bound; the oldest go first, but for those that were used', () => {
  const cache = new BlockCache(5000);
  const slots: BlockSlots = new Array<undefined>(10).fill(undefined);
  for (let slot = 0; slot < 4; slot++) add(cache, slots, slot);
  assert.deepEqual(present(slots), [0, 1, 2, 3]);
  (slots[0] as CachedBlock).used = true;
  add(cache, slots, 4);
  add(cache, slots, 5);
  assert.deepEqual(present(slots), [0, 3, 4, 5]);
  assert.ok(cache.byteLength <= 5000 && cache.byteLength > 4000);
});

test('a table that closes leaves the cache; a block that is read twice is there once; a cache of nothing holds nothing', () => {
  const cache = new BlockCache(50_000);
  const [one, two]: [BlockSlots, BlockSlots] = [[undefined, undefined], [undefined]];
  for (const [slots, slot] of [
    [one, 0],
    [one, 1],
    [one, 1],
    [two, 0],
  ] as const)
    add(cache, slots, slot);
  const all = cache.byteLength;
  cache.drop(one);
  assert.deepEqual([present(one), present(two)], [[], [0]]);
  assert.equal(cache.byteLength * 3, all);
  const none = new BlockCache(0);
  add(none, one, 0);
  assert.deepEqual([present(one), none.byteLength], [[], 0]);
});

test('what tables keep in memory comes first, and blocks make room for it', () => {
  const cache = new BlockCache(5000);
  const slots: BlockSlots = new Array<undefined>(10).fill(undefined);
  for (let slot = 0; slot < 4; slot++) add(cache, slots, slot);
  cache.pin(3000);
  assert.deepEqual(present(slots), [3]);
  cache.pin(3000);
  add(cache, slots, 4);
  assert.deepEqual([present(slots), cache.byteLength, cache.pinnedBytes], [[], 0, 6000]);
  cache.unpin(6000);
  add(cache, slots, 5);
  assert.deepEqual([present(slots), cache.pinnedBytes], [[5], 0]);
});
