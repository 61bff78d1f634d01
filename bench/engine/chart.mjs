// The rates as an SVG chart: a block of bars for each workload, each block on a scale of its own, on paper of its own, light or dark as the reader has it.
import { figures, median, ratio } from './statistics.mjs';
import { stores } from './stores/index.mjs';
import { formatFigure, formatTimes } from './table.mjs';

const WIDTH = 860;
const LABEL = 270;
const BAR = 12;
const GAP = 18;
const TOP = 78;
const LONGEST = WIDTH - LABEL - 100;

const STYLE = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-size: 16px; font-weight: 600; }
    .label { font-weight: 600; }
    .note { fill: #57606a; }
    .line { stroke: #d0d7de; }
    .paper { fill: #ffffff; }
    .ours { fill: #1a7f64; } .classic { fill: #8c959f; } .tuned { fill: #b8c0c8; } .lmdb { fill: #a37ac2; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
      .line { stroke: #3d444d; }
      .paper { fill: #0d1117; }
      .ours { fill: #3fb68b; } .classic { fill: #768390; } .tuned { fill: #545d68; } .lmdb { fill: #8f6bb0; }
    }
  `;

export function chart(rounds, engines, rows, note) {
  const shown = rows.filter((row) => row.unit === 'perSecond' && engines.some((engine) => figures(rounds, engine, row).length > 0));
  const parts = [];
  let y = TOP;
  for (const row of shown) {
    parts.push(block(rounds, engines, row, y));
    y += engines.length * (BAR + 2) + GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
  <title>Operations per second of storage engines from Node</title>
  <style>${STYLE}</style>
  <rect class="paper" width="${WIDTH}" height="${y}"/>
  <text class="title" x="12" y="24">Operations per second, from Node; longer is better</text>
  <text class="note" x="12" y="42">${escape(note)}</text>
${legend(engines)}
${parts.join('\n')}
</svg>
`;
}

function legend(engines) {
  return engines
    .map((engine, i) => {
      const x = LABEL + 120 * i;
      return `  <rect class="${engine}" x="${x}" y="53" width="12" height="12" rx="2"/><text x="${x + 17}" y="63">${stores[engine].label}</text>`;
    })
    .join('\n');
}

function block(rounds, engines, row, top) {
  const medians = engines.map((engine) => {
    const numbers = figures(rounds, engine, row);
    return numbers.length === 0 ? undefined : median(numbers);
  });
  const most = Math.max(...medians.filter((n) => n !== undefined));
  const bottom = top + engines.length * (BAR + 2) - 2;
  const lines = [
    `  <text class="label" x="12" y="${top + 11}">${escape(row.label)}</text>`,
    `  <text class="note" x="12" y="${top + 28}">${escape(ratios(rounds, engines, row))}</text>`,
    `  <line class="line" x1="${LABEL - 0.5}" y1="${top - 3}" x2="${LABEL - 0.5}" y2="${bottom + 3}"/>`,
  ];
  engines.forEach((engine, i) => {
    const n = medians[i];
    const y = top + i * (BAR + 2);
    const width = n === undefined ? 0 : Math.max(1, (LONGEST * n) / most);
    const value = n === undefined ? '–' : formatFigure(n, row);
    lines.push(
      `  <rect class="${engine}" x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>` +
        `<text class="note" x="${(LABEL + width + 6).toFixed(1)}" y="${y + BAR - 2}">${value}</text>`,
    );
  });
  return lines.join('\n');
}

/** Ours over each of the others. */
function ratios(rounds, engines, row) {
  if (!engines.includes('ours')) return '';
  return engines
    .filter((engine) => engine !== 'ours' && engine !== 'tuned')
    .flatMap((engine) => {
      const found = ratio(rounds, engine, row);
      return found === undefined ? [] : [`${formatTimes(found.median)} ${stores[engine].label}`];
    })
    .join(', ');
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
