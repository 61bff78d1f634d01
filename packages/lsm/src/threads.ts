// Threads of the host: the only file of the engine that knows of them. What a thread does is a file of its own, which is its entry.
import os from 'node:os';
import { Worker, parentPort } from 'node:worker_threads';
import { assert, messageOf } from '@distrokv/base';

export interface ThreadListener<Answer> {
  onAnswer(answer: Answer): void;
  /** The thread is no more, although nobody stopped it. */
  onCrash(error: Error): void;
}

export interface Thread<Request> {
  post(request: Request): void;
  /** Whether the process stays alive for the thread's sake. */
  setNeeded(isNeeded: boolean): void;
  stop(): Promise<void>;
}

/** What the work makes is short-lived and little at a time: more room for it would only be touched, and so be taken from the host. */
const YOUNG_MIB = 4;

/**
 * How far the work stands back where the processors are few: the event loop gets three times the share of the one that they meet on. Farther back it
 * would hold up the loop by what it holds itself (a lock of the file system, room that a flush is to make) while it waits for a processor.
 */
const NICENESS = 5;
const MAX_NICENESS = 19;

export function startThread<Request, Answer>(entry: URL, listener: ThreadListener<Answer>): Thread<Request> {
  const worker = new Worker(entry, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB } });
  let isStopped = false;
  let hasCrashed = false;
  const crash = (why: string): void => {
    if (isStopped || hasCrashed) return;
    hasCrashed = true;
    listener.onCrash(new Error(`a thread of the storage engine ended: ${why}`));
  };
  worker.on('message', (answer: Answer) => listener.onAnswer(answer));
  worker.on('messageerror', (error) => crash(error.message));
  worker.on('error', (error) => crash(messageOf(error)));
  worker.on('exit', (code) => crash(`exit code ${code}`));
  worker.unref();
  return {
    post: (request) => worker.postMessage(request),
    setNeeded(isNeeded) {
      if (isNeeded) worker.ref();
      else worker.unref();
    },
    async stop() {
      isStopped = true;
      await worker.terminate();
    },
  };
}

/** Linux alone has a priority for each thread; elsewhere the call is about the process, and some hosts forbid it. */
function standBack(): void {
  if (os.platform() !== 'linux') return;
  try {
    os.setPriority(Math.min(MAX_NICENESS, os.getPriority() + NICENESS));
  } catch {
    // The work goes on as it is.
  }
}

/** The other end, called once by a thread's entry. */
export function serveThread<Request, Answer>(onRequest: (request: Request, answer: (answer: Answer) => void) => void): void {
  const port = parentPort;
  assert(port !== null, 'an entry of a thread runs in one');
  standBack();
  port.on('message', (request: Request) => onRequest(request, (answer) => port.postMessage(answer)));
}
