// Takes committed entries to the store, in order, in slices that leave the event loop to others.
import { type LogIndex, type Term, defined } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import {
  ApiError,
  type CommandResult,
  PlainPut,
  type Steps,
  type Store,
  StoreLimitError,
  decodeCommand,
  revisionHeader,
} from '@distrokv/mvcc';
import type { Entry } from '@distrokv/raft';
import { applyConfiguration } from './membership.ts';
import { ProposalReader } from './proposal-codec.ts';
import type { Proposals } from './proposals.ts';

/** How long a slice may keep the event loop. */
const SLICE_MS = 5;

export interface ApplierOptions {
  readonly env: Env;
  readonly store: Store;
  readonly proposals: Proposals;
  readonly onApplied: (index: LogIndex) => void;
  /** A configuration is in the store now. */
  readonly onConfiguration: () => void;
  /** The store or the engine failed, or the log holds what it cannot: this member must stop. */
  readonly onFatal: (error: unknown) => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  #queue: (readonly Entry[])[] = [];
  #running: Promise<void> | undefined;
  #term: Term;
  #stopped = false;
  #sliceStart = 0;
  /** Ends the wait for room in the store, if there is one. */
  #endWait: () => void = () => {};

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#term = options.store.state.appliedTerm;
  }

  /** Entries that follow those added before. */
  add(entries: readonly Entry[]): void {
    if (entries.length === 0 || this.#stopped) return;
    this.#queue.push(entries);
    this.#running ??= this.#run();
  }

  /** Applies nothing more; resolves when the entry in work is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endWait();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { env, onApplied, onFatal } = this.#options;
    await Promise.resolve(); // `#running` is set before any of this happens
    try {
      this.#sliceStart = env.clock.monotonicMs();
      for (let entries = this.#queue.shift(); entries && !this.#stopped; entries = this.#queue.shift()) {
        for (const entry of entries) {
          if (entry.kind === 'config') applyConfiguration(this.#options.store, entry);
          const applied = entry.kind === 'command' ? this.#applyCommands(entry) : undefined;
          const room = this.#end(entry, applied instanceof Promise ? await applied : applied);
          if (entry.kind === 'config') this.#options.onConfiguration();
          if (room) await this.#waitFor(room);
          if (this.#stopped) return;
          if (!this.#isSliceOver) continue;
          onApplied(entry.index);
          await this.#yield();
        }
        onApplied(defined(entries.at(-1), 'the last entry').index);
      }
    } catch (error) {
      this.#stopped = true;
      onFatal(error);
    } finally {
      this.#running = undefined;
    }
  }

  get #isSliceOver(): boolean {
    return this.#options.env.clock.monotonicMs() - this.#sliceStart >= SLICE_MS;
  }

  async #yield(): Promise<void> {
    const { env } = this.#options;
    await env.timers.yield();
    this.#sliceStart = env.clock.monotonicMs();
  }

  /** A store that waits for room, on a disk that is full perhaps, must not keep a member from stopping. */
  #waitFor(room: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#endWait = resolve;
      room.then(resolve, reject);
    });
  }

  /** Applies the commands of an entry; a promise only if that takes longer than a slice. */
  #applyCommands(entry: Entry): Applied | Promise<Applied> {
    const { store, proposals } = this.#options;
    const proposal = new ProposalReader(entry.data);
    const own = proposals.commandsOf(proposal);
    // What comes of the others' commands, they learn themselves.
    const results: Result[] | undefined = own && [];
    while (proposal.next()) {
      if (plain.read(proposal.data, proposal.start, proposal.end)) {
        const result = applyPlain(store, results !== undefined);
        results?.push(result);
        continue;
      }
      // A put or a transaction of this member need not be decoded again; its fields are plain, and what they hold is what the bytes say.
      const before = own?.[proposal.count - 1];
      const command =
        before?.kind === 'put' || before?.kind === 'txn' ? before : decodeCommand(proposal.data, proposal.start, proposal.end);
      const steps = store.applySteps(command);
      let result = stepOn(steps);
      while (result === undefined && !this.#isSliceOver) result = stepOn(steps);
      if (result === undefined) return this.#applyLong({ proposal, results }, steps);
      results?.push(result.value);
    }
    return { proposal, results };
  }

  /** A command that takes longer than a slice, and those after it. Once begun, it is brought to its end even if this member is to stop. */
  async #applyLong(applied: Applied, begun: Steps<CommandResult>): Promise<Applied> {
    const { proposal, results } = applied;
    let steps = begun;
    for (;;) {
      let result = stepOn(steps);
      for (; result === undefined; result = stepOn(steps)) if (this.#isSliceOver) await this.#yield();
      results?.push(result.value);
      if (!proposal.next()) return applied;
      steps = this.#options.store.applySteps(decodeCommand(proposal.data, proposal.start, proposal.end));
    }
  }

  /** Clients learn of it after those who watch: a watch that begins later does not see it. */
  #end(entry: Entry, applied: Applied | undefined): Promise<void> | undefined {
    const { store, proposals } = this.#options;
    const room = store.commit(entry.index, entry.term);
    if (applied?.results) proposals.settle(applied.proposal.sequence, applied.results);
    if (entry.term > this.#term) {
      this.#term = entry.term;
      proposals.termApplied(entry.term);
    }
    return room;
  }
}

interface Applied {
  readonly proposal: ProposalReader;
  /** Of a proposal of this member, whose clients wait. */
  readonly results: Result[] | undefined;
}

/** What came of a command; an error is one that every member gives alike. */
type Result = CommandResult | ApiError | StoreLimitError;

/** Undefined while there is more to do. */
function stepOn(steps: Steps<CommandResult>): { readonly value: Result } | undefined {
  let isDone = true;
  const value = refusable(() => {
    const step = steps.next();
    isDone = step.done === true;
    return step.value as CommandResult;
  });
  return isDone ? { value } : undefined;
}

/** The put that is applied: nothing is made for it but its answer, if somebody waits for that. */
const plain = new PlainPut();

function applyPlain(store: Store, isAwaited: boolean): Result {
  try {
    const at = store.applyPlain(plain);
    return isAwaited ? { header: revisionHeader(at), prevKv: undefined } : undefined;
  } catch (error) {
    return refusal(error);
  }
}

function refusable(work: () => CommandResult): Result {
  try {
    return work();
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): ApiError | StoreLimitError {
  if (error instanceof ApiError || error instanceof StoreLimitError) return error;
  throw error;
}
