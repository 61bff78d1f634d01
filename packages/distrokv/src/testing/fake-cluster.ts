// A small store behind the real wire: enough of the KV, Cluster and Maintenance services for the commands to talk to.
import { compareBytes, hex } from '@distrokv/base';
import { createServer } from '@distrokv/grpc';
import { etcdserverpb as pb, kvservice, type mvccpb } from '@distrokv/proto';

const memberId = 0x667880157b8812c8n;

export interface FakeCluster {
  /** As "127.0.0.1:port". */
  readonly endpoint: string;
  /** The last range request, for what cannot be seen in an answer. */
  lastRange(): pb.RangeRequest | undefined;
  close(): Promise<void>;
}

export async function startFakeCluster(): Promise<FakeCluster> {
  const store = new Map<string, mvccpb.KeyValue>();
  let revision = 1;
  let lastRange: pb.RangeRequest | undefined;
  const header = (): pb.ResponseHeader => ({ clusterId: 14841639068965178418n, memberId, revision, raftTerm: 2 });
  const select = (key: Uint8Array, end: Uint8Array): mvccpb.KeyValue[] =>
    [...store.values()].filter((kv) => inRange(kv.key, key, end)).sort((a, b) => compareBytes(a.key, b.key));
  const put = (key: Uint8Array, value: Uint8Array): mvccpb.KeyValue | undefined => {
    const before = store.get(hex(key));
    revision++;
    const version = (before?.version ?? 0) + 1;
    store.set(hex(key), { key, value, createRevision: before?.createRevision ?? revision, modRevision: revision, version, lease: 0n });
    return before;
  };
  const remove = (kvs: readonly mvccpb.KeyValue[]): void => {
    if (kvs.length > 0) revision++;
    for (const kv of kvs) store.delete(hex(kv.key));
  };
  const server = createServer();
  server.addService(pb.KV, {
    put({ key, value, prevKv }) {
      const before = put(key, value);
      return pb.PutResponse.create({ header: header(), prevKv: prevKv ? before : undefined });
    },
    range(request) {
      lastRange = request;
      const all = select(request.key, request.rangeEnd);
      const kept = request.limit > 0 ? all.slice(0, request.limit) : all;
      const kvs = kept.map((kv) => (request.keysOnly ? { ...kv, value: new Uint8Array(0) } : kv));
      return { header: header(), kvs: request.countOnly ? [] : kvs, more: kept.length < all.length, count: all.length };
    },
    deleteRange({ key, rangeEnd, prevKv }) {
      const gone = select(key, rangeEnd);
      remove(gone);
      return { header: header(), deleted: gone.length, prevKvs: prevKv ? gone : [] };
    },
  });
  server.addService(pb.Cluster, {
    memberList: () => {
      const urls = { peerURLs: ['http://127.0.0.1:2380'], clientURLs: ['http://127.0.0.1:2379'] };
      return { header: { ...header(), revision: 0 }, members: [{ id: memberId, name: 'default', ...urls, isLearner: false }] };
    },
  });
  server.addService(pb.Maintenance, {
    status: () => pb.StatusResponse.create({ header: header(), version: '3.7.1', dbSize: 24576, leader: memberId, raftTerm: 2 }),
  });
  const text = (key: string): Uint8Array => new TextEncoder().encode(key);
  server.addService(kvservice.KVService, {
    put: ({ key, value }) => (put(text(key), value), { success: true }),
    get({ key }) {
      const [kv] = select(text(key), new Uint8Array(0));
      return { found: kv !== undefined, value: kv?.value ?? new Uint8Array(0) };
    },
    delete: ({ key }) => (remove(select(text(key), new Uint8Array(0))), { success: true }),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { endpoint: `127.0.0.1:${port}`, lastRange: () => lastRange, close: () => server.close({ graceMs: 0 }) };
}

/** etcd's convention: no end is the one key, a zero byte is the end of everything. */
function inRange(key: Uint8Array, start: Uint8Array, end: Uint8Array): boolean {
  if (end.length === 0) return compareBytes(key, start) === 0;
  if (compareBytes(key, start) < 0 && !(start.length === 1 && start[0] === 0)) return false;
  return (end.length === 1 && end[0] === 0) || compareBytes(key, end) < 0;
}
