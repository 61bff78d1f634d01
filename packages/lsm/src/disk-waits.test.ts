import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { DiskWaits } from './disk-waits.ts';

/** A disk of which every read takes what it is told, and turns of the event loop that end when they are told. */
function setUp(diskReads: () => number | undefined = () => undefined): { read: (ms: number) => boolean; endTurn: () => void } {
  let nowMs = 0;
  let deferred: (() => void)[] = [];
  const { timers } = createNodeEnv();
  const waits = new DiskWaits(
    { monotonicMs: () => nowMs, wallMs: () => 0 },
    { ...timers, defer: (callback) => void deferred.push(callback) },
    diskReads,
  );
  return {
    /** Whether it waited. */
    read(ms) {
      if (waits.begin() !== 'now') return false;
      nowMs += ms;
      waits.end();
      return true;
    },
    endTurn() {
      const callbacks = deferred;
      deferred = [];
      assert.ok(callbacks.length <= 1, 'one call is enough for a turn');
      for (const callback of callbacks) callback();
    },
  };
}

test('quick reads wait, for five milliseconds of a turn', () => {
  const { read, endTurn } = setUp();
  for (let turn = 0; turn < 3; turn++) {
    let waited = 0;
    for (let i = 0; i < 2000; i++) if (read(1 / 256)) waited++;
    assert.equal(waited, 1280);
    endTurn();
  }
});

test('after a slow read the next go to the background, more after a slower one', () => {
  for (const [ms, expected] of [
    [0.04, 0],
    [0.1, 50],
    [1, 500],
    [10_000, 4096],
  ] as const) {
    const { read, endTurn } = setUp();
    assert.ok(read(ms));
    endTurn();
    let background = 0;
    while (!read(0)) background++;
    assert.equal(background, expected, `after ${ms} ms`);
  }
});

test('a slow read of which the disk knows nothing sends none to the background, until there are too many of them', () => {
  let diskReads: number | undefined = 7;
  const { read, endTurn } = setUp(() => diskReads);
  const slowReads = (count: number): boolean[] =>
    Array.from({ length: count }, () => {
      endTurn();
      return read(4);
    });
  assert.deepEqual(slowReads(2), [true, false], 'whether it was the first one is not known');
  let background = 1;
  while (!read(0)) background++;
  assert.equal(background, 2000);
  for (let i = 0; i < 3; i++) {
    assert.ok(slowReads(7).every((waited) => waited));
    endTurn();
    assert.ok(read(0.003), 'a quick one');
  }
  assert.ok(slowReads(8).every((waited) => waited));
  assert.ok(!slowReads(1)[0], 'a disk that is not counted');
  while (!read(0));
  diskReads++;
  assert.deepEqual(slowReads(2), [true, false], 'a disk that is');
  while (!read(0));
  diskReads = undefined;
  assert.deepEqual(slowReads(2), [true, false], 'a host that does not say');
});

test('what has no time in a turn waits for the next one', async () => {
  let nowMs = 0;
  const { timers } = createNodeEnv();
  const waits = new DiskWaits({ monotonicMs: () => nowMs, wallMs: () => 0 }, timers, () => undefined);
  for (let turn = 0; turn < 3; turn++) {
    let reads = 0;
    for (; waits.begin() === 'now'; reads++) {
      nowMs += 1 / 256;
      waits.end();
    }
    assert.equal(reads, 1280);
    assert.equal(waits.begin(), 'next-turn');
    assert.equal(waits.nextTurn(), waits.nextTurn(), 'one promise for all who wait');
    await waits.nextTurn();
  }
});

test('however many reads miss the page cache, each waits in vain for two microseconds on average', () => {
  for (const missing of [0.001, 0.01, 0.1, 0.5, 1]) {
    const { read, endTurn } = setUp();
    const random = seededRandom(7);
    let inVainMs = 0;
    const reads = 100_000;
    for (let i = 0; i < reads; i++) {
      const isMiss = random.chance(missing);
      const ms = isMiss ? 0.06 + random.float() : 0.003;
      if (read(ms) && isMiss) inVainMs += ms;
      if (i % 100 === 0) endTurn();
    }
    assert.ok(inVainMs > 0 && inVainMs <= reads * 0.002 + 2, `${inVainMs} ms where ${missing} are missing`);
  }
});
