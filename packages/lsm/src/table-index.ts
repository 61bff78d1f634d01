// The index of a table: for each data block its length and its last entry's key and version. It is kept in memory as
// flat arrays over the bytes that were read, so a table of a million entries costs a handful of objects.
//
//   payload  number of blocks varint | per block: length varint | key length varint | version varint | key
import { MAX_VARINT_BYTES, VarintReader, writeVarint } from '@distrokv/base';
import { corrupt } from './errors.ts';
import { compareRanges, copyRange, grown } from './ranges.ts';
import { TRAILER_BYTES } from './table-format.ts';

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
  readonly #bytes: Uint8Array;
  readonly #keyStarts: Int32Array;
  readonly #keyEnds: Int32Array;
  readonly #versions: Float64Array;
  /** Block i lies in `[offsets[i], offsets[i + 1])` of the file. */
  readonly #offsets: Float64Array;

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
  }

  offset(block: number): number {
    return this.#offsets[block] as number;
  }

  /** The length of a block, its trailer included. */
  byteLength(block: number): number {
    return (this.#offsets[block + 1] as number) - (this.#offsets[block] as number);
  }

  /** The block that holds the first entry at or after (key, version); `blocks` if there is none. */
  find(key: Uint8Array, keyEnd: number, version: number): number {
    let low = 0;
    let high = this.blocks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const c = compareRanges(this.#bytes, this.#keyStarts[middle] as number, this.#keyEnds[middle] as number, key, 0, keyEnd);
      if (c < 0 || (c === 0 && (this.#versions[middle] as number) > version)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The internal key of the table's last entry. */
  get largestKey(): Uint8Array {
    return this.#bytes.subarray(this.#keyStarts[this.blocks - 1], this.#keyEnds[this.blocks - 1]);
  }

  get largestVersion(): number {
    return this.#versions[this.blocks - 1] as number;
  }
}
