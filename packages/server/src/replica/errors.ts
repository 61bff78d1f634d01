// What a request meets when the cluster, and not the request, is at fault: etcd's texts, which its clients match on.
import { GrpcError } from '@distrokv/grpc';

/** All calls that wait meet it at once, or every call that comes: thousands a second. */
const ANSWER = { isAnswer: true };

/** The outcome is unknown: it may still happen. */
export const timedOut = (): GrpcError => new GrpcError('unavailable', 'etcdserver: request timed out', ANSWER);
export const serverStopped = (): GrpcError => new GrpcError('unavailable', 'etcdserver: server stopped', ANSWER);
export const noLeader = (): GrpcError => new GrpcError('unavailable', 'etcdserver: no leader', ANSWER);
export const notLeader = (): GrpcError => new GrpcError('failed-precondition', 'etcdserver: not leader');
export const badLeaderTransferee = (): GrpcError => new GrpcError('failed-precondition', 'etcdserver: bad leader transferee');
export const notSupportedForLearner = (): GrpcError =>
  new GrpcError('failed-precondition', 'etcdserver: rpc not supported for learner', ANSWER);
/** Without a code of its own, as in etcd. It may still happen. */
export const timedOutLeaderTransfer = (): GrpcError =>
  new GrpcError('unknown', 'etcdserver: request timed out, leader transfer took too long');
export const tooManyRequests = (): GrpcError => new GrpcError('resource-exhausted', 'etcdserver: too many requests', ANSWER);
