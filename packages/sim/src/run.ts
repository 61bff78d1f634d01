// One seed from its start to its verdict: first safety, with faults, while clients work; then liveness, with a healthy majority and the rest
// broken; then the judges look at all that was said (after TigerBeetle's simulator).
import type { FaultKind } from './faults.ts';
import { History } from './history.ts';
import { RaftJudge } from './judges/raft-safety.ts';
import { judgeRegisters } from './judges/registers.ts';
import { judgeReplicas } from './judges/replicas.ts';
import { judgeOrder } from './judges/revision-order.ts';
import { LivenessPhase } from './liveness.ts';
import type { Plan } from './plan.ts';
import { Violation } from './violation.ts';
import { Client, call } from './workload/client.ts';
import type { KeyState } from './workload/operations.ts';
import { Nemesis } from './world/nemesis.ts';
import type { Machine } from './world/machine.ts';
import { World } from './world/world.ts';

/** How often the world is looked at between events. */
const LOOK_MS = 250;
/** Longer than any client thinks. */
const LAST_THINK_MS = 2000;

export interface Report {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Equal for equal runs. */
  readonly hash: string;
  readonly lines: readonly string[];
  readonly simulatedMs: number;
  readonly events: number;
  readonly machines: number;
  readonly answered: number;
  readonly refused: number;
  readonly unknown: number;
  /** Keys whose history was too tangled to search. */
  readonly undecided: number;
  readonly terms: number;
  readonly committed: number;
  readonly failStops: number;
  readonly messages: number;
  readonly lostMessages: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
}

export async function runPlan(plan: Plan, { keepsLines = false }: { readonly keepsLines?: boolean } = {}): Promise<Report> {
  const judge = new RaftJudge();
  const world = new World({ plan, judge, keepsLines });
  const history = new History();
  const nemesis = new Nemesis(world);
  let undecided = 0;
  try {
    const clients = plan.scripts.map((_, index) => new Client(index, world, history));
    for (const machine of world.machines.slice(0, plan.members)) world.start(machine);
    nemesis.schedule(plan.faults);
    const playing = clients.map((client, i) => client.play(plan.scripts[i] ?? []));
    await advance(world, plan.durationMs);
    const liveness = new LivenessPhase({ world, plan, clients, nemesis });
    const core = await liveness.run((ms) => advance(world, ms));
    await Promise.all([...playing, advance(world, LAST_THINK_MS)]);
    undecided = await judgeAll(history, core);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    world.broken(error);
  }
  const count = (kind: string): number => history.operations.filter(({ outcome }) => (outcome?.kind ?? 'unknown') === kind).length;
  return {
    seed: plan.seed,
    violation: world.violation,
    hash: world.trace.hash,
    lines: world.trace.lines,
    simulatedMs: world.time.monotonicMs(),
    events: world.trace.events,
    machines: world.machines.length,
    answered: count('answered'),
    refused: count('refused'),
    unknown: count('unknown'),
    undecided,
    terms: judge.leaders,
    committed: judge.committed,
    failStops: world.failStops,
    messages: world.network.sent,
    lostMessages: world.network.lost,
    faults: Object.fromEntries(nemesis.counts),
  };
}

/** Throws the first Violation that is seen on the way. */
async function advance(world: World, ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= LOOK_MS) {
    await world.time.advance(Math.min(LOOK_MS, leftMs));
    world.observeAll();
    if (world.violation) throw world.violation;
  }
}

async function judgeAll(history: History, core: readonly Machine[]): Promise<number> {
  const replicas = core.flatMap(({ name, process }) => (process?.running ? [{ name, storage: process.running.storage }] : []));
  judgeReplicas(replicas);
  const process = core[0]?.process;
  const kv = process?.kv;
  const lastRevision = process?.running?.storage.store.state.revision ?? 0;
  if (!kv) throw new Violation('liveness', 'nobody is left to be asked');
  const readAt = async (revision: number): Promise<readonly KeyState[]> => {
    const step = { kind: 'range', key: '\0', end: '\0', limit: 0 } as const;
    const answer = await call(kv, { kind: 'step', step, serializable: true }, process.gate.signal, revision);
    const [got] = answer.steps;
    return got?.kind === 'range' ? got.keys : [];
  };
  await judgeOrder(history.operations, lastRevision, readAt);
  return judgeRegisters(history.operations).undecided;
}
