// lsm dump: one line for each piece of a file; entries stand under their block or record.
import { createNodeEnv } from '@distrokv/env';
import { type DumpedPiece, dumpFile } from '@distrokv/lsm';
import type { Host } from '../host.ts';
import { goQuote } from '../output/escape.ts';
import type { LsmFormat } from './commands.ts';
import { toJson } from './json.ts';

/** Characters that are written at once. */
const CHUNK = 64 << 10;

export async function runDump(host: Host, file: string, format: LsmFormat): Promise<void> {
  const { stdout } = host;
  let lines = '';
  try {
    for await (const piece of dumpFile(createNodeEnv(), file)) {
      lines += format === 'json' ? `${toJson(piece)}\n` : asLine(piece);
      if (lines.length < CHUNK) continue;
      stdout.write(lines);
      lines = '';
      // A file may be much larger than what a pipe, or memory, should hold.
      await stdout.drain();
    }
  } finally {
    // Damage is told behind what is before it.
    if (lines !== '') stdout.write(lines);
  }
}

function asLine({ offset, what, fields }: DumpedPiece): string {
  const shown = Object.entries(fields).map(([name, value]) => `${name} ${value instanceof Uint8Array ? goQuote(value) : value}`);
  const place = what === 'put' || what === 'delete' ? ' '.repeat(10) : String(offset).padStart(10);
  return `${place}  ${what}  ${shown.join('  ')}\n`;
}
