// LZ4's block format (Collet, "LZ4 Block Format Description", 2022), without a frame: what a table's block is squeezed with
// when its codec says so. A block is a row of sequences, each a run of literal bytes and then a copy of earlier output:
//
//   token          high 4 bits: count of literals; low 4 bits: length of the match less 4; 15 in either is continued by
//                  bytes that are added to it, up to and including the first that is not 255
//   literals
//   offset         16 bits, little-endian, 1 or more: how far back the match starts; it may reach into its own output
//
// Bytes after the token come in the order: more of the count, literals, offset, more of the length. The last sequence ends after
// its literals. The last five bytes of a block are literals, and no match starts within its last twelve.
//
// Both ways are plain loops over bytes: at 4 KiB a block, a call to a native copy costs more than the copy. Words are read through a
// DataView, which V8 turns into one load: that and comparing word by word make compression half as fast again.
import { assert } from '@distrokv/base';
import { LsmError } from './errors.ts';

/** The largest input: positions and offsets of the table below are 32-bit (the reference implementation has the same bound). */
const MAX_INPUT_BYTES = 0x7e00_0000;
const MIN_MATCH = 4;
const MAX_OFFSET = 0xffff;
/** The format's two end conditions. */
const LAST_LITERALS = 5;
const LAST_MATCH_START = 12;
/** Above this a match that does not reach into itself is copied by the runtime. */
const LONG_MATCH = 64;

const HASH_BITS = 13;
/** After 2^6 misses in a row the search goes in steps of two, then of three …: data that does not compress passes quickly. */
const SKIP_BITS = 6;

/**
 * Where four bytes with this hash were last seen, plus `base`. Each call raises `base` over everything that earlier calls
 * left behind, so that the table is shared by all without being cleared: an entry below `base` is no entry.
 */
const seen = new Int32Array(1 << HASH_BITS);
let base = 1;

/** The most bytes that `inputLength` bytes can take, when nothing in them repeats. */
export function lz4Bound(inputLength: number): number {
  return inputLength + Math.floor(inputLength / 255) + 16;
}

/** Compresses `input`. The result is a view of `output` (at least `lz4Bound(input.length)` bytes), or of a fresh array. */
export function lz4Compress(input: Uint8Array, output: Uint8Array = new Uint8Array(lz4Bound(input.length))): Uint8Array {
  const length = input.length;
  assert(length <= MAX_INPUT_BYTES, `LZ4 takes at most ${MAX_INPUT_BYTES} bytes, not ${length}`);
  assert(output.length >= lz4Bound(length), 'there is room for the worst case');
  if (base + length > 0x7fff_ffff) {
    seen.fill(0);
    base = 1;
  }
  const words = new DataView(input.buffer, input.byteOffset, length);
  let at = 0;
  let literals = 0;
  let out = 0;
  let misses = 1 << SKIP_BITS;
  while (at <= length - LAST_MATCH_START) {
    const word = words.getInt32(at, true);
    const slot = hash(word);
    let from = (seen[slot] as number) - base;
    seen[slot] = at + base;
    if (from < 0 || at - from > MAX_OFFSET || words.getInt32(from, true) !== word) {
      at += misses++ >>> SKIP_BITS;
      continue;
    }
    const end = matchEnd(words, at + MIN_MATCH, from + MIN_MATCH, length - LAST_LITERALS);
    while (at > literals && from > 0 && input[at - 1] === input[from - 1]) {
      at--;
      from--;
    }
    out = writeSequence(input, literals, at, output, out, at - from, end - at);
    // A repetition often starts a little before the end of the last one.
    seen[hash(words.getInt32(end - 2, true))] = end - 2 + base;
    literals = at = end;
    misses = 1 << SKIP_BITS;
  }
  base += length;
  return output.subarray(0, writeSequence(input, literals, length, output, out, 0, 0));
}

/** Whether a block of `inputLength` bytes can hold `outputLength`: none of its bytes stands for more than 255. */
export function isLz4Length(outputLength: number, inputLength: number): boolean {
  return outputLength <= 255 * inputLength;
}

/**
 * Decompresses a block to exactly `outputLength` bytes, into `output` (at least that long) or a fresh array. Whatever the
 * bytes are, it reads and writes within bounds, and allocates nothing that the input is too short to fill. Throws LsmError
 * `corrupt` on bytes that are no block of that length.
 */
export function lz4Decompress(input: Uint8Array, outputLength: number, output?: Uint8Array): Uint8Array {
  if (!isLz4Length(outputLength, input.length)) throw damaged(0, `${input.length} bytes cannot hold ${outputLength}`);
  const target = output ?? new Uint8Array(outputLength);
  assert(target.length >= outputLength, 'there is room for the result');
  const end = input.length;
  let at = 0;
  let out = 0;
  for (;;) {
    if (at === end) throw damaged(at, 'it ends without a last sequence');
    const token = input[at++] as number;
    let count = token >>> 4;
    if (count === 15) {
      for (let more = 255; more === 255; count += more) {
        if (at === end) throw damaged(at, 'it ends within a count of literals');
        more = input[at++] as number;
      }
    }
    if (count > end - at || count > outputLength - out) throw damaged(at, `${count} literals are more than there is room for`);
    for (const stop = at + count; at < stop;) target[out++] = input[at++] as number;
    if (at === end) break;

    if (end - at < 2) throw damaged(at, 'it ends within an offset');
    const offset = (input[at] as number) | ((input[at + 1] as number) << 8);
    if (offset === 0 || offset > out) throw damaged(at, `an offset of ${offset} after ${out} bytes of output`);
    at += 2;
    let length = (token & 15) + MIN_MATCH;
    if (length === 15 + MIN_MATCH) {
      for (let more = 255; more === 255; length += more) {
        if (at === end) throw damaged(at, 'it ends within the length of a match');
        more = input[at++] as number;
      }
    }
    if (length > outputLength - LAST_LITERALS - out) throw damaged(at, `a match of ${length} bytes is more than there is room for`);
    copyMatch(target, out, offset, length);
    out += length;
  }
  if (out !== outputLength) throw damaged(at, `it holds ${out} bytes, not ${outputLength}`);
  return target.length === outputLength ? target : target.subarray(0, outputLength);
}

function copyMatch(target: Uint8Array, out: number, offset: number, length: number): void {
  if (length > LONG_MATCH && offset >= length) target.copyWithin(out, out - offset, out - offset + length);
  else for (const stop = out + length; out < stop; out++) target[out] = target[out - offset] as number;
}

/** Writes the literals `input[start, end)` and, unless `offset` is 0, a match; returns the position after them. */
function writeSequence(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  out: number,
  offset: number,
  matchLength: number,
): number {
  const count = end - start;
  const token = out++;
  let low = 0;
  if (count >= 15) out = writeMore(output, out, count - 15);
  while (start < end) output[out++] = input[start++] as number;
  if (offset !== 0) {
    output[out++] = offset & 0xff;
    output[out++] = offset >>> 8;
    const length = matchLength - MIN_MATCH;
    if (length >= 15) out = writeMore(output, out, length - 15);
    low = length < 15 ? length : 15;
  }
  output[token] = ((count < 15 ? count : 15) << 4) | low;
  return out;
}

/** What a count has beyond its four bits in the token. */
function writeMore(output: Uint8Array, out: number, rest: number): number {
  for (; rest >= 255; rest -= 255) output[out++] = 255;
  output[out++] = rest;
  return out;
}

/** Where the bytes from `at` on stop being those from `from` on, `limit` at the latest. */
function matchEnd(words: DataView, at: number, from: number, limit: number): number {
  for (; at + 4 <= limit; at += 4, from += 4) {
    const difference = words.getInt32(at, true) ^ words.getInt32(from, true);
    // Little-endian, so the lowest bit that differs is in the first byte that does.
    if (difference !== 0) return at + ((31 - Math.clz32(difference & -difference)) >>> 3);
  }
  while (at < limit && words.getUint8(at) === words.getUint8(from)) {
    at++;
    from++;
  }
  return at;
}

/** Fibonacci hashing: the high bits of a product with 2^32 over the golden ratio. */
function hash(word: number): number {
  return Math.imul(word, 0x9e37_79b1) >>> (32 - HASH_BITS);
}

function damaged(offset: number, what: string): LsmError {
  return new LsmError('corrupt', `an LZ4 block is damaged at its byte ${offset}: ${what}`);
}
