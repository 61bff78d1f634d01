// A line of keys under one name, ordered by their create revisions: who comes first holds a lock, or leads. Each key goes with its owner's lease.
// This is the recipe of etcd's clientv3/concurrency, so clients that do the same with plain transactions stand in the same line.
import { concatBytes, prefixEnd, utf8 } from '@distrokv/base';
import { keyRange } from '@distrokv/mvcc';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type ServiceContext } from './context.ts';
import { EventReader } from './event-reader.ts';
import type { KvService } from './kv.ts';
import type { LeaseService } from './lease.ts';

/** Of a lease that is granted because none was given. */
const DEFAULT_TTL_SECONDS = 60;

export interface Place {
  readonly key: Uint8Array;
  readonly lease: bigint;
  /** The create revision of the key: what orders the line, and fences. */
  readonly revision: number;
  /** Of the transaction that took or found the place. */
  readonly header: pb.ResponseHeader;
  /** The key as it was, if the lease had its place before. */
  readonly before: mvccpb.KeyValue | undefined;
}

export class WaitingLine {
  readonly #context: ServiceContext;
  readonly #kv: KvService;
  readonly #leases: LeaseService;
  readonly #prefix: Uint8Array;

  constructor(context: ServiceContext, kv: KvService, leases: LeaseService, name: Uint8Array) {
    this.#context = context;
    this.#kv = kv;
    this.#leases = leases;
    this.#prefix = concatBytes([name, utf8('/')]);
  }

  /** Takes a place at the end of the line, or finds the one that the lease has. */
  async enter(lease: bigint, value: Uint8Array): Promise<Place> {
    const owner = lease !== 0n ? lease : (await this.#leases.grant(pb.LeaseGrantRequest.create({ ttl: DEFAULT_TTL_SECONDS }))).id;
    const key = concatBytes([this.#prefix, utf8(owner.toString(16))]);
    const put = pb.PutRequest.create({ key, value, lease: owner });
    const get = pb.RangeRequest.create({ key });
    const { header, succeeded, responses } = await this.#kv.txn({
      compare: [createRevisionIs(key, 0)],
      success: [{ request: { case: 'requestPut', value: put } }],
      failure: [{ request: { case: 'requestRange', value: get } }],
    });
    const found = responses[0]?.response;
    const before = !succeeded && found?.case === 'responseRange' ? found.value.kvs[0] : undefined;
    const known = header ?? pb.ResponseHeader.create();
    return { key, lease: owner, revision: before?.createRevision ?? known.revision, header: known, before };
  }

  /** Resolves when nobody is before the place; its lease is renewed meanwhile. False if the place is gone by then: its lease has ended. */
  async wait(place: Place, signal: AbortSignal): Promise<boolean> {
    const renewing = this.#renew(place.lease);
    try {
      for (;;) {
        const ahead = await this.#lastBefore(place.revision);
        if (!ahead) break;
        await this.#deleted(ahead.kv, ahead.revision, signal);
      }
    } finally {
      renewing.cancel();
    }
    const { kvs } = await this.#kv.range(pb.RangeRequest.create({ key: place.key }));
    return kvs[0]?.createRevision === place.revision;
  }

  /** Leaves the line, whatever happens to the caller meanwhile. */
  async leave({ key, revision }: Pick<Place, 'key' | 'revision'>): Promise<pb.ResponseHeader | undefined> {
    const { header } = await this.#kv.txn({
      compare: [createRevisionIs(key, revision)],
      success: [{ request: { case: 'requestDeleteRange', value: pb.DeleteRangeRequest.create({ key }) } }],
      failure: [],
    });
    return header;
  }

  /** Who is first, and as of which revision that is. */
  async first(): Promise<{ readonly kv: mvccpb.KeyValue | undefined; readonly header: pb.ResponseHeader }> {
    const { kvs, header } = await this.#kv.range(this.#range({ sortOrder: pb.SortOrder.ASCEND }));
    return { kv: kvs[0], header: header ?? pb.ResponseHeader.create() };
  }

  /** Everything that happens in the line from a revision on. */
  read(startRevision: number, signal: AbortSignal): EventReader {
    return new EventReader(this.#context.store, keyRange(this.#prefix, this.#end), startRevision, signal);
  }

  async #lastBefore(revision: number): Promise<{ readonly kv: mvccpb.KeyValue; readonly revision: number } | undefined> {
    const { kvs, header } = await this.#kv.range(this.#range({ sortOrder: pb.SortOrder.DESCEND, maxCreateRevision: revision - 1 }));
    return kvs[0] && { kv: kvs[0], revision: header?.revision ?? 0 };
  }

  async #deleted({ key }: mvccpb.KeyValue, seen: number, signal: AbortSignal): Promise<void> {
    using reader = new EventReader(this.#context.store, keyRange(key, new Uint8Array(0)), seen + 1, signal);
    while ((await reader.next()).type !== 1);
  }

  #range(fields: Partial<pb.RangeRequest>): pb.RangeRequest {
    return pb.RangeRequest.create({ key: this.#prefix, rangeEnd: this.#end, sortTarget: pb.SortTarget.CREATE, limit: 1, ...fields });
  }

  get #end(): Uint8Array {
    return prefixEnd(this.#prefix) ?? Uint8Array.of(0);
  }

  #renew(id: bigint): { cancel(): void } {
    const { env, replica, store } = this.#context;
    const ttl = store.leases.get(id)?.ttl ?? DEFAULT_TTL_SECONDS;
    const renew = (): void => void replica.propose({ kind: 'lease-renew', request: { id } }).catch(() => undefined);
    return env.timers.every(Math.min((ttl * 1000) / 3, 60_000), renew);
  }
}

export function createRevisionIs(key: Uint8Array, revision: number): pb.Compare {
  return pb.Compare.create({
    key,
    result: pb.CompareResult.EQUAL,
    target: pb.CompareTarget.CREATE,
    targetUnion: { case: 'createRevision', value: revision },
  });
}
