// The members of the cluster as the log has told them: a replicated fact like any other, kept beside the keys, but
// outside their revisions.
import { EMPTY, type LogIndex, VarintReader, logIndex, prefixEnd, utf8, varintLength, writeVarint } from '@distrokv/base';
import type { Keyspace, UnloggedWriter } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';
import { StoreError } from './errors.ts';

const MEMBER_PREFIX = utf8('member/');
const REMOVED_PREFIX = utf8('removed/');
const MEMBERSHIP_KEY = utf8('membership');

/** The driver's record of the members, and the log entry that brought it. */
export interface Membership {
  readonly index: LogIndex;
  readonly configuration: Uint8Array;
}

/** The prefix and the member's id, big-endian, so that members come in the order of their ids. */
function memberKey(id: bigint, prefix = MEMBER_PREFIX): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(id);
  return Buffer.concat([prefix, bytes]);
}

/** The ids of all that were removed, ever. */
export function readRemoved(meta: Keyspace): Set<bigint> {
  const removed = new Set<bigint>();
  const end = prefixEnd(REMOVED_PREFIX);
  const records = meta.iterator({ gte: REMOVED_PREFIX, ...(end && { lt: end }) });
  try {
    while (records.next()) removed.add(Buffer.from(records.key).readBigUInt64BE(REMOVED_PREFIX.length));
  } finally {
    records.close();
  }
  return removed;
}

/** Undefined before the first change. Throws StoreError `corrupt`. */
export function membershipIn(meta: Keyspace): Membership | undefined {
  const bytes = meta.getSync(MEMBERSHIP_KEY);
  if (!bytes) return undefined;
  const reader = new VarintReader(bytes);
  const index = reader.varint();
  if (!reader.ok) throw new StoreError('corrupt', 'the membership record of the store does not decode');
  return { index: logIndex(index), configuration: bytes.subarray(reader.at) };
}

/** `members` take the place of those that are there, whose names and client URLs they keep; who is not among them is removed for good, and returned. */
export function replaceMembers(
  writer: UnloggedWriter,
  meta: Keyspace,
  membership: Membership,
  members: readonly pb.Member[],
): readonly bigint[] {
  const known = new Map(readMembers(meta).map((member) => [member.id, member]));
  for (const member of members) {
    const { name = '', clientURLs = [] } = known.get(member.id) ?? {};
    writeMember(writer, meta, { ...member, name, clientURLs });
    known.delete(member.id);
  }
  for (const id of known.keys()) {
    writer.delete(meta, memberKey(id));
    writer.put(meta, memberKey(id, REMOVED_PREFIX), EMPTY);
  }
  const record = new Uint8Array(varintLength(membership.index) + membership.configuration.length);
  record.set(membership.configuration, writeVarint(record, 0, membership.index));
  writer.put(meta, MEMBERSHIP_KEY, record);
  return [...known.keys()];
}

export function writeMember(writer: UnloggedWriter, meta: Keyspace, member: pb.Member): void {
  writer.put(meta, memberKey(member.id), pb.Member.encode(member));
}

/** All members, by id. */
export function readMembers(meta: Keyspace): pb.Member[] {
  const members: pb.Member[] = [];
  const end = prefixEnd(MEMBER_PREFIX);
  const records = meta.iterator({ gte: MEMBER_PREFIX, ...(end && { lt: end }) });
  try {
    while (records.next()) members.push(pb.Member.decode(records.value));
  } finally {
    records.close();
  }
  return members;
}
