// What a request meets when the cluster, and not the request, is at fault: etcd's texts, which its clients match on.
import { GrpcError } from '@distrokv/grpc';

/** The outcome is unknown: it may still happen. */
export const timedOut = (): GrpcError => new GrpcError('unavailable', 'etcdserver: request timed out');
export const serverStopped = (): GrpcError => new GrpcError('unavailable', 'etcdserver: server stopped');
export const noLeader = (): GrpcError => new GrpcError('unavailable', 'etcdserver: no leader');
export const tooManyRequests = (): GrpcError => new GrpcError('resource-exhausted', 'etcdserver: too many requests');
