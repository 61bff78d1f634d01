// Both bindings keep one contract.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryEnv } from './memory/env.ts';
import { MemoryNetwork } from './memory/net.ts';
import { SimulatedTime } from './memory/time.ts';
import { createNodeEnv } from './node/env.ts';
import { contract } from './testing/contract.ts';
import { netContract } from './testing/net-contract.ts';

contract('node', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'distrokv-env-'));
  t.after(() => rm(directory, { recursive: true }));
  return { env: createNodeEnv(), directory, pass: async () => {} };
});

contract('memory', async () => {
  const env = createMemoryEnv({ seed: 1 });
  await env.fs.makeDirectory('data');
  return { env, directory: 'data', pass: (ms) => env.time.advance(ms) };
});

netContract('node', () => createNodeEnv());
netContract('memory', () => createMemoryEnv({ seed: 1 }));
netContract('memory, in pieces', () => {
  const time = new SimulatedTime();
  return createMemoryEnv({ seed: 1, time, network: new MemoryNetwork({ timers: time.timers, seed: 3, maxPieceBytes: 30_000 }) });
});
