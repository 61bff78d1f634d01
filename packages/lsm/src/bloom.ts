// A Bloom filter over the keys of a table (Bloom 1970): "surely not here" saves reading a block. It is *blocked* (Putze, Sanders and
// Singler 2007): it consists of lines of 64 bytes, as long as a cache line, and all seven bits of a key lie in one of them, so that a
// question costs one access to memory. Ten bits a key give about 1.2 % false alarms.
//
// Everything is taken from one 32-bit hash: its upper bits choose the line, and multiples of it the bits.

export const LINE_BYTES = 64;
const LINE_BITS = 512;
const BITS_PER_KEY = 10;
const PROBES = 7;
/** 2³² over the golden ratio: its multiples spread evenly. */
const GOLDEN = 0x9e3779b9;

/** A hash of `bytes[start, end)`, a signed number of 32 bits: those V8 hands about without making an object. MurmurHash3's 32-bit variant (Appleby). Part of the file format. */
export function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x9747b28c | 0;
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
  return h ^ (h >>> 16);
}

/** How many lines a filter over so many keys takes. */
export function linesFor(keys: number): number {
  return Math.max(1, Math.ceil((keys * BITS_PER_KEY) / LINE_BITS));
}

/** The line of a filter of `lines` (at most 2²¹) that has the bits of a key with this hash. */
export function lineOf(hash: number, lines: number): number {
  return Math.floor(((hash >>> 0) * lines) / 0x1_0000_0000);
}

/** Notes a key with this hash in the line that begins at `at`. */
export function addToLine(filter: Uint8Array, at: number, hash: number): void {
  let h = hash;
  for (let probe = 0; probe < PROBES; probe++) {
    h = Math.imul(h, GOLDEN);
    const byte = at + (h >>> 26);
    filter[byte] = (filter[byte] as number) | (1 << ((h >>> 23) & 7));
  }
}

/** False when no key with this hash was noted in the line that begins at `at`. */
export function mayBeInLine(filter: Uint8Array, at: number, hash: number): boolean {
  let h = hash;
  for (let probe = 0; probe < PROBES; probe++) {
    h = Math.imul(h, GOLDEN);
    if (((filter[at + (h >>> 26)] as number) & (1 << ((h >>> 23) & 7))) === 0) return false;
  }
  return true;
}
