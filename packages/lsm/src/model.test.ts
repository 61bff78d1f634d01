// An engine equals its model, whatever its options and whatever is done to it: testing/model-runs.ts says what that is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { optionSets } from './testing/model-options.ts';
import { scale } from './testing/scale.ts';

/** Of each option set. */
const SEQUENCES = 20 * scale;
/** Puts, deletes and range deletes of each sequence, at least on average. */
const OPERATIONS = 5000;
const THREADS = 2;

test(`an engine equals its model, in ${SEQUENCES} sequences of each of ${optionSets.length} option sets`, async (t) => {
  const workerData = { begun: new Int32Array(new SharedArrayBuffer(4)), count: SEQUENCES * optionSets.length };
  const done = await Promise.all(
    Array.from({ length: THREADS }, async () => {
      const worker = new Worker(new URL('./testing/model-worker.js', import.meta.url), { workerData });
      const [operations] = (await once(worker, 'message')) as [number[]];
      return operations;
    }),
  );
  for (const [i, { name }] of optionSets.entries()) {
    const operations = done.reduce((sum, each) => sum + (each[i] as number), 0);
    t.diagnostic(`${name}: ${operations} operations`);
    assert.ok(operations >= SEQUENCES * OPERATIONS, `${name}: ${operations} operations`);
  }
});
