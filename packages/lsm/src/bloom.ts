// A Bloom filter over the keys of a table (Bloom 1970): "surely not here" saves reading a block. Ten bits a key and
// seven probes, taken from one 32-bit hash by double hashing (Kirsch and Mitzenmacher 2006), give about 1 % false alarms.

const BITS_PER_KEY = 10;
const PROBES = 7;

/** A hash of `bytes[start, end)`: MurmurHash3's 32-bit variant (Appleby). Part of the file format. */
export function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x9747b28c;
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let k = (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let k = 0;
  for (let j = end - 1; j >= i; j--) k = (k << 8) | (bytes[j] as number);
  k = Math.imul(k, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  h ^= Math.imul(k, 0x1b873593);
  h ^= end - start;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The filter over keys with these hashes. */
export function buildFilter(hashes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.max(8, Math.ceil((hashes.length * BITS_PER_KEY) / 8)));
  const bits = (bytes.length * 8) >>> 0;
  for (const hash of hashes) {
    const step = ((hash >>> 17) | (hash << 15)) >>> 0;
    for (let probe = 0, h = hash; probe < PROBES; probe++, h = (h + step) >>> 0) {
      const bit = h % bits;
      bytes[bit >>> 3] = (bytes[bit >>> 3] as number) | (1 << (bit & 7));
    }
  }
  return bytes;
}

/** False when no key with this hash went into the filter. */
export function mayContain(filter: Uint8Array, hash: number): boolean {
  // As an unsigned 32-bit number: V8 then divides integers, and not doubles, which takes ten times as long.
  const bits = (filter.length * 8) >>> 0;
  const step = ((hash >>> 17) | (hash << 15)) >>> 0;
  for (let probe = 0, h = hash; probe < PROBES; probe++, h = (h + step) >>> 0) {
    const bit = h % bits;
    if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}
