// The public face of the SDK: keys and values in, the server's own messages out. Where a call goes, and when it may go to
// another member, is the matter of `pool.ts`.
import { type etcdserverpb, etcdserverpb as pb } from '@distrokv/proto';
import { createPool, type PoolOptions } from './pool.ts';
import { type BytesLike, keyRange, type KeySelection, toBytes } from './ranges.ts';

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
}

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

/** Connects on the first call, not before. Throws ClientError `invalid-endpoint`. */
export function createClient(options: ClientOptions): Client {
  const pool = createPool(options);
  const { kv, cluster, maintenance } = { kv: pb.KV.methods, cluster: pb.Cluster.methods, maintenance: pb.Maintenance.methods };
  const close = async (): Promise<void> => pool.close();
  return {
    endpoints: pool.endpoints,
    put(key, value, { lease = 0n, prevKv = false, ...call } = {}) {
      const request = pb.PutRequest.create({ key: toBytes(key), value: toBytes(value), lease, prevKv });
      return pool.call(kv.put, request, 'write', call);
    },
    get(key, options = {}) {
      const { limit = 0, revision = 0, serializable = false, keysOnly = false, countOnly = false } = options;
      const fields = { ...keyRange(key, options), limit, revision, serializable, keysOnly, countOnly };
      return pool.call(kv.range, pb.RangeRequest.create(fields), 'read', options);
    },
    delete(key, options = {}) {
      const { prevKv = false } = options;
      return pool.call(kv.deleteRange, pb.DeleteRangeRequest.create({ ...keyRange(key, options), prevKv }), 'write', options);
    },
    txn: (request, call = {}) => pool.call(kv.txn, pb.TxnRequest.create(request), 'write', call),
    status: (endpoint, call = {}) => pool.callOne(endpoint, maintenance.status, pb.StatusRequest.create(), 'read', call),
    memberList: (call = {}) => pool.call(cluster.memberList, pb.MemberListRequest.create({ linearizable: true }), 'read', call),
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
