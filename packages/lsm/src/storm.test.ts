// Whatever goes on at the same time, on whatever disk, and however it ends: testing/storm-runs.ts says what that is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inThreads } from './testing/in-threads.ts';
import { firstSeed, scale } from './testing/scale.ts';

const SEEDS = 8 * scale;

test('everything at once, on a bad disk, through closes, kills and crashes, shows whole units and keeps what was promised', async (t) => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => firstSeed + i);
  const units = await Promise.all(
    inThreads<number, number>('storm-runs.js', seeds).map((run, i) =>
      run.catch((cause: unknown) => {
        throw new Error(`seed ${seeds[i]}`, { cause });
      }),
    ),
  );
  const all = units.reduce((sum, each) => sum + each, 0);
  t.diagnostic(`${all} units`);
  assert.ok(all > SEEDS * 100, `${all} units`);
});
