// One member as a child process. Its output comes line by line; it learns through the ipc channel that it should stop, also
// when this process is killed and can say nothing any more.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { missingFlags } from '../runtime-flags.ts';
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
  const child = spawn(process.execPath, [...missingFlags(process.execArgv), entry, ...args, '--log-format', 'text', supervisedFlag], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    env,
  });
  const readers = [child.stdout, child.stderr].flatMap((stream) =>
    stream ? [createInterface({ input: stream, crlfDelay: Infinity })] : [],
  );
  for (const reader of readers) reader.on('line', onLine);
  return {
    ready: new Promise((resolve) => child.once('message', () => resolve())),
    ended: Promise.all([endOf(child), ...readers.map((reader) => once(reader, 'close'))]).then(([how]) => how),
    stop(patienceMs) {
      if (child.connected) child.disconnect();
      setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
    },
  };
}

/** How a process ended. (Its 'close' event, which would wait for the output too, does not come once we have closed the channel.) */
async function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
  });
}
