#!/usr/bin/env node
// Where a member's processor time goes: a put and a range, taken apart by a profile of the event loop under load.
//
//   node bench/path.mjs [--seconds 4] [--conns 10] [--inflight 100]
//
// Needs `npm run build` at the root. Time of the engine's and the disk's own threads is not in it: they work beside the loop.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    conns: { type: 'string', default: '10' },
    inflight: { type: 'string', default: '100' },
  },
});
const root = fileURLToPath(new URL('../', import.meta.url));

/** What a function belongs to, by its file and its name; the first that fits. */
const steps = [
  ['waiting', ({ functionName }) => functionName === '(idle)'],
  ['garbage collector', ({ functionName }) => functionName === '(garbage collector)'],
  [
    'disk calls (write, sync)',
    ({ functionName, url }) => /^(writeBuffer|fdatasync|fsync|read)$/.test(functionName) && !url.includes('/dist/'),
  ],
  [
    'socket: read, write',
    ({ functionName, url }) =>
      /^(writev|writeUtf8String|writeBuffer)$/.test(functionName) ||
      /^node:(internal\/(stream|streams)|net|_stream|stream|tty)/.test(url) ||
      url.includes('env/dist/node/net'),
  ],
  ['frames, HPACK, flow control', ({ url }) => url.includes('/http2/dist/')],
  ['calls: route, frame, status', ({ url }) => url.includes('/grpc/dist/')],
  ['protobuf', ({ url }) => url.includes('/proto/dist/')],
  ['services: check, header', ({ url }) => url.includes('/server/dist/services/')],
  ['consensus: propose, read index', ({ url }) => url.includes('/raft/dist/') || url.includes('/server/dist/replica/')],
  [
    'log: encode, append',
    ({ url }) =>
      url.includes('/server/dist/raft-log/') || url.includes('/lsm/dist/log-file') || url.includes('crc32') || url.includes('node:zlib'),
  ],
  ['apply: revisions, leases, watches', ({ url }) => url.includes('/mvcc/dist/')],
  ['engine: memtable, reads', ({ url }) => url.includes('/lsm/dist/')],
  [
    'promises, timers, turns',
    ({ functionName, url }) =>
      /^node:internal\/(timers|process|async_hooks|promise)/.test(url) || /Microtasks|processTicks/.test(functionName),
  ],
  ['the rest of Node and V8', () => true],
];

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function measure(op) {
  const directory = mkdtempSync(join(tmpdir(), 'path-'));
  const [client, peer] = [await freePort(), await freePort()];
  const urls = ['--listen-client-urls', `http://127.0.0.1:${client}`, '--listen-peer-urls', `http://127.0.0.1:${peer}`];
  const profiling = ['--cpu-prof', '--cpu-prof-interval', '500', `--cpu-prof-dir=${directory}/profile`];
  const member = spawn(
    process.execPath,
    [
      ...profiling,
      `${root}packages/distrokv/bin/distrokv.mjs`,
      'server',
      '--data-dir',
      `${directory}/data`,
      '--log-format',
      'json',
      ...urls,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await new Promise((resolve) => {
      let output = '';
      member.stdout.on('data', (text) => {
        output += text;
        if (output.includes('ready to serve')) resolve();
      });
    });
    const load = (...args) =>
      JSON.parse(
        execFileSync(process.execPath, [`${root}bench/wire/loadgen.mjs`, '--target', `127.0.0.1:${client}`, ...args], { encoding: 'utf8' }),
      );
    if (op === 'range') load('--op', 'put', '--fill', '--keys', '20000', '--seconds', '0.1', '--warmup', '0.1');
    const start = process.hrtime.bigint();
    const result = load(
      '--op',
      op,
      '--keys',
      '20000',
      '--conns',
      options.conns,
      '--inflight',
      options.inflight,
      '--seconds',
      options.seconds,
    );
    const windowMs = Number(process.hrtime.bigint() - start) / 1e6;
    const ended = new Promise((resolve) => member.on('exit', resolve));
    member.kill('SIGTERM');
    await ended;
    return { result, windowMs, profile: mainThread(`${directory}/profile`) };
  } finally {
    member.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

function mainThread(directory) {
  const file = readdirSync(directory).find((name) => /^CPU\.\d+\.\d+\.\d+\.0\./.test(name));
  return JSON.parse(readFileSync(join(directory, file), 'utf8'));
}

/** Microseconds of the event loop per operation, by step, in the seconds that were measured. */
function perOperation({ result, profile }) {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const stepOf = new Map([...frames].map(([id, frame]) => [id, steps.find(([, fits]) => fits(frame))[0]]));
  // The load is what comes last, but for the second in which the member stops: the busiest window of that length is it.
  const length = Number(options.seconds) * 1e6;
  const ends = [];
  let [at, busy, from, best] = [0, 0, 0, { busy: -1, from: 0, to: 0 }];
  for (const [i, delta] of profile.timeDeltas.entries()) {
    at += delta;
    ends.push(at);
    if (stepOf.get(profile.samples[i]) !== 'waiting') busy += delta;
    while (at - ends[from] > length) {
      if (stepOf.get(profile.samples[from + 1]) !== 'waiting') busy -= profile.timeDeltas[from + 1];
      from++;
    }
    if (busy > best.busy) best = { busy, from: from + 1, to: i };
  }
  const sums = new Map(steps.map(([name]) => [name, 0]));
  for (let i = best.from; i <= best.to; i++)
    sums.set(stepOf.get(profile.samples[i]), sums.get(stepOf.get(profile.samples[i])) + profile.timeDeltas[i]);
  const operations = result.perSecond * Number(options.seconds);
  return new Map([...sums].map(([name, us]) => [name, us / operations]));
}

const put = await measure('put');
const range = await measure('range');
const [puts, ranges] = [perOperation(put), perOperation(range)];
console.log(
  `put ${put.result.perSecond}/s, range ${range.result.perSecond}/s, ${options.conns} connections × ${options.inflight} in flight\n`,
);
console.log('| step | put (µs) | range (µs) |\n| --- | ---: | ---: |');
for (const [name, us] of puts)
  if (name !== 'waiting') console.log(`| ${String(name)} | ${us.toFixed(2)} | ${ranges.get(name).toFixed(2)} |`);
const total = (sums) => [...sums].reduce((sum, [name, us]) => sum + (name === 'waiting' ? 0 : us), 0).toFixed(2);
console.log(`| **all of the event loop** | **${total(puts)}** | **${total(ranges)}** |`);
