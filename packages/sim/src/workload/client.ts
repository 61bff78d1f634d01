// A client: it plays its script, one operation after the other, and writes down what it is told. It knows no more than a real one does: an
// answer that does not come leaves it in doubt for good.
import { messageOf } from '@distrokv/base';
import { GrpcError, type Handler, type Metadata, type ServerCall } from '@distrokv/grpc';
import type { etcdserverpb as pb } from '@distrokv/proto';
import type { History, Operated, Outcome } from '../history.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import {
  type Answer,
  type Operation,
  deleteAnswer,
  deleteRequest,
  describeAnswer,
  describeOperation,
  putAnswer,
  putRequest,
  rangeAnswer,
  rangeRequest,
  stepAnswerOf,
  txnRequest,
} from './operations.ts';
import { LAST_SEEN, type Script } from './scripts.ts';

/** A client's way to a machine and back. */
const WAY_MS = 0.5;
/** What these say has not happened. */
const REFUSALS = [
  'etcdserver: no leader',
  'etcdserver: too many requests',
  'etcdserver: rpc not supported for learner',
  'refused the connection',
];

const noMetadata: Metadata = { get: () => undefined, getBinary: () => undefined, entries: () => [][Symbol.iterator]() as never };

export class Client {
  readonly name: string;
  readonly #index: number;
  readonly #world: World;
  readonly #history: History;
  #at: number;
  /** By key: the value of the last answer that showed it; undefined when it was not there. */
  readonly #seen = new Map<string, string | undefined>();

  constructor(index: number, world: World, history: History) {
    this.#index = index;
    this.name = `c${index + 1}`;
    this.#world = world;
    this.#history = history;
    this.#at = index % world.machines.length;
  }

  /** Resolves when the last line of the script is answered, or given up. */
  async play(script: Script): Promise<void> {
    for (const line of script) {
      if (this.#world.isClosing) return;
      await this.#world.time.timers.sleep(line.thinkMs);
      if (this.#world.isClosing) return;
      if (line.moves) this.#at = (this.#at + 1) % this.#world.machines.length;
      await this.ask(this.#filled(line.operation), this.#world.machines[this.#at] as Machine, line.timeoutMs, line.stays);
    }
  }

  async ask(operation: Operation, machine: Machine, timeoutMs: number, stays = false): Promise<Operated> {
    const { time, trace } = this.#world;
    const operated = this.#history.begin(this.#index, operation, time.monotonicMs());
    trace.note(this.name, `asks ${machine.name}: ${describeOperation(operation)}`);
    const outcome = await this.#outcome(operation, machine, timeoutMs);
    this.#history.end(operated, outcome, time.monotonicMs());
    if (outcome.kind === 'answered') this.#remember(operation, outcome.answer);
    else if (!stays || outcome.kind === 'refused') this.#at = (this.#at + 1) % this.#world.machines.length;
    trace.note(this.name, outcome.kind === 'answered' ? `has ${describeAnswer(outcome.answer)}` : `${outcome.kind}: ${outcome.why}`);
    return operated;
  }

  #outcome(operation: Operation, machine: Machine, timeoutMs: number): Promise<Outcome> {
    const { timers } = this.#world.time;
    return new Promise((resolve) => {
      const giveUp = timers.after(timeoutMs, () => resolve({ kind: 'unknown', why: 'no answer in time' }));
      const back = (outcome: Outcome): void => {
        giveUp.cancel();
        timers.after(WAY_MS, () => resolve(outcome));
      };
      timers.after(WAY_MS, () => {
        const process = machine.process;
        if (!process?.kv && !process?.gate.isPaused) return back({ kind: 'refused', why: 'refused the connection' });
        process.gate.onDeath(() => back({ kind: 'unknown', why: 'the connection broke' }));
        process.gate.enter(() => {
          const { kv } = process;
          if (!kv) return back({ kind: 'refused', why: 'refused the connection' });
          call(kv, operation, process.gate.signal).then(
            (answer) => process.gate.enter(() => back({ kind: 'answered', answer })),
            (error: unknown) => process.gate.enter(() => back(failureOf(error))),
          );
        });
      });
    });
  }

  #filled(operation: Operation): Operation {
    if (operation.kind !== 'txn') return operation;
    return {
      ...operation,
      guards: operation.guards.map(({ key, value }) => ({ key, value: value === LAST_SEEN ? this.#seen.get(key) : value })),
    };
  }

  #remember(operation: Operation, answer: Answer): void {
    const steps = operation.kind === 'step' ? [operation.step] : answer.succeeded ? operation.success : operation.failure;
    for (const [i, step] of steps.entries()) {
      const got = answer.steps[i];
      if (step.kind === 'put') this.#seen.set(step.key, step.value);
      else if (step.end === undefined) this.#seen.set(step.key, got?.kind === 'range' ? got.keys[0]?.value : undefined);
      else if (got?.kind === 'range') for (const { key, value } of got.keys) this.#seen.set(key, value);
    }
  }
}

function failureOf(error: unknown): Outcome {
  const why = messageOf(error);
  const isCertain =
    error instanceof GrpcError && (REFUSALS.includes(why) || error.code === 'invalid-argument' || error.code === 'out-of-range');
  return { kind: isCertain ? 'refused' : 'unknown', why };
}

type KvHandlers = { readonly [K in keyof typeof pb.KV.methods]?: Handler<(typeof pb.KV.methods)[K]> };

/** Calls a member's real handlers, as its gRPC server would. `revision`: of a range, as of when; 0 for now. */
export async function call(kv: KvHandlers, operation: Operation, signal: AbortSignal, revision = 0): Promise<Answer> {
  const context: ServerCall = {
    path: '',
    metadata: noMetadata,
    peer: 'simulated',
    peerCommonName: undefined,
    timeoutMs: undefined,
    signal,
    sendMetadata: () => {},
    setTrailers: () => {},
  };
  if (operation.kind === 'txn') {
    const response = await present(kv.txn)(txnRequest(operation), context);
    return { revision: response.header?.revision ?? 0, succeeded: response.succeeded, steps: response.responses.map(stepAnswerOf) };
  }
  const { step, serializable } = operation;
  if (step.kind === 'put') {
    const response = await present(kv.put)(putRequest(step), context);
    return { revision: response.header?.revision ?? 0, succeeded: true, steps: [putAnswer(response)] };
  }
  if (step.kind === 'range') {
    const response = await present(kv.range)(rangeRequest(step, serializable, revision), context);
    return { revision: response.header?.revision ?? 0, succeeded: true, steps: [rangeAnswer(response)] };
  }
  const response = await present(kv.deleteRange)(deleteRequest(step), context);
  return { revision: response.header?.revision ?? 0, succeeded: true, steps: [deleteAnswer(response)] };
}

function present<T>(handler: T | undefined): T {
  if (handler === undefined) throw new Error('a member does not serve this call');
  return handler;
}
