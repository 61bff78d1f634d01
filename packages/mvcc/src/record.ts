// What the store keeps of a key at a revision: the value in the engine, whose key is the user's key and whose version is
// the revision. Byte by byte in docs/format/store.md:
//   flags (1 byte: bit 0 = a lease follows) | create_revision (varint) | version (varint) | [lease, 8 bytes, little-endian] | value
// The modification revision is the engine's version, and a deletion is the engine's tombstone: neither is written again.
import { type Revision, VarintReader, assert, revision, varintLength, writeVarint } from '@distrokv/base';
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

export function encodeRecord(record: KeyRecord): Uint8Array {
  assert(record.version >= 1, 'a stored key has a version of at least 1');
  const leased = record.lease !== 0n;
  const head = 1 + varintLength(record.createRevision) + varintLength(record.version) + (leased ? 8 : 0);
  const out = Buffer.allocUnsafe(head + record.value.length);
  out[0] = leased ? HAS_LEASE : 0;
  let at = writeVarint(out, 1, record.createRevision);
  at = writeVarint(out, at, record.version);
  if (leased) out.writeBigInt64LE(record.lease, at);
  out.set(record.value, head);
  return out;
}

/** `value` of the result is a view of `bytes`. */
export function decodeRecord(bytes: Uint8Array): KeyRecord {
  const reader = new VarintReader(bytes, 1);
  const createRevision = reader.varint();
  const version = reader.varint();
  const flags = bytes[0] ?? 0xff;
  const lease = (flags & HAS_LEASE) !== 0 ? reader.take(8) : undefined;
  if (!reader.ok || flags > HAS_LEASE || version < 1) throw new StoreError('corrupt', 'the store holds a key record that does not decode');
  return {
    createRevision: revision(createRevision),
    version,
    lease: lease ? new DataView(lease.buffer, lease.byteOffset).getBigInt64(0, true) : 0n,
    value: bytes.subarray(reader.at),
  };
}
