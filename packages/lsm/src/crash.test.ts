// No crash loses what was acknowledged, whatever it leaves of the disk: testing/crash-images.ts says how that is tried.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WalMode } from './engine.ts';
import type { CrashTask } from './testing/crash-images.ts';
import { inThreads } from './testing/in-threads.ts';
import { scale } from './testing/scale.ts';

/** Of each crash point, for each of the two modes that leave things to chance. */
const IMAGES = 12;
/** Into so many parts the crash points of a mode are dealt. */
const SHARES = 4;
const modes: readonly WalMode[] = ['sync', 'nosync', 'none'];

test('a crash before any operation is recovered from, in every log mode', async (t) => {
  const tasks = modes.flatMap((wal) =>
    Array.from({ length: SHARES }, (_, share): CrashTask => ({ wal, share, shares: SHARES, images: IMAGES * scale })),
  );
  const opened = await Promise.all(inThreads<CrashTask, number>('crash-images.js', tasks));
  let all = 0;
  for (const mode of modes) {
    const images = opened.reduce((sum, count, i) => (tasks[i]?.wal === mode ? sum + count : sum), 0);
    t.diagnostic(`log mode ${mode}: ${images} images of crashed disks were opened`);
    all += images;
  }
  assert.ok(all >= 20_000 * scale, `${all} images`);
});
