// Puts of single keys in random order, some in flight at a time; durable or not as the store was opened.
import fs from 'node:fs';
import path from 'node:path';
import { Permutation, Records } from '../data.mjs';
import { Latencies, Stopwatch } from '../meters.mjs';

/** The most keys that are read back after the store was opened again. */
const CHECKED = 50_000;

export async function put100(context) {
  return puts(context, 100);
}

export async function put1(context) {
  return puts(context, 1);
}

/** As `put1`, beside what the disk alone takes: the same bytes appended to a file and synced, by synchronous calls. */
export async function durable1(context) {
  const raw = rawSyncs(context);
  const result = await puts(context, 1);
  return { ...result, rawSyncP50us: raw.p50us, overRawSync: result.p50us / raw.p50us };
}

async function puts(context, inFlight) {
  await run(context, inFlight, context.seconds / 4);
  return run(context, inFlight, context.seconds);
}

async function run(context, inFlight, seconds) {
  const { store, keys, values } = context;
  const order = new Permutation(keys);
  const records = new Records(inFlight, values);
  const latencies = new Latencies();
  const watch = new Stopwatch();
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const writer = async (slot) => {
    for (let now = performance.now(); now < end;) {
      records.set(slot, 2 * order.at(context.written++ % keys));
      const before = performance.now();
      await store.put(records.keys[slot], records.values[slot]);
      now = performance.now();
      latencies.add(now - before);
      count++;
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: inFlight }, (_, slot) => writer(slot)));
  watch.stop();
  return { ...watch.rate(count), ...latencies.summary() };
}

/** Throws unless what was put is there, with its value; evenly spaced samples where there is much. */
export function checkPuts({ store, keys, values, written }) {
  const order = new Permutation(keys);
  const records = new Records(1, values);
  const count = Math.min(written, keys);
  const step = Math.max(1, Math.floor(count / CHECKED));
  for (let index = 0; index < count; index += step) {
    const number = 2 * order.at(index);
    records.set(0, number);
    values.check(number, store.getSync(records.keys[0]));
  }
}

function rawSyncs({ directory, values, seconds }) {
  const file = path.join(path.dirname(directory), 'raw-sync');
  const records = new Records(1, values);
  const bytes = Buffer.concat([records.keys[0], records.values[0]]);
  const latencies = new Latencies();
  const fd = fs.openSync(file, 'w');
  const end = performance.now() + seconds * 1000;
  for (let now = performance.now(); now < end;) {
    const before = now;
    fs.writeSync(fd, bytes);
    fs.fdatasyncSync(fd);
    now = performance.now();
    latencies.add(now - before);
  }
  fs.closeSync(fd);
  fs.rmSync(file);
  return latencies.summary();
}
