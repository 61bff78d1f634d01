// An engine equals its model, whatever its options and whatever is done to it: testing/model-runs.ts says what that is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { scale } from './testing/scale.ts';

/** With options drawn anew whenever the store is opened: some twenty times each. */
const SEQUENCES = 160;
/** Puts, deletes and range deletes of each, at least on average. */
const OPERATIONS = 5000;
const THREADS = 2;

test(`an engine equals its model, in ${SEQUENCES * scale} sequences`, async (t) => {
  const done = await Promise.all(
    Array.from({ length: THREADS }, async (_, i) => {
      const workerData = { first: i + 1, step: THREADS, count: SEQUENCES * scale };
      const [operations] = (await once(new Worker(new URL('./testing/model-worker.js', import.meta.url), { workerData }), 'message')) as [
        number,
      ];
      return operations;
    }),
  );
  const operations = done.reduce((sum, one) => sum + one, 0);
  t.diagnostic(`${operations} operations`);
  assert.ok(operations >= SEQUENCES * scale * OPERATIONS, `${operations} operations`);
});
