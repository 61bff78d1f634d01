// CRC-32 (IEEE 802.3, as zlib's): eight table look-ups a step ("slicing-by-8", Kounavis and Berry 2005). It beats a
// call into zlib below about 200 bytes; `env` picks between the two, which give the same value.

const tables = makeTables();

function makeTables(): Int32Array[] {
  const first = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    first[n] = c;
  }
  const all = [first];
  for (let t = 1; t < 8; t++) {
    const before = all[t - 1] as Int32Array;
    const next = new Int32Array(256);
    for (let n = 0; n < 256; n++) {
      const c = before[n] as number;
      next[n] = (first[c & 0xff] as number) ^ (c >>> 8);
    }
    all.push(next);
  }
  return all;
}

const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** The CRC-32 of `bytes[start, end)`, continuing from `seed` (the CRC of what came before); unsigned. */
export function crc32Pure(bytes: Uint8Array, seed = 0, start = 0, end: number = bytes.length): number {
  let c = ~seed;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    c ^= (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    c =
      (t7[c & 0xff] as number) ^
      (t6[(c >>> 8) & 0xff] as number) ^
      (t5[(c >>> 16) & 0xff] as number) ^
      (t4[c >>> 24] as number) ^
      (t3[bytes[i + 4] as number] as number) ^
      (t2[bytes[i + 5] as number] as number) ^
      (t1[bytes[i + 6] as number] as number) ^
      (t0[bytes[i + 7] as number] as number);
  }
  for (; i < end; i++) c = (t0[(c ^ (bytes[i] as number)) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
