// Who is who before anybody has spoken: ids are hashes of what all members were told alike, so each computes the same ones (as etcd does).
import { createHash } from 'node:crypto';
import { type ClusterId, type MemberId, clusterId, memberId } from '@distrokv/base';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from './config.ts';
import type { LogIdentity } from './raft-log/codec.ts';

/** The first 8 bytes of the SHA-1 of `parts`; never 0, which means "none". */
function hash(parts: readonly (string | Uint8Array)[]): bigint {
  const sha = createHash('sha1');
  for (const part of parts) sha.update(part);
  return sha.digest().readBigUInt64BE(0) || 1n;
}

function memberIdOf(peerUrls: readonly string[], token: string): MemberId {
  return memberId(hash([[...peerUrls].sort().join(''), token]));
}

function clusterIdOf(members: readonly MemberId[]): ClusterId {
  const bytes = [...members]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((id) => {
      const eight = Buffer.alloc(8);
      eight.writeBigUInt64BE(id);
      return eight;
    });
  return clusterId(hash(bytes));
}

/** What a cluster is at its first start. */
export interface Bootstrap {
  readonly identity: LogIdentity;
  readonly members: readonly pb.Member[];
}

/** The settings have passed `checkConfig`. */
export function bootstrapOf(config: ServerConfig): Bootstrap {
  const members = config.initialCluster.map((m) => {
    const peerURLs = m.peerUrls.map((u) => u.text);
    return { name: m.name, member: pb.Member.create({ id: memberIdOf(peerURLs, config.initialClusterToken), peerURLs }) };
  });
  const own = members.find((m) => m.name === config.name);
  const ids = members.map((m) => memberId(m.member.id));
  return {
    identity: { clusterId: clusterIdOf(ids), memberId: memberId(own?.member.id ?? 0n) },
    members: members.map((m) => m.member),
  };
}
