// Loads that are put on a server: the generator of `bench/wire` in a process of its own, and calls at a given pace.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { sleep } from './servers.mjs';

const loadgen = fileURLToPath(new URL('../wire/loadgen.mjs', import.meta.url));

/** One run of the load generator. */
export async function generate(targets, flags) {
  const args = Object.entries(flags).flatMap(([flag, value]) => (value === true ? [`--${flag}`] : [`--${flag}`, String(value)]));
  const { stdout } = await promisify(execFile)(process.execPath, [loadgen, '--target', targets.join(','), ...args]);
  const result = JSON.parse(stdout);
  if (result.errors > 0) throw new Error(`${result.errors} of the load's requests failed`);
  return result;
}

/**
 * Puts at a steady pace, whatever the answers take, on a connection of its own; a latency counts from when its put was due. `putAt(i)` is the request.
 * Stop it to get `{ count, latencies }`, the latencies sorted, in milliseconds.
 */
export function pacedPuts(target, perSecond, putAt) {
  const channel = createChannel(target);
  const latencies = [];
  const began = performance.now();
  const waiting = new Set();
  const failures = [];
  let [sent, isOver] = [0, false];
  const send = () => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const dueMs = began + (sent / perSecond) * 1000;
      // One that is refused because the server is too late with it has taken at least that long.
      const call = channel.unary(pb.KV.methods.put, putAt(sent)).catch((error) => {
        if (error.code !== 'unavailable') failures.push(error);
      });
      void call.then(() => latencies.push(performance.now() - dueMs));
      waiting.add(call);
      void call.finally(() => waiting.delete(call));
    }
    if (!isOver) setTimeout(send, 2);
  };
  send();
  return {
    async stop() {
      isOver = true;
      await Promise.all(waiting);
      channel.close();
      if (failures.length > 0) throw new Error(`${failures.length} puts failed`, { cause: failures[0] });
      return { count: latencies.length, latencies: latencies.sort((a, b) => a - b) };
    },
  };
}

/** `pacedPuts` of one key, from a thread of its own. */
export function probe(target, perSecond) {
  const worker = new Worker(new URL('probe-worker.mjs', import.meta.url), { workerData: { target, perSecond } });
  return {
    async stop() {
      const answer = once(worker, 'message');
      worker.postMessage('stop');
      const [result] = await answer;
      await worker.terminate();
      return result;
    },
  };
}

export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;

/** Resolves with whether `condition` came true in time. */
export async function until(condition, timeoutMs) {
  for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(5)) if (condition()) return true;
  return condition();
}

/** Calls `look` now and then until it is stopped; resolves to the largest answer. */
export function highest(look, everyMs = 50) {
  let most = look();
  const timer = setInterval(() => (most = Math.max(most, look())), everyMs);
  return () => {
    clearInterval(timer);
    return Math.max(most, look());
  };
}
