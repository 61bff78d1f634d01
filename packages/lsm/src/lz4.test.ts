import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, concatBytes, fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { LsmError } from './errors.ts';
import { lz4Bound, lz4Compress, lz4Decompress } from './lz4.ts';

const seed = Number(process.env['SEED'] ?? 20_261_122);

/** Inputs that try the codec's corners: nothing repeats, everything does, text, runs, and records as tables have them. */
const kinds: Record<string, (random: Random, length: number) => Uint8Array> = {
  noise: (random, length) => random.bytes(length),
  constant: (random, length) => new Uint8Array(length).fill(random.below(256)),
  fewLetters: (random, length) => Uint8Array.from({ length }, () => 97 + random.below(3)),
  periodic(random, length) {
    const period = random.bytes(random.between(1, 40));
    return Uint8Array.from({ length }, (_, i) => period[i % period.length] as number);
  },
  runs(random, length) {
    const out = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const next = at + random.between(1, 600);
      out.fill(random.below(256), at, next);
      at = next;
    }
    return out;
  },
  records(random, length) {
    const parts = Array.from({ length: Math.ceil(length / 60) }, (_, i) => [utf8(`user:${String(i).padStart(9, '0')}:`), random.bytes(46)]);
    return concatBytes(parts.flat()).slice(0, length);
  },
};

function isCorrupt(error: unknown): boolean {
  return error instanceof LsmError && error.code === 'corrupt';
}

/** `input` compressed by way of memory that is checked for stray writes on both sides. */
function roundTrip(input: Uint8Array): Uint8Array {
  const bound = lz4Bound(input.length);
  const memory = new Uint8Array(bound + 16).fill(0xa5);
  const packed = lz4Compress(input, memory.subarray(8, 8 + bound)).slice();
  assert.ok(memory.subarray(0, 8).every((byte) => byte === 0xa5) && memory.subarray(8 + bound).every((byte) => byte === 0xa5));
  assert.deepEqual(lz4Decompress(packed, input.length), input);
  checkEnd(packed, input.length);
  return packed;
}

/** Walks the sequences: the last five bytes are literals, and no match starts within the last twelve (the format's end conditions). */
function checkEnd(packed: Uint8Array, length: number): void {
  let at = 0;
  let out = 0;
  const count = (nibble: number): number => {
    let sum = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; sum += more) more = packed[at++] as number;
    return sum;
  };
  for (;;) {
    const token = packed[at++] as number;
    const literals = count(token >>> 4);
    at += literals;
    out += literals;
    if (at === packed.length) break;
    at += 2;
    const matched = 4 + count(token & 15);
    assert.ok(out <= length - 12, `a match starts at ${out} of ${length}`);
    out += matched;
    assert.ok(out <= length - 5, `a match ends at ${out} of ${length}`);
  }
  assert.equal(out, length);
}

test('what went in comes out, whatever it is, at every small length and at large ones', () => {
  const random = seededRandom(seed);
  for (const [kind, make] of Object.entries(kinds)) {
    const lengths = Array.from({ length: 300 }, (_, i) => i);
    for (let i = 0; i < 60; i++) lengths.push(random.between(300, 20_000));
    for (const length of [...lengths, 65_535, 65_536, 200_000]) {
      const input = make(random, length);
      try {
        assert.ok(roundTrip(input).length <= lz4Bound(length));
      } catch (error) {
        throw new Error(`${kind}, ${length} bytes, SEED=${seed}`, { cause: error });
      }
    }
  }
});

test('what repeats becomes small, and what does not hardly grows', () => {
  const random = seededRandom(seed);
  assert.ok(lz4Compress(new Uint8Array(100_000)).length < 420);
  assert.ok(lz4Compress(random.bytes(100_000)).length <= 100_000 + 393 + 2);
  const records = kinds['records']?.(random, 4096) as Uint8Array;
  assert.ok(lz4Compress(records).length < 0.9 * records.length);
});

test('the same input gives the same bytes, whatever was compressed before', () => {
  const random = seededRandom(seed);
  const input = kinds['fewLetters']?.(random, 5000) as Uint8Array;
  const first = lz4Compress(input).slice();
  for (let i = 0; i < 20; i++) {
    lz4Compress(kinds['fewLetters']?.(random, random.below(9000)) as Uint8Array);
    assert.deepEqual(lz4Compress(input), first);
  }
});

test('a match reaches back 65,535 bytes and no further', () => {
  const random = seededRandom(seed);
  const phrase = random.bytes(64);
  for (const [gap, isFound] of [
    [65_535 - 64, true],
    [65_536 - 64, false],
  ] as const) {
    // The gap is one match, of 257 bytes or so, that leaves the table of what was seen alone; so all else is the phrase, once or twice.
    const input = concatBytes([phrase, new Uint8Array(gap), phrase, random.bytes(12)]);
    const packed = roundTrip(input);
    assert.equal(packed.length < 370, isFound, `a gap of ${gap} came to ${packed.length} bytes`);
  }
});

test('reads blocks written by hand', () => {
  const text = (bytes: readonly number[], length: number): string => fromUtf8(lz4Decompress(Uint8Array.from(bytes), length));
  const letters = (from: string): number[] => [...utf8(from)];
  assert.equal(text([0x00], 0), '');
  assert.equal(text([0x50, ...letters('hello')], 5), 'hello');
  // Fifteen literals need a byte more for their count, which is then 0.
  assert.equal(text([0xf0, 0x00, ...letters('abcdefghijklmno')], 15), 'abcdefghijklmno');
  // A match that reaches into itself repeats its first bytes: "ab" three and a half times.
  assert.equal(text([0x21, ...letters('ab'), 2, 0, 0x50, ...letters('12345')], 12), 'abababa12345');
  // A long match: 4 + 15 + 255 + 1 bytes.
  assert.equal(text([0x1f, ...letters('z'), 1, 0, 255, 1, 0x50, ...letters('12345')], 281), `${'z'.repeat(276)}12345`);
  // No literals before a match.
  assert.equal(text([0x40, ...letters('abcd'), 4, 0, 0x00, 8, 0, 0x50, ...letters('12345')], 17), 'abcdabcdabcd12345');
});

test('says what is wrong with bytes that are no block', () => {
  const fails = (bytes: readonly number[], length: number, what: RegExp): void => {
    assert.throws(
      () => lz4Decompress(Uint8Array.from(bytes), length),
      (error) => isCorrupt(error) && what.test((error as Error).message),
    );
  };
  fails([], 0, /without a last sequence/);
  fails([], 5, /cannot hold/);
  fails([0x50, 1, 2, 3, 4, 5], 4, /5 literals are more/);
  fails([0x50, 1, 2, 3, 4, 5], 6, /holds 5 bytes, not 6/);
  fails([0x50, 1, 2, 3, 4], 5, /5 literals are more/);
  fails([0xf0], 15, /within a count of literals/);
  fails([0xf0, 255, 255], 525, /within a count of literals/);
  fails([0x10, 1, 1], 20, /within an offset/);
  fails([0x10, 1, 0, 0, 0x50, 1, 2, 3, 4, 5], 10, /an offset of 0/);
  fails([0x10, 1, 2, 0, 0x50, 1, 2, 3, 4, 5], 10, /an offset of 2 after 1/);
  fails([0x1f, 1, 1, 0], 40, /within the length of a match/);
  fails([0x10, 1, 1, 0], 10, /without a last sequence/);
  fails([0x14, 1, 1, 0, 0x40, 1, 2, 3, 4], 13, /a match of 8 bytes is more/);
  fails([0x50, 1, 2, 3, 4, 5], 2 ** 40, /cannot hold/);
});

test('no damage makes the decoder write out of bounds, return another length or throw anything else', () => {
  const random = seededRandom(seed);
  const makers = Object.values(kinds);
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const input = (makers[round % makers.length] as (typeof makers)[number])(random, random.below(400));
    let packed = lz4Compress(input).slice();
    for (let i = random.between(1, 4); i > 0 && packed.length > 0; i--) {
      if (random.chance(0.2)) packed = packed.slice(0, random.below(packed.length + 1));
      else packed[random.below(packed.length)] = random.chance(0.3) ? 255 : random.below(256);
    }
    const length = random.chance(0.8) ? input.length : random.below(1000);
    const memory = new Uint8Array(length + 16).fill(0xa5);
    try {
      const result = lz4Decompress(packed, length, memory.subarray(8, 8 + length));
      assert.equal(result.length, length);
      accepted++;
    } catch (error) {
      if (!isCorrupt(error)) throw new Error(`round ${round}, SEED=${seed}`, { cause: error });
    }
    assert.ok(
      memory.subarray(0, 8).every((byte) => byte === 0xa5) && memory.subarray(8 + length).every((byte) => byte === 0xa5),
      `SEED=${seed}`,
    );
  }
  assert.ok(accepted > 100 && accepted < 19_000, `${accepted} of 20,000 were taken`);
});
