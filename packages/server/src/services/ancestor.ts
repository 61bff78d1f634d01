// proto.KVService: the interface of the Go project that this one grew from. Same keys as the etcd API, reads are linearizable, and any
// member answers.
import { EMPTY, utf8 } from '@distrokv/base';
import type { Handlers } from '@distrokv/grpc';
import { etcdserverpb as pb, type kvservice } from '@distrokv/proto';
import { type ServiceContext, answer } from './context.ts';
import type { KvService } from './kv.ts';

export function ancestorHandlers(context: ServiceContext, kv: KvService): Handlers<typeof kvservice.KVService> {
  return {
    put: (request, call) =>
      answer(context, call, async () => {
        await kv.put(pb.PutRequest.create({ key: utf8(request.key), value: request.value }));
        return { success: true };
      }),
    get: (request, call) =>
      answer(context, call, async () => {
        const { kvs } = await kv.range(pb.RangeRequest.create({ key: utf8(request.key) }));
        return kvs[0] ? { found: true, value: kvs[0].value } : { found: false, value: EMPTY };
      }),
    delete: (request, call) =>
      answer(context, call, async () => {
        await kv.deleteRange(pb.DeleteRangeRequest.create({ key: utf8(request.key) }));
        return { success: true };
      }),
  };
}
