// The index of a table: for each data block its length and its last entry's key and version. It is kept in memory as
// flat arrays over the bytes that were read, so a table of a million entries costs a handful of objects. A search looks at the
// *heads*: six bytes of each key, taken behind the prefix that all keys of the index share, as a number that compares like the bytes.
//
//   payload  number of blocks varint | per block: length varint | key length varint | version varint | key
import { MAX_VARINT_BYTES, VarintReader, writeVarint } from '@distrokv/base';
import { NEWEST } from './cursor.ts';
import { corrupt } from './errors.ts';
import { commonPrefix, compareRanges, copyRange, grown } from './ranges.ts';
import { TRAILER_BYTES } from './table-format.ts';

/** What the arrays below take for a block. */
const BYTES_PER_BLOCK = 32;

/** The six bytes at `at`, zeros after `end`, as a number. */
function headOf(bytes: Uint8Array, at: number, end: number): number {
  let high = 0;
  let low = 0;
  for (let i = at; i < at + 3; i++) high = (high << 8) | (i < end ? (bytes[i] as number) : 0);
  for (let i = at + 3; i < at + 6; i++) low = (low << 8) | (i < end ? (bytes[i] as number) : 0);
  return high * 0x100_0000 + low;
}

export class TableIndexBuilder {
  #bytes: Uint8Array = new Uint8Array(4096);
  #length = 0;
  blocks = 0;

  /** `blockBytes` counts the trailer. */
  add(blockBytes: number, lastKey: Uint8Array, lastVersion: number): void {
    this.#bytes = grown(this.#bytes, this.#length, this.#length + 3 * MAX_VARINT_BYTES + lastKey.length);
    let at = writeVarint(this.#bytes, this.#length, blockBytes);
    at = writeVarint(this.#bytes, at, lastKey.length);
    at = writeVarint(this.#bytes, at, lastVersion);
    this.#length = copyRange(lastKey, 0, lastKey.length, this.#bytes, at);
    this.blocks++;
  }

  /** The payload of the index block. */
  finish(): Uint8Array {
    const payload = new Uint8Array(MAX_VARINT_BYTES + this.#length);
    const at = writeVarint(payload, 0, this.blocks);
    payload.set(this.#bytes.subarray(0, this.#length), at);
    return payload.subarray(0, at + this.#length);
  }
}

export class TableIndex {
  readonly blocks: number;
  /** The internal key of the table's last entry, and its version. */
  readonly largestKey: Uint8Array;
  readonly largestVersion: number;
  readonly #bytes: Uint8Array;
  readonly #keyStarts: Int32Array;
  readonly #keyEnds: Int32Array;
  readonly #versions: Float64Array;
  /** Block i lies in `[offsets[i], offsets[i + 1])` of the file. */
  readonly #offsets: Float64Array;
  /** How many bytes all keys have in common at their start. */
  readonly #skip: number;
  readonly #heads: Float64Array;

  /** Throws LsmError `corrupt` unless the payload describes blocks that fill `dataBytes`. */
  constructor(payload: Uint8Array, dataBytes: number, path: string, offset: number) {
    const reader = new VarintReader(payload);
    const blocks = reader.varint();
    // Each block takes four bytes of the payload at least: a length that lies cannot make us allocate much.
    if (!reader.ok || blocks === 0 || blocks > payload.length / 4) throw corrupt(path, offset, `an index of ${blocks} blocks`);
    this.blocks = blocks;
    this.#bytes = payload;
    this.#keyStarts = new Int32Array(blocks);
    this.#keyEnds = new Int32Array(blocks);
    this.#versions = new Float64Array(blocks);
    this.#offsets = new Float64Array(blocks + 1);
    let position = 0;
    for (let i = 0; i < blocks; i++) {
      const length = reader.varint();
      const keyLength = reader.varint();
      this.#versions[i] = reader.varint();
      reader.take(keyLength);
      if (!reader.ok || keyLength === 0 || length <= TRAILER_BYTES)
        throw corrupt(path, offset, `an index whose entry ${i} does not decode`);
      this.#keyStarts[i] = reader.at - keyLength;
      this.#keyEnds[i] = reader.at;
      position += length;
      this.#offsets[i + 1] = position;
    }
    if (reader.at !== reader.end || position !== dataBytes) throw corrupt(path, offset, 'an index that does not fit the data');
    const last = blocks - 1;
    this.largestKey = payload.subarray(this.#keyStarts[last], this.#keyEnds[last]);
    this.largestVersion = this.#versions[last] as number;
    // The keys rise, so what the first and the last have in common all of them have.
    this.#skip = commonPrefix(
      payload,
      this.#keyStarts[0] as number,
      this.#keyEnds[0] as number,
      this.largestKey,
      0,
      this.largestKey.length,
    );
    this.#heads = new Float64Array(blocks);
    for (let i = 0; i < blocks; i++)
      this.#heads[i] = headOf(payload, (this.#keyStarts[i] as number) + this.#skip, this.#keyEnds[i] as number);
  }

  /** Memory that the index takes, about. */
  get memoryBytes(): number {
    return this.#bytes.length + this.blocks * BYTES_PER_BLOCK;
  }

  offset(block: number): number {
    return this.#offsets[block] as number;
  }

  /** The length of a block, its trailer included. */
  byteLength(block: number): number {
    return (this.#offsets[block + 1] as number) - (this.#offsets[block] as number);
  }

  /** About how many bytes the entries of keys in `[start, end)` take: those of blocks that lie in the range, and half of one that it begins or ends in. */
  bytesBetween(start: Uint8Array, end: Uint8Array): number {
    const [first, last] = [this.find(start, start.length, NEWEST), this.find(end, end.length, NEWEST)];
    if (first === last) return first === this.blocks ? 0 : this.byteLength(first) / 2;
    return this.offset(Math.min(last, this.blocks)) - this.offset(first);
  }

  /** The block that holds the first entry at or after (key, version); `blocks` if there is none. */
  find(key: Uint8Array, keyEnd: number, version: number): number {
    const skip = this.#skip;
    const largest = this.largestKey;
    for (let i = 0; i < skip; i++) {
      if (i === keyEnd) return 0;
      const d = (key[i] as number) - (largest[i] as number);
      if (d !== 0) return d < 0 ? 0 : this.blocks;
    }
    const heads = this.#heads;
    const head = headOf(key, skip, keyEnd);
    let low = 0;
    let high = this.blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const h = heads[middle] as number;
      if (h < head || (h === head && this.#isBefore(middle, key, keyEnd, version))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the block's last entry lies before (key, version); the bytes that all keys share are known to be equal. */
  #isBefore(block: number, key: Uint8Array, keyEnd: number, version: number): boolean {
    const start = (this.#keyStarts[block] as number) + this.#skip;
    const c = compareRanges(this.#bytes, start, this.#keyEnds[block] as number, key, this.#skip, keyEnd);
    return c < 0 || (c === 0 && (this.#versions[block] as number) > version);
  }
}
