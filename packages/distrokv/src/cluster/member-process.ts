// One member as a child process. Its output comes line by line; it learns through the ipc channel that it should stop, also
// when this process is killed and can say nothing any more.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { supervisedFlag } from '../server/command.ts';

export interface MemberProcess {
  readonly ready: Promise<void>;
  /** Resolves when the process is gone, with words that say how. */
  readonly ended: Promise<string>;
  /** Asks it to stop, and ends it when it has not after `patienceMs`. */
  stop(patienceMs: number): void;
}

export interface MemberProcessOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLine: (line: string) => void;
}

const entry = fileURLToPath(new URL('../../bin/distrokv.mjs', import.meta.url));

export function startMemberProcess({ args, env, onLine }: MemberProcessOptions): MemberProcess {
  // A process group of its own: the terminal's Ctrl-C reaches this process only, which then stops its members in order.
  const child = spawn(process.execPath, [entry, ...args, '--log-format', 'text', supervisedFlag], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    env,
  });
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
  return {
    ready: new Promise((resolve) => child.once('message', () => resolve())),
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve(`could not be started: ${error.message}`));
      child.once('close', (code, signal) => resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
    }),
    stop(patienceMs) {
      if (child.connected) child.disconnect();
      setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
    },
  };
}
