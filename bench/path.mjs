#!/usr/bin/env node
// Where the members' processor time goes: a put and a range, taken apart by profiles of the event loops under load.
//
//   node bench/path.mjs [--nodes 1|3] [--op put|range] [--seconds 4] [--conns 10] [--inflight 100] [--profiles DIRECTORY]
//
// Needs `npm run build` at the root, and Linux. A profile says which share of its time an event loop spends where, and the kernel how much
// processor time it had: the table is the product of the two, in microseconds for each operation of the whole cluster. Time
// of other threads (the engine's, syncs, the compiler, the collector's helpers) is a row of its own.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { processorTime, startMembers } from './path/members.mjs';
import { sharesOf, stepNames } from './path/steps.mjs';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1' },
    op: { type: 'string', multiple: true, default: ['put', 'range'] },
    seconds: { type: 'string', default: '4' },
    conns: { type: 'string', default: '10' },
    inflight: { type: 'string', default: '100' },
    profiles: { type: 'string' },
  },
});
/** At the beginning the compiler is busy. */
const WARM_UP_SECONDS = 4;
/** Of the measured time, at its beginning and at its end: the generator's own start is not known to the millisecond. */
const MARGIN_SECONDS = 0.5;
const KEYS = ['--keys', '20000'];
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const nowUs = () => Number(process.hrtime.bigint() / 1000n);

function load(members, ...args) {
  const target = members.map(({ client }) => `127.0.0.1:${client}`).join(',');
  const generator = fileURLToPath(new URL('wire/loadgen.mjs', import.meta.url));
  const child = spawn(process.execPath, [generator, '--target', target, ...KEYS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error('the generator failed'))));
  });
}

/** For each member what it did, and what a second of the whole cluster's operations is. */
async function measure(op) {
  const cluster = await startMembers(Number(options.nodes));
  const { members } = cluster;
  try {
    if (op === 'range') await load(members, '--op', 'put', '--fill', '--seconds', '0.1', '--warmup', '0.1');
    const { seconds, conns, inflight } = options;
    const time = ['--seconds', seconds, '--warmup', String(WARM_UP_SECONDS)];
    const loaded = load(members, '--op', op, '--conns', conns, '--inflight', inflight, ...time);
    await sleep(WARM_UP_SECONDS + MARGIN_SECONDS);
    const fromUs = nowUs();
    const before = members.map(({ child }) => processorTime(child.pid));
    await sleep(Number(seconds) - 2 * MARGIN_SECONDS);
    const toUs = nowUs();
    const after = members.map(({ child }) => processorTime(child.pid));
    const { perSecond } = await loaded;
    const leads = members.map(({ text }) => text().lastIndexOf('"became leader"'));
    await cluster.stop();
    const operations = (perSecond * (toUs - fromUs)) / 1e6;
    if (options.profiles) keepProfiles(members, leads, op);
    const columns = members.map((member, i) => column(sharesOf(member.profile(), fromUs, toUs), before[i], after[i], operations));
    const leader = columns[leads.findIndex((at) => at >= 0)];
    return { op, perSecond, leader, followers: columns.filter((c) => c !== leader) };
  } finally {
    cluster.close();
  }
}

function keepProfiles(members, leads, op) {
  mkdirSync(options.profiles, { recursive: true });
  for (const [i, { name, profile }] of members.entries())
    writeFileSync(join(options.profiles, `${op}-${name}-${leads[i] < 0 ? 'follower' : 'leader'}.cpuprofile`), JSON.stringify(profile()));
}

/** Microseconds per operation of one member, by row. */
function column(shares, before, after, operations) {
  const spent = (thread) => (after[thread] - before[thread]) / operations;
  const loop = spent('loop');
  const [engine, pool, v8] = ['engine', 'pool', 'v8'].map(spent);
  return new Map([
    ...stepNames.map((name) => [name, shares.get(name) * loop]),
    ['**the event loop**', loop],
    ["the engine's thread: flush, merge", engine],
    ["threads for the disk's calls", pool],
    ['threads of V8: compiler, collector', v8],
    ['**all**', loop + engine + pool + v8],
    ['of it in the kernel', spent('kernel')],
  ]);
}

const columns = [];
const told = [];
for (const op of options.op) {
  const { perSecond, leader, followers } = await measure(op);
  told.push(`${op} ${perSecond}/s`);
  if (followers.length === 0) {
    columns.push({ title: `${op} (µs)`, of: leader });
    continue;
  }
  const meanOf = (name) => followers.reduce((sum, c) => sum + c.get(name), 0) / followers.length;
  const rows = [...leader.keys()];
  columns.push({ title: `${op}: leader (µs)`, of: leader });
  columns.push({ title: `${op}: each follower (µs)`, of: new Map(rows.map((name) => [name, meanOf(name)])) });
  const all = rows.map((name) => [name, leader.get(name) + followers.length * meanOf(name)]);
  columns.push({ title: `${op}: all members (µs)`, of: new Map(all) });
}
console.log(`${options.nodes} member(s), ${told.join(', ')}, ${options.conns} connections × ${options.inflight} in flight\n`);
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
row(['step', ...columns.map(({ title }) => title)]);
row(['---', ...columns.map(() => '---:')]);
for (const name of columns[0].of.keys()) row([name, ...columns.map(({ of }) => of.get(name).toFixed(2))]);
