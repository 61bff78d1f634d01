// The simulator, tested: bugs planted in a copy of the code are found. All of them, with more seeds: `npm run sim -- --planted 500`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plantedBugs } from './host/planted-bugs.ts';
import { isPlantable, plantAll } from './host/planting.ts';

/** Found within a few seeds, before different judges. */
const sample = [
  'does not sync the Raft log',
  'keeps entries that contradict the leader',
  'an append that was lost is never sent again',
  'does not find its vote and term again',
  'events that found no room are forgotten',
  'every tick counts as a whole second',
];

test('every planted bug has its line in the code of today, once', () => {
  assert.deepEqual(
    plantedBugs.filter((bug) => !isPlantable(bug)).map(({ name }) => name),
    [],
  );
  assert.equal(new Set(plantedBugs.map(({ name }) => name)).size, plantedBugs.length);
  assert.ok(plantedBugs.length >= 30);
});

test('a sample of them is found', async (t) => {
  const bugs = plantedBugs.filter(({ name }) => sample.includes(name));
  assert.equal(bugs.length, sample.length);
  for (const { bug, seeds, found } of await plantAll(bugs, { from: 1, most: 60, durationMs: 30_000, workers: 2 })) {
    t.diagnostic(`${bug.name}: ${seeds ?? 'no'} seeds, ${found.slice(0, 120)}`);
    assert.notEqual(seeds, undefined, bug.name);
  }
});
