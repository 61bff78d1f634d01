// What the store keeps of a key at a revision: the value in the engine, whose key is the user's key and whose version is
// the revision. Byte by byte in docs/format/store.md:
//   flags (1 byte: bit 0 = a lease follows) | create_revision (varint) | version (varint) | [lease, 8 bytes, little-endian] | value
// The modification revision is the engine's version, and a deletion is the engine's tombstone: neither is written again.
import { MAX_VARINT_BYTES, type Revision, VarintReader, assert, revision, writeVarint } from '@distrokv/base';
import { StoreError } from './errors.ts';

export interface KeyRecord {
  readonly createRevision: Revision;
  /** 1 for a new key, one more with each put. */
  readonly version: number;
  /** 0n: none. */
  readonly lease: bigint;
  readonly value: Uint8Array;
}

const HAS_LEASE = 1;
const LEASE_BYTES = 8;

/**
 * What a record has in front of its value. There is one for all puts: each reads the head of the record that was there, makes of it the head
 * of its own, and writes that, without making an object or copying a value.
 */
export class RecordHead {
  createRevision: Revision = revision(0);
  /** 0: there is no record. */
  version = 0;
  lease = 0n;
  /** The head as bytes, once it was written. */
  readonly bytes: Buffer = Buffer.alloc(1 + 2 * MAX_VARINT_BYTES + LEASE_BYTES);

  clear(): void {
    this.createRevision = revision(0);
    this.version = 0;
    this.lease = 0n;
  }

  /** Of the record `bytes[start, end)`; returns where its value begins. Throws StoreError `corrupt`. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const reader = new VarintReader(bytes, start + 1, end);
    const createRevision = reader.varint();
    const version = reader.varint();
    const flags = start < end ? (bytes[start] as number) : 0xff;
    const lease = (flags & HAS_LEASE) !== 0 ? reader.take(LEASE_BYTES) : undefined;
    if (!reader.ok || flags > HAS_LEASE || version < 1)
      throw new StoreError('corrupt', 'the store holds a key record that does not decode');
    this.createRevision = revision(createRevision);
    this.version = version;
    this.lease = lease ? new DataView(lease.buffer, lease.byteOffset).getBigInt64(0, true) : 0n;
    return reader.at;
  }

  /** Fills `bytes`; returns how many they are. */
  write(): number {
    assert(this.version >= 1, 'a stored key has a version of at least 1');
    const isLeased = this.lease !== 0n;
    this.bytes[0] = isLeased ? HAS_LEASE : 0;
    let at = writeVarint(this.bytes, 1, this.createRevision);
    at = writeVarint(this.bytes, at, this.version);
    return isLeased ? this.bytes.writeBigInt64LE(this.lease, at) : at;
  }
}

const head = new RecordHead();

/** `value` of the result is a view of `bytes`. */
export function decodeRecord(bytes: Uint8Array): KeyRecord {
  const valueStart = head.read(bytes, 0, bytes.length);
  const { createRevision, version, lease } = head;
  return { createRevision, version, lease, value: bytes.subarray(valueStart) };
}
