// Work of tests in threads of their own: away from the test runner, whose tracking of every promise costs more than the engine, and on a second core
// where there is one.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const THREADS = 2;

/** What a thread says of a task: what came of it, or how it failed, as a text. */
export type Answer = { readonly result: unknown } | { readonly failure: string };

interface Waiting {
  readonly task: unknown;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Gives each task to `run(task)`, which `module` in this folder exports, in the thread that is free first. */
export function inThreads<Task, Result>(module: string, tasks: readonly Task[]): Promise<Result>[] {
  const queue: Waiting[] = [];
  const results = tasks.map((task) => new Promise<unknown>((resolve, reject) => queue.push({ task, resolve, reject })));
  // Whoever waits for it may come later.
  for (const result of results) result.catch(() => {});
  for (let thread = 0; thread < Math.min(THREADS, tasks.length); thread++) void work(module, queue);
  return results as Promise<Result>[];
}

async function work(module: string, queue: Waiting[]): Promise<void> {
  const worker = new Worker(new URL('./thread.js', import.meta.url), { workerData: { module } });
  let isBroken = false;
  for (let waiting = queue.shift(); waiting !== undefined; waiting = queue.shift()) {
    try {
      if (isBroken) throw new Error('the thread that was to do this has ended');
      worker.postMessage(waiting.task);
      // An error that nobody in the thread caught ends it, and is thrown here.
      const [answer] = (await once(worker, 'message')) as [Answer];
      if ('failure' in answer) waiting.reject(new Error(answer.failure));
      else waiting.resolve(answer.result);
    } catch (error) {
      isBroken = true;
      waiting.reject(error);
    }
  }
  await worker.terminate();
}
