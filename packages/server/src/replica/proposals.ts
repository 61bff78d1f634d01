// The commands that clients of this member wait for. Those of one turn of the event loop share a proposal, hence an entry.
//
// A proposal can get lost: its leader may fall before it is replicated, or the message to the leader may. When is it lost for good? A leader
// takes only what was meant for its own term, so a proposal handed out in term t can only ever be in an entry of term t; and terms never
// decrease along the log. So once an entry of a later term is applied, every proposal of term t that was not applied before it never will be.
// Such proposals are handed out again, and clients see a pause instead of an error. None is applied twice.
import { type MemberId, type Term, assert } from '@distrokv/base';
import type { Command, CommandResult } from '@distrokv/mvcc';
import type { ProposeResult } from '@distrokv/raft';
import { timedOut, tooManyRequests } from './errors.ts';
import { type ProposalMark, encodeProposal } from './proposal-codec.ts';

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
  readonly commands: Command[] = [];
  /** As they go into the log. */
  readonly bytes: Uint8Array[] = [];
  readonly waiters: Waiter[] = [];
  byteLength = 0;
}

interface Pending {
  readonly payload: Uint8Array;
  readonly commands: readonly Command[];
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
  #gathered = new Gathered();
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
    let count = this.#gathered.waiters.length;
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
    this.#waitingBytes += bytes.length;
    this.#gatheredBytes += bytes.length;
    const gathered = this.#gathered;
    gathered.commands.push(command);
    gathered.bytes.push(bytes);
    gathered.byteLength += bytes.length;
    if (gathered.byteLength >= MAX_PROPOSAL_BYTES) {
      this.#full.push(gathered);
      this.#gathered = new Gathered();
    }
    return new Promise((resolve, reject) => gathered.waiters.push({ resolve, reject }));
  }

  /** Hands out what has gathered. */
  flush(): void {
    if (this.#gatheredBytes === 0) return;
    const taken = this.#full;
    if (this.#gathered.waiters.length > 0) taken.push(this.#gathered);
    this.#full = [];
    this.#gathered = new Gathered();
    this.#gatheredBytes = 0;
    for (const gathered of taken) this.#close(gathered);
  }

  #close({ commands, bytes, waiters, byteLength }: Gathered): void {
    const sequence = ++this.#sequence;
    const { origin, session, now, timeoutMs } = this.#options;
    const payload = encodeProposal({ origin, session, sequence, commands: bytes });
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
  commandsOf(mark: ProposalMark): readonly Command[] | undefined {
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
    for (const { waiters } of [...this.#full, this.#gathered]) for (const waiter of waiters) waiter.reject(error);
    this.#full = [];
    this.#gathered = new Gathered();
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
