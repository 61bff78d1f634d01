// The two sides, ours and etcd: how a member is started, told to be ready, measured by what the kernel counts of it, and ended.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import fs from 'node:fs';
import { etcdserverpb as pb } from '@distrokv/proto';
import { createChannel } from '@distrokv/grpc';

/** Of the clock that `/proc` counts a process's time in. */
const TICKS_PER_SECOND = 100;
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of running) child.kill('SIGKILL');
    process.exit(130);
  });
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts `nodes` members of one cluster in `dir`, which may hold their data already, and waits until each answers a linearizable range. */
export async function start(command, { dir, nodes = 1, readyTimeoutMs = 600_000 }) {
  fs.mkdirSync(dir, { recursive: true });
  const members = [];
  for (let i = 1; i <= nodes; i++) members.push({ name: `n${i}`, client: await freePort(), peer: await freePort() });
  const url = (port) => `http://127.0.0.1:${port}`;
  const cluster = members.map(({ name, peer }) => `${name}=${url(peer)}`).join(',');
  const [program, ...first] = command.split(' ');
  const startedAt = performance.now();
  const children = members.map(({ name, client, peer }) => {
    const log = fs.openSync(join(dir, `${name}.log`), 'w');
    const flags = {
      name,
      'data-dir': join(dir, name),
      'listen-client-urls': url(client),
      'advertise-client-urls': url(client),
      'listen-peer-urls': url(peer),
      'initial-advertise-peer-urls': url(peer),
      'initial-cluster': cluster,
      'quota-backend-bytes': 32 * 2 ** 30,
      'log-level': 'error',
    };
    const child = spawn(program, [...first, ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)], {
      stdio: ['ignore', log, log],
    });
    fs.closeSync(log);
    running.add(child);
    child.on('exit', () => running.delete(child));
    return child;
  });
  const targets = members.map(({ client }) => `127.0.0.1:${client}`);
  for (const target of targets) await untilReady(target, children, startedAt + readyTimeoutMs, dir);
  const ofEach = (measure) => children.reduce((sum, { pid }) => sum + measure(pid), 0);
  return {
    targets,
    readyMs: performance.now() - startedAt,
    /** Processor time of all members' threads so far. */
    cpuSeconds: () => ofEach(cpuSeconds),
    /** Resident memory: all of it (`VmRSS`), and what of it is no page of a file (`RssAnon`). */
    rssMiB: () => ofEach((pid) => statusMiB(pid, 'VmRSS')),
    anonMiB: () => ofEach((pid) => statusMiB(pid, 'RssAnon')),
    async stop(signal = 'SIGTERM') {
      for (const child of children) child.kill(signal);
      for (let i = 0; i < 600 && children.some((child) => running.has(child)); i++) await sleep(50);
      for (const child of children) if (running.has(child)) child.kill('SIGKILL');
      while (children.some((child) => running.has(child))) await sleep(20);
    },
  };
}

async function untilReady(target, children, deadline, dir) {
  const channel = createChannel(target);
  try {
    for (;;) {
      if (children.some((child) => !running.has(child)) || performance.now() > deadline)
        throw new Error(`not ready: ${children[0].spawnargs.join(' ')}\n${fs.readFileSync(join(dir, 'n1.log'), 'utf8').slice(-2000)}`);
      try {
        await channel.unary(pb.KV.methods.range, pb.RangeRequest.create({ key: Buffer.from('ready') }), { timeoutMs: 2000 });
        return;
      } catch {
        await sleep(10);
      }
    }
  } finally {
    channel.close();
  }
}

function cpuSeconds(pid) {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function statusMiB(pid, field) {
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}
