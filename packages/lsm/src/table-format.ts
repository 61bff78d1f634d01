// The layout of a table file, as both its writer and its reader see it; docs/format/lsm.md shows it byte by byte.
//
//   data blocks | index pages | filter pages | root of the index | properties | footer
//
// Every block, page, and so on ends in a trailer of five bytes: the codec and the CRC-32 of what is before it and the codec. The sections
// touch each other, so the five lengths in the footer add up to the size of the file, or the file is not what was written.
import { MAX_VARINT_BYTES, VarintReader, crc32Pure, writeVarint } from '@distrokv/base';
import { crc32 } from '@distrokv/env';
import { CODEC_NONE, unsqueeze } from './codec.ts';
import { LsmError, corrupt } from './errors.ts';
import { compareRanges, readUint32, writeUint32 } from './ranges.ts';

export const TABLE_FORMAT = 2;
export const FOOTER_BYTES = 40;
export const TRAILER_BYTES = 5;
/** Lines of the Bloom filter in a page of it; the last page may have fewer. */
export const FILTER_PAGE_LINES = 64;
/** "DKVTABLE", the last eight bytes of a table of any format; the format lies before them. */
const MAGIC: Uint8Array = Uint8Array.from('DKVTABLE', (c) => c.charCodeAt(0));

/** Appends the trailer behind `bytes[0, length)`, for which there is room; returns the length with it. */
export function sealBlock(bytes: Uint8Array, length: number, codec: number): number {
  bytes[length] = codec;
  return writeUint32(bytes, length + 1, crc32(bytes.subarray(0, length + 1)));
}

/** The payload of a block as it was read from `offset` of `path`; throws LsmError `corrupt` or `newer-format`. */
export function openBlock(bytes: Uint8Array, path: string, offset: number): Uint8Array {
  const codec = checkBlock(bytes, path, offset);
  const payload = bytes.subarray(0, bytes.length - TRAILER_BYTES);
  return codec === CODEC_NONE ? payload : unsqueeze(codec, payload, path, offset);
}

/** The CRC-32 of any bytes that end in their own, the lowest byte first: who asks for that needs no second view of them. */
const RESIDUE = 0x2144df1c;

/** The codec of a block, trailer included, as it was read from `offset` of `path`; throws LsmError `corrupt`. */
export function checkBlock(bytes: Uint8Array, path: string, offset: number): number {
  const length = bytes.length - TRAILER_BYTES;
  if (length < 0) throw corrupt(path, offset, `a block of ${bytes.length} bytes`);
  if (crc32(bytes) !== RESIDUE) throw corrupt(path, offset, 'a block whose checksum does not match');
  return bytes[length] as number;
}

/** The lengths of a table's sections in bytes, trailers included. */
export interface Footer {
  readonly dataBytes: number;
  readonly indexBytes: number;
  readonly filterBytes: number;
  readonly rootBytes: number;
  readonly propertiesBytes: number;
}

const CHECKSUM_AT = 24;
const FORMAT_AT = 28;

export function encodeFooter(footer: Footer): Uint8Array {
  const out = new Uint8Array(FOOTER_BYTES);
  let at = writeUint32(out, 0, footer.dataBytes % 0x1_0000_0000);
  at = writeUint32(out, at, Math.floor(footer.dataBytes / 0x1_0000_0000));
  at = writeUint32(out, at, footer.indexBytes);
  at = writeUint32(out, at, footer.filterBytes);
  at = writeUint32(out, at, footer.rootBytes);
  at = writeUint32(out, at, footer.propertiesBytes);
  at = writeUint32(out, at, checksumOf(out));
  at = writeUint32(out, at, TABLE_FORMAT);
  out.set(MAGIC, at);
  return out;
}

/** Of the lengths and the number of this format. */
function checksumOf(footer: Uint8Array): number {
  const covered = new Uint8Array(CHECKSUM_AT + 4);
  covered.set(footer.subarray(0, CHECKSUM_AT));
  writeUint32(covered, CHECKSUM_AT, TABLE_FORMAT);
  return crc32Pure(covered, 0, 0, covered.length);
}

export function decodeFooter(bytes: Uint8Array, path: string, fileBytes: number): Footer {
  const offset = fileBytes - FOOTER_BYTES;
  const magicAt = FOOTER_BYTES - MAGIC.length;
  if (bytes.length !== FOOTER_BYTES || compareRanges(bytes, magicAt, FOOTER_BYTES, MAGIC, 0, MAGIC.length) !== 0) {
    throw corrupt(path, Math.max(0, offset), 'it does not end as a table does');
  }
  const format = readUint32(bytes, FORMAT_AT);
  const isSound = checksumOf(bytes) === readUint32(bytes, CHECKSUM_AT);
  // A sound footer of this format with another number in it was damaged there.
  if (format !== TABLE_FORMAT && !isSound)
    throw new LsmError('newer-format', `${path} is a table of format ${format}; this release reads format ${TABLE_FORMAT} alone`);
  if (format !== TABLE_FORMAT || !isSound) throw corrupt(path, offset, 'a footer whose checksum does not match');
  const footer = {
    dataBytes: readUint32(bytes, 0) + readUint32(bytes, 4) * 0x1_0000_0000,
    indexBytes: readUint32(bytes, 8),
    filterBytes: readUint32(bytes, 12),
    rootBytes: readUint32(bytes, 16),
    propertiesBytes: readUint32(bytes, 20),
  };
  const { dataBytes, indexBytes, filterBytes, rootBytes, propertiesBytes } = footer;
  if (dataBytes + indexBytes + filterBytes + rootBytes + propertiesBytes + FOOTER_BYTES !== fileBytes)
    throw corrupt(path, offset, `its sections do not add up to its size of ${fileBytes} bytes`);
  return footer;
}

/** What a table holds of one keyspace. */
export interface KeyspaceShare {
  /** Its id. */
  readonly keyspace: number;
  /** Keys and values of all its entries. */
  readonly bytes: number;
  /** The highest version of an entry. */
  readonly lastVersion: number;
  /** Keys and values of entries that are shadowed by others of the table, and of tombstones: a merge of this table alone would leave them out. */
  readonly garbageBytes: number;
  /** Once the keyspace's watermark has reached this version. */
  readonly garbageVersion: number;
}

/** What a table says of itself. */
export interface TableProperties {
  /** Its number, which its name carries too: a table under a wrong name is found out. */
  readonly number: number;
  readonly entries: number;
  readonly tombstones: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Data blocks. */
  readonly blocks: number;
  /** Lines of the filter; they fill all of its pages but the last. */
  readonly filterLines: number;
  /** The internal key of the first entry. */
  readonly smallestKey: Uint8Array;
  /** The internal key of the last entry, and its version. */
  readonly largestKey: Uint8Array;
  readonly largestVersion: number;
  /** One for each keyspace that has entries in the table, by rising ids. */
  readonly shares: readonly KeyspaceShare[];
}

export function encodeProperties(p: TableProperties): Uint8Array {
  const numbers = [p.number, p.entries, p.tombstones, p.keyBytes, p.valueBytes, p.blocks, p.filterLines, p.shares.length];
  for (const { keyspace, bytes, lastVersion, garbageBytes, garbageVersion } of p.shares)
    numbers.push(keyspace, bytes, lastVersion, garbageBytes, garbageVersion);
  numbers.push(p.largestVersion, p.smallestKey.length, p.largestKey.length);
  const bytes = new Uint8Array(numbers.length * MAX_VARINT_BYTES + p.smallestKey.length + p.largestKey.length);
  let at = 0;
  for (const n of numbers) at = writeVarint(bytes, at, n);
  bytes.set(p.smallestKey, at);
  at += p.smallestKey.length;
  bytes.set(p.largestKey, at);
  return bytes.subarray(0, at + p.largestKey.length);
}

export function decodeProperties(payload: Uint8Array, path: string, offset: number): TableProperties {
  const reader = new VarintReader(payload);
  const number = reader.varint();
  const entries = reader.varint();
  const tombstones = reader.varint();
  const keyBytes = reader.varint();
  const valueBytes = reader.varint();
  const blocks = reader.varint();
  const filterLines = reader.varint();
  const shares: KeyspaceShare[] = [];
  for (let left = reader.varint(); left > 0 && reader.ok; left--) {
    shares.push({
      keyspace: reader.varint(),
      bytes: reader.varint(),
      lastVersion: reader.varint(),
      garbageBytes: reader.varint(),
      garbageVersion: reader.varint(),
    });
  }
  const largestVersion = reader.varint();
  const smallestLength = reader.varint();
  const largestLength = reader.varint();
  const smallestKey = reader.take(smallestLength).slice();
  const largestKey = reader.take(largestLength).slice();
  if (!reader.ok || reader.at !== reader.end) throw corrupt(path, offset, 'properties that do not decode');
  return { number, entries, tombstones, keyBytes, valueBytes, blocks, filterLines, shares, smallestKey, largestKey, largestVersion };
}
