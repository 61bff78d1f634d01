// A process that writes units into a store until it is killed, and prints the number of each one when it is durable. It begins by
// checking what the process before it left.
import assert from 'node:assert/strict';
import { fromUtf8, utf8 } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { type Engine, openEngine } from '@distrokv/lsm';

/** Keys of a unit: together they are one batch, whole or not there at all. */
const KEYS = 20;
/** Units in flight. */
const DEPTH = 4;
/** Unit `n` writes the keys of slot `n % SLOTS`. */
const SLOTS = 50;

export function openWritten(directory: string): Promise<Engine> {
  // Small memtables: flushes and merges all the time.
  const keyspaces = [{ name: 'units', versions: 'latest' }] as const;
  return openEngine({ env: createNodeEnv(), directory, keyspaces, wal: 'sync', memtableBytes: 16 << 10, mergeFanIn: 2 });
}

/** The last unit of a store; throws unless all units up to it are there whole. */
export function unitOf(engine: Engine): number {
  const units = engine.keyspace('units');
  const last = Number(fromUtf8(units.getSync(utf8('last')) ?? utf8('0')));
  for (let unit = Math.max(1, last - SLOTS + 1); unit <= last; unit++) {
    for (let key = 0; key < KEYS; key++) {
      const value = units.getSync(utf8(`${unit % SLOTS}/${key}`));
      assert.equal(value && fromUtf8(value), `${unit}:${'x'.repeat(key * 5)}`, `key ${key} of unit ${unit}, of ${last}`);
    }
  }
  return last;
}

async function write(engine: Engine, unit: number): Promise<void> {
  const units = engine.keyspace('units');
  const batch = engine.batch();
  for (let key = 0; key < KEYS; key++) batch.put(units, utf8(`${unit % SLOTS}/${key}`), utf8(`${unit}:${'x'.repeat(key * 5)}`));
  batch.put(units, utf8('last'), utf8(String(unit)));
  await engine.write(batch);
  process.stdout.write(`${unit}\n`);
}

const [, script = '', directory] = process.argv;
if (script.endsWith('lsm-writer.js') && directory !== undefined) {
  const engine = await openWritten(directory);
  const waiting: Promise<void>[] = [];
  for (let unit = unitOf(engine) + 1; ; unit++) {
    waiting.push(write(engine, unit));
    if (waiting.length >= DEPTH) await waiting.shift();
  }
}
