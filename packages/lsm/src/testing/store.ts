// A small closed store of two tables and a log, and what should be in it, for tests that damage one.
import { seededRandom } from '@distrokv/base';
import { type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import type { Codec, EngineOptions } from '../engine.ts';
import { openEngine } from '../open.ts';
import { Model, type Operation, keyspaces, randomOperations, writeTo } from './model.ts';

export const UNITS = 24;
export const DIRECTORY = '/db';
export const storeOptions: Omit<EngineOptions, 'env'> = {
  directory: DIRECTORY,
  keyspaces,
  wal: 'sync',
  memtableBytes: 32 << 10,
  blockBytes: 128,
  mergeFanIn: 4,
};

/** The unit that makes the store's `unit`-th state: `unit` itself is in it. */
export function unitOperations(unit: number): Operation[] {
  const operations = randomOperations(seededRandom(unit), unit, 8);
  return [...operations, { keyspace: 'meta', key: 'unit', value: String(unit), version: undefined }];
}

const models: Model[] = [];

/** Made once for each state, to be compared with and not to be changed. */
export function modelAfter(units: number): Model {
  let model = models[units];
  if (model !== undefined) return model;
  model = new Model();
  for (let unit = 1; unit <= units; unit++) model.apply(unitOperations(unit));
  models[units] = model;
  return model;
}

/** The store, as often as it is asked for; its blocks are squeezed by `codec`. */
export async function makeStore(codec: Codec = 'none'): Promise<() => MemoryFileSystem> {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await openEngine({ env, ...storeOptions, codecs: [codec] });
  for (let unit = 1; unit <= UNITS; unit++) {
    const batch = engine.batch();
    writeTo(batch, engine, unitOperations(unit));
    await engine.write(batch);
    if (unit % 8 === 0 && unit < UNITS) await engine.flush();
  }
  await engine.close();
  return () => env.fs.crash('kept', seededRandom(1));
}

export async function filesOf(fs: MemoryFileSystem, directory: string = DIRECTORY): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of await fs.readDirectory(directory)) {
    const path = `${directory}/${name}`;
    if ((await fs.sizeOf(path)) !== undefined) files.set(name, await fs.readFile(path, 1 << 20));
  }
  return files;
}

export async function replace(fs: MemoryFileSystem, name: string, bytes: Uint8Array): Promise<void> {
  const file = await fs.open(`${DIRECTORY}/${name}`, 'write');
  await file.truncate(0);
  file.writeSync(bytes, 0);
  await file.close();
}
