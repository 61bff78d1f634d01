// Many seeds on all cores: hands seeds to workers, gathers what they report.
import { Worker } from 'node:worker_threads';
import { type FaultKind } from '../faults.ts';
import type { Report } from '../run.ts';

/** A report as it comes from a worker. */
export type SeedReport = Omit<Report, 'violation'> & { readonly violation: string | undefined };

export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  readonly workers: number;
  readonly durationMs: number;
  /** After each seed. */
  readonly onReport?: (report: SeedReport, summary: Summary) => void;
  /** Ends the campaign at the first failure. */
  readonly stopsAtFailure?: boolean;
  readonly signal?: AbortSignal;
  /** What the threads run (default: the worker beside this file). */
  readonly entry?: URL;
}

export interface Summary {
  seeds: number;
  simulatedMs: number;
  wallMs: number;
  answered: number;
  refused: number;
  unknown: number;
  undecided: number;
  apiCalls: number;
  watchEvents: number;
  committed: number;
  terms: number;
  failStops: number;
  messages: number;
  lostMessages: number;
  events: number;
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly failures: SeedReport[];
}

export interface WorkerRequest {
  readonly seed: number;
  readonly durationMs: number;
}

const WORKER = new URL('./campaign-worker.js', import.meta.url);

export async function runCampaign(options: CampaignOptions): Promise<Summary> {
  const started = performance.now();
  const summary: Summary = { ...emptySums(), wallMs: 0, faults: {}, failures: [] };
  let next = options.from;
  const end = options.from + options.seeds;
  const isOver = (): boolean =>
    next >= end || options.signal?.aborted === true || (options.stopsAtFailure === true && summary.failures.length > 0);
  const onReport = (report: SeedReport): void => {
    add(summary, report);
    summary.wallMs = performance.now() - started;
    options.onReport?.(report, summary);
  };
  const worker = (): Promise<void> =>
    runWorker(options.entry ?? WORKER, () => (isOver() ? undefined : { seed: next++, durationMs: options.durationMs }), onReport);
  await Promise.all(Array.from({ length: Math.min(options.workers, options.seeds) }, worker));
  return summary;
}

function runWorker(entry: URL, take: () => WorkerRequest | undefined, onReport: (report: SeedReport) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry);
    const goOn = (): void => {
      const request = take();
      if (request) worker.postMessage(request);
      else void worker.terminate().then(() => resolve());
    };
    worker.on('message', (report: SeedReport) => {
      onReport(report);
      goOn();
    });
    worker.on('error', reject);
    goOn();
  });
}

function emptySums(): Omit<Summary, 'wallMs' | 'faults' | 'failures'> {
  return {
    seeds: 0,
    simulatedMs: 0,
    answered: 0,
    refused: 0,
    unknown: 0,
    undecided: 0,
    apiCalls: 0,
    watchEvents: 0,
    committed: 0,
    terms: 0,
    failStops: 0,
    messages: 0,
    lostMessages: 0,
    events: 0,
  };
}

function add(summary: Summary, report: SeedReport): void {
  summary.seeds++;
  for (const key of Object.keys(emptySums()) as (keyof ReturnType<typeof emptySums>)[]) if (key !== 'seeds') summary[key] += report[key];
  for (const [kind, count] of Object.entries(report.faults) as [FaultKind, number][])
    summary.faults[kind] = (summary.faults[kind] ?? 0) + count;
  if (report.violation !== undefined) summary.failures.push(report);
}
