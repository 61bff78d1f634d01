// Sequences of the model test in a thread of their own, away from the test runner, whose tracking of every promise costs more than the engine.
import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import { seededRandom } from '@distrokv/base';
import type { WalMode } from '../engine.ts';
import { runSequence } from './model-runs.ts';

const { first, step, count } = workerData as { readonly first: number; readonly step: number; readonly count: number };
assert(parentPort !== null, 'this file is a worker');
const modes: readonly WalMode[] = ['sync', 'nosync', 'none'];
let operations = 0;
for (let seed = first; seed <= count; seed += step) {
  operations += await runSequence(seededRandom(seed), seed, modes[seed % modes.length] as WalMode).catch((error: unknown) => {
    throw new Error(`seed ${seed}`, { cause: error });
  });
}
parentPort.postMessage(operations);
