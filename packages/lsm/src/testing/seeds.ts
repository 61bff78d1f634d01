// Seeded tests: each prints the seed that failed, so that it can be played again.
import { test } from 'node:test';
import { type Random, seededRandom } from '@distrokv/base';
import { firstSeed } from './scale.ts';

/** A test for each of `count` seeds. */
export function seededTest(name: string, count: number, body: (random: Random, seed: number) => Promise<void> | void): void {
  test(name, async () => {
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      try {
        await body(seededRandom(seed), seed);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
}
