// What a seed says of the clients of the whole API, if it has any: what they do, and how a member treats those who watch.
import type { Random } from '@distrokv/base';
import { type ApiScript, drawApiScripts } from './api-scripts.ts';
import { type WatchScript, drawWatchScripts } from './watch-scripts.ts';

export interface ApiPlan {
  readonly scripts: readonly ApiScript[];
  readonly watches: readonly WatchScript[];
  readonly watchProgressNotifyMs: number;
  /** Small ones let watchers fall behind, and read history. */
  readonly watchQueueBytes: number;
}

export function drawApi(random: Random, durationMs: number): ApiPlan | undefined {
  if (random.chance(0.6)) return undefined;
  const pickOne = <T>(...from: T[]): T => from[random.below(from.length)] as T;
  return {
    watchProgressNotifyMs: pickOne(300, 2000, 600_000),
    watchQueueBytes: pickOne(500, 4000, 1 << 20),
    scripts: drawApiScripts(random, durationMs),
    watches: drawWatchScripts(random, durationMs),
  };
}
