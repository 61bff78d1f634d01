// etcdserverpb.KV: the keys. Every request is checked, then either proposed or answered from the store.
import type { Env } from '@distrokv/env';
import { GrpcError, type Handlers } from '@distrokv/grpc';
import { ApiError, checkDeleteRange, checkPut, checkRange, checkTxn, isReadOnlyTxn, isSerializableTxn } from '@distrokv/mvcc';
import type { etcdserverpb as pb } from '@distrokv/proto';
import { type ServiceContext, answer, withHeader } from './context.ts';

/** A range keeps the event loop for this long at most, then lets others run. */
const SLICE_MS = 5;
/** What a put takes beside its key and value: etcd's estimate, for the quota. */
const PUT_OVERHEAD_BYTES = 256;

export class KvService {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get handlers(): Handlers<typeof pb.KV> {
    return {
      range: (request, call) => answer(this.#context, call, () => this.range(request, call.signal)),
      put: (request, call) => answer(this.#context, call, () => this.put(request)),
      deleteRange: (request, call) => answer(this.#context, call, () => this.deleteRange(request)),
      txn: (request, call) => answer(this.#context, call, () => this.txn(request)),
    };
  }

  async range(request: pb.RangeRequest, signal?: AbortSignal): Promise<pb.RangeResponse> {
    const { env, replica, store } = this.#context;
    checkRange(request);
    if (!request.serializable) await replica.linearize();
    const { steps, toResponse } = store.rangeSteps(request);
    return withHeader(this.#context, toResponse(await inSlices(env, steps, signal)));
  }

  async put(request: pb.PutRequest): Promise<pb.PutResponse> {
    checkPut(request);
    this.#checkQuota(putBytes(request));
    return withHeader(this.#context, await this.#context.replica.propose({ kind: 'put', request }));
  }

  async deleteRange(request: pb.DeleteRangeRequest): Promise<pb.DeleteRangeResponse> {
    checkDeleteRange(request);
    return withHeader(this.#context, await this.#context.replica.propose({ kind: 'delete-range', request }));
  }

  async txn(request: pb.TxnRequest): Promise<pb.TxnResponse> {
    const { config, replica, store } = this.#context;
    checkTxn(request, config.maxTxnOps);
    if (isReadOnlyTxn(request)) {
      if (!isSerializableTxn(request)) await replica.linearize();
      return withHeader(this.#context, store.readOnlyTxn(request));
    }
    this.#checkQuota(Math.max(opsBytes(request.success), opsBytes(request.failure)));
    return withHeader(this.#context, await replica.propose({ kind: 'txn', request }));
  }

  /** Refuses what adds to a store that is full; deletes and reads still go. */
  #checkQuota(bytes: number): void {
    const { config, store } = this.#context;
    if (bytes > 0 && store.sizeBytes + bytes >= config.quotaBytes) throw new ApiError('no-space');
  }
}

function putBytes(request: pb.PutRequest): number {
  return PUT_OVERHEAD_BYTES + request.key.length + request.value.length;
}

function opsBytes(ops: readonly pb.RequestOp[]): number {
  let bytes = 0;
  for (const { request } of ops) {
    if (request?.case === 'requestPut') bytes += putBytes(request.value);
    if (request?.case === 'requestTxn') bytes += Math.max(opsBytes(request.value.success), opsBytes(request.value.failure));
  }
  return bytes;
}

/** Runs work that comes in steps, and lets the event loop go on between slices of them. Stops when nobody waits for the result any more. */
async function inSlices<T>(env: Env, steps: Generator<undefined, T, undefined>, signal: AbortSignal | undefined): Promise<T> {
  let step = steps.next();
  let sliceStart = step.done === true ? 0 : env.clock.monotonicMs();
  while (step.done !== true) {
    if (env.clock.monotonicMs() - sliceStart >= SLICE_MS) {
      await env.timers.yield();
      if (signal?.aborted === true) {
        steps.return(undefined as never); // closes what it holds
        throw new GrpcError('cancelled', 'context canceled');
      }
      sliceStart = env.clock.monotonicMs();
    }
    step = steps.next();
  }
  return step.value;
}
