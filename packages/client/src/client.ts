// The public face of the SDK: keys and values in, the server's own messages out. Where a call goes, and when it may go to
// another member, is the matter of `pool.ts`.
import { type etcdserverpb, type mvccpb, etcdserverpb as pb } from '@distrokv/proto';
import { type Lease, type LeaseOptions, grantLease, renewOnce } from './lease.ts';
import { type Held, type HoldOptions, type Leadership, hold, observe } from './line.ts';
import { createPool, type PoolOptions } from './pool.ts';
import { type BytesLike, keyRange, type KeySelection, toBytes } from './ranges.ts';
import { type WatchOptions, watch } from './watch.ts';

export interface ClientOptions extends PoolOptions {}

export interface CallOptions {
  /** Ends the call with ClientError `cancelled`. */
  readonly signal?: AbortSignal;
  /** Instead of the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
}

export interface PutOptions extends CallOptions {
  /** Ties the key to a lease. */
  readonly lease?: bigint;
  /** Answer with the pair that was there before. */
  readonly prevKv?: boolean;
  /** Keep the value, or the lease, that the key has. */
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}

export interface GetOptions extends CallOptions, KeySelection {
  /** At most so many pairs; 0 (the default) for all. */
  readonly limit?: number;
  /** The store as it was at this revision; 0 (the default): as it is. */
  readonly revision?: number;
  /** Read this member's own state, which may be stale, without asking the others. */
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  /** The order of the pairs (default: that of the keys). All are sorted before `limit` cuts. */
  readonly sort?: Sort;
  /** Pairs only whose last change, or whose creation, lies between these revisions, both included; 0 (the default): no bound. */
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface Sort {
  readonly by: 'create' | 'key' | 'mod' | 'value' | 'version';
  /** Default: ascending. */
  readonly descending?: boolean;
}

const sortTargets: Readonly<Record<Sort['by'], number>> = {
  create: pb.SortTarget.CREATE,
  key: pb.SortTarget.KEY,
  mod: pb.SortTarget.MOD,
  value: pb.SortTarget.VALUE,
  version: pb.SortTarget.VERSION,
};

export interface DeleteOptions extends CallOptions, KeySelection {
  /** Answer with the pairs that were deleted. */
  readonly prevKv?: boolean;
}

/**
 * Speaks the etcd v3 API to one cluster. Every call rejects with a `ClientError`. Reads move on to the next endpoint when one
 * is not available; writes only when they surely did not reach a server, so that none is applied twice.
 */
export interface Client extends AsyncDisposable {
  /** As "host:port", in the order given. */
  readonly endpoints: readonly string[];
  put(key: BytesLike, value: BytesLike, options?: PutOptions): Promise<etcdserverpb.PutResponse>;
  get(key: BytesLike, options?: GetOptions): Promise<etcdserverpb.RangeResponse>;
  delete(key: BytesLike, options?: DeleteOptions): Promise<etcdserverpb.DeleteRangeResponse>;
  /** A transaction in the API's own form. */
  txn(request: Partial<etcdserverpb.TxnRequest>, options?: CallOptions): Promise<etcdserverpb.TxnResponse>;
  /** Asks this one endpoint about itself. */
  status(endpoint: string, options?: CallOptions): Promise<etcdserverpb.StatusResponse>;
  memberList(options?: CallOptions): Promise<etcdserverpb.MemberListResponse>;
  /** Gives up the history before `revision`. `physical`: resolves when the space is given back too. */
  compact(revision: number, options?: CallOptions & { readonly physical?: boolean }): Promise<etcdserverpb.CompactionResponse>;
  /** What happens to keys, for as long as the loop over it runs; it outlives connections and members (see `watch.ts`). */
  watch(key: BytesLike, options?: WatchOptions): AsyncGenerator<etcdserverpb.WatchResponse, void, undefined>;
  /** A lease that keeps itself alive. */
  lease(options?: LeaseOptions): Promise<Lease>;
  leaseGrant(ttl: number, options?: CallOptions & { readonly id?: bigint }): Promise<etcdserverpb.LeaseGrantResponse>;
  leaseRevoke(id: bigint, options?: CallOptions): Promise<etcdserverpb.LeaseRevokeResponse>;
  /** Renews a lease once. The seconds that it lives from now on; 0 if there is none. */
  leaseRenew(id: bigint, options?: { readonly timeoutMs?: number }): Promise<number>;
  leaseTimeToLive(id: bigint, options?: CallOptions & { readonly keys?: boolean }): Promise<etcdserverpb.LeaseTimeToLiveResponse>;
  leases(options?: CallOptions): Promise<etcdserverpb.LeaseLeasesResponse>;
  /** Resolves when the lock is held; it must be released. */
  lock(name: BytesLike, options?: HoldOptions): Promise<Held>;
  /** Resolves when this client leads, with `value` for those who observe; release it to resign. */
  elect(name: BytesLike, value: BytesLike, options?: HoldOptions): Promise<Leadership>;
  /** Who leads, now and from now on. */
  observe(name: BytesLike, options?: { readonly signal?: AbortSignal }): AsyncGenerator<mvccpb.KeyValue, void, undefined>;
  alarms(options?: CallOptions): Promise<etcdserverpb.AlarmResponse>;
  disarm(alarm: etcdserverpb.AlarmMember, options?: CallOptions): Promise<etcdserverpb.AlarmResponse>;
  /** Of this one endpoint; so with the next. */
  defragment(endpoint: string, options?: CallOptions): Promise<void>;
  hashKv(endpoint: string, options?: CallOptions & { readonly revision?: number }): Promise<etcdserverpb.HashKVResponse>;
  /** Adds a member, which then joins. */
  memberAdd(peerURLs: readonly string[], options?: CallOptions & { readonly learner?: boolean }): Promise<etcdserverpb.MemberAddResponse>;
  memberRemove(id: bigint, options?: CallOptions): Promise<etcdserverpb.MemberRemoveResponse>;
  /** Changes where a member is reached by the others. */
  memberUpdate(id: bigint, peerURLs: readonly string[], options?: CallOptions): Promise<etcdserverpb.MemberUpdateResponse>;
  /** Makes a learner a voter. */
  memberPromote(id: bigint, options?: CallOptions): Promise<etcdserverpb.MemberPromoteResponse>;
  /** Ends the connections; calls under way end with ClientError `closed`. */
  close(): Promise<void>;
}

const DEFAULT_RENEWAL_MS = 5000;

/** Connects on the first call, not before. Throws ClientError `invalid-endpoint`. */
export function createClient(options: ClientOptions): Client {
  const pool = createPool(options);
  const [kv, lease, cluster, maintenance] = [pb.KV.methods, pb.Lease.methods, pb.Cluster.methods, pb.Maintenance.methods];
  const close = async (): Promise<void> => pool.close();
  return {
    endpoints: pool.endpoints,
    put(key, value, { lease: tiedTo = 0n, prevKv = false, ignoreValue = false, ignoreLease = false, ...call } = {}) {
      const fields = { lease: tiedTo, prevKv, ignoreValue, ignoreLease };
      const request = pb.PutRequest.create({ key: toBytes(key), value: toBytes(value), ...fields });
      return pool.call(kv.put, request, 'write', call);
    },
    get(key, options = {}) {
      const { limit = 0, revision = 0, serializable = false, keysOnly = false, countOnly = false } = options;
      const { sort, minModRevision = 0, maxModRevision = 0, minCreateRevision = 0, maxCreateRevision = 0 } = options;
      const order = sort && { sortTarget: sortTargets[sort.by], sortOrder: sort.descending ? pb.SortOrder.DESCEND : pb.SortOrder.ASCEND };
      const filters = { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision };
      const fields = { ...keyRange(key, options), limit, revision, serializable, keysOnly, countOnly, ...order, ...filters };
      return pool.call(kv.range, pb.RangeRequest.create(fields), 'read', options);
    },
    delete(key, options = {}) {
      const { prevKv = false } = options;
      return pool.call(kv.deleteRange, pb.DeleteRangeRequest.create({ ...keyRange(key, options), prevKv }), 'write', options);
    },
    txn: (request, call = {}) => pool.call(kv.txn, pb.TxnRequest.create(request), 'write', call),
    status: (endpoint, call = {}) => pool.callOne(endpoint, maintenance.status, pb.StatusRequest.create(), 'read', call),
    memberList: (call = {}) => pool.call(cluster.memberList, pb.MemberListRequest.create({ linearizable: true }), 'read', call),
    compact: (revision, { physical = false, ...call } = {}) => pool.call(kv.compact, { revision, physical }, 'write', call),
    watch: (key, options = {}) => watch(pool, key, options),
    lease: (options = {}) => grantLease(pool, options),
    leaseGrant: (ttl, { id = 0n, ...call } = {}) => pool.call(lease.leaseGrant, { ttl, id }, 'write', call),
    leaseRevoke: (id, call = {}) => pool.call(lease.leaseRevoke, { id }, 'write', call),
    leaseRenew: (id, { timeoutMs = DEFAULT_RENEWAL_MS } = {}) => renewOnce(pool, id, timeoutMs),
    leaseTimeToLive: (id, { keys = false, ...call } = {}) => pool.call(lease.leaseTimeToLive, { id, keys }, 'read', call),
    leases: (call = {}) => pool.call(lease.leaseLeases, {}, 'read', call),
    lock: (name, options = {}) => hold(pool, name, '', options),
    elect: (name, value, options = {}) => hold(pool, name, value, options),
    observe: (name, { signal } = {}) => observe(pool, name, signal),
    alarms: (call = {}) => pool.call(maintenance.alarm, pb.AlarmRequest.create(), 'read', call),
    disarm: (alarm, call = {}) => pool.call(maintenance.alarm, { ...alarm, action: pb.AlarmAction.DEACTIVATE }, 'write', call),
    async defragment(endpoint, call = {}) {
      await pool.callOne(endpoint, maintenance.defragment, {}, 'read', call);
    },
    hashKv: (endpoint, { revision = 0, ...call } = {}) => pool.callOne(endpoint, maintenance.hashKV, { revision }, 'read', call),
    memberAdd: (peerURLs, { learner = false, ...call } = {}) =>
      pool.call(cluster.memberAdd, pb.MemberAddRequest.create({ peerURLs, isLearner: learner }), 'write', call),
    memberRemove: (id, call = {}) => pool.call(cluster.memberRemove, pb.MemberRemoveRequest.create({ id }), 'write', call),
    memberUpdate: (id, peerURLs, call = {}) =>
      pool.call(cluster.memberUpdate, pb.MemberUpdateRequest.create({ id, peerURLs }), 'write', call),
    memberPromote: (id, call = {}) => pool.call(cluster.memberPromote, pb.MemberPromoteRequest.create({ id }), 'write', call),
    close,
    [Symbol.asyncDispose]: close,
  };
}
