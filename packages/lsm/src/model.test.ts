// An engine equals its model, whatever its options and whatever is done to it: testing/model-runs.ts says what that is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inThreads } from './testing/in-threads.ts';
import { optionSets } from './testing/model-options.ts';
import type { Sequence } from './testing/model-runs.ts';
import { firstSeed, scale } from './testing/scale.ts';

/** Of each option set. */
const SEQUENCES = 20 * scale;
/** Puts, deletes and range deletes of each sequence, at least on average. */
const OPERATIONS = 5000;

test(`an engine equals its model, in ${SEQUENCES} sequences of each of ${optionSets.length} option sets`, async (t) => {
  const tasks = Array.from({ length: SEQUENCES * optionSets.length }, (_, i) => firstSeed + i).map((seed): Sequence => ({
    seed,
    set: seed % optionSets.length,
  }));
  const counts = await Promise.all(inThreads<Sequence, number>('model-runs.js', tasks));
  for (const [set, { name }] of optionSets.entries()) {
    const operations = counts.reduce((sum, count, i) => (tasks[i]?.set === set ? sum + count : sum), 0);
    t.diagnostic(`${name}: ${operations} operations`);
    assert.ok(operations >= SEQUENCES * OPERATIONS, `${name}: ${operations} operations`);
  }
});
