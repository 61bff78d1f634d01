// Chaos on real nodes: clients play the simulator's scripts over gRPC while processes are killed and stopped, and peers are cut off or slowed
// down; then the simulator's judges look at what the clients were told.
import { type Random, messageOf, seededRandom } from '@distrokv/base';
import { type Channel, GrpcError } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { History, type Outcome } from '../../history.ts';
import { judgeRegisters } from '../../judges/registers.ts';
import { judgeOrder } from '../../judges/revision-order.ts';
import { pick } from '../../plan.ts';
import { call } from '../../workload/client.ts';
import type { KeyState, Operation } from '../../workload/operations.ts';
import { LAST_SEEN, type Script, drawScripts } from '../../workload/scripts.ts';
import { type Node, Nodes, type Program, sleep } from './nodes.ts';

export interface ChaosOptions {
  readonly nodes: number;
  readonly seconds: number;
  readonly seed: number;
  readonly program?: Program;
  readonly onEvent?: (text: string) => void;
}

export interface ChaosReport {
  readonly operations: number;
  readonly answered: number;
  readonly unknown: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly revision: number;
}

const TIMEOUT_MS = 5000;
const HEAL_MS = 60_000;

/** Throws a Violation. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const random = seededRandom(options.seed);
  await using cluster = await Nodes.start(options.program ?? 'distrokv', options.nodes);
  const history = new History();
  const endMs = performance.now() + options.seconds * 1000;
  const scripts = drawScripts(random, options.seconds * 1000);
  const faults: Record<string, number> = {};
  await Promise.all([
    ...scripts.map((script, client) => play(client, script, cluster.nodes, history, endMs)),
    harm(cluster, seededRandom(random.uint32()), endMs, (what) => {
      faults[what.split(' ')[0] as string] = (faults[what.split(' ')[0] as string] ?? 0) + 1;
      options.onEvent?.(what);
    }),
  ]);
  await heal(cluster);
  const [first] = cluster.nodes as readonly [Node];
  const readAt = async (revision: number): Promise<readonly KeyState[]> => {
    const answer = await ask(first.channel, ALL, revision);
    return answer.steps[0]?.kind === 'range' ? answer.steps[0].keys : [];
  };
  const { revision } = await ask(first.channel, ALL);
  await judgeOrder(history.operations, revision, readAt);
  judgeRegisters(history.operations);
  const count = (kind: Outcome['kind']): number => history.operations.filter(({ outcome }) => outcome?.kind === kind).length;
  return { operations: history.operations.length, answered: count('answered'), unknown: count('unknown'), faults, revision };
}

const ALL: Operation = { kind: 'step', step: { kind: 'range', key: '\0', end: '\0', limit: 0 }, serializable: false };

async function play(client: number, script: Script, nodes: readonly Node[], history: History, endMs: number): Promise<void> {
  const seen = new Map<string, string | undefined>();
  let at = client % nodes.length;
  for (const { operation, thinkMs, moves } of script) {
    await sleep(thinkMs);
    if (performance.now() >= endMs) return;
    if (moves) at = (at + 1) % nodes.length;
    const filled: Operation =
      operation.kind === 'txn'
        ? { ...operation, guards: operation.guards.map(({ key, value }) => ({ key, value: value === LAST_SEEN ? seen.get(key) : value })) }
        : operation;
    const operated = history.begin(client, filled, performance.now());
    const outcome = await ask((nodes[at] as Node).channel, filled).then(
      (answer): Outcome => ({ kind: 'answered', answer }),
      (error: unknown): Outcome => failure(error),
    );
    history.end(operated, outcome, performance.now());
    if (outcome.kind !== 'answered') at = (at + 1) % nodes.length;
    else {
      const [got] = outcome.answer.steps;
      if (filled.kind === 'step' && filled.step.kind === 'put') seen.set(filled.step.key, filled.step.value);
      if (got?.kind === 'range') for (const { key, value } of got.keys) seen.set(key, value);
    }
  }
}

function failure(error: unknown): Outcome {
  const why = messageOf(error);
  const isCertain = error instanceof GrpcError && (error.code === 'invalid-argument' || why === 'etcdserver: no leader');
  return { kind: isCertain ? 'refused' : 'unknown', why };
}

type Answered = ReturnType<typeof call>;

/** The real wire in the place of the simulator's call of a handler. */
function ask(channel: Channel, operation: Operation, revision = 0): Answered {
  const options = { timeoutMs: TIMEOUT_MS };
  const kv = {
    put: (request: pb.PutRequest) => channel.unary(pb.KV.methods.put, request, options),
    range: (request: pb.RangeRequest) => channel.unary(pb.KV.methods.range, request, options),
    deleteRange: (request: pb.DeleteRangeRequest) => channel.unary(pb.KV.methods.deleteRange, request, options),
    txn: (request: pb.TxnRequest) => channel.unary(pb.KV.methods.txn, request, options),
  };
  return call(kv, operation, new AbortController().signal, revision);
}

async function harm(cluster: Nodes, random: Random, endMs: number, tell: (what: string) => void): Promise<void> {
  while (performance.now() < endMs) {
    const node = pick(random, cluster.nodes);
    const forMs = 200 + 2500 * random.float();
    const what = pick(random, ['kill', 'kill', 'pause', 'cut', 'delay', 'kill-all'] as const);
    tell(`${what} ${what === 'kill-all' ? '' : node.name} for ${forMs.toFixed(0)} ms`);
    const nodes = what === 'kill-all' ? cluster.nodes : [node];
    if (what === 'kill' || what === 'kill-all') await Promise.all(nodes.map((each) => cluster.kill(each)));
    if (what === 'pause') cluster.signal(node, 'SIGSTOP');
    if (what === 'cut') node.proxy.cut();
    if (what === 'delay') node.proxy.delayMs = 50 + 300 * random.float();
    await sleep(forMs);
    cluster.signal(node, 'SIGCONT');
    node.proxy.mend();
    for (const each of cluster.nodes) cluster.launch(each);
    await sleep(1000 * random.float());
  }
}

async function heal(cluster: Nodes): Promise<void> {
  for (const node of cluster.nodes) {
    cluster.signal(node, 'SIGCONT');
    node.proxy.mend();
    cluster.launch(node);
  }
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('the healed nodes do not serve')), HEAL_MS).unref());
  await Promise.race([Promise.all(cluster.nodes.map((node) => cluster.serves(node))), late]);
}
