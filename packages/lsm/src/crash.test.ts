// No crash loses what was acknowledged, whatever it leaves of the disk: testing/crash-images.ts says how that is tried.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { scale } from './testing/scale.ts';

/** Of each crash point, for each of the two modes that leave things to chance. */
const IMAGES = 12;

test('a crash before any operation is recovered from, in every log mode', async (t) => {
  const opened = await Promise.all(
    ['sync', 'nosync', 'none'].map(async (wal) => {
      const worker = new Worker(new URL('./testing/crash-worker.js', import.meta.url), { workerData: { wal, images: IMAGES * scale } });
      const [images] = (await once(worker, 'message')) as [number];
      t.diagnostic(`log mode ${wal}: ${images} images of crashed disks were opened`);
      return images;
    }),
  );
  const all = opened.reduce((sum, images) => sum + images, 0);
  assert.ok(all >= 20_000 * scale, `${all} images`);
});
