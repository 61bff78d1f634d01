#!/usr/bin/env node
// Two servers of the etcd v3 API under the same load, turn by turn, on one machine: the ratio is the result.
//
//   node versus.mjs --ours 'node dist/main.js server' --theirs etcd --nodes 1 --rounds 3 -- --op put --conns 10 --inflight 100
//
//   --ours CMD, --theirs CMD   commands that take etcd's flags (--name, --data-dir, --listen-client-urls, …)
//   --nodes 1|3                a single server, or a cluster of three on this machine
//   --rounds N                 measured rounds of each, alternating (default 3); --dir D  where data goes (default: a temporary folder)
//   --to leader|follower       with three nodes, the one member that is talked to (default: all; a single connection then talks to the first, whatever its part is)
//   --prepare='ARGS'           arguments of one load run before the measured ones (for example '--op put --fill --keys 100000 --seconds 1')
//   after --                   arguments of loadgen.mjs, beside --target
//
// Every server starts fresh on an empty folder, and only one of the two runs at a time. Prints each round, then the medians
// and the ratio ours/theirs: for perSecond above 1 is better, for latencies below 1 is better.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';

const split = process.argv.indexOf('--');
const load = split < 0 ? [] : process.argv.slice(split + 1);
const { values: opt } = parseArgs({
  args: process.argv.slice(2, split < 0 ? undefined : split),
  options: {
    ours: { type: 'string' },
    theirs: { type: 'string', default: 'etcd' },
    nodes: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    dir: { type: 'string', default: os.tmpdir() },
    prepare: { type: 'string' },
    to: { type: 'string' },
  },
});
if (!opt.ours || ![undefined, 'leader', 'follower'].includes(opt.to)) {
  console.error(opt.ours ? '--to takes leader or follower' : '--ours is missing');
  process.exit(2);
}
const here = path.dirname(new URL(import.meta.url).pathname);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const freePort = () =>
  new Promise((resolve) => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of running) child.kill('SIGKILL');
    process.exit(130);
  });

async function start(command) {
  const dir = fs.mkdtempSync(path.join(opt.dir, 'versus-'));
  const members = [];
  for (let i = 1; i <= Number(opt.nodes); i++) members.push({ name: `n${i}`, client: await freePort(), peer: await freePort() });
  const cluster = members.map((m) => `${m.name}=http://127.0.0.1:${m.peer}`).join(',');
  const [program, ...first] = command.split(' ');
  const children = members.map((m) => {
    const log = fs.openSync(path.join(dir, `${m.name}.log`), 'w');
    const child = spawn(
      program,
      [
        ...first,
        '--name',
        m.name,
        '--data-dir',
        path.join(dir, m.name),
        '--listen-client-urls',
        `http://127.0.0.1:${m.client}`,
        '--advertise-client-urls',
        `http://127.0.0.1:${m.client}`,
        '--listen-peer-urls',
        `http://127.0.0.1:${m.peer}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${m.peer}`,
        '--initial-cluster',
        cluster,
        '--quota-backend-bytes',
        '8589934592',
        '--log-level',
        'error',
      ],
      { stdio: ['ignore', log, log] },
    );
    running.add(child);
    child.on('exit', () => running.delete(child));
    return child;
  });
  const all = members.map((m) => `127.0.0.1:${m.client}`);
  const targets = all.join(',');
  for (let tries = 0; ; tries++) {
    // ready when a write goes through on every member
    try {
      execFileSync(
        'node',
        [
          path.join(here, 'loadgen.mjs'),
          '--target',
          targets,
          '--op',
          'put',
          '--conns',
          opt.nodes,
          '--inflight',
          '1',
          '--keys',
          '1',
          '--seconds',
          '0.2',
          '--warmup',
          '0.2',
        ],
        { stdio: 'pipe', timeout: 10000 },
      );
      break;
    } catch {
      if (tries > 30) {
        console.error(`not ready: ${command}\n${fs.readFileSync(path.join(dir, 'n1.log'), 'utf8').slice(-2000)}`);
        process.exit(1);
      }
      await sleep(500);
    }
  }
  return {
    targets: opt.to === undefined ? targets : await memberThat(opt.to, all),
    memory: () =>
      children.reduce((sum, c) => sum + Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${c.pid}/status`, 'utf8'))[1]) / 1024, 0),
    async stop() {
      for (const c of children) c.kill('SIGTERM');
      for (let i = 0; i < 50 && children.some((c) => running.has(c)); i++) await sleep(100);
      for (const c of children) if (running.has(c)) c.kill('SIGKILL');
      await sleep(200);
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}
async function memberThat(part, targets) {
  // Leadership may still move while all of them start.
  for (let tries = 0; tries < 50; tries++, await sleep(100))
    for (const target of targets) {
      const channel = createChannel(target);
      const { header, leader } = await channel.unary(pb.Maintenance.methods.status, pb.StatusRequest.create({}));
      channel.close();
      if ((leader === header.memberId) === (part === 'leader')) return target;
    }
  throw new Error(`no member is a ${part}`);
}

const generate = (targets, args) =>
  JSON.parse(
    execFileSync('node', [path.join(here, 'loadgen.mjs'), '--target', targets, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );

const rounds = { ours: [], theirs: [] };
for (let r = 0; r < Number(opt.rounds); r++) {
  for (const side of r % 2 ? ['theirs', 'ours'] : ['ours', 'theirs']) {
    const server = await start(opt[side]);
    if (opt.prepare) generate(server.targets, opt.prepare.split(' '));
    const result = generate(server.targets, load);
    result.memoryMiB = Math.round(server.memory());
    rounds[side].push(result);
    console.log(side.padEnd(6), JSON.stringify(result));
    await server.stop();
  }
}
const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
const row = {};
for (const field of ['perSecond', 'p50', 'p99', 'memoryMiB']) {
  const ours = median(rounds.ours.map((x) => x[field])),
    theirs = median(rounds.theirs.map((x) => x[field]));
  row[field] = { ours, theirs, ratio: Number((ours / theirs).toFixed(3)) };
}
row.errors = { ours: rounds.ours.reduce((s, x) => s + x.errors, 0), theirs: rounds.theirs.reduce((s, x) => s + x.errors, 0) };
console.log(JSON.stringify({ nodes: Number(opt.nodes), load: load.join(' '), ...row }));
