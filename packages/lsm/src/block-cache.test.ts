import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockCache, CachePiece, type Slots } from './block-cache.ts';

const PIECE_BYTES = 1000;

function slots(count: number): Slots<CachePiece> {
  return new Array<undefined>(count).fill(undefined);
}

/** A page of an index, in the cache. */
function addPage(cache: BlockCache, into: Slots<CachePiece>, slot: number): CachePiece {
  const page = new CachePiece();
  cache.addMetadata(page, into, slot, PIECE_BYTES);
  return page;
}

/** A block of the page, one of ten, that is missed. */
function miss(cache: BlockCache, page: CachePiece, slot: number): CachePiece {
  const block = new CachePiece();
  cache.addData(block, page, slot, PIECE_BYTES, Math.imul(slot + 1, 0x9e3779b1));
  return block;
}

/** Missed as often as it takes until it is there. */
function addBlock(cache: BlockCache, page: CachePiece, slot: number): void {
  miss(cache, page, slot);
  if (page.children?.has(slot) !== true) miss(cache, page, slot);
}

function present(pieces: Slots<CachePiece> | undefined): number[] {
  return (pieces ?? []).flatMap((piece, slot) => (piece === undefined ? [] : [slot]));
}

/** The blocks of a page, by their numbers. */
function numbers({ children }: CachePiece): number[] {
  return [...(children?.keys() ?? [])].sort((a, b) => a - b);
}

test('the cache keeps its bound; the oldest go first, but for those that were used', () => {
  const cache = new BlockCache(9000);
  const page = addPage(cache, slots(1), 0);
  for (let slot = 0; slot < 4; slot++) addBlock(cache, page, slot);
  assert.deepEqual(numbers(page), [0, 1, 2, 3]);
  const oldest = page.children?.get(0);
  if (oldest !== undefined) oldest.used = true;
  addBlock(cache, page, 4);
  addBlock(cache, page, 5);
  assert.deepEqual(numbers(page), [0, 3, 4, 5]);
  assert.ok(cache.dataBytes + cache.metadataBytes <= 7500 && cache.dataBytes > 4000);
});

test('a block that would push out another is kept when it is missed for the second time', () => {
  const cache = new BlockCache(9000);
  const page = addPage(cache, slots(1), 0);
  for (let slot = 0; slot < 4; slot++) miss(cache, page, slot);
  assert.deepEqual(numbers(page), [0, 1, 2, 3], 'while there is room, at once');
  for (let slot = 10; slot < 20; slot++) miss(cache, page, slot);
  assert.deepEqual(numbers(page), [0, 1, 2, 3], 'a scan pushes nothing out');
  miss(cache, page, 19);
  assert.deepEqual(numbers(page), [1, 2, 3, 19]);
  for (let slot = 1000; slot < 2000; slot++) miss(cache, page, slot);
  miss(cache, page, 18);
  assert.deepEqual(numbers(page), [1, 2, 3, 19], 'a miss of long ago is forgotten');
});

test('the memory of a block that passes is given back when the next one passes, or when it is let go', () => {
  const cache = new BlockCache(9000);
  const page = addPage(cache, slots(1), 0);
  for (let slot = 0; slot < 4; slot++) miss(cache, page, slot);
  const free = (): number => cache.memory.freeBytes;
  const passing = (slot: number, holders: number): CachePiece => {
    const block = new CachePiece();
    block.lieIn(cache.memory.take(PIECE_BYTES), cache.memory);
    block.hold(holders);
    cache.addData(block, page, slot, PIECE_BYTES, Math.imul(slot + 1, 0x9e3779b1));
    return block;
  };
  passing(20, 0);
  assert.equal(free(), 0, 'it is still looked at');
  const held = passing(21, 1);
  assert.equal(free(), 1024, 'the first one');
  passing(22, 0);
  assert.equal(free(), 0, 'that took its memory, and the one before is held');
  held.letGo();
  assert.equal(free(), 1024);
  passing(23, 0);
  passing(24, 0);
  assert.equal(free(), 1024, 'they take turns with two pieces of memory');
  const kept = passing(24, 0);
  assert.equal(page.children?.get(24), kept);
  passing(25, 0);
  passing(26, 0);
  assert.notEqual(kept.memoryBytes, 0, 'what was kept keeps its memory');
});

test('a page that leaves takes its blocks along, and one that has left gets none', () => {
  const cache = new BlockCache(50_000);
  const index = slots(2);
  const [one, two] = [addPage(cache, index, 0), addPage(cache, index, 1)];
  addBlock(cache, one, 0);
  addBlock(cache, one, 1);
  addBlock(cache, one, 1);
  addBlock(cache, two, 0);
  const all = cache.dataBytes;
  const replacement = addPage(cache, index, 0);
  assert.deepEqual([numbers(one), numbers(two), present(index)], [[], [0], [0, 1]]);
  assert.equal(cache.dataBytes * 3, all, 'a block that was read twice was there once');
  addBlock(cache, one, 0);
  assert.equal(cache.dataBytes * 3, all);
  addBlock(cache, replacement, 0);
  cache.drop(index);
  assert.deepEqual([cache.dataBytes, cache.metadataBytes], [0, 0], 'a table that closes leaves the cache');
  const none = new BlockCache(0);
  addBlock(none, addPage(none, index, 0), 0);
  assert.deepEqual([present(index), none.dataBytes, none.metadataBytes], [[], 0, 0]);
});

test('data leaves before metadata, until that has more than its share', () => {
  const cache = new BlockCache(28_700);
  const index = slots(50);
  const first = addPage(cache, index, 0);
  for (let slot = 0; slot < 10; slot++) addBlock(cache, first, slot);
  for (let slot = 1; slot < 12; slot++) addPage(cache, index, slot);
  assert.equal(present(index).length, 12);
  assert.ok(numbers(first).length < 10);
  for (let round = 0; round < 10; round++) {
    for (let slot = 12; slot < 50; slot++) {
      first.used = true;
      addPage(cache, index, slot);
      addBlock(cache, first, slot % 10);
    }
  }
  assert.ok(cache.metadataBytes <= 16_500, `${cache.metadataBytes}`);
  assert.ok(cache.dataBytes > 3000 && cache.dataBytes + cache.metadataBytes <= 23_000, `${cache.dataBytes}`);
  assert.equal(index[0], first, 'what is used stays');
});

test('what is pinned comes first, and everything else makes room for it', () => {
  const cache = new BlockCache(7500);
  const index = slots(1);
  const page = addPage(cache, index, 0);
  for (let slot = 0; slot < 4; slot++) addBlock(cache, page, slot);
  cache.pin(3000);
  assert.ok(cache.dataBytes + cache.metadataBytes <= 6000);
  cache.pin(4000);
  addPage(cache, index, 0);
  assert.deepEqual([present(index), cache.dataBytes, cache.metadataBytes], [[], 0, 7000]);
  cache.unpin(7000);
  addPage(cache, index, 0);
  assert.deepEqual(present(index), [0]);
});
