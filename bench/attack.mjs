#!/usr/bin/env node
// What an attack by rapid reset costs others: the latency of a client that calls now and then, calm and under attack, in turn, on one server.
//
//   node bench/attack.mjs [--connections 50] [--seconds 5] [--rounds 2]
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createChannel } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';

const { values: options } = parseArgs({
  options: {
    connections: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '2' },
  },
});
const here = (file) => fileURLToPath(new URL(`wire/${file}`, import.meta.url));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const server = spawn(process.execPath, [here('server.mjs'), 'ours'], { stdio: ['ignore', 'pipe', 'inherit'] });
const port = await new Promise((resolve) => server.stdout.once('data', (text) => resolve(String(text).trim())));
const channel = createChannel(`127.0.0.1:${port}`);
const request = pb.PutRequest.create({ key: Buffer.from('k') });

/** Milliseconds of processor time. */
function cpuMs() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function measure() {
  const latencies = [];
  const endMs = performance.now() + Number(options.seconds) * 1000;
  const before = cpuMs();
  while (performance.now() < endMs) {
    const startMs = performance.now();
    await channel.unary(pb.KV.methods.put, request);
    latencies.push(performance.now() - startMs);
    await sleep(2);
  }
  latencies.sort((a, b) => a - b);
  const at = (part) => latencies[Math.floor(part * latencies.length)];
  return { p50: at(0.5), p99: at(0.99), max: latencies.at(-1), cpu: (cpuMs() - before) / (Number(options.seconds) * 10) };
}

const ms = (value) => value.toFixed(2).padStart(8);
console.log('             p50 ms   p99 ms   max ms   CPU of the server %   connections of the attackers/s');
await measure();
for (let round = 0; round < Number(options.rounds); round++) {
  const calm = await measure();
  console.log(`calm       ${ms(calm.p50)} ${ms(calm.p99)} ${ms(calm.max)}   ${ms(calm.cpu)}`);
  const attacker = spawn(process.execPath, [here('attacker.mjs'), port, options.connections], { stdio: ['ignore', 'pipe', 'inherit'] });
  const rates = [];
  attacker.stdout.on('data', (line) => rates.push(Number(line)));
  await sleep(1000);
  const attacked = await measure();
  attacker.kill('SIGKILL');
  const rate = rates.length === 0 ? 0 : rates.reduce((sum, each) => sum + each, 0) / rates.length;
  console.log(
    `attacked   ${ms(attacked.p50)} ${ms(attacked.p99)} ${ms(attacked.max)}   ${ms(attacked.cpu)}              ${rate.toFixed(0)}`,
  );
  console.log(`ratio      ${ms(attacked.p50 / calm.p50)} ${ms(attacked.p99 / calm.p99)} ${ms(attacked.max / calm.max)}`);
  await sleep(1000);
}
channel.close();
server.kill('SIGKILL');
