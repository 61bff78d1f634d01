// lsm inspect: what a store is made of.
import { createNodeEnv } from '@distrokv/env';
import { type LevelSummary, type StoreSummary, type TableSummary, inspectStore } from '@distrokv/lsm';
import type { Host } from '../host.ts';
import { readable } from '../output/escape.ts';
import { formatSize } from '../output/format.ts';
import { render } from '../output/table.ts';
import type { LsmFormat } from './commands.ts';
import { toJson } from './json.ts';

/** Longest key that a cell shows, in bytes. */
const MAX_KEY_BYTES = 24;

export async function runInspect(host: Host, directory: string, format: LsmFormat): Promise<void> {
  const store = await inspectStore(createNodeEnv(), directory);
  host.stdout.write(format === 'json' ? `${toJson(store)}\n` : asText(store));
}

function asText(store: StoreSummary): string {
  const { keyspaces, levels, tables, segments, sequence, rangeDeletes, writeAmplification, spaceAmplification } = store;
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const userBytes = tables.reduce((sum, table) => sum + table.keyBytes + table.valueBytes, 0);
  const logBytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const facts = [
    ['tables', `${tables.length}; ${formatSize(bytes)}, keys and values ${formatSize(userBytes)}`],
    ['log', `${formatSize(logBytes)}, segments ${segments.length}`],
    ['sequence', `${sequence} at the last flush`],
    ['range deletes', `${rangeDeletes}`],
    ['write amplification', factor(writeAmplification)],
    ['space amplification', factor(spaceAmplification)],
  ];
  const lines = facts.map(([name = '', value = '']) => `${name.padEnd(20)} ${value}\n`).join('');
  const sizes = ['BYTES', 'BLOCKS', 'ENTRIES', 'TOMBSTONES', 'FIRST KEY', 'LAST KEY'];
  return (
    lines +
    render(
      ['KEYSPACE', 'ID', 'VERSIONS'],
      keyspaces.map(({ name, id, versions }) => [name, id, versions]),
    ) +
    render(
      ['LEVEL', 'RUNS', 'TABLES', 'W-AMP', ...sizes],
      levels.map((level) => [level.level, level.runs, level.tables, factor(level.writeAmplification), ...sizesOf(level)]),
    ) +
    render(
      ['TABLE', 'LEVEL', ...sizes],
      tables.map((table) => [table.number, table.level, ...sizesOf(table)]),
    )
  );
}

function factor(of: number | undefined): string {
  return of === undefined ? '-' : of.toFixed(2);
}

function sizesOf(of: LevelSummary | TableSummary): (string | number)[] {
  return [of.bytes, of.blocks, of.entries, of.tombstones, keyOf(of.smallestKey), keyOf(of.largestKey)];
}

/** An internal key: the keyspace's id, then the user's key. */
function keyOf(key: Uint8Array): string {
  const shown = readable(key.subarray(1, 1 + MAX_KEY_BYTES));
  return `${key[0]}/${shown}${key.length > 1 + MAX_KEY_BYTES ? '…' : ''}`;
}
