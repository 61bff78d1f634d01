// The index of a table: where its blocks lie, and which keys are in which. It is a tree of two levels, like a B+tree's inner nodes: the
// *root* leads to *pages*, a page to a few hundred data blocks. The root stays in memory; a page is read when it is needed.
//
// Root and page are the same thing: a list of children (pages, or data blocks) that follow each other in the file, each with the
// lower bound of its entries. A bound is no longer than it must be to tell a child from the one before it (Bayer and Unterauer 1977):
// mostly the first bytes of a key. Only where the versions of one key are torn apart it is the whole key and a version, the one below the
// last before it: whoever looks for any of those that are left comes to the right child.
//
//   payload  offset of the first child varint | number of children varint | length of the prefix varint | prefix
//            | per child: length varint | length of the rest × 2 + 1 if a version follows varint | version varint | rest
//
// The prefix is what all bounds but the first begin with. In memory the payload stays as it is: a store of 20 GB has four million blocks, and
// what a block costs here decides whether the indexes fit into memory, so whether a read costs one trip to the disk or two. Only each eighth child
// is a *sample*, whose place is noted, and the *head* of its bound: six bytes of the rest as a number that compares like the bytes. A search looks
// at heads, and then reads on from a sample. A page costs a handful of objects however large it is, and its payload and its samples lie in one piece of memory,
// which the next page gets when it leaves the cache.
import { MAX_VARINT_BYTES, VarintReader, writeVarint } from '@distrokv/base';
import { CachePiece } from './block-cache.ts';
import type { BlockMemory } from './block-memory.ts';
import { corrupt } from './errors.ts';
import { headOf } from './memtable-view.ts';
import { commonPrefix, compareRanges, copyRange, grown } from './ranges.ts';
import { TRAILER_BYTES } from './table-format.ts';

/** Children from one sample to the next. */
const STRIDE = 8;
/**
 * Numbers of a sample: its head, where its record begins in the payload, and where the child begins in the file, from the first one on. They lie by kind, all heads
 * first: a search looks at heads alone.
 */
const SAMPLE_NUMBERS = 3;
const NUMBER_BYTES = 8;
/** Of a bound that lies before all versions of its key. */
const NO_VERSION = -1;
/** What the objects of an index take beside their bytes, about. */
const OBJECT_BYTES = 512;
/** Offsets within an index are 32-bit numbers. */
const MAX_SPAN_BYTES = 0xffff_ffff;

/** Collects children, and writes the payload. */
export class TableIndexBuilder {
  /** Bounds, one behind the other. */
  #keys: Uint8Array = new Uint8Array(256);
  #keysLength = 0;
  readonly #ends: number[] = [];
  /** −1 where a bound has none. */
  readonly #versions: number[] = [];
  readonly #lengths: number[] = [];
  #offset = 0;
  #span = 0;

  get children(): number {
    return this.#lengths.length;
  }

  /** What the payload takes, about. */
  get byteLength(): number {
    return this.#keysLength + 4 * this.#lengths.length;
  }

  /** Bytes of all children. */
  get span(): number {
    return this.#span;
  }

  /** The bound of the first child. */
  get firstKey(): Uint8Array {
    return this.#keys.slice(0, this.#ends[0]);
  }

  get firstVersion(): number | undefined {
    const version = this.#versions[0] as number;
    return version < 0 ? undefined : version;
  }

  /** Adds a child of `bytes`, its trailer included, at `offset`, where the one before it ends; all its entries lie at or after its bound. */
  add(offset: number, bytes: number, key: Uint8Array, version: number | undefined): void {
    if (this.#lengths.length === 0) this.#offset = offset;
    const end = this.#keysLength + key.length;
    this.#keys = grown(this.#keys, this.#keysLength, end);
    this.#keys.set(key, this.#keysLength);
    this.#keysLength = end;
    this.#ends.push(end);
    this.#versions.push(version ?? -1);
    this.#lengths.push(bytes);
    this.#span += bytes;
  }

  /** The payload; the builder starts over. */
  finish(): Uint8Array {
    const ends = this.#ends;
    const count = ends.length;
    const keys = this.#keys;
    // The first bound is never looked at: what lies before it is looked for in the first child too.
    const second = ends[0] as number;
    const last = count > 1 ? (ends[count - 2] as number) : second;
    const prefix = count < 2 ? 0 : commonPrefix(keys, second, ends[1] as number, keys, last, this.#keysLength);
    const payload = new Uint8Array(this.#keysLength + (3 + 3 * count) * MAX_VARINT_BYTES);
    let at = writeVarint(payload, 0, this.#offset);
    at = writeVarint(payload, at, count);
    at = writeVarint(payload, at, prefix);
    at = copyRange(keys, second, second + prefix, payload, at);
    for (let i = 0; i < count; i++) {
      const end = ends[i] as number;
      const start = i === 0 ? end : (ends[i - 1] as number) + prefix;
      const version = i === 0 ? -1 : (this.#versions[i] as number);
      at = writeVarint(payload, at, this.#lengths[i] as number);
      at = writeVarint(payload, at, (end - start) * 2 + (version < 0 ? 0 : 1));
      if (version >= 0) at = writeVarint(payload, at, version);
      at = copyRange(keys, start, end, payload, at);
    }
    this.#keysLength = 0;
    this.#span = 0;
    ends.length = 0;
    this.#versions.length = 0;
    this.#lengths.length = 0;
    return payload.slice(0, at);
  }
}

/** How many bytes of a key are enough to tell it from `before`, which lies before it. */
export function boundLength(before: Uint8Array, key: Uint8Array, keyStart: number, keyEnd: number): number {
  return Math.min(keyEnd - keyStart, commonPrefix(before, 0, before.length, key, keyStart, keyEnd) + 1);
}

export class TableIndex extends CachePiece {
  /** How many children there are; one at least. */
  readonly count: number;
  readonly #payload: Uint8Array;
  readonly #prefixAt: number;
  readonly #prefix: number;
  readonly #samples: Float64Array;
  readonly #sampleCount: number;
  readonly #ownBytes: number;
  readonly #offset: number;
  /** Where the child lies that was located last, and its length, the trailer included. */
  childOffset = 0;
  childBytes = 0;
  // The record that was read last: the length of the child, the version of its bound, and where the rest of that lies.
  #length = 0;
  #version = NO_VERSION;
  #restAt = 0;
  #restEnd = 0;

  /**
   * Throws LsmError `corrupt` unless the payload describes children that fill the bytes `[start, end)` of the file, or with `isPart` a part of them. The
   * index keeps the payload, or with a `source` a copy of it in memory from there.
   */
  constructor(payload: Uint8Array, start: number, end: number, isPart: boolean, path: string, place: number, source?: BlockMemory) {
    super();
    const reader = new VarintReader(payload);
    this.#offset = reader.varint();
    const count = reader.varint();
    this.#prefix = reader.varint();
    this.#prefixAt = reader.at;
    reader.skip(this.#prefix);
    // Each child takes two bytes of the payload at least: a length that lies cannot make us allocate much.
    if (!reader.ok || count === 0 || count > payload.length / 2) throw corrupt(path, place, `an index of ${count} children`);
    this.count = count;
    this.#sampleCount = Math.ceil(count / STRIDE);
    const numbers = this.#sampleCount * SAMPLE_NUMBERS;
    if (source === undefined) {
      this.#payload = payload;
      this.#samples = new Float64Array(numbers);
      this.#ownBytes = payload.length + this.#samples.byteLength;
    } else {
      const samplesAt = Math.ceil(payload.length / NUMBER_BYTES) * NUMBER_BYTES;
      const memory = source.take(samplesAt + numbers * NUMBER_BYTES);
      memory.set(payload);
      this.#payload = memory;
      this.#samples = new Float64Array(memory.buffer, memory.byteOffset + samplesAt, numbers);
      this.#ownBytes = memory.length;
      this.lieIn(memory, source);
    }
    let span = 0;
    for (let i = 0; i < count; i++) {
      const record = reader.at;
      const length = reader.varint();
      const restAndKind = reader.varint();
      if (restAndKind % 2 === 1) reader.varint();
      const restAt = reader.at;
      reader.skip(Math.floor(restAndKind / 2));
      if (i % STRIDE === 0) this.#noteSample(i / STRIDE, headOf(payload, restAt, reader.at), record, span);
      span += length;
      if (!reader.ok || length <= TRAILER_BYTES || span > MAX_SPAN_BYTES)
        throw corrupt(path, place, `an index whose child ${i} does not decode`);
    }
    const last = this.#offset + span;
    const fits = isPart ? this.#offset >= start && last <= end : this.#offset === start && last === end;
    if (reader.at !== reader.end || !fits) throw corrupt(path, place, 'an index that does not fit the file');
  }

  /** Memory that the index takes, about. */
  override get memoryBytes(): number {
    return this.#ownBytes + OBJECT_BYTES;
  }

  /** Notes where a child lies, in `childOffset` and `childBytes`. */
  locate(child: number): void {
    const sample = Math.floor(child / STRIDE);
    let offset = this.#offset + (this.#samples[2 * this.#sampleCount + sample] as number);
    let record = this.#readRecord(this.#recordOf(sample));
    for (let i = sample * STRIDE; i < child; i++) {
      offset += this.#length;
      record = this.#readRecord(record);
    }
    this.childOffset = offset;
    this.childBytes = this.#length;
  }

  offset(child: number): number {
    this.locate(child);
    return this.childOffset;
  }

  /** The length of a child, its trailer included. */
  byteLength(child: number): number {
    this.locate(child);
    return this.childBytes;
  }

  /** The child in which (key, version) belongs: the last one whose bound is not behind it, or else the first. */
  find(key: Uint8Array, keyEnd: number, version: number): number {
    const prefix = this.#prefix;
    const payload = this.#payload;
    const prefixAt = this.#prefixAt;
    for (let i = 0; i < prefix; i++) {
      if (i === keyEnd) return 0;
      const d = (key[i] as number) - (payload[prefixAt + i] as number);
      if (d !== 0) return d < 0 ? 0 : this.count - 1;
    }
    const samples = this.#samples;
    const head = headOf(key, prefix, keyEnd);
    // Invariant: the answer lies behind sample `low`, or is it, and before sample `high`.
    let low = 0;
    let high = this.#sampleCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const h = samples[middle] as number;
      if (h < head || (h === head && !this.#isSampleBehind(middle, key, keyEnd, version))) low = middle;
      else high = middle;
    }
    let child = low * STRIDE;
    const end = Math.min(this.count, child + STRIDE) - 1;
    let record = this.#readRecord(this.#recordOf(low));
    for (; child < end; child++) {
      record = this.#readRecord(record);
      if (this.#isBehind(key, keyEnd, version)) return child;
    }
    return child;
  }

  #noteSample(sample: number, head: number, record: number, offset: number): void {
    this.#samples[sample] = head;
    this.#samples[this.#sampleCount + sample] = record;
    this.#samples[2 * this.#sampleCount + sample] = offset;
  }

  /** Where the record of a sample begins in the payload. */
  #recordOf(sample: number): number {
    return this.#samples[this.#sampleCount + sample] as number;
  }

  #isSampleBehind(sample: number, key: Uint8Array, keyEnd: number, version: number): boolean {
    this.#readRecord(this.#recordOf(sample));
    return this.#isBehind(key, keyEnd, version);
  }

  /** Whether the bound that was read last lies behind (key, version); the prefix is known to be equal. */
  #isBehind(key: Uint8Array, keyEnd: number, version: number): boolean {
    const c = compareRanges(this.#payload, this.#restAt, this.#restEnd, key, this.#prefix, keyEnd);
    // Newer versions come first; a bound without a version lies before all of them.
    return c > 0 || (c === 0 && this.#version !== NO_VERSION && this.#version < version);
  }

  /** Reads a record, all of which were seen to decode; returns where the next one begins. */
  #readRecord(record: number): number {
    const payload = this.#payload;
    let at = record;
    // Most of it are lengths of two bytes and one, which are kept apart from the rest: a search reads some records for each key.
    let byte = payload[at++] as number;
    let length = byte & 0x7f;
    if (byte >= 0x80) {
      byte = payload[at++] as number;
      length |= (byte & 0x7f) << 7;
      for (let scale = 2 ** 14; byte >= 0x80; scale *= 0x80) {
        byte = payload[at++] as number;
        length += (byte & 0x7f) * scale;
      }
    }
    byte = payload[at++] as number;
    let restAndKind = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      byte = payload[at++] as number;
      restAndKind += (byte & 0x7f) * scale;
    }
    let version = NO_VERSION;
    if ((restAndKind & 1) === 1) {
      version = 0;
      for (let scale = 1; ; scale *= 0x80) {
        byte = payload[at++] as number;
        version += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
    }
    this.#length = length;
    this.#version = version;
    this.#restAt = at;
    this.#restEnd = at + (restAndKind >>> 1);
    return this.#restEnd;
  }
}
