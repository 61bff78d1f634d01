#!/usr/bin/env node
// Where the time of one function goes, from a CPU profile, or without one all of the time: the share of each source file, and of its functions.
//
//   node bench/engine.mjs --engines ours --only getsync --profile /tmp/p
//   node bench/shares.mjs /tmp/p/ours-getsync.cpuprofile getSync
import fs from 'node:fs';
import path from 'node:path';

const [file, wanted] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node shares.mjs FILE.cpuprofile [FUNCTION]\n');
  process.exit(2);
}

const { nodes, samples, timeDeltas } = JSON.parse(fs.readFileSync(file, 'utf8'));
const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
/** No work of anybody. */
const APART = new Set(['(idle)', '(program)', 'post']);
const inside = new Map();

/** Whether the function is on the stack of a node. */
function isInside(id) {
  let known = inside.get(id);
  if (known === undefined) {
    known = frames.get(id).functionName === wanted || (parents.has(id) && isInside(parents.get(id)));
    inside.set(id, known);
  }
  return known;
}

let total = 0;
const byFile = new Map();
for (const [i, id] of samples.entries()) {
  const { functionName, url } = frames.get(id);
  if (wanted === undefined ? APART.has(functionName) : !isInside(id)) continue;
  const name = url === '' ? 'the runtime' : path.basename(url).replace(/\.js$/, '.ts');
  const functions = byFile.get(name) ?? new Map();
  byFile.set(name, functions.set(functionName, (functions.get(functionName) ?? 0) + timeDeltas[i]));
  total += timeDeltas[i];
}
if (total === 0) {
  process.stderr.write(`no sample of ${file} is within a function ${wanted}\n`);
  process.exit(1);
}

const sum = (functions) => [...functions.values()].reduce((a, b) => a + b, 0);
const share = (time) => `${((100 * time) / total).toFixed(1).padStart(5)} %`;
for (const [name, functions] of [...byFile].sort((a, b) => sum(b[1]) - sum(a[1]))) {
  if (sum(functions) < total / 200) continue;
  const inner = [...functions].filter(([, time]) => time >= total / 100).sort((a, b) => b[1] - a[1]);
  process.stdout.write(
    `${share(sum(functions))}  ${name.padEnd(22)} ${inner.map(([of, time]) => `${of} ${share(time).trim()}`).join(', ')}\n`,
  );
}
