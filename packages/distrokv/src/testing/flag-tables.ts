// The parts of docs/commands.md that come from the tables of flags.
import { ignoredFlags, refusedFlags } from '../server/etcd-flags.ts';
import { serverFlags } from '../server/flags.ts';

export const parts = ['server flags', 'refused flags', 'ignored flags'] as const;
export type Part = (typeof parts)[number];

/** One part as Markdown. */
function renderPart(part: Part): string {
  switch (part) {
    case 'server flags':
      return table(
        ['flag', 'default', 'what it is'],
        serverFlags.map((flag) => [`\`--${flag.name}\``, flag.shownDefault, flag.help]),
      );
    case 'refused flags': {
      const missing = [...new Set(refusedFlags.map((flag) => flag.missing))];
      return table(
        ['not there yet', 'flags', 'taken with the value'],
        missing.map((what) => {
          const flags = refusedFlags.filter((flag) => flag.missing === what);
          const harmless = [...new Set(flags.flatMap((flag) => flag.harmless))].filter((value) => value !== '');
          return [what, names(flags), harmless.map((value) => `\`${value}\``).join(', ')];
        }),
      );
    }
    case 'ignored flags':
      return names([...ignoredFlags].sort((a, b) => (a.name < b.name ? -1 : 1)));
  }
}

function names(flags: readonly { readonly name: string }[]): string {
  return flags.map((flag) => `\`${flag.name}\``).join(', ');
}

/** Columns as wide as the common format writes them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length), 3));
  const line = (cells: readonly string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const markers = (part: Part): { readonly begin: string; readonly end: string } => ({
  begin: `<!-- begin: ${part} -->\n\n`,
  end: `\n\n<!-- end: ${part} -->`,
});

/** The page with its generated parts as the tables have them now. Throws when the page lacks a marker. */
export function withCurrentParts(page: string): string {
  return parts.reduce((text, part) => {
    const { begin, end } = markers(part);
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`the page has no markers for the ${part}`);
    return text.slice(0, from + begin.length) + renderPart(part) + text.slice(to);
  }, page);
}
