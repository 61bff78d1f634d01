// A range in pieces whose client goes away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterId, memberId, utf8 } from '@distrokv/base';
import { silentLogger } from '@distrokv/env';
import { GrpcError, type ServerStream } from '@distrokv/grpc';
import type { Store } from '@distrokv/mvcc';
import { etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import { Replicas } from '../testing/replicas.ts';
import type { Compactor } from './compactor.ts';
import type { ServiceContext } from './context.ts';
import { KvService } from './kv.ts';
import type { Quota } from './quota.ts';

const EVERYTHING = pb.RangeRequest.create({ key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0), serializable: true });

type Chunked = ReturnType<Store['rangeChunks']>;

/** Says whether the walk over the keys was ended: until then it holds on to memory and files of the engine. */
class WatchedStore {
  isOpen = false;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  rangeChunks(request: pb.RangeRequest, maxBytes: number): Chunked {
    const { chunks, toResponse } = this.#store.rangeChunks(request, maxBytes);
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
  const watched = new WatchedStore(store);
  const context = { env, replica, store: watched, config: { maxRequestBytes: 20 } as ServerConfig, logger: silentLogger };
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
