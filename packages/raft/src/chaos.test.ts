// Random schedules over 1, 3 and 5 members; see testing/chaos.ts. RAFT_SEEDS and RAFT_FIRST_SEED widen or repeat a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChaos } from './testing/chaos.ts';
import type { ChaosReport } from './testing/chaos.ts';

const seeds = Number(process.env['RAFT_SEEDS'] ?? 150);
const firstSeed = Number(process.env['RAFT_FIRST_SEED'] ?? 1);
const eventsPerMember = 1000;

/** What keeps the runs honest: schedules in which hardly anything happened would prove nothing. */
function sum(reports: readonly ChaosReport[]): ChaosReport {
  const total = (pick: (report: ChaosReport) => number): number => reports.reduce((n, report) => n + pick(report), 0);
  return {
    committed: total((r) => r.committed),
    elections: total((r) => r.elections),
    crashes: total((r) => r.crashes),
    reads: total((r) => r.reads),
    configurations: total((r) => r.configurations),
    snapshots: total((r) => r.snapshots),
  };
}

for (const size of [1, 3, 5]) {
  test(`${size} member${size > 1 ? 's' : ''}: safe under ${seeds} random schedules, alive after each`, (t) => {
    const reports: ChaosReport[] = [];
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      try {
        reports.push(runChaos(seed, size, size * eventsPerMember));
      } catch (error) {
        throw new Error(`seed ${seed}, ${size} members (RAFT_FIRST_SEED=${seed} RAFT_SEEDS=1)`, { cause: error });
      }
    }
    const { committed, elections, crashes, reads, configurations, snapshots } = sum(reports);
    t.diagnostic(`${committed} entries committed, ${elections} elections won, ${crashes} crashes, ${reads} reads answered`);
    t.diagnostic(`${configurations} configurations committed, ${snapshots} snapshots installed`);
    if (seeds >= 100)
      assert.ok(
        committed > 12 * seeds &&
          elections > seeds &&
          crashes > seeds &&
          reads > 5 * seeds &&
          2 * configurations > seeds &&
          3 * snapshots > seeds,
        'the schedules did something',
      );
  });
}

test('a schedule repeats itself', () => {
  assert.deepEqual(runChaos(7, 3, 3000), runChaos(7, 3, 3000));
});
