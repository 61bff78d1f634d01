// Flushes and merges on a thread of their own, so that the event loop never does them. Here is the main thread's side: it hands out
// jobs and keeps what they read from going. The thread is started for the first of them, or a while before, and kept. One that crashes ends the engine,
// as a failed assertion would.
import { unreachable } from '@distrokv/base';
import type { FlushJob } from './flush-work.ts';
import type { MergeJob } from './merge-work.ts';
import { type PlainError, fromPlain } from './plain-errors.ts';
import type { WrittenTable } from './table-writer.ts';
import { type Thread, startThread } from './threads.ts';

export type Job = FlushJob | MergeJob;
export type JobRequest = { readonly id: number; readonly job: Job } | 'cancel';
export type JobAnswer = { readonly id: number } & ({ readonly added: readonly WrittenTable[] } | { readonly error: PlainError });

interface Pending {
  readonly resolve: (added: readonly WrittenTable[]) => void;
  readonly reject: (error: Error) => void;
}

export class BackgroundThread {
  readonly #entry: URL;
  readonly #pending = new Map<number, Pending>();
  #thread: Thread<JobRequest> | undefined;
  #jobs = 0;
  #crash: Error | undefined;

  /** `entry`: what the thread runs; it answers as background-worker.ts does. */
  constructor(entry: URL = new URL('background-worker.js', import.meta.url)) {
    this.#entry = entry;
  }

  /** Starts the thread, unless it was. */
  start(): Thread<JobRequest> {
    this.#thread ??= startThread<JobRequest, JobAnswer>(this.#entry, {
      onAnswer: (answer) => this.#settle(answer.id, (pending) => settleWith(pending, answer)),
      onCrash: (error) => {
        this.#crash = error;
        for (const id of [...this.#pending.keys()]) this.#settle(id, (pending) => pending.reject(error));
      },
    });
    return this.#thread;
  }

  /** Jobs of both kinds may be done at the same time, one of each. */
  run(job: Job): Promise<readonly WrittenTable[]> {
    if (this.#crash !== undefined) return Promise.reject(this.#crash);
    const id = this.#jobs++;
    const thread = this.start();
    thread.setNeeded(true);
    thread.post({ id, job });
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
  }

  /** Breaks off the jobs that are being done; they reject with LsmError `closed`, and leave no table behind. */
  cancel(): void {
    if (this.#pending.size > 0) this.#thread?.post('cancel');
  }

  /** When no job is being done. */
  async stop(): Promise<void> {
    await this.#thread?.stop();
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#thread?.setNeeded(false);
    if (pending !== undefined) how(pending);
  }
}

function settleWith(pending: Pending, answer: JobAnswer): void {
  if ('added' in answer) pending.resolve(answer.added);
  else if ('error' in answer) pending.reject(fromPlain(answer.error));
  else unreachable(answer, 'answer');
}
