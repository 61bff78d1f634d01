// Locks and elections, by plain transactions: a line of keys under one name, ordered by their create revisions, and the first one has it. It is the recipe
// of etcd's clientv3/concurrency, so `etcdctl lock` and `etcdctl elect` stand in the same line.
import { concatBytes, prefixEnd, utf8 } from '@distrokv/base';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { ClientError } from './errors.ts';
import { type Lease, grantLease } from './lease.ts';
import { LinkedSignal } from './linked.ts';
import type { Pool } from './pool.ts';
import { type BytesLike, toBytes } from './ranges.ts';
import { watch } from './watch.ts';

export interface HoldOptions {
  /** Seconds after which others go on when this process dies (default 60). */
  readonly ttl?: number;
  /** Gives up waiting: the call rejects with ClientError `cancelled`. */
  readonly signal?: AbortSignal;
}

/** What is held until it is released, or its lease is lost. */
export interface Held extends AsyncDisposable {
  readonly key: Uint8Array;
  /**
   * The fencing token: it grows from holder to holder. Send it with everything that is done under the lock, and let the receiver refuse what is lower than
   * the highest it has seen: a process that was paused may still believe that it holds what is long another's.
   */
  readonly revision: number;
  /** Aborted when it is held no longer. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

export interface Leadership extends Held {
  /** Changes the value that those see who observe. Rejects with ClientError `lost` if another leads. */
  proclaim(value: BytesLike): Promise<void>;
}

export async function hold(pool: Pool, name: BytesLike, value: BytesLike, options: HoldOptions): Promise<Leadership> {
  const { ttl, signal } = options;
  const lease = await grantLease(pool, ttl === undefined ? {} : { ttl });
  try {
    return await enter(pool, lease, toBytes(name), toBytes(value), signal);
  } catch (error) {
    await lease.revoke().catch(() => undefined); // its key goes with it
    throw error;
  }
}

async function enter(pool: Pool, lease: Lease, name: Uint8Array, value: Uint8Array, signal: AbortSignal | undefined): Promise<Leadership> {
  const prefix = concatBytes([name, utf8('/')]);
  const key = concatBytes([prefix, utf8(lease.id.toString(16))]);
  const put = (bytes: Uint8Array): pb.RequestOp => ({
    request: { case: 'requestPut', value: pb.PutRequest.create({ key, value: bytes, lease: lease.id }) },
  });
  const entered = await pool.call(pb.KV.methods.txn, { compare: [createdAt(key, 0)], success: [put(value)], failure: [] }, 'write', {});
  const revision = entered.header?.revision ?? 0;
  using done = new LinkedSignal(signal, lease.signal);
  await waitFor(pool, prefix, revision, done.signal, signal);
  return {
    key,
    revision,
    signal: lease.signal,
    release: () => lease.revoke(),
    [Symbol.asyncDispose]: () => lease.revoke(),
    async proclaim(next) {
      const request = { compare: [createdAt(key, revision)], success: [put(toBytes(next))], failure: [] };
      const { succeeded } = await pool.call(pb.KV.methods.txn, request, 'write', {});
      if (!succeeded) throw new ClientError('lost', 'another leads by now');
    },
  };
}

/** Resolves when nobody stands before `revision`. */
async function waitFor(pool: Pool, prefix: Uint8Array, revision: number, done: AbortSignal, asked: AbortSignal | undefined): Promise<void> {
  for (;;) {
    if (asked?.aborted === true) throw new ClientError('cancelled', 'the call was cancelled');
    done.throwIfAborted();
    const { kvs, header } = await pool.call(
      pb.KV.methods.range,
      lineOf(prefix, { sortOrder: pb.SortOrder.DESCEND, maxCreateRevision: revision - 1 }),
      'read',
      { signal: done },
    );
    const ahead = kvs[0];
    if (!ahead) return;
    const startRevision = (header?.revision ?? 0) + 1;
    for await (const { events } of watch(pool, ahead.key, { startRevision, only: 'delete', signal: done })) if (events.length > 0) break;
  }
}

/** Each leader's key and value, and each value that it proclaims; some may be left out, but never the last. */
export async function* observe(
  pool: Pool,
  name: BytesLike,
  signal: AbortSignal | undefined,
): AsyncGenerator<mvccpb.KeyValue, void, undefined> {
  const prefix = concatBytes([toBytes(name), utf8('/')]);
  let told = 0;
  while (signal?.aborted !== true) {
    const { kvs, header } = await pool.call(pb.KV.methods.range, lineOf(prefix, { sortOrder: pb.SortOrder.ASCEND }), 'read', {});
    const [first] = kvs;
    if (first && first.modRevision !== told) {
      told = first.modRevision;
      yield first;
    }
    const options = { startRevision: (header?.revision ?? 0) + 1, prefix: true, ...(signal && { signal }) };
    for await (const { events } of watch(pool, prefix, options)) if (events.length > 0) break;
  }
}

function lineOf(prefix: Uint8Array, fields: Partial<pb.RangeRequest>): pb.RangeRequest {
  const rangeEnd = prefixEnd(prefix) ?? Uint8Array.of(0);
  return pb.RangeRequest.create({ key: prefix, rangeEnd, sortTarget: pb.SortTarget.CREATE, limit: 1, ...fields });
}

function createdAt(key: Uint8Array, revision: number): pb.Compare {
  return pb.Compare.create({
    key,
    result: pb.CompareResult.EQUAL,
    target: pb.CompareTarget.CREATE,
    targetUnion: { case: 'createRevision', value: revision },
  });
}
