#!/usr/bin/env node
// The wire against grpc-js, turn by turn on one machine: the ratio is the result.
//
//   node bench/wire.mjs [--rounds 3] [--seconds 3] [--only unary,latency,client,stream,bulk]
//
// Needs `npm run build` at the root, and nothing else. docs/performance.md says what each row is.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const here = (file) => fileURLToPath(new URL(`wire/${file}`, import.meta.url));
const node = process.execPath;
const kinds = ['ours', 'grpc-js'];

const json = (args) => JSON.parse(execFileSync(node, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
const load = (port, conns, inflight) =>
  json([
    here('loadgen.mjs'),
    '--target',
    `127.0.0.1:${port}`,
    '--op',
    'put',
    '--conns',
    `${conns}`,
    '--inflight',
    `${inflight}`,
    '--seconds',
    options.seconds,
  ]);

/** What is measured, in which direction it is better, and what ours must not exceed. */
const rows = {
  unary: { title: 'unary, 10 × 100 in flight (calls/s)', better: 'more', run: (port) => load(port, 10, 100).perSecond },
  latency: { title: 'unary, 1 × 1: median (ms)', better: 'less', run: (port) => load(port, 1, 1).p50 },
  client: {
    title: 'own client to own server, 1 × 100 (calls/s)',
    better: 'more',
    run: (port, kind) => json([here('client.mjs'), kind, port, 'unary', options.seconds, '100']).perSecond,
  },
  stream: {
    title: 'server stream of 1M messages of 100 B (messages/s)',
    better: 'more',
    run: (port, kind) => json([here('client.mjs'), kind, port, 'stream', '1000000', '100']).perSecond,
  },
  bulk: {
    title: '1 GiB in messages of 1 MiB: memory grown, the larger of client and server (MiB)',
    better: 'less',
    most: 64,
    run(port, kind, pid) {
      const before = peakOf(pid);
      const { grownMiB } = json([here('client.mjs'), kind, port, 'stream', '1024', `${1 << 20}`]);
      return Math.max(grownMiB, Math.round(peakOf(pid) - before));
    },
  },
};

/** The most memory that a process ever had, in MiB. */
const peakOf = (pid) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

async function withServer(kind, work) {
  const server = spawn(node, [here('server.mjs'), kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = await new Promise((resolve) => server.stdout.once('data', (text) => resolve(String(text).trim())));
    return work(port, kind, server.pid);
  } finally {
    server.kill('SIGKILL');
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
console.log(`Node ${execFileSync(node, ['-v'], { encoding: 'utf8' }).trim()}, ${options.rounds} rounds, medians [lowest–highest]\n`);
console.log('| what | ours | grpc-js | ratio |\n|---|---|---|---|');
for (const [name, row] of Object.entries(rows)) {
  if (options.only !== undefined && !options.only.split(',').includes(name)) continue;
  const results = { ours: [], 'grpc-js': [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) results[kind].push(await withServer(kind, row.run));
  }
  const ratios = results.ours.map((value, i) => value / results['grpc-js'][i]);
  const show = (list, digits) =>
    `${median(list).toFixed(digits)} [${Math.min(...list).toFixed(digits)}–${Math.max(...list).toFixed(digits)}]`;
  if (median(results.ours) > row.most) process.exitCode = 1;
  const digits = row.title.includes('(ms)') ? 3 : 0;
  console.log(`| ${row.title} | ${show(results.ours, digits)} | ${show(results['grpc-js'], digits)} | ${show(ratios, 2)} |`);
}
