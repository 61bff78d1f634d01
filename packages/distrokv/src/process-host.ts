// The real process behind `Host`: standard streams, signals, the ipc channel of a parent.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { CommandError, usage } from './errors.ts';
import type { Host, Input, Output, StopListener } from './host.ts';

/** One Ctrl-C reaches a child of npm twice, from the terminal and from npm: signals this close together are one. */
const sameSignalMs = 500;

/**
 * How much more than what was alive after a full collection may be there before the next one. The buffers that a server holds count too: what the heap
 * itself keeps is small beside the log's entries and the requests that pass through, and V8's own choice then lets it collect once or twice a second.
 * 300% is the most that V8 would choose by itself.
 */
const heapGrowth = '--heap-growing-percent=300';

export function createProcessHost(): Host {
  let serves = false;
  const onBrokenPipe = (error: NodeJS.ErrnoException): void => {
    if (serves) return;
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  };
  process.stdout.on('error', onBrokenPipe);
  process.stderr.on('error', onBrokenPipe);
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    stdin: standardInput,
    env: process.env,
    becomeServer(onCrash) {
      serves = true;
      setFlagsFromString(heapGrowth);
      const crash = (error: unknown): void => {
        onCrash(error);
        process.exit(1);
      };
      process.on('uncaughtException', crash);
      process.on('unhandledRejection', crash);
    },
    onStopRequest,
    run: runProgram,
    notifyParent(message) {
      // A parent that is gone misses the message; that it is gone is told by `disconnect`.
      process.send?.(message, undefined, undefined, () => {});
    },
    nowMs: () => performance.now(),
  };
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    isTerminal: stream.isTTY === true,
    write: (data) => void stream.write(data),
    // A reader that goes away meanwhile ends the process.
    drain: async () => void (await (stream.writableNeedDrain ? once(stream, 'drain') : turn())),
  };
}

const standardInput: Input = {
  get isTerminal() {
    return process.stdin.isTTY === true;
  },
  async readAll(maxBytes) {
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of process.stdin as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > maxBytes) throw usage(`standard input holds more than ${maxBytes} bytes, which no server takes in one value`);
      parts.push(part);
    }
    return Buffer.concat(parts, length);
  },
  lines: () => createInterface({ input: process.stdin, crlfDelay: Infinity }),
};

function runProgram([program, ...args]: readonly [string, ...string[]], variables: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, ...variables } });
    child.once('error', (error) => reject(new CommandError('failed', `${program}: ${error.message}`, { cause: error })));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function onStopRequest(listener: StopListener): void {
  let firstAtMs: number | undefined;
  const request = (why: string): void => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
      listener(why);
    } else if (performance.now() - firstAtMs > sameSignalMs) {
      process.exit(1);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => request(signal));
  process.once('disconnect', () => request('the parent process is gone'));
}
