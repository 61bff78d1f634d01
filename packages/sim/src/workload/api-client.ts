// A client of the whole API: ranges as of the past, nested transactions, leases, compactions. It plays its script, and writes down what it is told.
import { messageOf, seededRandom } from '@distrokv/base';
import { GrpcError } from '@distrokv/grpc';
import type { ApiHistory, AskedCall, CallOutcome } from '../api/api-history.ts';
import { ask } from '../api/asking.ts';
import { type Call, type Reply, describeCall, describeReply } from '../api/calls.ts';
import { type Drawing, drawCompaction, drawKeyCall, drawLeaseCall } from '../api/draw-calls.ts';
import type { Machine } from '../world/machine.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world/world.ts';
import type { ApiLine, ApiScript } from './api-scripts.ts';
import { type Called, callMember } from './calling.ts';
import { isRefusal } from './client.ts';

/** Clear of the keys of other clients: registers are nobody else's to change. */
const KEYS = ['k', 'k\0', 'ka', 'kb', 'kb\xff', 'kc'];
const LEASES = [1n, 2n, 3n, -4n, 2n ** 62n];
/** With these the store itself answers that it will not. */
const ANSWERS = ['invalid-argument', 'out-of-range', 'not-found'];

export class ApiClient {
  readonly name: string;
  readonly #world: World;
  readonly #history: ApiHistory;
  #at: number;
  /** The latest revision that it has heard of. */
  #revision = 1;
  #values = 0;

  constructor(index: number, world: World, history: ApiHistory, kind: 'a' | 'l' = 'a') {
    this.name = `${kind}${index + 1}`;
    this.#world = world;
    this.#history = history;
    this.#at = index % world.machines.length;
  }

  async play(script: ApiScript): Promise<void> {
    const { machines, time } = this.#world;
    for (const line of script) {
      if (this.#world.isClosing) return;
      await time.timers.sleep(line.thinkMs);
      if (this.#world.isClosing) return;
      if (line.moves) this.#at = (this.#at + 1) % machines.length;
      await this.ask(this.#draw(line), machines[this.#at] as Machine, line.timeoutMs);
    }
  }

  async ask(call: Call, machine: Machine, timeoutMs: number): Promise<AskedCall> {
    const { time, trace } = this.#world;
    const asked = this.#history.begin(call, time.monotonicMs());
    trace.note(this.name, `asks ${machine.name}: ${describeCall(call)}`);
    const called = await callMember<Reply>({
      world: this.#world,
      machine,
      timeoutMs,
      work: async ({ kv, lease, gate }) => {
        const read = (): Promise<void> => new Promise((resolve) => time.timers.after(2, () => gate.enter(resolve)));
        return { kind: 'response', response: await ask({ kv: kv ?? {}, lease, read }, call, gate.signal) };
      },
      onFailure: (error) => {
        if (error instanceof Violation) this.#world.broken(error);
        return failureOf(error);
      },
    });
    const outcome: CallOutcome = called.kind === 'answered' ? { kind: 'answered', reply: called.answer } : called;
    this.#history.end(asked, outcome, time.monotonicMs());
    if (outcome.kind !== 'answered') this.#at = (this.#at + 1) % this.#world.machines.length;
    else if (outcome.reply.kind === 'response') this.#revision = Math.max(this.#revision, outcome.reply.response.header?.revision ?? 0);
    trace.note(this.name, outcome.kind === 'answered' ? `has ${describeReply(outcome.reply)}` : `${outcome.kind}: ${outcome.why}`);
    return asked;
  }

  #draw({ seed, what }: ApiLine): Call {
    const random = seededRandom(seed);
    const value = (): string => `${++this.#values % 10}.${this.name}.${this.#values}`;
    const drawing: Drawing = { random, keys: KEYS, value, revision: this.#revision, leases: LEASES, depth: 2 };
    if (what === 'compact') return drawCompaction(drawing);
    return what === 'lease' ? drawLeaseCall(drawing) : drawKeyCall(drawing);
  }
}

function failureOf(error: unknown): Called<Reply> {
  const why = messageOf(error);
  if (isRefusal(why)) return { kind: 'refused', why };
  const isAnswer = error instanceof GrpcError && (ANSWERS.includes(error.code) || why === 'etcdserver: lease already exists');
  return isAnswer ? { kind: 'answered', answer: { kind: 'error', why } } : { kind: 'unknown', why };
}
