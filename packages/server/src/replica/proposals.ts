// The commands that clients of this member wait for. Those of one turn of the event loop share a proposal, hence an entry.
//
// A proposal can get lost: its leader may fall before it is replicated, or the message to the leader may. When is it lost for good? A leader
// takes only what was meant for its own term, so a proposal handed out in term t can only ever be in an entry of term t; and terms never
// decrease along the log. So once an entry of a later term is applied, every proposal of term t that was not applied before it never will be.
// Such proposals are handed out again, and clients see a pause instead of an error. None is applied twice.
import { EMPTY, type MemberId, type Term, assert } from '@distrokv/base';
import type { Command, CommandResult, PlainPut } from '@distrokv/mvcc';
import type { ProposeResult } from '@distrokv/raft';
import { timedOut, tooManyRequests } from './errors.ts';
import { type ProposalMark, ProposalWriter } from './proposal-codec.ts';

/** A proposal is closed at this many bytes of commands. */
const MAX_PROPOSAL_BYTES = 512 << 10;
/** Most bytes that may wait here; past it new commands are refused. */
const MAX_WAITING_BYTES = 64 << 20;

interface Waiter {
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Commands of one proposal to be: the same place in each of the lists is one command. */
class Gathered {
  readonly sequence: number;
  /** Undefined for a plain put, which is applied from the bytes of the log. */
  readonly commands: (Command | undefined)[] = [];
  readonly waiters: Waiter[] = [];
  byteLength = 0;
  /** As it goes into the log, once it takes no more. */
  payload: Uint8Array = EMPTY;

  constructor(sequence: number) {
    this.sequence = sequence;
  }
}

interface Pending {
  readonly payload: Uint8Array;
  readonly commands: readonly (Command | undefined)[];
  readonly waiters: readonly Waiter[];
  readonly expiresMs: number;
  /** The term that it was handed out in; undefined while there is nobody to take it, and so it cannot have happened. */
  term: Term | undefined;
}

export interface ProposalsOptions {
  readonly origin: MemberId;
  /** Different in every run of the process. */
  readonly session: number;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly propose: (payloads: readonly Uint8Array[]) => ProposeResult;
}

export class Proposals {
  readonly #options: ProposalsOptions;
  /** What is being written. */
  #gathered: Gathered | undefined;
  readonly #writer = new ProposalWriter();
  /** Those that have their fill already. */
  #full: Gathered[] = [];
  #gatheredBytes = 0;
  readonly #pending = new Map<number, Pending>();
  #waitingBytes = 0;
  #sequence = 0;
  #failed = 0;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  get gatheredBytes(): number {
    return this.#gatheredBytes;
  }

  /** Commands whose clients wait. */
  get waiting(): number {
    let count = this.#gathered?.waiters.length ?? 0;
    for (const { waiters } of this.#full) count += waiters.length;
    for (const { waiters } of this.#pending.values()) count += waiters.length;
    return count;
  }

  /** Commands that were given up: refused for want of a leader or of room, or with an outcome that is unknown. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * `bytes`: the command as it goes into the log. Resolves with what the store answered, rejects with what it refused the command with; or with
   * GrpcError when the cluster does not get to it.
   */
  add(command: Command, bytes: Uint8Array): Promise<CommandResult> {
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) return Promise.reject(tooManyRequests());
    const gathered = this.#begun();
    this.#writer.add(bytes);
    return this.#wait(gathered, command, bytes.length);
  }

  /** As `add`, of a put that is copied from where it lies. */
  addPut(put: PlainPut): Promise<CommandResult> {
    if (this.#waitingBytes + put.byteLength > MAX_WAITING_BYTES) return Promise.reject(tooManyRequests());
    const gathered = this.#begun();
    this.#writer.addPut(put);
    return this.#wait(gathered, undefined, put.byteLength);
  }

  #begun(): Gathered {
    if (this.#gathered === undefined) {
      const { origin, session } = this.#options;
      this.#gathered = new Gathered(++this.#sequence);
      this.#writer.begin({ origin, session, sequence: this.#sequence });
    }
    return this.#gathered;
  }

  #wait(gathered: Gathered, command: Command | undefined, byteLength: number): Promise<CommandResult> {
    this.#waitingBytes += byteLength;
    this.#gatheredBytes += byteLength;
    gathered.commands.push(command);
    gathered.byteLength += byteLength;
    if (gathered.byteLength >= MAX_PROPOSAL_BYTES) this.#fill(gathered);
    return new Promise((resolve, reject) => gathered.waiters.push({ resolve, reject }));
  }

  /** Nothing more goes into it. */
  #fill(gathered: Gathered): void {
    gathered.payload = this.#writer.finish();
    this.#full.push(gathered);
    this.#gathered = undefined;
  }

  /** Hands out what has gathered. */
  flush(): void {
    if (this.#gatheredBytes === 0) return;
    if (this.#gathered !== undefined) this.#fill(this.#gathered);
    const taken = this.#full;
    this.#full = [];
    this.#gatheredBytes = 0;
    for (const gathered of taken) this.#close(gathered);
  }

  #close({ sequence, payload, commands, waiters, byteLength }: Gathered): void {
    const { now, timeoutMs } = this.#options;
    const pending: Pending = {
      payload,
      commands,
      waiters,
      expiresMs: now() + timeoutMs,
      term: undefined,
    };
    this.#waitingBytes += payload.length - byteLength;
    this.#pending.set(sequence, pending);
    this.#handOut(sequence, pending);
  }

  #handOut(sequence: number, pending: Pending): void {
    const result = this.#options.propose([pending.payload]);
    if (result.outcome === 'overloaded') this.#reject(sequence, pending, tooManyRequests());
    else pending.term = 'term' in result ? result.term : undefined;
  }

  /** The commands of a proposal whose clients wait here, as they were before they were encoded. */
  commandsOf(mark: ProposalMark): readonly (Command | undefined)[] | undefined {
    const isOfThisRun = mark.session === this.#options.session && mark.origin === this.#options.origin;
    return isOfThisRun ? this.#pending.get(mark.sequence)?.commands : undefined;
  }

  /** The proposal was applied: `results` has what came of each command, an Error where it was refused. */
  settle(sequence: number, results: readonly (CommandResult | Error)[]): void {
    const pending = this.#take(sequence);
    if (!pending) return;
    assert(results.length === pending.waiters.length, 'every command of a proposal has a result');
    for (const [i, waiter] of pending.waiters.entries()) {
      const result = results[i];
      if (result instanceof Error) waiter.reject(result);
      else waiter.resolve(result);
    }
  }

  /** An entry of `term` was applied, and so no proposal of an earlier term will be any more. */
  termApplied(term: Term): void {
    for (const [sequence, pending] of [...this.#pending])
      if (pending.term !== undefined && pending.term < term) this.#handOut(sequence, pending);
  }

  /** There is a leader to take what nobody took before: there was none, or it was handing over. */
  leaderKnown(): void {
    for (const [sequence, pending] of [...this.#pending]) if (pending.term === undefined) this.#handOut(sequence, pending);
  }

  /** Nobody will be there to take anything for a while: what nobody has taken will not happen. */
  failUntaken(error: Error): void {
    for (const [sequence, pending] of [...this.#pending]) if (pending.term === undefined) this.#reject(sequence, pending, error);
  }

  /** Gives up on what has waited too long; whether it happens all the same is unknown. */
  expire(): void {
    const now = this.#options.now();
    for (const [sequence, pending] of this.#pending) {
      if (pending.expiresMs > now) break; // in the order of their deadlines
      this.#reject(sequence, pending, timedOut());
    }
  }

  failAll(error: Error): void {
    if (this.#gathered !== undefined) this.#fill(this.#gathered);
    for (const { waiters } of this.#full) for (const waiter of waiters) waiter.reject(error);
    this.#full = [];
    this.#gatheredBytes = 0;
    for (const [sequence, pending] of [...this.#pending]) this.#reject(sequence, pending, error);
  }

  #reject(sequence: number, pending: Pending, error: Error): void {
    this.#take(sequence);
    this.#failed += pending.waiters.length;
    for (const waiter of pending.waiters) waiter.reject(error);
  }

  #take(sequence: number): Pending | undefined {
    const pending = this.#pending.get(sequence);
    if (pending) {
      this.#pending.delete(sequence);
      this.#waitingBytes -= pending.payload.length;
    }
    return pending;
  }
}
