// Random numbers that nobody can guess, from the operating system, drawn a kilobyte at a time.
import { randomFillSync } from 'node:crypto';
import { randomFrom, type Random } from '@distrokv/base';

export function createNodeRandom(): Random {
  const pool = new Uint32Array(256);
  let next = pool.length;
  return randomFrom(() => {
    if (next === pool.length) {
      randomFillSync(pool);
      next = 0;
    }
    return pool[next++] as number;
  });
}
