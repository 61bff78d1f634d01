#!/usr/bin/env node
// The storage engine against native ones, from Node: prints the table of figures with ratios and their ranges.
//
//   npm --prefix bench ci && node bench/engine.mjs [OPTIONS]      (see --help, and README.md for how it measures)
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chooseNode } from '../scripts/runtime.mjs';
import { chart } from './engine/chart.mjs';
import { USAGE, parseOptions } from './engine/options.mjs';
import { playRounds } from './engine/rounds.mjs';
import { cpuRows, rows } from './engine/rows.mjs';
import { formatTable } from './engine/table.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const say = (line) => process.stderr.write(`${line}\n`);

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => process.exit(code));
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${USAGE}\n`);
  else await main(options);
} catch (error) {
  say(`error: ${error.message}`);
  process.exitCode = 1;
}

async function main({ directory, json, svg, ...options }) {
  if (!fs.existsSync(path.join(ROOT, 'packages/lsm/dist/index.js'))) throw new Error('the engine is not built: run `npm run build`');
  const workspace = fs.mkdtempSync(path.join(directory, 'distrokv-bench-'));
  process.once('exit', () => fs.rmSync(workspace, { recursive: true, force: true }));
  if (options.profileDirectory !== undefined) fs.mkdirSync(options.profileDirectory, { recursive: true });
  const { keys, hotKeys, valueBytes, memoryBytes, engines, only } = options;
  const busy = os.loadavg()[0];
  if (busy > 1) say(`the machine is busy (load ${busy.toFixed(1)} on ${os.cpus().length} processors): trust the CPU times, not the rates`);
  const rounds = await playRounds({ ...options, workspace, node: chooseNode(ROOT), say });
  const hot = hotKeys < keys ? ` (${hotKeys.toLocaleString('en')} of them hot)` : '';
  const note = `${keys.toLocaleString('en')} keys${hot} of 16 B, values of ${valueBytes} B, ${memoryBytes / 2 ** 20} MiB each, ${describeMachine()}; medians of ${rounds.length}`;
  const wanted = ({ workload }) => only.includes(workload);
  const shown = rows.filter(wanted);
  process.stdout.write(`${note}\n\n${formatTable(rounds, engines, shown)}\n`);
  const costs = cpuRows.filter(wanted);
  if (costs.length > 0) process.stdout.write(`\n${formatTable(rounds, engines, costs)}\n`);
  if (json !== undefined) fs.writeFileSync(json, `${JSON.stringify({ note, options, rounds }, null, 2)}\n`);
  if (svg !== undefined) fs.writeFileSync(svg, chart(rounds, engines, shown, note));
}

function describeMachine() {
  const cpus = os.cpus();
  return `${cpus.length} × ${cpus[0]?.model.trim() ?? os.arch()}`;
}
