// Sixteen readers beside one writer on one event loop. A reader lets the loop turn after each read, as one does that gets its
// requests from a socket: a store that answers at once would else never let anyone write.
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom } from '../../../packages/base/dist/index.js';
import { Records } from '../data.mjs';

const READERS = 16;

export async function readWhileWriting({ store, keys, hotKeys, values, seconds, seed }) {
  const random = seededRandom(seed);
  const records = new Records(READERS + 1, values);
  const start = performance.now();
  const end = start + seconds * 1000;
  let reads = 0;
  let writes = 0;
  const reader = async (slot) => {
    while (performance.now() < end) {
      const number = 2 * random.below(hotKeys);
      records.set(slot, number);
      values.check(number, await store.get(records.keys[slot]));
      reads++;
      await turn();
    }
  };
  // New keys between those that are read.
  const writer = async () => {
    while (performance.now() < end) {
      records.set(READERS, 2 * random.below(keys) + 1);
      await store.put(records.keys[READERS], records.values[READERS]);
      writes++;
    }
  };
  await Promise.all([writer(), ...Array.from({ length: READERS }, (_, slot) => reader(slot))]);
  const spent = (performance.now() - start) / 1000;
  return { readsPerSecond: reads / spent, writesPerSecond: writes / spent };
}
