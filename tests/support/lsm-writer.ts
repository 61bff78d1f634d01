// A process that writes units into a store until it is killed, and prints the number of each one when it is durable. It begins by
// checking what the process before it left.
import assert from 'node:assert/strict';
import { fromUtf8, utf8 } from '@distrokv/base';
import { createNodeEnv } from '@distrokv/env';
import { type Engine, TableFileWriter, openEngine } from '@distrokv/lsm';

/** Keys of a unit: together they are one batch, whole or not there at all. */
const KEYS = 20;
/** Units in flight. */
const DEPTH = 4;
/** Unit `n` writes the keys of slot `n % SLOTS`. */
const SLOTS = 50;
/** Units that are this many apart come as a file, */
const INGESTED = 37;
/** begin with a range delete of their slot, */
const CLEARED = 7;
/** and make or drop a keyspace before them. */
const SWITCHED = 23;

function valueOf(unit: number, key: number): string {
  return `${unit}:${'x'.repeat(key * 5)}`;
}

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
      assert.equal(value && fromUtf8(value), valueOf(unit, key), `key ${key} of unit ${unit}, of ${last}`);
    }
  }
  return last;
}

async function write(engine: Engine, unit: number): Promise<void> {
  const units = engine.keyspace('units');
  const batch = engine.batch();
  const slot = unit % SLOTS;
  if (unit % CLEARED === 0) batch.deleteRange(units, utf8(`${slot}/`), utf8(`${slot}0`));
  for (let key = 0; key < KEYS; key++) batch.put(units, utf8(`${slot}/${key}`), utf8(valueOf(unit, key)));
  batch.put(units, utf8('last'), utf8(String(unit)));
  await engine.write(batch);
  process.stdout.write(`${unit}\n`);
}

/** The unit as a file, beside those of the store, which leaves it alone. */
async function ingest(engine: Engine, unit: number, directory: string): Promise<void> {
  const env = createNodeEnv();
  await env.fs.makeDirectory(`${directory}/in`);
  const path = `${directory}/in/000001.sst`;
  // What the process before this one left.
  if ((await env.fs.sizeOf(path)) !== undefined) await env.fs.removeFile(path);
  const file = await TableFileWriter.create({ env, path });
  const keys = Array.from({ length: KEYS }, (_, key): [string, string] => [`${unit % SLOTS}/${key}`, valueOf(unit, key)]);
  for (const [key, value] of [...keys.sort(([a], [b]) => (a < b ? -1 : 1)), ['last', String(unit)] as const])
    await file.put(utf8(key), utf8(value));
  await file.finish();
  await engine.ingest(engine.keyspace('units'), [path]);
  process.stdout.write(`${unit}\n`);
}

async function makeOrDropAnother(engine: Engine): Promise<void> {
  if (engine.keyspaces().some(({ name }) => name === 'other')) return engine.dropKeyspace('other');
  // Of 127 that a store makes in its life.
  if (Math.random() < 0.5) await engine.createKeyspace({ name: 'other', versions: 'caller' }).catch(() => {});
}

const [, script = '', directory] = process.argv;
if (script.endsWith('lsm-writer.js') && directory !== undefined) {
  const engine = await openWritten(directory);
  const waiting: Promise<void>[] = [];
  for (let unit = unitOf(engine) + 1; ; unit++) {
    if (unit % SWITCHED === 0) await makeOrDropAnother(engine);
    if (unit % INGESTED === 0) {
      await Promise.all(waiting.splice(0));
      await ingest(engine, unit, directory);
    } else waiting.push(write(engine, unit));
    if (waiting.length >= DEPTH) await waiting.shift();
  }
}
