// Calls a member's real handlers, as its gRPC server would.
import type { Handler, Metadata, ServerCall, ServerStream } from '@distrokv/grpc';
import type { etcdserverpb as pb } from '@distrokv/proto';
import { Violation } from '../violation.ts';
import { type Call, type Response, show } from './calls.ts';

type HandlersOf<S extends { readonly methods: object }> = { readonly [K in keyof S['methods']]?: Handler<S['methods'][K]> };
export type KvHandlers = HandlersOf<typeof pb.KV>;
export type LeaseHandlers = HandlersOf<typeof pb.Lease>;

export interface ApiHandlers {
  readonly kv: KvHandlers;
  readonly lease: LeaseHandlers | undefined;
  /** Until a client has read what it was sent: a stream waits for it before it goes on. */
  readonly read?: () => Promise<void>;
}

/** etcd's first chunk is no longer, so that a client sees something soon. */
const FIRST_CHUNK_KEYS = 10;

const noMetadata: Metadata = { get: () => undefined, getBinary: () => undefined, entries: () => [][Symbol.iterator]() as never };

/** What a handler is told of its call. */
export function serverCall(signal: AbortSignal): ServerCall {
  return {
    path: '',
    metadata: noMetadata,
    peer: 'simulated',
    peerCommonName: undefined,
    timeoutMs: undefined,
    signal,
    sendMetadata: () => {},
    setTrailers: () => {},
  };
}

export async function ask({ kv, lease, read }: ApiHandlers, call: Call, signal: AbortSignal): Promise<Response> {
  const context = serverCall(signal);
  switch (call.kind) {
    case 'range':
      return call.isStreamed === true
        ? await rangeStream(there(kv.rangeStream), call.request, { ...context, read })
        : await there(kv.range)(call.request, context);
    case 'put':
      return await there(kv.put)(call.request, context);
    case 'delete-range':
      return await there(kv.deleteRange)(call.request, context);
    case 'txn':
      return await there(kv.txn)(call.request, context);
    case 'compact':
      return await there(kv.compact)(call.request, context);
    case 'lease-grant':
      return await there(lease?.leaseGrant)(call.request, context);
    case 'lease-revoke':
      return await there(lease?.leaseRevoke)(call.request, context);
    case 'lease-keep-alive':
      return await keepAlive(there(lease?.leaseKeepAlive), call.request, context);
    case 'lease-time-to-live':
      return await there(lease?.leaseTimeToLive)(call.request, context);
    case 'lease-leases':
      return await there(lease?.leaseLeases)({}, context);
  }
}

/** All chunks as one answer. Throws a Violation if they are not cut as the protocol has it. */
async function rangeStream(
  handler: NonNullable<KvHandlers['rangeStream']>,
  request: pb.RangeRequest,
  { read, ...context }: ServerCall & { readonly read: ApiHandlers['read'] },
): Promise<pb.RangeResponse> {
  const chunks: pb.RangeResponse[] = [];
  await handler(request, {
    ...context,
    requests: (async function* () {
      yield request;
    })(),
    send: ({ rangeResponse }) => {
      chunks.push(there(rangeResponse));
      return read === undefined;
    },
    sendFramed: () => {
      throw new Error('chunks of a range are sent one by one');
    },
    memory: { allocate: () => undefined, share: () => {}, giveBack: () => {} },
    writable: () => read?.() ?? Promise.resolve(),
  });
  const last = there(chunks.at(-1));
  const isTold = ({ header, more, count }: pb.RangeResponse): boolean => header !== undefined || more || count !== 0;
  if (chunks.slice(0, -1).some((chunk) => isTold(chunk) || chunk.kvs.length === 0) || !last.header)
    throw new Violation('order', `range-stream ${show(request)}: header, more and count come with the last chunk, keys with all before`);
  if ((chunks[0]?.kvs.length ?? 0) > FIRST_CHUNK_KEYS)
    throw new Violation('order', `range-stream ${show(request)}: a first chunk of many keys`);
  return { ...last, kvs: chunks.flatMap(({ kvs }) => kvs) };
}

/** A stream with one renewal on it. */
async function keepAlive(
  handler: NonNullable<LeaseHandlers['leaseKeepAlive']>,
  request: pb.LeaseKeepAliveRequest,
  context: ServerCall,
): Promise<pb.LeaseKeepAliveResponse> {
  let answer: pb.LeaseKeepAliveResponse | undefined;
  const stream: ServerStream<pb.LeaseKeepAliveRequest, pb.LeaseKeepAliveResponse> = {
    ...context,
    requests: (async function* () {
      yield request;
    })(),
    send: (response) => {
      answer = response;
      return true;
    },
    sendFramed: () => {
      throw new Error('answers to renewals are sent one by one');
    },
    memory: { allocate: () => undefined, share: () => {}, giveBack: () => {} },
    writable: () => Promise.resolve(),
  };
  await handler(stream);
  return there(answer);
}

function there<T>(handler: T | undefined): T {
  if (handler === undefined) throw new Error('a member does not serve this call');
  return handler;
}
