// Seeded random numbers: xoshiro128** (Blackman and Vigna 2018). The same seed gives the same sequence on every
// machine, so a test, a simulation or a jittered timeout can be played again.

/** A source of random numbers; the only one that packages below `server` may use. */
export interface Random {
  /** A whole number in [0, 2^32). */
  uint32(): number;
  /** A number in [0, 1). */
  float(): number;
  /** A whole number in [0, n), for n in [1, 2^32]. */
  below(n: number): number;
  /** A whole number in [low, high], both included. */
  between(low: number, high: number): number;
  /** True with probability p. */
  chance(p: number): boolean;
  /** Fresh random bytes. */
  bytes(length: number): Uint8Array;
}

/** What every source has in common, given its `uint32`. */
export function randomFrom(uint32: () => number): Random {
  const float = (): number => uint32() / 0x1_0000_0000;
  const below = (n: number): number => Math.floor(float() * n);
  return {
    uint32,
    float,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (p) => float() < p,
    bytes(length) {
      const out = new Uint8Array(length);
      for (let i = 0; i < length; i++) out[i] = uint32() & 0xff;
      return out;
    },
  };
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/** A source that repeats itself for the same `seed` (any number; its low 32 bits and the next 21 count). */
export function seededRandom(seed: number): Random {
  // SplitMix32 spreads the seed over the state.
  let s = (seed ^ Math.floor(seed / 0x1_0000_0000)) | 0;
  const spread = (): number => {
    s = (s + 0x9e3779b9) | 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return z ^ (z >>> 16);
  };
  let [a, b, c, d] = [spread(), spread(), spread(), spread() | 1];
  return randomFrom(() => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  });
}
