// Heads only make a search shorter: it ends where it would have ended without them.
import assert from 'node:assert/strict';
import { type Random, compareBytes } from '@distrokv/base';
import { BlockBuilder } from './block-builder.ts';
import { BlockCache } from './block-cache.ts';
import { BlockCursor } from './block-cursor.ts';
import { Block, MAX_HEADED_BYTES } from './block.ts';
import { NEWEST } from './cursor.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { Memtable } from './memtable.ts';
import { seededTest } from './testing/seeds.ts';

/** Few letters, zero among them, so that keys begin with each other, share long beginnings, and have equal heads. */
function randomKey(random: Random, beginning: Uint8Array): Uint8Array {
  const rest = Uint8Array.from({ length: random.below(random.chance(0.5) ? 4 : 20) }, () => random.below(3));
  return Uint8Array.of(1, ...beginning.subarray(0, random.chance(0.9) ? beginning.length : random.below(beginning.length + 1)), ...rest);
}

function randomBlock(random: Random, beginning: Uint8Array, valueBytes: number): Uint8Array {
  const memtable = new Memtable(1 << 16);
  const versions = random.chance(0.5) ? 3 : 40;
  for (let i = 1 + random.below(200); i > 0; i--) {
    const key = randomKey(random, beginning);
    for (let version = random.below(versions); version >= 0; version -= 1 + random.below(3)) {
      memtable.insert(1, key, 1, key.length, version, random.chance(0.2), new Uint8Array(valueBytes), 0, random.below(valueBytes + 1));
    }
  }
  memtable.publish();
  const builder = new BlockBuilder(4096);
  const cursor = new MemtableCursor(memtable);
  const last = { key: new Uint8Array(0), version: -1 };
  for (cursor.seek(Uint8Array.of(1), NEWEST); cursor.valid; cursor.next()) {
    const key = cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
    if (compareBytes(key, last.key) === 0 && cursor.version === last.version) continue;
    Object.assign(last, { key, version: cursor.version });
    builder.add(cursor);
  }
  return builder.finish().slice();
}

function found(cursor: BlockCursor, isOfKey: boolean): unknown {
  if (!cursor.valid) return { isOfKey };
  const key = cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd).join();
  const { version, tombstone, valueStart, valueEnd } = cursor;
  return { isOfKey, key, version, tombstone, valueStart, valueEnd };
}

seededTest('a search by heads ends where one by restarts does, and goes on from there', 60, (random) => {
  const beginning = Uint8Array.from({ length: random.below(16) }, () => random.below(3));
  // Now and then a block that is too large for heads.
  const bytes = randomBlock(random, beginning, random.chance(0.05) ? 20_000 : random.below(20));
  const headed = Block.of(bytes, 'x', 0);
  const [plainCursor, headedCursor] = [new BlockCursor(), new BlockCursor()];
  for (let i = 0; i < 200; i++) {
    const key = randomKey(random, beginning);
    const version = random.chance(0.3) ? NEWEST : random.below(40);
    const plainBlock = Block.of(bytes, 'x', 0);
    const expected = found(plainCursor, plainCursor.seekInBlock(plainBlock, key, key.length, version));
    assert.deepEqual(found(headedCursor, headedCursor.seekInBlock(headed, key, key.length, version)), expected);
    assert.equal(plainBlock.hasHeads, false);
    assert.equal(headed.hasHeads, i > 0 && headed.restartsAt <= MAX_HEADED_BYTES);
    for (let steps = random.below(4); steps > 0 && headedCursor.valid; steps--) {
      const forward = random.chance(0.5);
      for (const cursor of [plainCursor, headedCursor]) {
        if (forward) cursor.nextInBlock();
        else cursor.prevInBlock();
      }
      assert.deepEqual(found(headedCursor, true), found(plainCursor, true));
    }
  }
});

seededTest('heads count as memory of their block, and others leave for them', 1, (random) => {
  const bytes = randomBlock(random, Uint8Array.of(1, 2), 10);
  // Two blocks and the heads of one; and a quarter is kept for memory to be read into.
  const bound = Math.ceil(4 * (bytes.length + 400));
  const cache = new BlockCache(bound);
  const parent = Block.of(bytes, 'index', 0);
  cache.addMetadata(parent, [undefined], 0, 0);
  const blocks = [0, 1].map((i) => {
    const block = Block.of(bytes, 'x', i);
    cache.addData(block, parent, i, bytes.length, i);
    return block;
  });
  const before = cache.dataBytes;
  const cursor = new BlockCursor();
  for (let i = 0; i < 2; i++) cursor.seekInBlock(blocks[0] as Block, Uint8Array.of(1, 2), 2, NEWEST);
  assert.ok(cache.dataBytes > before + 8 * (blocks[0] as Block).entries);
  for (let i = 0; i < 2; i++) cursor.seekInBlock(blocks[1] as Block, Uint8Array.of(1, 2), 2, NEWEST);
  assert.ok(cache.dataBytes + cache.metadataBytes <= bound);
});
