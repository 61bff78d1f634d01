// The Huffman code of HPACK (RFC 7541 §5.2 and Appendix B). The code is canonical: the lengths of the codes, in the order of the symbols, say
// all of it. Codes of up to 10 bits, which is what nearly all text has, decode with one look into a table.
import { ErrorCode } from './codes.ts';
import { Http2Error } from './errors.ts';

/** Bits of each symbol's code, RFC 7541 Appendix B; the last is EOS. */
// prettier-ignore
const lengths = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const EOS = 256;
const MAX_BITS = 30;
const QUICK_BITS = 10;

const codes = new Uint32Array(EOS + 1);
const bits = Uint8Array.from(lengths);
/** For each prefix of 10 bits: symbol × 16 + length of its code; 0 if the code is longer. */
const quick = new Uint16Array(1 << QUICK_BITS);
/** For each length: its first code, how many there are, and where its symbols begin in `symbols`. */
const firstCode = new Uint32Array(MAX_BITS + 1);
const count = new Uint16Array(MAX_BITS + 1);
const firstSymbol = new Uint16Array(MAX_BITS + 1);
const symbols = new Uint16Array(EOS + 1);

for (let length = 1, code = 0, at = 0; length <= MAX_BITS; length++, code <<= 1) {
  firstCode[length] = code;
  firstSymbol[length] = at;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    if (bits[symbol] !== length) continue;
    codes[symbol] = code;
    symbols[at++] = symbol;
    if (length <= QUICK_BITS) {
      const shift = QUICK_BITS - length;
      quick.fill(symbol * 16 + length, code << shift, (code + 1) << shift);
    }
    code++;
    count[length] = (count[length] as number) + 1;
  }
}

/** Bytes that `text` takes when coded; its characters are bytes. */
export function huffmanLength(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; i++) n += bits[text.charCodeAt(i)] as number;
  return (n + 7) >> 3;
}

/** Writes `text` coded into `out` at `at`; returns where it ends. The rest of the last byte is ones, the start of EOS. */
export function huffmanEncode(text: string, out: Uint8Array, at: number): number {
  let held = 0; // Up to 7 bits that wait for a byte, and the next code in two steps: never more than 31 bits.
  let heldBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let code = codes[symbol] as number;
    let n = bits[symbol] as number;
    if (n > 16) {
      held = (held << (n - 16)) | (code >>> 16);
      heldBits += n - 16;
      while (heldBits >= 8) out[at++] = held >>> (heldBits -= 8);
      code &= 0xffff;
      n = 16;
    }
    held = (held << n) | code;
    heldBits += n;
    while (heldBits >= 8) out[at++] = held >>> (heldBits -= 8);
  }
  if (heldBits > 0) out[at++] = (held << (8 - heldBits)) | (0xff >>> heldBits);
  return at;
}

/**
 * Decodes what lies in [from, to) into `out`, which must hold (to - from) × 8 / 5 bytes; returns how many there are. Throws COMPRESSION_ERROR for a
 * code that does not end, EOS within, or padding that is not the start of EOS or longer than 7 bits (§5.2).
 */
export function huffmanDecode(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let n = 0;
  let held = 0; // The last 32 bits read; `left` of them are not yet used.
  let left = 0;
  let at = from;
  for (;;) {
    while (left <= 16 && at < to) {
      held = (held << 8) | (bytes[at++] as number);
      left += 8;
    }
    if (left < 5) break; // No code is shorter.
    const prefix = left >= QUICK_BITS ? held >>> (left - QUICK_BITS) : (held << (QUICK_BITS - left)) | ((1 << (QUICK_BITS - left)) - 1);
    const found = quick[prefix & ((1 << QUICK_BITS) - 1)] as number;
    if (found !== 0) {
      if ((found & 15) > left) break;
      left -= found & 15;
      out[n++] = found >>> 4;
      continue;
    }
    // A long code: bit by bit, from a window of up to 30 bits of its own.
    let code = left >= QUICK_BITS ? (held >>> (left - QUICK_BITS)) & ((1 << QUICK_BITS) - 1) : -1;
    if (code < 0) break;
    let length = QUICK_BITS;
    left -= QUICK_BITS;
    let symbol = -1;
    while (length < MAX_BITS) {
      if (left === 0) {
        if (at === to) break;
        held = bytes[at++] as number;
        left = 8;
      }
      left--;
      code = (code << 1) | ((held >>> left) & 1);
      length++;
      const offset = code - (firstCode[length] as number);
      if (offset < (count[length] as number) && offset >= 0) {
        symbol = symbols[(firstSymbol[length] as number) + offset] as number;
        break;
      }
    }
    if (symbol < 0) throw bad('a Huffman code does not end');
    if (symbol === EOS) throw bad('EOS in a string');
    out[n++] = symbol;
  }
  if (at < to || left > 7) throw bad('a Huffman code does not end');
  if ((held & ((1 << left) - 1)) !== (1 << left) - 1) throw bad('Huffman padding is not the start of EOS');
  return n;
}

function bad(message: string): Http2Error {
  return Http2Error.protocol(ErrorCode.compressionError, message);
}
