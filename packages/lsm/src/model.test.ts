// An engine equals its model, whatever its options and whatever is done to it: testing/model-runs.ts says what that is.
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { scale } from './testing/scale.ts';

/** Each of about 5,000 operations, with options drawn anew whenever the store is opened: some twenty times. */
const SEQUENCES = 160;
const THREADS = 2;

test(`an engine equals its model, in ${SEQUENCES * scale} sequences`, async () => {
  await Promise.all(
    Array.from({ length: THREADS }, async (_, i) => {
      const workerData = { first: i + 1, step: THREADS, count: SEQUENCES * scale };
      await once(new Worker(new URL('./testing/model-worker.js', import.meta.url), { workerData }), 'message');
    }),
  );
});
