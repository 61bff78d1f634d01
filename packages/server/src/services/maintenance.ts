// etcdserverpb.Maintenance: how this member is, and who leads.
import { memberId } from '@distrokv/base';
import type { Handlers } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type ServiceContext, answer, header } from './context.ts';

/** The version of etcd whose API is served: clients and kube-apiserver switch features on by it. */
export const ETCD_API_VERSION = '3.7.1';
const STORAGE_VERSION = '3.7.0';

export function maintenanceHandlers(context: ServiceContext): Handlers<typeof pb.Maintenance> {
  return {
    status: (_request, call) => answer(context, call, () => status(context)),
    moveLeader: (request, call) =>
      answer(context, call, async () => {
        await context.replica.moveLeader(memberId(request.targetID));
        return pb.MoveLeaderResponse.create({}); // without a header, as in etcd
      }),
  };
}

function status(context: ServiceContext): pb.StatusResponse {
  const { store, replica, config } = context;
  const raft = replica.status;
  const size = store.sizeBytes;
  return pb.StatusResponse.create({
    header: header(context, store.state.revision),
    version: ETCD_API_VERSION,
    storageVersion: STORAGE_VERSION,
    dbSize: size,
    dbSizeInUse: size,
    dbSizeQuota: Number.isFinite(config.quotaBytes) ? config.quotaBytes : 0,
    leader: raft.leader ?? 0n,
    raftIndex: raft.commit,
    raftTerm: raft.term,
    raftAppliedIndex: raft.applied,
    errors: raft.leader === undefined ? ['etcdserver: no leader'] : [],
  });
}
