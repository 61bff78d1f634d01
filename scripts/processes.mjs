// Child processes that behave as if they were this one: same terminal, same signals, same end.
import { spawn } from 'node:child_process';
import { whenNpmIsGone } from './npm-watch.mjs';

/** A failure that is told in its message, without a stack. */
export class Failure extends Error {
  expected = true;
}

/**
 * Runs a program to its end. With `stopsWithParent` it is told when npm is gone, and gets an ipc channel, whose closing tells it that this process
 * is gone, even by kill -9. With `capture` its output is returned and not shown.
 */
export function run(command, args, { cwd, env, stopsWithParent = false, capture = false, shell = false } = {}) {
  const output = capture ? 'pipe' : 'inherit';
  const child = spawn(command, args, { cwd, env, shell, stdio: ['inherit', output, output, ...(stopsWithParent ? ['ipc'] : [])] });
  const forward = (signal) => {
    // Ctrl-C on a terminal goes to every process on it, the child included.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, forward);
  if (stopsWithParent) whenNpmIsGone(() => child.kill('SIGTERM'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (data) => (text += data));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Failure(`cannot run ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      for (const each of signals) process.off(each, forward);
      resolve({ code, signal, text });
    });
  });
}

/** Ends this process as its child ended. */
export function passOn({ code, signal }) {
  if (signal !== null) process.kill(process.pid, signal);
  else process.exitCode = code;
}

/** For what must succeed before anything else can be done. */
export function mustSucceed({ code, signal }, what) {
  if (signal !== null) process.kill(process.pid, signal);
  if (code !== 0) throw new Failure(`${what} failed (see above)`);
}

export function say(line) {
  process.stderr.write(`> ${line}\n`);
}
