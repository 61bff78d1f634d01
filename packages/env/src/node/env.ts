// The real world: the one place, with its neighbours in this folder, that touches the operating system.
import type { Env } from '../env.ts';
import { NodeFileSystem } from './file-system.ts';
import { nodeNetwork } from './net.ts';
import { createNodeRandom } from './random.ts';
import { nodeClock, nodeTimers } from './time.ts';

export function createNodeEnv(): Env {
  return { fs: new NodeFileSystem(), clock: nodeClock, timers: nodeTimers, random: createNodeRandom(), net: nodeNetwork };
}
