#!/usr/bin/env node
// What an attack costs others: the latency of a client that calls now and then, and the memory of the server, calm and under attack, in turn. Server, attackers and
// victim are processes of their own; all come from one address, which is the worst that can be: what the address has spent is spent for the victim, too.
//
//   node bench/attack.mjs [reset | silent | preface | idle] … [--connections 50] [--idle 10000] [--seconds 5] [--rounds 2]
//
//   reset      so many --connections cancel their requests at once, and connect again when they are hung up on
//   silent, preface, idle      --idle connections that stay: without a byte, after the preface, after a call
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: 'string', default: '50' },
    idle: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '2' },
  },
});
const attacks = {
  reset: ['attacker.mjs', options.connections],
  silent: ['idler.mjs', options.idle, 'silent'],
  preface: ['idler.mjs', options.idle, 'preface'],
  idle: ['idler.mjs', options.idle, 'idle'],
};
const chosen = positionals.length > 0 ? positionals : Object.keys(attacks);
const here = (file) => fileURLToPath(new URL(`wire/${file}`, import.meta.url));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const request = pb.PutRequest.create({ key: Buffer.from('k') });

/** Each attack meets a server of its own, so that what one left behind is not held against the next. */
async function startServer() {
  const server = spawn(process.execPath, [here('server.mjs'), 'ours'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((resolve) => server.stdout.once('data', (text) => resolve(String(text).trim())));
  return { server, port, channel: createChannel(`127.0.0.1:${port}`) };
}

/** Milliseconds of processor time. */
function cpuMs({ server }) {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function memoryMiB({ server }) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;
}

async function measure(target, seconds = Number(options.seconds)) {
  const latencies = [];
  const startMs = performance.now();
  const before = cpuMs(target);
  while (performance.now() < startMs + seconds * 1000) {
    const callMs = performance.now();
    await target.channel.unary(pb.KV.methods.put, request);
    latencies.push(performance.now() - callMs);
    await sleep(2);
  }
  latencies.sort((a, b) => a - b);
  const at = (part) => latencies[Math.floor(part * latencies.length)];
  const cpu = (cpuMs(target) - before) / ((performance.now() - startMs) / 100);
  return { p50: at(0.5), p99: at(0.99), max: latencies.at(-1), cpu, memory: memoryMiB(target) };
}

const figures = ({ p50, p99, max }) => [p50, p99, max].map((value) => value.toFixed(2).padStart(8)).join(' ');
function row(name, measured, more = '') {
  console.log(
    `${name.padEnd(16)} ${figures(measured)}   ${measured.cpu.toFixed(0).padStart(5)}   ${measured.memory.toFixed(0).padStart(10)}   ${more}`,
  );
}
const ratio = (a, b) => ({ p50: a.p50 / b.p50, p99: a.p99 / b.p99, max: a.max / b.max });

for (const name of chosen) {
  const [file, count, ...rest] = attacks[name];
  console.log(`\n${name}: ${count} connections\n                   p50 ms   p99 ms   max ms   CPU %   memory MiB`);
  for (let round = 0; round < Number(options.rounds); round++) {
    const target = await startServer();
    await measure(target, 1);
    const calm = await measure(target);
    row('calm', calm);
    const attacker = spawn(process.execPath, [here(file), target.port, count, ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
    let begun = 0;
    let rate = 0;
    let seconds = 0;
    attacker.stdout.on('data', (line) => {
      begun ||= performance.now();
      if (name !== 'reset') return;
      rate += Number(line);
      seconds++;
    });
    const first = await measure(target, name === 'reset' ? 1.5 : 1);
    while (begun === 0) await sleep(10);
    row('first second', first);
    const attacked = await measure(target);
    const perConnection = `${(((attacked.memory - calm.memory) * 1024) / Number(count)).toFixed(1)} KiB a connection`;
    row('attacked', attacked, name === 'reset' ? `${(rate / seconds).toFixed(0)} connections of the attackers/s` : perConnection);
    console.log(`ratio            ${figures(ratio(attacked, calm))}    (first second: ${figures(ratio(first, calm)).trim()})`);
    attacker.kill('SIGKILL');
    target.channel.close();
    target.server.kill('SIGKILL');
  }
}
