// Both bindings keep one contract.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryEnv } from './memory/env.ts';
import { createNodeEnv } from './node/env.ts';
import { contract } from './testing/contract.ts';

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
