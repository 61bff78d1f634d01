// One thread of a campaign: it runs the seeds that it is given, one after the other.
import { parentPort } from 'node:worker_threads';
import { assert } from '@distrokv/base';
import type { SeedReport, WorkerRequest } from './campaign.ts';
import { drawPlan } from '../plan.ts';
import { runPlan } from '../run.ts';

const port = parentPort;
assert(port !== null, 'this is the entry of a thread');
port.on('message', ({ seed, durationMs }: WorkerRequest) => {
  void runPlan(drawPlan(seed, durationMs)).then((report) => {
    const answer: SeedReport = { ...report, violation: report.violation?.message, lines: [] };
    port.postMessage(answer);
  });
});
