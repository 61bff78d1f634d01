// Reads that have to go to the disk: the page cache is dropped before the store is opened, 64 reads are in flight.
import { seededRandom } from '../../../packages/base/dist/index.js';
import { Records } from '../data.mjs';
import { Latencies, Stopwatch, residentBytes } from '../meters.mjs';

const IN_FLIGHT = 64;

export async function coldGet({ store, keys, values, seconds, seed, memoryBytes, baseBytes }) {
  const random = seededRandom(seed);
  const records = new Records(IN_FLIGHT, values);
  const latencies = new Latencies();
  const watch = new Stopwatch();
  const end = performance.now() + seconds * 1000;
  let count = 0;
  let resident = 0;
  const reader = async (slot) => {
    for (let now = performance.now(); now < end;) {
      const number = 2 * random.below(keys);
      records.set(slot, number);
      const before = performance.now();
      const value = await store.get(records.keys[slot]);
      now = performance.now();
      values.check(number, value);
      latencies.add(now - before);
      // Sampled, since the highest so far may be of the fill.
      if (count++ % 1000 === 0) resident = Math.max(resident, residentBytes().now);
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, slot) => reader(slot)));
  watch.stop();
  const memory = { residentMiB: resident / 2 ** 20, memoryOverLimit: (resident - baseBytes) / memoryBytes };
  return { ...watch.rate(count), ...latencies.summary(), ...memory };
}
