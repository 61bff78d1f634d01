// etcdserverpb.Cluster: who the members are. Changing them comes with a later version; those methods answer "unimplemented".
import type { Handlers } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type ServiceContext, answer, header } from './context.ts';

export function clusterHandlers(context: ServiceContext): Handlers<typeof pb.Cluster> {
  return {
    memberList: (request, call) =>
      answer(context, call, async () => {
        if (request.linearizable) await context.replica.linearize();
        // The headers of this service carry no revision, as in etcd.
        return pb.MemberListResponse.create({ header: header(context, 0), members: context.store.members });
      }),
  };
}
