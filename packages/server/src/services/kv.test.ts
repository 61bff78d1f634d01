// A range in pieces whose client goes away; and reads of a member that knows less than the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterId, fromUtf8, memberId, utf8 } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import { GrpcError, type ServerStream } from '@distrokv/grpc';
import type { Store } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import type { Compactor } from './compactor.ts';
import type { ServiceContext } from './context.ts';
import { KvService } from './kv.ts';
import { Quota } from './quota.ts';
import { createRevisionIs } from './waiting-line.ts';

const EVERYTHING = pb.RangeRequest.create({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), serializable: true });

type Chunked = ReturnType<Store['reads']['rangeChunks']>;

/** Says whether the walk over the keys was ended: until then it holds on to memory and files of the engine. */
class WatchedReads {
  isOpen = false;
  readonly #reads: Store['reads'];

  constructor(reads: Store['reads']) {
    this.#reads = reads;
  }

  rangeChunks(request: pb.RangeRequest, maxBytes: number): Chunked {
    const { chunks, toResponse } = this.#reads.rangeChunks(request, maxBytes);
    return { chunks: this.#watched(chunks), toResponse };
  }

  *#watched(chunks: Chunked['chunks']): Chunked['chunks'] {
    this.isOpen = true;
    try {
      return yield* chunks;
    } finally {
      this.isOpen = false;
    }
  }
}

test('RangeStream: a client that goes away while it is waited for leaves nothing open', async () => {
  const replicas = new Replicas(1, 1);
  await replicas.start(1);
  await replicas.time.settle();
  const { env, replica, store } = replicas.member(1);
  for (let i = 0; i < 50; i++) {
    const done = replica.propose({ kind: 'put', request: pb.PutRequest.create({ key: utf8(`k${i}`) }) });
    await replicas.time.settle();
    await done;
  }
  const watched = new WatchedReads(store.reads);
  const context = { env, replica, store: { reads: watched }, config: { maxRequestBytes: 20 } as ServerConfig, logger: silentLogger };
  const service = new KvService(
    { ...context, clusterId: clusterId(1n), memberId: memberId(1n) } as unknown as ServiceContext,
    {} as Quota,
    {} as Compactor,
  );
  const gone = new GrpcError('cancelled', 'the call was cancelled');
  let sent = 0;
  const call = {
    metadata: { get: () => undefined },
    send: () => ++sent < 3,
    writable: () => Promise.reject(gone),
  };
  const ended = service.handlers.rangeStream?.(EVERYTHING, call as unknown as ServerStream<pb.RangeRequest, pb.RangeStreamResponse>);
  await assert.rejects(Promise.resolve(ended), gone);
  assert.deepEqual([sent, watched.isOpen], [3, false]);
});

test('what is not serializable is answered by a member that knows less only once it knows what the others do', async () => {
  const replicas = new Replicas(3, 3);
  for (const id of replicas.ids) await replicas.start(id);
  while (replicas.leader() === undefined) await replicas.time.advance(50);
  const leader = replicas.leader() as number;
  const behind = replicas.ids.find((id) => id !== leader) as number;
  const key = utf8('k');
  const put = async (value: string): Promise<void> => {
    const done = replicas.member(leader).replica.propose({ kind: 'put', request: pb.PutRequest.create({ key, value: utf8(value) }) });
    await replicas.time.advance(200);
    await done;
  };
  await put('old');
  replicas.cutOff.add(behind);
  await put('new');

  const config = { maxRequestBytes: 1000, maxTxnOps: 128, quotaBytes: Infinity } as ServerConfig;
  const ids = { clusterId: clusterId(1n), memberId: memberId(1n) };
  const context = { ...replicas.member(behind), config, logger: silentLogger, ...ids } as unknown as ServiceContext;
  const service = new KvService(context, new Quota(context), {} as Compactor);
  const valueIn = (response: pb.RangeResponse | undefined): string => fromUtf8(response?.kvs[0]?.value ?? utf8('nothing'));
  const range = (serializable: boolean): pb.RangeRequest => pb.RangeRequest.create({ key, serializable });
  const txn = async (serializable: boolean, compare: readonly pb.Compare[], failure: readonly pb.RequestOp[]): Promise<string> => {
    const success: pb.RequestOp[] = [{ request: { case: 'requestRange', value: range(serializable) } }];
    const { responses } = await service.txn({ compare, success, failure });
    const [first] = responses;
    return first?.response?.case === 'responseRange' ? valueIn(first.response.value) : 'nothing';
  };
  const stream = async (serializable: boolean): Promise<string> => {
    const sent: pb.RangeStreamResponse[] = [];
    const call = { metadata: { get: () => undefined }, send: (response: pb.RangeStreamResponse) => sent.push(response) > 0 };
    await service.handlers.rangeStream?.(range(serializable), call as unknown as ServerStream<pb.RangeRequest, pb.RangeStreamResponse>);
    return valueIn(sent[0]?.rangeResponse);
  };
  const exists = { ...createRevisionIs(key, 0), result: pb.CompareResult.NOT_EQUAL };
  const write: pb.RequestOp = { request: { case: 'requestPut', value: pb.PutRequest.create({ key, value: utf8('written') }) } };
  const reads: readonly ((serializable: boolean) => Promise<string>)[] = [
    async (serializable) => valueIn(await service.range(range(serializable))),
    stream,
    (serializable) => txn(serializable, [], []),
    (serializable) => txn(serializable, [exists], []),
  ];
  for (const read of reads) assert.equal(await read(true), 'old');
  const early: string[] = [];
  const asked = [...reads.map((read) => read(false)), txn(true, [exists], [write])];
  for (const answer of asked) void answer.then((value) => early.push(value));
  await replicas.time.advance(300);
  assert.deepEqual(early, []);
  replicas.cutOff.clear();
  await replicas.time.advance(3000);
  assert.deepEqual(
    early,
    asked.map(() => 'new'),
  );
});
