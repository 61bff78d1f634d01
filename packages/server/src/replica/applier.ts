// Takes committed entries to the store, in order, in slices that leave the event loop to others.
import { type LogIndex, type Term, defined } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { ApiError, type CommandResult, type Store, decodeCommand } from '@distrokv/mvcc';
import type { Entry } from '@distrokv/raft';
import { decodeProposal } from './proposal-codec.ts';
import type { Proposals } from './proposals.ts';

/** How long a slice may keep the event loop. */
const SLICE_MS = 5;

export interface ApplierOptions {
  readonly env: Env;
  readonly store: Store;
  readonly proposals: Proposals;
  readonly onApplied: (index: LogIndex) => void;
  /** The store or the engine failed, or the log holds what it cannot: this member must stop. */
  readonly onFatal: (error: unknown) => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  #queue: (readonly Entry[])[] = [];
  #running: Promise<void> | undefined;
  #term: Term;
  #stopped = false;
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
      let sliceStart = env.clock.monotonicMs();
      for (let entries = this.#queue.shift(); entries && !this.#stopped; entries = this.#queue.shift()) {
        for (const entry of entries) {
          const room = this.#apply(entry);
          if (room) await this.#waitFor(room);
          if (this.#stopped) return;
          if (env.clock.monotonicMs() - sliceStart < SLICE_MS) continue;
          onApplied(entry.index);
          await env.timers.yield();
          sliceStart = env.clock.monotonicMs();
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

  /** A store that waits for room, on a disk that is full perhaps, must not keep a member from stopping. */
  #waitFor(room: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#endWait = resolve;
      room.then(resolve, reject);
    });
  }

  #apply(entry: Entry): Promise<void> | undefined {
    const { store, proposals } = this.#options;
    if (entry.kind === 'command') {
      const proposal = decodeProposal(entry.data);
      const results = proposal.commands.map((bytes) => this.#applyCommand(bytes));
      if (proposals.isOurs(proposal)) proposals.settle(proposal.sequence, results);
    }
    if (entry.term > this.#term) {
      this.#term = entry.term;
      proposals.termApplied(entry.term);
    }
    return store.commit(entry.index, entry.term);
  }

  #applyCommand(bytes: Uint8Array): CommandResult | ApiError {
    try {
      return this.#options.store.apply(decodeCommand(bytes));
    } catch (error) {
      if (error instanceof ApiError) return error; // the same on every member
      throw error;
    }
  }
}
