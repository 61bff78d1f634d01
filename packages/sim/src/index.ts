// `sim`: whole clusters on a simulated world.
export { type ChaosReport, runChaos } from './host/chaos/chaos.ts';
export { type Plan, drawPlan } from './plan.ts';
export { type Report, runPlan } from './run.ts';
export { Violation } from './violation.ts';
