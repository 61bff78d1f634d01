// etcdserverpb.Maintenance: how this member is, and who leads.
import { memberId } from '@distrokv/base';
import type { Handlers } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type ServiceContext, answer, header, withHeader } from './context.ts';
import { type Waiting, inSlices } from './slices.ts';

/** The version of etcd whose API is served: clients and kube-apiserver switch features on by it. */
export const ETCD_API_VERSION = '3.7.1';
export const STORAGE_VERSION = '3.7.0';

export function maintenanceHandlers(context: ServiceContext): Handlers<typeof pb.Maintenance> {
  return {
    status: (_request, call) => answer(context, call, () => status(context), 'from-learners-too'),
    moveLeader: (request, call) =>
      answer(context, call, async () => {
        await context.replica.moveLeader(memberId(request.targetID));
        return pb.MoveLeaderResponse.create({}); // without a header, as in etcd
      }),
    alarm: (request, call) => answer(context, call, () => alarm(context, request)),
    // Nothing is left to do: the engine gives space back as it merges its tables.
    defragment: (_request, call) => answer(context, call, () => pb.DefragmentResponse.create({})),
    hash: (_request, call) => answer(context, call, () => hash(context, call)),
    hashKV: (request, call) => answer(context, call, () => hashKv(context, request, call)),
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
    isLearner: replica.isLearner,
    errors: [...(raft.leader === undefined ? ['etcdserver: no leader'] : []), ...store.alarms.list(pb.AlarmType.NONE).map(alarmText)],
  });
}

/** As etcd lists it among the errors of a status. */
function alarmText({ memberID, alarm: type }: pb.AlarmMember): string {
  const name = type === pb.AlarmType.NOSPACE ? 'NOSPACE' : type === pb.AlarmType.CORRUPT ? 'CORRUPT' : String(type);
  return `memberID:${memberID} alarm:${name} `;
}

async function alarm(context: ServiceContext, request: pb.AlarmRequest): Promise<pb.AlarmResponse> {
  return withHeader(context, await context.replica.propose({ kind: 'alarm', request }));
}

/** Of everything that is applied here. */
async function hash(context: ServiceContext, waiting: Waiting): Promise<pb.HashResponse> {
  const { store, env } = context;
  const { hash: value } = await inSlices(env, store.reads.hash(0), waiting);
  return { header: header(context, store.state.revision), hash: value };
}

async function hashKv(context: ServiceContext, request: pb.HashKVRequest, waiting: Waiting): Promise<pb.HashKVResponse> {
  const { store, env } = context;
  const found = await inSlices(env, store.reads.hash(request.revision), waiting);
  return { header: header(context, store.state.revision), ...found };
}
