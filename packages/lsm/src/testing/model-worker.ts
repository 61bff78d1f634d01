// Sequences of the model test in a thread of their own, away from the test runner, whose tracking of every promise costs more than the engine.
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '@distrokv/base';
import { type OptionSet, optionSets } from './model-options.ts';
import { runSequence } from './model-runs.ts';

/** `begun[0]` counts the sequences that some thread has begun. */
const { begun, count } = workerData as { readonly begun: Int32Array; readonly count: number };
assert(parentPort !== null, 'this file is a worker');
/** By option set. */
const operations = optionSets.map(() => 0);
for (let seed = 1 + Atomics.add(begun, 0, 1); seed <= count; seed = 1 + Atomics.add(begun, 0, 1)) {
  const set = seed % optionSets.length;
  const { name } = optionSets[set] as OptionSet;
  operations[set] =
    (operations[set] as number) +
    (await runSequence(seededRandom(seed), seed, optionSets[set] as OptionSet).catch((error: unknown) => {
      throw new Error(`seed ${seed}, ${name}`, { cause: error });
    }));
}
parentPort.postMessage(operations);
