// Fills: batches of 1000, one after the other, and then the time until the store has nothing left to do in the background.
import { Page, Permutation, Records } from '../data.mjs';
import { Latencies, PauseWatch, Stopwatch, directoryBytes, diskBytesWritten, residentBytes, untilQuiet } from '../meters.mjs';

const BATCH = 1000;

export function fillSequential(context) {
  return fill(context, (index) => 2 * index);
}

export function fillRandom(context) {
  const order = new Permutation(context.keys);
  return fill(context, (index) => 2 * order.at(index));
}

async function fill({ store, directory, keys, values, memoryBytes, baseBytes }, numberAt) {
  const records = new Records(BATCH, values);
  const batches = new Latencies();
  const pauses = new PauseWatch();
  const writtenBefore = diskBytesWritten();
  const watch = new Stopwatch();
  let preparingMs = 0;
  watch.start();
  const start = performance.now();
  for (let first = 0; first < keys; first += BATCH) {
    const count = Math.min(BATCH, keys - first);
    const preparing = performance.now();
    for (let i = 0; i < count; i++) records.set(i, numberAt(first + i));
    const writing = performance.now();
    preparingMs += writing - preparing;
    pauses.apart(writing - preparing);
    await store.write(records.keys, records.values, count);
    batches.add(performance.now() - writing);
  }
  const burstMs = performance.now() - start - preparingMs;
  const quietMs = (await untilQuiet()) - start - preparingMs;
  watch.stop();
  const pause = await pauses.stop();
  const memory = residentBytes();
  const { p99us, maxUs } = batches.summary();
  const userBytes = keys * (records.keys[0].length + values.valueBytes);
  return {
    perSecond: (keys / Math.max(quietMs, burstMs)) * 1000,
    cpuUs: watch.rate(keys).cpuUs,
    burstPerSecond: (keys / burstMs) * 1000,
    batchP99Ms: p99us / 1000,
    stallMs: maxUs / 1000,
    ...pause,
    writeAmplification: writtenBefore === undefined ? undefined : (diskBytesWritten() - writtenBefore) / userBytes,
    diskRatio: directoryBytes(directory) / userBytes,
    residentMiB: memory.now / 2 ** 20,
    memoryOverLimit: (memory.peak - baseBytes) / memoryBytes,
  };
}

/** Throws unless the store holds exactly the keys of a fill, in order, with their values. */
export async function checkFill({ store, keys, values }) {
  const page = new Page(BATCH, values.valueBytes);
  const scan = store.scan();
  let seen = 0;
  do {
    page.clear();
    await scan.read(page, BATCH);
    for (let i = 0; i < page.count; i++) page.check(i, 2 * seen++, values);
  } while (page.count > 0);
  await scan.close();
  if (seen !== keys) throw new Error(`${seen} keys are there, ${keys} were written`);
}
