// A world in memory that repeats itself: the same seed and the same calls give the same run. Only the turns of the event loop are the
// host's. Time passes when it is told to (`time.advance`); what does not wait for time goes on by itself, as on a real host.
import { seededRandom } from '@distrokv/base';
import type { Env } from '../env.ts';
import { MemoryFileSystem } from './file-system.ts';
import { MemoryNetwork } from './net.ts';
import { SimulatedTime } from './time.ts';

export interface MemoryEnvOptions {
  readonly seed: number;
  /** Default: an empty one. What is left after a crash is `fs.crash(…)` of the env before. */
  readonly fs?: MemoryFileSystem;
  /** Default: a time of its own. */
  readonly time?: SimulatedTime;
  /** Default: a network of its own, without delays. */
  readonly network?: MemoryNetwork;
  /** The name of this host in the network (default `localhost`). */
  readonly host?: string;
}

export interface MemoryEnv extends Env {
  readonly fs: MemoryFileSystem;
  readonly time: SimulatedTime;
}

export function createMemoryEnv(options: MemoryEnvOptions): MemoryEnv {
  const random = seededRandom(options.seed);
  const fs = options.fs ?? new MemoryFileSystem({ random: seededRandom(random.uint32()) });
  const time = options.time ?? new SimulatedTime();
  const network = options.network ?? new MemoryNetwork({ timers: time.timers, seed: options.seed });
  return { fs, time, clock: time, timers: time.timers, random, net: network.at(options.host ?? 'localhost') };
}
