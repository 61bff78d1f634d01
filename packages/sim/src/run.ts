// One seed from its start to its verdict: first safety, with faults, while clients work; then liveness, with a healthy majority and the rest
// broken; then the judges look at all that was said (after TigerBeetle's simulator).
import { messageOf } from '@distrokv/base';
import type { FaultKind } from './faults.ts';
import { History } from './history.ts';
import { ApiHistory } from './api/api-history.ts';
import { ask } from './api/asking.ts';
import { print } from './api/calls.ts';
import { CommittedLog } from './api/committed-log.ts';
import type { Watched } from './api/watched.ts';
import { judgeApi } from './judges/api.ts';
import { RaftJudge } from './judges/raft-safety.ts';
import { judgeRegisters } from './judges/registers.ts';
import { judgeReplicas } from './judges/replicas.ts';
import { judgeOrder } from './judges/revision-order.ts';
import { LivenessPhase } from './liveness.ts';
import type { Plan } from './plan.ts';
import { Violation } from './violation.ts';
import { ApiClient } from './workload/api-client.ts';
import { LineClient } from './workload/line-client.ts';
import { ObserveClient } from './workload/observe-client.ts';
import { WatchClient } from './workload/watch-client.ts';
import { Client, call } from './workload/client.ts';
import { type KeyState, type Operation, callOf } from './workload/operations.ts';
import { Nemesis } from './world/nemesis.ts';
import type { Machine } from './world/machine.ts';
import { World } from './world/world.ts';

/** How often the world is looked at between events. */
const LOOK_MS = 250;
/** Longer than any client thinks. */
const LAST_THINK_MS = 2000;
/** Watchers are given all that is left, and leases end. */
const LAST_WATCH_MS = 10_000;
/** After the faults: a leader is elected, and lets clients find it. */
const CALM_MS = 10_000;

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
  /** Answered calls of clients of the whole API, and of the others beside them; events that watchers were given. */
  readonly apiCalls: number;
  readonly watchEvents: number;
  readonly terms: number;
  readonly committed: number;
  readonly failStops: number;
  readonly messages: number;
  readonly lostMessages: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
}

export async function runPlan(plan: Plan, { keepsLines = false }: { readonly keepsLines?: boolean } = {}): Promise<Report> {
  const judge = new RaftJudge();
  const history = new History();
  const committed = new CommittedLog({ order: () => history.next(), nowMs: () => world.time.monotonicMs() });
  const world = new World({ plan, judge, committed, keepsLines });
  const seen: Seen = { plan, world, history, api: new ApiHistory(history), watches: [], committed };
  const nemesis = new Nemesis(world);
  let verdict: Verdict = { undecided: 0, apiCalls: 0, watchEvents: 0 };
  try {
    const clients = plan.scripts.map((_, index) => new Client(index, world, history));
    for (const machine of world.machines.slice(0, plan.members)) world.start(machine);
    nemesis.schedule(plan.faults);
    const apiClients = (plan.api?.scripts ?? []).map((_, index) => new ApiClient(index, world, seen.api));
    const lineClients = (plan.api?.lines ?? []).map((_, index) => new LineClient(index, world, seen.api));
    const observers = (plan.api?.observers ?? []).map((script, index) => new ObserveClient(index, world, seen.api.observed, script));
    const watchers = (plan.api?.watches ?? []).map((_, index) => new WatchClient(index, world, seen.watches));
    const playing = [
      ...clients.map((client, i) => client.play(plan.scripts[i] ?? [])),
      ...apiClients.map((client, i) => client.play(plan.api?.scripts[i] ?? [])),
      ...lineClients.map((client, i) => client.play(plan.api?.lines[i] ?? [])),
      ...observers.map((observer, i) => observer.play(plan.api?.observers[i]?.lines ?? [])),
      ...watchers.map((watcher, i) => watcher.play(plan.api?.watches[i] ?? [])),
    ];
    await advance(world, plan.durationMs);
    const liveness = new LivenessPhase({ world, plan, clients, nemesis });
    const core = await liveness.run((ms) => advance(world, ms));
    for (const [i, client] of [...watchers, ...observers].entries()) client.settleOn(core[i % core.length] as Machine);
    await Promise.all([...playing, advance(world, plan.api ? LAST_WATCH_MS : LAST_THINK_MS)]);
    verdict = await judgeAll(seen, core);
  } catch (error) {
    // What a judge itself threw is a failure of this seed, and no end of a campaign.
    world.broken(error instanceof Violation ? error : new Violation('simulator', `the run threw ${messageOf(error)}`));
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
    ...verdict,
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

/** What the judges of clients see. */
interface Seen {
  readonly plan: Plan;
  readonly world: World;
  readonly history: History;
  readonly api: ApiHistory;
  readonly watches: Watched[];
  readonly committed: CommittedLog;
}

type Verdict = Pick<Report, 'undecided' | 'apiCalls' | 'watchEvents'>;

async function judgeAll(seen: Seen, core: readonly Machine[]): Promise<Verdict> {
  const replicas = core.flatMap(({ name, process }) => (process?.running ? [{ name, storage: process.running.storage }] : []));
  judgeReplicas(replicas);
  const { history } = seen;
  const found = seen.plan.api ? await judgeWholeApi(seen, core) : await judgeOperations(history, core[0]);
  return { ...found, undecided: judgeRegisters(history.operations).undecided };
}

async function judgeOperations(history: History, machine: Machine | undefined): Promise<Omit<Verdict, 'undecided'>> {
  const process = machine?.process;
  const kv = process?.kv;
  const lastRevision = process?.running?.storage.store.state.revision ?? 0;
  if (!kv) throw new Violation('liveness', 'nobody is left to be asked');
  const readAt = async (revision: number): Promise<readonly KeyState[]> => {
    const answer = await call(kv, ALL, process.gate.signal, revision);
    const [got] = answer.steps;
    return got?.kind === 'range' ? got.keys : [];
  };
  await judgeOrder(history.operations, lastRevision, readAt);
  return { apiCalls: 0, watchEvents: 0 };
}

async function judgeWholeApi({ plan, world, ...seen }: Seen, core: readonly Machine[]): Promise<Omit<Verdict, 'undecided'>> {
  world.observeAll();
  const process = core[0]?.process;
  const store = process?.running?.storage.store;
  if (!process?.kv || !store) throw new Violation('liveness', 'nobody is left to be asked');
  const all = await ask({ kv: process.kv, lease: undefined }, callOf(ALL), process.gate.signal);
  const rates = plan.machines.map(({ clockRate }) => clockRate);
  const leases = resultOf(store.leases.list()).toSorted((a, b) => (a < b ? -1 : 1));
  const { calls, events } = judgeApi({
    ...seen,
    isHealed: (machine) => core.some(({ index }) => index === machine),
    times: { rates: [Math.min(...rates), Math.max(...rates)], calmSinceMs: plan.durationMs + CALM_MS, endMs: world.time.monotonicMs() },
    store: {
      appliedIndex: store.state.appliedIndex,
      revision: store.state.revision,
      keys: 'kvs' in all ? print(all.kvs) : '',
      leases: print(leases.map((id) => ({ id, keys: resultOf(store.leases.keysOf(id)) }))),
    },
  });
  return { apiCalls: calls, watchEvents: events };
}

const ALL: Operation = { kind: 'step', step: { kind: 'range', key: '\0', end: '\0', limit: 0 }, serializable: true };

/** Of work that comes in steps. */
function resultOf<T>(steps: Iterator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
