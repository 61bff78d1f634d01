// Compiles what changed. `tsc -b` knows what that is from the .tsbuildinfo files, which lie in each dist/, so that a deleted dist/ is
// built again.
import { existsSync } from 'node:fs';
import { mustSucceed, run, say } from './processes.mjs';

/** A build that takes longer than this has work to do, and says so. */
const QUIET_MS = 1_500;

export async function build(root) {
  const first = !existsSync(`${root}/packages/base/dist/tsconfig.tsbuildinfo`);
  if (first) say('compiling for the first time');
  const timer = setTimeout(() => first || say('compiling what changed'), QUIET_MS);
  try {
    mustSucceed(await run(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-b'], { cwd: root }), 'the build');
  } finally {
    clearTimeout(timer);
  }
}
