// Merges on a thread of their own, so that the event loop never does them. Here is the main thread's side: it hands out jobs,
// one at a time, and keeps the tables that they read from going. A thread that crashes ends the engine, as a failed assertion would.
import { assert, unreachable } from '@distrokv/base';
import type { MergeJob } from './merge-work.ts';
import { type PlainError, fromPlain } from './plain-errors.ts';
import type { WrittenTable } from './table-writer.ts';
import { type Thread, startThread } from './threads.ts';

export type MergeRequest = MergeJob | 'cancel';
export type MergeAnswer = { readonly added: readonly WrittenTable[] } | { readonly error: PlainError };

interface Pending {
  readonly resolve: (added: readonly WrittenTable[]) => void;
  readonly reject: (error: Error) => void;
}

export class MergeThread {
  readonly #entry: URL;
  #thread: Thread<MergeRequest> | undefined;
  #pending: Pending | undefined;
  #crash: Error | undefined;

  /** `entry`: what the thread runs; it answers as merge-worker.ts does. */
  constructor(entry: URL = new URL('merge-worker.js', import.meta.url)) {
    this.#entry = entry;
  }

  /** The thread is started for its first job. */
  run(job: MergeJob): Promise<readonly WrittenTable[]> {
    assert(this.#pending === undefined, 'one merge at a time');
    if (this.#crash !== undefined) return Promise.reject(this.#crash);
    this.#thread ??= startThread<MergeRequest, MergeAnswer>(this.#entry, {
      onAnswer: (answer) => this.#settle((pending) => settleWith(pending, answer)),
      onCrash: (error) => {
        this.#crash = error;
        this.#settle((pending) => pending.reject(error));
      },
    });
    this.#thread.setNeeded(true);
    this.#thread.post(job);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
    });
  }

  /** Breaks off the job that is being done, if any; it rejects with LsmError `closed`, and leaves no table behind. */
  cancel(): void {
    if (this.#pending !== undefined) this.#thread?.post('cancel');
  }

  /** When no job is being done. */
  async stop(): Promise<void> {
    await this.#thread?.stop();
  }

  #settle(how: (pending: Pending) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#thread?.setNeeded(false);
    if (pending !== undefined) how(pending);
  }
}

function settleWith(pending: Pending, answer: MergeAnswer): void {
  if ('added' in answer) pending.resolve(answer.added);
  else if ('error' in answer) pending.reject(fromPlain(answer.error));
  else unreachable(answer, 'answer');
}
