#!/usr/bin/env node
// The etcd API's figures, ours beside etcd's: transactions, watchers, leases, and a data set that etcd just about holds. Both sides in one run, turn
// by turn; one server runs at a time, and the ratio is the result.
//
//   node bench/api.mjs [--only txn,fanout,…] [--rounds 1] [--seconds 5] [--keys 10_000_000] [--data-ours DIR] [--data-etcd DIR]
//
// Needs `npm run build` at the root, and etcd (from the path, or --theirs). The large data set is loaded once into the two directories, which takes some
// ten minutes and 4 GB each, and is used again by the next run; --keys makes it smaller.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataRows } from './api/data-rows.mjs';
import { prepare } from './api/data.mjs';
import { freshRows } from './api/fresh-rows.mjs';
import { start } from './api/servers.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    patience: { type: 'string', default: '120' },
    keys: { type: 'string', default: '10_000_000' },
    history: { type: 'string', default: '1_000_000' },
    sides: { type: 'string', default: 'ours,etcd' },
    ours: { type: 'string', default: `${process.execPath} ${root}packages/distrokv/bin/distrokv.mjs server` },
    theirs: { type: 'string', default: 'etcd' },
    'data-ours': { type: 'string', default: join(tmpdir(), 'api-ours') },
    'data-etcd': { type: 'string', default: join(tmpdir(), 'api-etcd') },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const rows = [...freshRows, ...dataRows];
const help = `node bench/api.mjs [options]

  --only NAMES       of the rows below, separated by commas (default: all)
  --rounds N         rounds, each with both sides; the order changes from one to the next (default 1)
  --seconds N        how long a load lasts (default 5)
  --keys N           keys of the large data set (default 10_000_000); --history N: revisions after them (1_000_000)
  --data-ours DIR    where ours is kept; --data-etcd DIR: etcd's (default: below ${tmpdir()})
  --patience N       seconds after which a watcher that catches up is given up (default 120)
  --sides LIST       ours, etcd or both (default)
  --ours CMD         a server; --theirs CMD: the other (default: etcd)
  --json             each result as a line of JSON instead of the table

Rows:
${rows.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join('\n')}
`;
if (options.help) {
  process.stdout.write(help);
  process.exit(0);
}
const number = (name) => Number(options[name].replaceAll('_', ''));
const [rounds, seconds, patience] = ['rounds', 'seconds', 'patience'].map(number);
const only = options.only?.split(',');
const unknown = only?.filter((name) => !rows.some((row) => row.name === name)) ?? [];
if (unknown.length > 0) {
  process.stderr.write(`no such row: ${unknown.join(', ')}; --help names them\n`);
  process.exit(2);
}
const isWanted = ({ name }) => only === undefined || only.includes(name);
const commands = { ours: options.ours, etcd: options.theirs };
const sides = options.sides.split(',');
const tell = (line) => process.stderr.write(`${line}\n`);
/** By row: of each side, what each round gave. */
const results = new Map(rows.map(({ name }) => [name, { ours: [], etcd: [] }]));

function record({ name }, side, result) {
  results.get(name)[side].push(result);
  const shown = Object.entries(result).map(([key, value]) => `${key} ${typeof value === 'number' ? show(value) : value}`);
  tell(`${name} ${side}: ${shown.join(', ')}`);
  if (options.json) process.stdout.write(`${JSON.stringify({ row: name, side, ...result })}\n`);
}

async function fresh(row, side) {
  const dir = mkdtempSync(join(tmpdir(), 'api-'));
  const server = await start(commands[side], { dir, nodes: row.nodes });
  try {
    record(row, side, await row.run(server, { side, seconds }));
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All rows on the data set: open, measure, kill, open again, stop. */
async function session(wanted, side) {
  const dir = options[`data-${side}`];
  const command = commands[side];
  const dataset = await prepare(command, {
    dir,
    keys: number('keys'),
    history: number('history'),
    tell: (line) => tell(`${side}, loading: ${line}`),
  });
  const row = (name) => wanted.find((one) => one.name === name);
  let server = await start(command, { dir });
  if (row('open')) record(row('open'), side, { seconds: server.readyMs / 1000 });
  for (const one of wanted) {
    if (!one.run) continue;
    try {
      record(one, side, await one.run(server, { side, dir, dataset, seconds, patience }));
    } catch (error) {
      if (error.code === undefined) throw error;
      record(one, side, { note: `refused: ${error.message}` });
    }
  }
  if (row('killed')) {
    await server.stop('SIGKILL');
    server = await start(command, { dir });
    record(row('killed'), side, { seconds: server.readyMs / 1000 });
  }
  await server.stop();
}

for (let round = 0; round < rounds; round++) {
  const turns = round % 2 === 0 ? sides : sides.toReversed();
  for (const row of freshRows.filter(isWanted)) for (const side of turns) await fresh(row, side);
  const wanted = dataRows.filter(isWanted);
  if (wanted.length > 0) for (const side of turns) await session(wanted, side);
}

function show(value) {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();
}

const median = (list) => {
  const sorted = list.filter(Number.isFinite).toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined ? NaN : (low + high) / 2;
};
/** A bar below 0 is "at most". */
const showBar = (bar) => (bar === undefined ? '' : bar > 0 ? `≥ ${bar}` : `≤ ${-bar}`);

if (!options.json) {
  const lines = [['what', 'DistroKV', 'etcd', 'ratio', 'bar']];
  for (const row of rows.filter(isWanted)) {
    const { ours, etcd } = results.get(row.name);
    for (const [key, { title, bar }] of Object.entries(row.measures)) {
      const [left, right] = [ours, etcd].map((side) => median(side.map((result) => result[key])));
      lines.push([title === undefined ? row.title : `${row.title}: ${title}`, show(left), show(right), show(left / right), showBar(bar)]);
    }
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const print = (line) =>
    process.stdout.write(`| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |\n`);
  print(lines[0]);
  process.stdout.write(`| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |\n`);
  for (const line of lines.slice(1)) print(line);
  for (const { name } of rows)
    for (const side of sides)
      for (const { note } of results.get(name)[side]) if (note !== undefined) process.stdout.write(`\n${name}, ${side}: ${note}\n`);
}
process.exit(0);
