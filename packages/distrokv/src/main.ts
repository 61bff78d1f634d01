// Where the process begins: binds the command line to the real process. `bin/distrokv.mjs` and the repository's own scripts
// call `main`.
import { createProcessHost } from './process-host.ts';
import { runCommandLine } from './program.ts';

/** Runs a command line (without the program's name) and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const host = createProcessHost();
  let code = 1;
  try {
    code = await runCommandLine(argv, host);
  } catch (error) {
    host.stderr.write(`distrokv met a bug of its own: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
  // Output may still be on its way to a slow reader; open handles (an ipc channel, a signal) must not keep the process.
  await Promise.all([process.stdout, process.stderr].map(async (stream) => new Promise((resolve) => stream.write('', resolve))));
  process.exit(code);
}
