// v3lockpb.Lock: whoever is first in the line holds the lock. A lock cannot keep a holder from acting that was paused until its lease ended; what
// it protects must be fenced with the create revision of the holder's key (`LockResponse.key`).
import { GrpcError, type Handlers } from '@distrokv/grpc';
import { etcdserverpb as pb, type v3lockpb } from '@distrokv/proto';
import { type ServiceContext, answer } from './context.ts';
import type { Ends } from './event-reader.ts';
import type { KvService } from './kv.ts';
import type { LeaseService } from './lease.ts';
import { WaitingLine } from './waiting-line.ts';

const NOTHING = new Uint8Array(0);

export function lockHandlers(
  context: ServiceContext,
  kv: KvService,
  leases: LeaseService,
  stopping: AbortSignal,
): Handlers<typeof v3lockpb.Lock> {
  return {
    lock: ({ name, lease }, call) =>
      answer(context, call, () => lock(new WaitingLine(context, kv, leases, name), lease, [call.signal, stopping])),
    unlock: ({ key }, call) =>
      answer(context, call, async () => ({ header: (await kv.deleteRange(pb.DeleteRangeRequest.create({ key }))).header })),
  };
}

async function lock(line: WaitingLine, lease: bigint, ends: Ends): Promise<v3lockpb.LockResponse> {
  const place = await line.enter(lease, NOTHING);
  try {
    const header = await line.wait(place, ends);
    if (!header) throw new GrpcError('unknown', 'mutex: session is expired');
    return { header, key: place.key };
  } catch (error) {
    await line.leave(place);
    throw error;
  }
}
