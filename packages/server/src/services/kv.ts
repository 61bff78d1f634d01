// etcdserverpb.KV: the keys. Every request is checked, then either proposed or answered from the store.
import { GrpcError, type Handlers, type ServerStream } from '@distrokv/grpc';
import { ApiError, PlainPut, checkDeleteRange, checkPut, checkRange, checkTxn, isReadOnlyTxn, isSerializableTxn } from '@distrokv/mvcc';
import { type MessageType, type Method, etcdserverpb as pb } from '@distrokv/proto';
import { type ServiceContext, answer, header, withHeader } from './context.ts';
import type { Compactor } from './compactor.ts';
import { type Encoded, encodedRange, mayBeEncoded } from './encoded.ts';
import type { Quota } from './quota.ts';
import { SLICE_MS, type Waiting, inSlices } from './slices.ts';

/** What a put takes beside its key and value: etcd's estimate, for the quota. */
const PUT_OVERHEAD_BYTES = 256;

const plain = new PlainPut();

/** A plain put is taken as it comes off the wire, which it is until the next message is read: it goes into the log like that. */
const putRequest: MessageType<pb.PutRequest | PlainPut> = {
  ...pb.PutRequest,
  decode: (bytes, given) => (plain.readRequest(bytes, 0, bytes.length) ? plain : pb.PutRequest.decode(bytes, given)),
};

interface KvMethods extends Omit<(typeof pb.KV)['methods'], 'put' | 'range'> {
  readonly put: Method<pb.PutRequest | PlainPut, pb.PutResponse, 'unary'>;
  readonly range: Method<pb.RangeRequest, pb.RangeResponse | Encoded, 'unary'>;
}

interface Kv {
  readonly typeName: string;
  readonly methods: KvMethods;
}

/** The service as it is served here. */
export const kvService: Kv = {
  ...pb.KV,
  methods: {
    ...pb.KV.methods,
    put: { ...pb.KV.methods.put, request: putRequest },
    range: { ...pb.KV.methods.range, response: mayBeEncoded(pb.RangeResponse) },
  },
};

export class KvService {
  readonly #context: ServiceContext;
  readonly #quota: Quota;
  readonly #compactor: Compactor;

  /** One for all puts. */
  readonly #withHeader = (response: pb.PutResponse): pb.PutResponse => ({
    header: header(this.#context, response.header?.revision ?? 0),
    prevKv: response.prevKv,
  });

  constructor(context: ServiceContext, quota: Quota, compactor: Compactor) {
    this.#context = context;
    this.#quota = quota;
    this.#compactor = compactor;
  }

  get handlers(): Handlers<Kv> {
    return {
      range: (request, call) =>
        answer(this.#context, call, () => this.#encodedRange(request, call), request.serializable ? 'from-learners-too' : 'from-voters'),
      put: (request, call) => answer(this.#context, call, () => this.put(request)),
      deleteRange: (request, call) => answer(this.#context, call, () => this.deleteRange(request)),
      txn: (request, call) => answer(this.#context, call, () => this.txn(request, call)),
      compact: (request, call) => answer(this.#context, call, () => this.compact(request)),
      rangeStream: (request, call) => answer(this.#context, call, () => this.#rangeStream(request, call)),
    };
  }

  async range(request: pb.RangeRequest, waiting?: Waiting): Promise<pb.RangeResponse> {
    const { env, replica, store } = this.#context;
    checkRange(request);
    if (!request.serializable) await replica.linearize();
    const { steps, toResponse } = store.reads.rangeSteps(request);
    return withHeader(this.#context, toResponse(await inSlices(env, steps, waiting)));
  }

  async #encodedRange(request: pb.RangeRequest, waiting: Waiting): Promise<pb.RangeResponse | Encoded> {
    const response = await this.range(request, waiting);
    return response.kvs.length < 2 ? response : inSlices(this.#context.env, encodedRange(response), waiting);
  }

  /** A range in pieces: keys in order, and with the last piece what a range says of them all. */
  async #rangeStream(request: pb.RangeRequest, call: ServerStream<pb.RangeRequest, pb.RangeStreamResponse>): Promise<void> {
    const { config, env, replica, store } = this.#context;
    checkRange(request);
    checkRangeStream(request);
    if (!request.serializable) await replica.linearize();
    const { chunks, toResponse } = store.reads.rangeChunks(request, config.rangeChunkBytes ?? config.maxRequestBytes);
    let sliceStart = env.clock.monotonicMs();
    try {
      for (let step = chunks.next(); ; step = chunks.next()) {
        if (step.done === true) {
          call.send({ rangeResponse: withHeader(this.#context, toResponse(step.value)) });
          return;
        }
        const { value } = step;
        if (value instanceof Promise) await value;
        else if (value && !call.send({ rangeResponse: pb.RangeResponse.create({ kvs: value }) })) await call.writable();
        if (env.clock.monotonicMs() - sliceStart < SLICE_MS) continue;
        await env.timers.yield();
        if (call.signal.aborted) throw call.signal.reason;
        sliceStart = env.clock.monotonicMs();
      }
    } finally {
      chunks.return(undefined as never); // closes what it holds, if the client went away
    }
  }

  /** Throws what can be said at once. */
  put(request: pb.PutRequest | PlainPut): Promise<pb.PutResponse> {
    if (request instanceof PlainPut) {
      if (request.keyStart === request.keyEnd) throw new ApiError('empty-key');
      this.#quota.check(PUT_OVERHEAD_BYTES + request.byteLength);
      return this.#context.replica.proposePut(request).then(this.#withHeader);
    }
    checkPut(request);
    this.#quota.check(putBytes(request));
    return this.#context.replica.propose({ kind: 'put', request }).then(this.#withHeader);
  }

  async deleteRange(request: pb.DeleteRangeRequest): Promise<pb.DeleteRangeResponse> {
    checkDeleteRange(request);
    return withHeader(this.#context, await this.#context.replica.propose({ kind: 'delete-range', request }));
  }

  /**
   * A transaction that comes to nothing but ranges needs no log, whether it could not have written, or its compares chose the branch that does
   * not: then it happened at the moment of its read. Which branch that will be is guessed from what is applied here, and asked again once
   * that is known to be the latest; so a wrong guess costs time and never changes an answer.
   */
  async txn(request: pb.TxnRequest, waiting?: Waiting): Promise<pb.TxnResponse> {
    const { config, env, replica, store } = this.#context;
    checkTxn(request, config.maxTxnOps);
    if (isReadOnlyTxn(request)) {
      if (!isSerializableTxn(request)) await replica.linearize();
      return withHeader(this.#context, await inSlices(env, store.reads.readOnlyTxn(request), waiting));
    }
    this.#quota.check(Math.max(opsBytes(request.success), opsBytes(request.failure)));
    const guess = store.reads.wouldOnlyRead(request);
    if (guess === true || (guess !== false && (await guess))) {
      await replica.linearize();
      const response = await inSlices(env, store.reads.txnIfItOnlyReads(request), waiting);
      if (response) return withHeader(this.#context, response);
    }
    return withHeader(this.#context, await replica.propose({ kind: 'txn', request }));
  }

  async compact(request: pb.CompactionRequest): Promise<pb.CompactionResponse> {
    const response = withHeader(this.#context, await this.#context.replica.propose({ kind: 'compact', request }));
    if (request.physical) await this.#compactor.finished();
    return response;
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

/** What a stream of pieces in key order cannot do. */
function checkRangeStream(request: pb.RangeRequest): void {
  const isInOrder = request.sortTarget === pb.SortTarget.KEY && request.sortOrder !== pb.SortOrder.DESCEND;
  if (!isInOrder) throw new GrpcError('unimplemented', 'RangeStream does not support custom sort orders');
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (minModRevision !== 0 || maxModRevision !== 0 || minCreateRevision !== 0 || maxCreateRevision !== 0)
    throw new GrpcError('unimplemented', 'RangeStream does not support revision filters');
}
