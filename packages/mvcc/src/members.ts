// The members of the cluster as the log has told them: a replicated fact like any other, kept beside the keys, but
// outside their revisions.
import { prefixEnd, utf8 } from '@distrokv/base';
import type { Keyspace, UnloggedWriter } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';

const MEMBER_PREFIX = utf8('member/');

/** The prefix and the member's id, big-endian, so that members come in the order of their ids. */
function memberKey(id: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(id);
  return Buffer.concat([MEMBER_PREFIX, bytes]);
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
