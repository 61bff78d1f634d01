// Members in processes of their own, whose event loops are profiled and whose threads' processor time is read from /proc.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../packages/distrokv/bin/distrokv.mjs', import.meta.url));
const TICKS_PER_SECOND = 100;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts `count` members and waits until all serve; `stop` ends them, and `close` throws away what they wrote. */
export async function startMembers(count) {
  const directory = mkdtempSync(join(tmpdir(), 'path-'));
  const members = [];
  for (let i = 1; i <= count; i++) members.push({ name: `n${i}`, client: await freePort(), peer: await freePort() });
  const cluster = members.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',');
  for (const member of members) Object.assign(member, startMember(member, directory, cluster));
  const { signal, done } = stopWithUs(members);
  try {
    for (const { name, text } of members)
      for (let tries = 0; !text().includes('ready to serve'); tries++) {
        if (tries > 600) throw new Error(`${name} does not get ready:\n${text()}`);
        await sleep(100);
      }
  } catch (error) {
    for (const { child } of members) child.kill('SIGKILL');
    throw error;
  }
  return {
    members,
    /** Resolves when they have stopped, and their profiles are written. */
    async stop() {
      signal('SIGTERM');
      await Promise.all(members.map(({ ended }) => ended));
    },
    close() {
      signal('SIGKILL');
      done();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function startMember({ name, client, peer }, directory, cluster) {
  const log = join(directory, `${name}.log`);
  const profiles = join(directory, `${name}.profiles`);
  const profiling = ['--cpu-prof', '--cpu-prof-interval', '500', `--cpu-prof-dir=${profiles}`];
  const urls = (kind, port) => [`--listen-${kind}-urls`, `http://127.0.0.1:${port}`];
  const args = ['--name', name, '--data-dir', join(directory, name), '--log-format', 'json', '--initial-cluster', cluster];
  const client_ = [...urls('client', client), '--advertise-client-urls', `http://127.0.0.1:${client}`];
  const peer_ = [...urls('peer', peer), '--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`];
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, [...profiling, command, 'server', ...args, ...client_, ...peer_], {
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  return {
    child,
    ended: new Promise((resolve) => child.on('exit', resolve)),
    text: () => readFileSync(log, 'utf8'),
    /** Of the event loop. */
    profile() {
      const file = readdirSync(profiles).find((name) => /^CPU\.\d+\.\d+\.\d+\.0\./.test(name));
      return JSON.parse(readFileSync(join(profiles, file), 'utf8'));
    },
  };
}

function stopWithUs(members) {
  const signal = (name) => members.forEach(({ child }) => child.kill(name));
  const interrupted = () => {
    signal('SIGKILL');
    process.exit(130);
  };
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  return { signal, done: () => process.off('SIGINT', interrupted).off('SIGTERM', interrupted) };
}

/**
 * Microseconds of processor time that each kind of thread of a process has had, and how much of it the kernel took: the event loop, the engine's worker
 * (the only other thread that runs JavaScript), the thread pool of libuv (syncs, file reads), and V8's helpers (the compiler, the collector).
 */
export function processorTime(pid) {
  const sums = { loop: 0, engine: 0, pool: 0, v8: 0, kernel: 0 };
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user, kernel] = [Number(fields[11]), Number(fields[12])].map((ticks) => (ticks * 1e6) / TICKS_PER_SECOND);
    if (name.startsWith('v8:Prof')) continue; // the profiler's own
    const kind = thread === String(pid) ? 'loop' : name.startsWith('libuv') ? 'pool' : /V8|Delayed/.test(name) ? 'v8' : 'engine';
    sums[kind] += user + kernel;
    sums.kernel += kernel;
  }
  return sums;
}
