// Makes a plan that fails smaller while it still fails before the same judge: fewer faults, fewer clients, fewer operations (delta
// debugging, Zeller and Hildebrandt 2002). What is left is what somebody has to understand.
import type { Plan } from './plan.ts';
import { type Report, runPlan } from './run.ts';
import type { JudgeName } from './violation.ts';
import type { ApiLine } from './workload/api-scripts.ts';
import type { LineMove } from './workload/line-scripts.ts';
import type { WatchLine } from './workload/watch-scripts.ts';

export interface Minimised {
  readonly plan: Plan;
  readonly runs: number;
}

export interface MinimiseOptions {
  /** Runs at most so many plans (default 400). */
  readonly maxRuns?: number;
  readonly onRun?: (runs: number, plan: Plan) => void;
  readonly run?: (plan: Plan) => Promise<Pick<Report, 'violation'>>;
}

export async function minimise(failing: Plan, judge: JudgeName, options: MinimiseOptions = {}): Promise<Minimised> {
  const { maxRuns = 400, onRun, run = runPlan } = options;
  let plan = failing;
  let runs = 0;
  const accept = async (smaller: Plan): Promise<boolean> => {
    if (runs >= maxRuns) return false;
    onRun?.(++runs, plan);
    const { violation } = await run(smaller);
    if (violation?.judge !== judge) return false;
    plan = smaller;
    return true;
  };
  await shrink(plan.faults, (faults) => accept({ ...plan, faults }));
  for (const [client, script] of plan.scripts.entries()) {
    await shrink(script, (left) => accept({ ...plan, scripts: plan.scripts.map((each, i) => (i === client ? left : each)) }));
  }
  const { api } = plan;
  for (const name of ['scripts', 'watches', 'lines'] as const) {
    for (const [client, script] of (api?.[name] ?? []).entries())
      await shrink<ApiLine | WatchLine | LineMove>(script, (left) =>
        accept({ ...plan, api: plan.api && { ...plan.api, [name]: plan.api[name].map((each, i) => (i === client ? left : each)) } }),
      );
  }
  await shrink(plan.faults, (faults) => accept({ ...plan, faults }));
  return { plan, runs };
}

/** Leaves out one half, then quarters, and so on down to single items, as long as `accept` says that it still fails. */
async function shrink<T>(items: readonly T[], accept: (left: readonly T[]) => Promise<boolean>): Promise<void> {
  let left = items;
  if (left.length > 0 && (await accept([]))) return;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < left.length;) {
      const without = [...left.slice(0, from), ...left.slice(from + size)];
      if (without.length < left.length && (await accept(without))) left = without;
      else from += size;
    }
  }
}
