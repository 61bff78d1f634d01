import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { runCampaign } from './host/campaign.ts';
import { describeSummary } from './report.ts';
import { minimise } from './minimise.ts';
import { type Plan, drawPlan } from './plan.ts';
import { runPlan } from './run.ts';
import { Violation } from './violation.ts';

const scale = Number(process.env['DISTROKV_TEST_SCALE'] ?? 1);

test('the same seed gives the same run', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const [first, second] = [await runPlan(drawPlan(seed, 5000)), await runPlan(drawPlan(seed, 5000))];
    assert.equal(first.hash, second.hash, `seed ${seed}`);
  }
});

test('200 seeds of 30 seconds keep every promise', async (t) => {
  const seeds = Math.round(200 * scale);
  const summary = await runCampaign({ from: 1, seeds, workers: Math.min(2, availableParallelism()), durationMs: 30_000 });
  t.diagnostic(describeSummary(summary));
  assert.deepEqual(
    summary.failures.map(({ seed, violation }) => `npm run sim -- --seed ${seed}: ${violation}`),
    [],
  );
  assert.equal(summary.seeds, seeds);
  assert.equal(summary.undecided, 0, 'every history was searched to its end');
  assert.ok(summary.apiCalls > 30 * seeds && summary.watchEvents > 30 * seeds, 'clients of the whole API and watchers do, too');
  assert.ok(summary.answered > 100 * seeds, 'clients get on with their work between faults');
});

test('a voter is added to a cluster of one, which needs its vote before anybody has told it who it is', async () => {
  const quiet = { delayMs: [1, 2], loss: 0, duplication: 0, datagram: false } as const;
  const machine = { clockRate: 1, syncMs: [0.5, 1] } as const;
  const plan: Plan = {
    ...drawPlan(1),
    members: 1,
    membership: 'changing',
    machines: [machine, machine],
    victims: [],
    weather: quiet,
    faults: [{ kind: 'add-member', atMs: 3000, machine: 1, asLearner: false }],
  };
  const { violation, answered } = await runPlan(plan);
  assert.equal(violation, undefined);
  assert.ok(answered > 50);
});

test('a member that lost its disk is never given its old id, not even before it has told its name', async () => {
  const machine = { clockRate: 1, syncMs: [0.5, 1] } as const;
  const plan: Plan = {
    ...drawPlan(1055),
    members: 3,
    membership: 'rejoin',
    machines: [machine, machine, machine],
    victims: [],
    weather: { delayMs: [5, 50], loss: 0.15, duplication: 0.2, datagram: true },
    faults: [{ kind: 'rejoin', atMs: 2217, machine: 0, downMs: 1800 }],
  };
  assert.equal((await runPlan(plan)).violation, undefined);
});

test('who is removed while the members heal owes nobody an answer', async () => {
  assert.equal((await runPlan(drawPlan(346))).violation, undefined);
});

test('a failure is made smaller: what does not matter goes, what does stays', async () => {
  const plan = drawPlan(3);
  const needed = plan.faults[Math.floor(plan.faults.length / 2)];
  assert.ok(needed && plan.faults.length > 5);
  const run = (tried: typeof plan): Promise<{ violation: Violation | undefined }> => {
    const fails = tried.faults.includes(needed) && tried.scripts.reduce((sum, script) => sum + script.length, 0) >= 3;
    return Promise.resolve({ violation: fails ? new Violation('order', 'planted') : undefined });
  };
  const { plan: smaller } = await minimise(plan, 'order', { run, maxRuns: 10_000 });
  assert.deepEqual(smaller.faults, [needed]);
  assert.equal(
    smaller.scripts.reduce((sum, script) => sum + script.length, 0),
    3,
  );
});
