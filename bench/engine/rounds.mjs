// Plays the rounds: for each group of workloads every engine in turn, each in a fresh process on a fresh directory, so that the
// figures that are compared are minutes apart at most.
import { fork } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { groups } from './groups.mjs';

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));

/** Resolves to one object a round: figures by engine and workload. `say` is told of each step. */
export async function playRounds({ rounds, engines, only, workspace, node, say, ...job }) {
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const figures = Object.fromEntries(engines.map((engine) => [engine, {}]));
    for (const [name, group] of Object.entries(groups)) {
      if (![...Object.keys(group.fill), ...Object.keys(group.workloads)].some((workload) => only.includes(workload))) continue;
      // Who comes first changes from round to round.
      for (let i = 0; i < engines.length; i++) {
        const engine = engines[(i + round) % engines.length];
        const start = performance.now();
        Object.assign(figures[engine], await runChild(node, workspace, { ...job, engine, group: name, only, seed: round + 1 }));
        say(`round ${round + 1} of ${rounds}: ${name}, ${engine}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
      }
    }
    results.push(figures);
  }
  return results;
}

function runChild(node, workspace, { keepDirectory, ...job }) {
  const isKept = groups[job.group].isKept && keepDirectory !== undefined;
  const parent = isKept
    ? path.join(keepDirectory, `${job.engine}-${job.keys}x${job.valueBytes}`)
    : fs.mkdtempSync(path.join(workspace, `${job.engine}-`));
  const directory = path.join(parent, 'store');
  fs.mkdirSync(directory, { recursive: true });
  const filledMark = isKept ? path.join(parent, 'filled') : undefined;
  const child = fork(CHILD, { execPath: node, execArgv: [] });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  return new Promise((resolve, reject) => {
    let answer;
    child.once('message', (message) => (answer = message));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('exit', stop);
      if (!isKept) fs.rmSync(parent, { recursive: true, force: true });
      if (answer?.results !== undefined) resolve(answer.results);
      else reject(new Error(`${job.engine} failed in group ${job.group}: ${answer?.error ?? `it ended with ${signal ?? code}`}`));
    });
    child.send({ ...job, directory, filledMark });
  });
}
