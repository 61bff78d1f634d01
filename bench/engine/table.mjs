// The table as people read it, in Markdown that lines up on a terminal too.
import { figures, median, ratio, reached } from './statistics.mjs';
import { stores } from './stores/index.mjs';

export function formatTable(rounds, engines, rows) {
  const peers = engines.includes('ours') ? engines.filter((engine) => engine !== 'ours') : [];
  const head = ['workload', ...engines.map((engine) => stores[engine].label), ...peers.map((peer) => `ours / ${stores[peer].label}`)];
  if (peers.length > 0) head.push('asked', '');
  const body = rows
    .filter((row) => engines.some((engine) => figures(rounds, engine, row).length > 0))
    .map((row) => {
      const cells = [row.label, ...engines.map((engine) => figure(figures(rounds, engine, row), row))];
      for (const peer of peers) cells.push(formatRatio(ratio(rounds, peer, row)));
      if (peers.length > 0) cells.push(formatAsked(row), { true: 'yes', false: 'NO', undefined: '' }[reached(rounds, row)]);
      return cells;
    });
  return align([head, ...body]);
}

function figure(numbers, row) {
  return numbers.length === 0 ? '–' : formatFigure(median(numbers), row);
}

export function formatFigure(n, { unit }) {
  switch (unit) {
    case 'perSecond':
      return n >= 1e6 ? `${(n / 1e6).toFixed(2)}M/s` : n >= 1e4 ? `${(n / 1e3).toFixed(0)}k/s` : `${(n / 1e3).toFixed(1)}k/s`;
    case 'times':
      return n.toFixed(2);
    case 'us':
      return `${n.toFixed(n < 10 ? 2 : 0)} µs`;
    case 'ms':
      return `${n.toFixed(1)} ms`;
    case 'MiB':
      return `${n.toFixed(0)} MiB`;
    default:
      throw new Error(`unknown unit ${unit}`);
  }
}

function formatRatio(found) {
  if (found === undefined) return '–';
  const range = found.low === found.high ? '' : ` [${short(found.low)}–${short(found.high)}]`;
  return `${formatTimes(found.median)}${range}`;
}

/** As in "2.3×". */
export function formatTimes(n) {
  return `${short(n)}×`;
}

function short(n) {
  return n >= 10 ? n.toFixed(0) : n >= 1 ? n.toFixed(1) : n.toFixed(2);
}

function formatAsked({ asked, better }) {
  const sign = better === 'more' ? '≥' : '≤';
  return Object.entries(asked)
    .map(([of, limit]) => (of === 'bound' ? `${sign} ${limit}` : `${sign} ${limit}× ${of}`))
    .join(', ');
}

function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => cells[column].length)));
  const format = (cells) => `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [format(lines[0]), rule, ...lines.slice(1).map(format)].join('\n');
}
