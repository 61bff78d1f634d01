// Reads of a store that a fill left behind. Operations run in chunks; a chunk's keys are made before its clock starts and
// its results are checked byte for byte after it stopped. Between chunks the event loop turns, as it does in any program between
// two requests: an engine hears there of what its threads have done.
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom } from '../../../packages/base/dist/index.js';
import { Page, Records } from '../data.mjs';
import { Latencies, Stopwatch } from '../meters.mjs';

const CHUNK = 1000;
const MANY = 100;
const SEEK_ENTRIES = 10;

/** Runs `chunk` again and again until it has spent `seconds` (and a quarter before that, to warm up). */
async function timed(seconds, { prepare, run, check }) {
  const watch = new Stopwatch();
  let operations = 0;
  let isWarm = false;
  while (!isWarm || watch.ms < seconds * 1000) {
    prepare();
    watch.start();
    const pending = run();
    if (pending !== undefined) await pending;
    watch.stop();
    operations += check();
    await turn();
    if (!isWarm && watch.ms >= seconds * 250) {
      isWarm = true;
      operations = 0;
      watch.reset();
    }
  }
  return watch.rate(operations);
}

/** A chunk of reads of single keys: `read(store, keys, results)` does them all. */
function pointReads({ store, hotKeys, values, seconds, seed }, isMissing, read) {
  const random = seededRandom(seed);
  const records = new Records(CHUNK, values);
  const numbers = new Array(CHUNK).fill(0);
  const results = new Array(CHUNK).fill(undefined);
  return timed(seconds, {
    prepare() {
      for (let i = 0; i < CHUNK; i++) {
        numbers[i] = 2 * random.below(hotKeys) + (isMissing ? 1 : 0);
        records.set(i, numbers[i]);
      }
    },
    run: () => read(store, records.keys, results),
    check() {
      for (let i = 0; i < CHUNK; i++) {
        if (!isMissing) values.check(numbers[i], results[i]);
        else if (results[i] !== undefined) throw new Error(`key ${numbers[i]} was found, and never written`);
      }
      return CHUNK;
    },
  });
}

function readSync(store, keys, results) {
  for (let i = 0; i < CHUNK; i++) results[i] = store.getSync(keys[i]);
}

export function getSync(context) {
  return pointReads(context, false, readSync);
}

export function missing(context) {
  return pointReads(context, true, readSync);
}

export function getMany(context) {
  if (context.store.getMany === undefined) return undefined;
  return pointReads(context, false, async (store, keys, results) => {
    for (let first = 0; first < CHUNK; first += MANY) {
      const found = await store.getMany(keys.slice(first, first + MANY));
      for (let i = 0; i < MANY; i++) results[first + i] = found[i];
    }
  });
}

export async function get(context) {
  const latencies = new Latencies();
  const rate = await pointReads(context, false, async (store, keys, results) => {
    let before = performance.now();
    for (let i = 0; i < CHUNK; i++) {
      results[i] = await store.get(keys[i]);
      const now = performance.now();
      latencies.add(now - before);
      before = now;
    }
  });
  return { ...rate, ...latencies.summary() };
}

/** The whole store in order, again and again; each entry ends as bytes that the reader owns. */
export async function scan({ store, keys, values, seconds }) {
  const page = new Page(CHUNK, values.valueBytes);
  const watch = new Stopwatch();
  let operations = 0;
  while (watch.ms < seconds * 1000) {
    watch.start();
    const pass = store.scan();
    let seen = 0;
    do {
      page.clear();
      const pending = pass.read(page, CHUNK);
      if (pending !== undefined) await pending;
      watch.stop();
      for (let i = 0; i < page.count; i++) page.check(i, 2 * seen++, values);
      watch.start();
    } while (page.count > 0);
    await pass.close();
    watch.stop();
    if (seen !== keys) throw new Error(`a scan gave ${seen} keys of ${keys}`);
    operations += seen;
    await turn();
  }
  return watch.rate(operations);
}

/** To a random key, there or not, and ten entries on. */
export function seek({ store, hotKeys, values, seconds, seed }) {
  const seeks = CHUNK / SEEK_ENTRIES;
  const random = seededRandom(seed);
  const records = new Records(seeks, values);
  const starts = new Array(seeks).fill(0);
  const page = new Page(CHUNK, values.valueBytes);
  return timed(seconds, {
    prepare() {
      page.clear();
      for (let i = 0; i < seeks; i++) {
        starts[i] = random.below(2 * (hotKeys - SEEK_ENTRIES));
        records.set(i, starts[i]);
      }
    },
    async run() {
      for (let i = 0; i < seeks; i++) {
        const pending = store.seek(records.keys[i], page, SEEK_ENTRIES);
        if (pending !== undefined) await pending;
      }
    },
    check() {
      if (page.count !== CHUNK) throw new Error(`${seeks} seeks gave ${page.count} entries`);
      for (let i = 0; i < CHUNK; i++) {
        const first = Math.ceil(starts[Math.floor(i / SEEK_ENTRIES)] / 2);
        page.check(i, 2 * (first + (i % SEEK_ENTRIES)), values);
      }
      return seeks;
    },
  });
}
