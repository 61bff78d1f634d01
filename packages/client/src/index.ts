// `client`: the SDK. Speaks the etcd v3 API, to DistroKV and to etcd, and the interface of DistroKV's ancestor.
export * from './client.ts';
export * from './errors.ts';
export { parseEndpoint } from './endpoints.ts';
export { createKvServiceClient, type KvServiceClient } from './kvservice.ts';
export type { Lease, LeaseOptions } from './lease.ts';
export type { Held, HoldOptions, Leadership } from './line.ts';
export type { PoolOptions, TlsOptions } from './pool.ts';
export type { WatchOptions } from './watch.ts';
export { type BytesLike, type KeySelection, keyRange } from './ranges.ts';
export { etcdserverpb, mvccpb } from '@distrokv/proto';
