// HPACK, reading (RFC 7541): the bytes of a field block become a header list. Strings are made once, when they enter the dynamic table, and shared after.
import { assert } from '@distrokv/base';
import { ErrorCode } from './codes.ts';
import { Http2Error } from './errors.ts';
import { FIELD_OVERHEAD, INITIAL_TABLE_BYTES, STATIC_FIELDS, staticNames, staticValues } from './hpack-static.ts';
import { huffmanDecode } from './huffman.ts';
import type { HeaderList } from './types.ts';

/** No integer in a field block is larger: lengths are bounded by the block, indexes and sizes by the table. */
const MAX_INTEGER = 0x0fff_ffff;

/** For strings on their way from Huffman code to text: one for all decoders, since none holds it beyond a call. */
const scratch = new Uint8Array(4096);

const characters: readonly string[] = Array.from({ length: 256 }, (_, c) => String.fromCharCode(c));

export interface DecoderLimits {
  readonly maxHeaderListBytes: number;
  readonly maxHeaderFields: number;
}

/**
 * Invariants: 1. the entries' sizes add up to `#size`, which is at most `#maxSize`, which is at most `#limit`;
 * 2. the newest entry is at `#newest` of the rings, index 62 of the protocol.
 */
export class HpackDecoder {
  readonly #limits: DecoderLimits;
  /** What our SETTINGS allow. */
  #limit: number;
  /** What the peer's encoder chose. */
  #maxSize: number;
  #size = 0;
  /** Rings with room for a power of two of entries. */
  #names: string[] = new Array<string>(16).fill('');
  #values: string[] = new Array<string>(16).fill('');
  #newest = 0;
  #count = 0;
  /** Our limit went below what the encoder uses: its next block must begin with an update. */
  #updateDue = false;
  #version = 0;
  /** The last list had more bytes or fields than allowed, and lacks what was too much. */
  #tooLarge = false;
  #listBytes = 0;

  // Where the current block is read.
  #bytes: Uint8Array = scratch;
  #at = 0;
  #end = 0;

  /** `tableBytes` is the largest table until `setLimit`; the peer's encoder begins with 4096 bytes whatever we announce (RFC 9113 §4.3.1). */
  constructor(tableBytes: number, limits: DecoderLimits) {
    this.#limit = Math.max(tableBytes, INITIAL_TABLE_BYTES);
    this.#maxSize = INITIAL_TABLE_BYTES;
    this.#limits = limits;
  }

  /** Changes with the table: equal bytes at equal versions mean equal lists. */
  get version(): number {
    return this.#version;
  }

  get tooLarge(): boolean {
    return this.#tooLarge;
  }

  /** Size of the last list: bytes of names and values, and 32 for each field (RFC 9113 §6.5.2). */
  get listBytes(): number {
    return this.#listBytes;
  }

  get tableBytes(): number {
    return this.#size;
  }

  /** The peer has acknowledged a setting of ours: its encoder keeps to `bytes` from the next block on. */
  setLimit(bytes: number): void {
    this.#limit = bytes;
    if (this.#maxSize <= bytes) return;
    this.#updateDue = true;
    this.#version++;
  }

  /** Reads the block in [from, to). Throws Http2Error with COMPRESSION_ERROR; the table is of no use afterwards (§2.3.3 of RFC 7541). */
  decode(bytes: Uint8Array, from: number, to: number): HeaderList {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.#listBytes = 0;
    this.#tooLarge = false;
    const list: string[] = [];
    this.#readUpdates();
    while (this.#at < to) {
      const first = bytes[this.#at] as number;
      if (first >= 0x80) this.#readIndexed(list);
      else if (first >= 0x40) this.#readLiteral(list, 0x3f, true);
      else if (first >= 0x20) throw bad('a table size update after a field');
      else this.#readLiteral(list, 0x0f, false);
    }
    this.#bytes = scratch; // Nobody's bytes are kept.
    return list;
  }

  /** Table size updates stand at the start of a block only, two at most (§4.2). */
  #readUpdates(): void {
    for (let updates = 0; this.#at < this.#end && ((this.#bytes[this.#at] as number) & 0xe0) === 0x20; updates++) {
      const size = this.#readInteger(0x1f);
      if (size > this.#limit) throw bad(`table size ${size} beyond our limit of ${this.#limit}`);
      if (updates === 2) throw bad('three table size updates in a row');
      this.#updateDue = false;
      this.#maxSize = size;
      this.#evict();
      this.#version++;
    }
    if (this.#updateDue) throw bad('no table size update after our limit went down');
  }

  #readIndexed(list: string[]): void {
    const index = this.#readInteger(0x7f);
    if (index === 0) throw bad('index 0');
    if (index <= STATIC_FIELDS) this.#emit(list, staticNames[index] as string, staticValues[index] as string);
    else {
      const slot = this.#slot(index);
      this.#emit(list, this.#names[slot] as string, this.#values[slot] as string);
    }
  }

  #readLiteral(list: string[], mask: number, keep: boolean): void {
    const index = this.#readInteger(mask);
    const name =
      index === 0
        ? this.#readString()
        : index <= STATIC_FIELDS
          ? (staticNames[index] as string)
          : (this.#names[this.#slot(index)] as string);
    const value = this.#readString();
    if (keep) this.#insert(name, value);
    this.#emit(list, name, value);
  }

  #emit(list: string[], name: string, value: string): void {
    this.#listBytes += name.length + value.length + FIELD_OVERHEAD;
    if (this.#listBytes > this.#limits.maxHeaderListBytes || list.length >= 2 * this.#limits.maxHeaderFields) this.#tooLarge = true;
    else list.push(name, value);
  }

  #slot(index: number): number {
    const age = index - STATIC_FIELDS - 1;
    if (age >= this.#count) throw bad(`index ${index} with ${this.#count} entries in the table`);
    return (this.#newest - age) & (this.#names.length - 1);
  }

  /** Makes room first, then inserts; an entry larger than the table empties it (§4.4). */
  #insert(name: string, value: string): void {
    this.#version++;
    const size = name.length + value.length + FIELD_OVERHEAD;
    this.#size += size;
    this.#evict(size);
    if (size > this.#maxSize) {
      this.#size -= size;
      return;
    }
    if (this.#count === this.#names.length) this.#grow();
    this.#newest = (this.#newest + 1) & (this.#names.length - 1);
    this.#names[this.#newest] = name;
    this.#values[this.#newest] = value;
    this.#count++;
  }

  #evict(incoming = 0): void {
    while (this.#size > this.#maxSize && this.#count > 0) {
      const oldest = (this.#newest - this.#count + 1) & (this.#names.length - 1);
      this.#size -= (this.#names[oldest] as string).length + (this.#values[oldest] as string).length + FIELD_OVERHEAD;
      this.#names[oldest] = '';
      this.#values[oldest] = '';
      this.#count--;
    }
    assert(this.#count > 0 || this.#size === incoming, 'the entries of the table add up to its size');
  }

  #grow(): void {
    const names = new Array<string>(this.#count * 2).fill('');
    const values = [...names];
    for (let i = 0; i < this.#count; i++) {
      const from = (this.#newest - this.#count + 1 + i) & (this.#count - 1);
      names[i] = this.#names[from] as string;
      values[i] = this.#values[from] as string;
    }
    this.#names = names;
    this.#values = values;
    this.#newest = this.#count - 1;
  }

  /** An integer with a prefix (§5.1). */
  #readInteger(mask: number): number {
    let value = (this.#bytes[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end) throw bad('an integer does not end');
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (value > MAX_INTEGER || shift > 28) throw bad('an integer is too large');
      if (byte < 0x80) return value;
    }
  }

  #readString(): string {
    if (this.#at >= this.#end) throw bad('a string is missing');
    const coded = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#readInteger(0x7f);
    const from = this.#at;
    if (length > this.#end - from) throw bad('a string is longer than its block');
    this.#at += length;
    if (!coded) return latin1(this.#bytes, from, from + length);
    const most = ((length * 8) / 5) | 0;
    const out = most <= scratch.length ? scratch : new Uint8Array(most);
    return latin1(out, 0, huffmanDecode(this.#bytes, from, from + length, out));
  }
}

/** Each byte is a character. Short strings, which most are, are made eight at a time: there is no faster way without a host. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (; to - from > 256; from += 256) text += String.fromCharCode.apply(null, bytes.subarray(from, from + 256) as unknown as number[]);
  const char = (i: number): number => bytes[from + i] as number;
  for (; to - from >= 8; from += 8) text += String.fromCharCode(char(0), char(1), char(2), char(3), char(4), char(5), char(6), char(7));
  for (; from < to; from++) text += characters[bytes[from] as number];
  return text;
}

function bad(message: string): Http2Error {
  return Http2Error.protocol(ErrorCode.compressionError, message);
}
