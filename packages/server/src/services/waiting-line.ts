// A line of keys under one name, ordered by their create revisions: who comes first holds a lock, or leads. Each key goes with its owner's lease.
// This is the recipe of etcd's clientv3/concurrency, so clients that do the same with plain transactions stand in the same line.
import { concatBytes, equalBytes, prefixEnd, utf8 } from '@distrokv/base';
import { ApiError, keyRange } from '@distrokv/mvcc';
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';
import { type ServiceContext, header } from './context.ts';
import { type Ends, EventReader } from './event-reader.ts';
import type { KvService } from './kv.ts';
import type { LeaseService } from './lease.ts';

/** Of a lease that is granted because none was given. */
const DEFAULT_TTL_SECONDS = 60;
const NOTHING = new Uint8Array(0);
/** The type of an event. */
const DELETE = 1;

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

/** Whoever is first in a line, if anybody is, as of the revision of the header. */
export interface First {
  readonly kv: mvccpb.KeyValue | undefined;
  readonly header: pb.ResponseHeader;
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

  /**
   * Resolves when nobody is before the place, with the header of what showed that: of the place itself if nobody was when it was taken, else of the read that
   * found it the first one. Its lease is renewed meanwhile. Undefined if the place is gone by then: its lease has ended.
   */
  async wait(place: Place, ends: Ends): Promise<pb.ResponseHeader | undefined> {
    const renewing = this.#renew(place.lease);
    let hasWaited = false;
    try {
      for (;;) {
        const ahead = await this.#lastBefore(place.revision);
        if (!ahead) break;
        hasWaited = true;
        await this.#deleted(ahead.kv, ahead.revision, ends);
      }
    } finally {
      renewing.cancel();
    }
    const { kvs, header: seen } = await this.#kv.range(pb.RangeRequest.create({ key: place.key }));
    if (kvs[0]?.createRevision !== place.revision) return undefined;
    return hasWaited ? seen : place.header;
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

  /** Who is first; at a revision, if that is given and not 0, which must be applied here. */
  async first(at = 0): Promise<First> {
    const request = this.#range({ sortOrder: pb.SortOrder.ASCEND, revision: at, serializable: at !== 0 });
    const { kvs, header: now } = await this.#kv.range(request);
    return { kv: kvs[0], header: header(this.#context, at !== 0 ? at : (now?.revision ?? 0)) };
  }

  /**
   * Who is first now, and from there on every value that whoever is first writes, and everyone who becomes first, as it happened; what is compacted before it
   * was read is left out.
   */
  async *leaders(ends: Ends): AsyncGenerator<First & { readonly kv: mvccpb.KeyValue }, never, void> {
    let told: mvccpb.KeyValue | undefined;
    for (let at = 0; ;) {
      try {
        const { kv: first, header: seen } = await this.first(at);
        if (first && !(told?.modRevision === first.modRevision && equalBytes(told.key, first.key))) yield { kv: first, header: seen };
        told = first;
        // While nobody is there, whatever happens in the line makes somebody the first.
        const range = first ? keyRange(first.key, NOTHING) : keyRange(this.#prefix, this.#end);
        using reader = new EventReader(this.#context.store, range, seen.revision + 1, ends);
        for (at = 0; at === 0;) {
          const { type, kv } = await reader.next();
          if (!kv) continue;
          if (!first || type === DELETE) at = kv.modRevision;
          else {
            told = kv;
            yield { kv, header: header(this.#context, kv.modRevision) };
          }
        }
      } catch (error) {
        if (!isCompacted(error)) throw error;
        at = 0;
      }
    }
  }

  async #lastBefore(revision: number): Promise<{ readonly kv: mvccpb.KeyValue; readonly revision: number } | undefined> {
    const { kvs, header } = await this.#kv.range(this.#range({ sortOrder: pb.SortOrder.DESCEND, maxCreateRevision: revision - 1 }));
    return kvs[0] && { kv: kvs[0], revision: header?.revision ?? 0 };
  }

  /** Resolves when the key may be gone. */
  async #deleted({ key }: mvccpb.KeyValue, seen: number, ends: Ends): Promise<void> {
    using reader = new EventReader(this.#context.store, keyRange(key, NOTHING), seen + 1, ends);
    try {
      while ((await reader.next()).type !== DELETE);
    } catch (error) {
      // What happened to it is forgotten; whoever is ahead now is not.
      if (!isCompacted(error)) throw error;
    }
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

function isCompacted(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'compacted';
}
