// A client: it plays its script, one operation after the other, and writes down what it is told. It knows no more than a real one does: an
// answer that does not come leaves it in doubt for good.
import { messageOf } from '@distrokv/base';
import { GrpcError } from '@distrokv/grpc';
import { type KvHandlers, ask } from '../api/asking.ts';
import type { History, Operated, Outcome } from '../history.ts';
import type { Machine } from '../world/machine.ts';
import type { World } from '../world/world.ts';
import { callMember } from './calling.ts';
import { type Answer, type Operation, answerOf, callOf, describeAnswer, describeOperation } from './operations.ts';
import { LAST_SEEN, type Script } from './scripts.ts';

/** What these say has not happened. */
const REFUSALS = [
  'etcdserver: no leader',
  'etcdserver: too many requests',
  'etcdserver: rpc not supported for learner',
  'refused the connection',
];

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
    return callMember({
      world: this.#world,
      machine,
      timeoutMs,
      work: ({ kv, gate }) => call(kv ?? {}, operation, gate.signal),
      onFailure: failureOf,
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

/** Whether an error with this text says that nothing has happened, nor will. */
export const isRefusal = (why: string): boolean => REFUSALS.includes(why);

function failureOf(error: unknown): Outcome & { readonly kind: 'refused' | 'unknown' } {
  const why = messageOf(error);
  const isCertain = error instanceof GrpcError && (isRefusal(why) || error.code === 'invalid-argument' || error.code === 'out-of-range');
  return { kind: isCertain ? 'refused' : 'unknown', why };
}

/** Asks a member's handlers. `revision`: of a range, as of when; 0 for now. */
export async function call(kv: KvHandlers, operation: Operation, signal: AbortSignal, revision = 0): Promise<Answer> {
  return answerOf(operation, await ask({ kv, lease: undefined }, callOf(operation, revision), signal));
}
