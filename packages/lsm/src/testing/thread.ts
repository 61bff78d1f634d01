// One thread of in-threads.ts.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { Answer } from './in-threads.ts';

const port = parentPort;
assert(port !== null, 'this file is a worker');
const { module } = workerData as { readonly module: string };
const { run } = (await import(new URL(module, import.meta.url).href)) as { run(this: void, task: unknown): Promise<unknown> };
port.on('message', (task: unknown) => {
  run(task).then(
    (result) => port.postMessage({ result } satisfies Answer),
    (error: unknown) => port.postMessage({ failure: inspect(error, { depth: 8 }) } satisfies Answer),
  );
});
