// What a seed says of the clients of the whole API, if it has any: what they do, and how a member treats those who watch.
import type { Random } from '@distrokv/base';
import { type ApiScript, drawApiScripts } from './api-scripts.ts';
import { type LineScript, type ObserveScript, drawLineScripts, drawObserveScripts } from './line-scripts.ts';
import { type WatchScript, drawWatchScripts } from './watch-scripts.ts';

export interface ApiPlan {
  readonly scripts: readonly ApiScript[];
  readonly watches: readonly WatchScript[];
  /** Of clients that lock and run for election. */
  readonly lines: readonly LineScript[];
  /** Of clients that observe who is first. */
  readonly observers: readonly ObserveScript[];
  /** Settings of members. */
  readonly limits: {
    readonly watchProgressNotifyMs: number;
    /** Small ones let watchers fall behind, and read history. */
    readonly watchQueueBytes: number;
    /** Small ones cut what is told into pieces. */
    readonly watchFragmentBytes: number;
    readonly rangeChunkBytes: number;
  };
}

export function drawApi(random: Random, durationMs: number): ApiPlan | undefined {
  if (random.chance(0.6)) return undefined;
  const pickOne = <T>(...from: T[]): T => from[random.below(from.length)] as T;
  const watchProgressNotifyMs = pickOne(300, 2000, 600_000);
  const watchQueueBytes = pickOne(500, 4000, 1 << 20);
  const scripts = drawApiScripts(random, durationMs);
  const watches = drawWatchScripts(random, durationMs);
  const limits = {
    watchProgressNotifyMs,
    watchQueueBytes,
    watchFragmentBytes: pickOne(150, 400, 1 << 20),
    rangeChunkBytes: pickOne(1, 40, 1 << 20),
  };
  const lines = drawLineScripts(random, durationMs);
  return { scripts, watches, lines, observers: drawObserveScripts(random, durationMs), limits };
}
