// What every service of a member needs: the member itself, the limits it keeps to, and the header of its answers.
import type { ClusterId, MemberId } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import { GrpcError, type ServerCall } from '@distrokv/grpc';
import { ApiError, type Store, StoreLimitError } from '@distrokv/mvcc';
import { ProtoError, type etcdserverpb as pb } from '@distrokv/proto';
import type { ServerConfig } from '../config.ts';
import type { LoopStalls } from '../loop-stalls.ts';
import { noLeader, notSupportedForLearner } from '../replica/errors.ts';
import type { Replica } from '../replica/replica.ts';
import type { PeerTransport } from '../transport.ts';

export interface ServiceContext {
  readonly env: Env;
  readonly logger: Logger;
  readonly config: ServerConfig;
  readonly clusterId: ClusterId;
  readonly memberId: MemberId;
  readonly replica: Replica;
  readonly peers: Pick<PeerTransport, 'connectedSinceMs' | 'promote'>;
  readonly store: Store;
  /** Of the process; none where several members share one, as in a simulated world. */
  readonly stalls: Pick<LoopStalls, 'count' | 'maxMs'> | undefined;
  /** Something broke that this member must not survive. */
  readonly onFatal: (error: unknown) => void;
}

/** The header of an answer: who gives it, in which term, at which revision of the store. */
export function header(context: ServiceContext, revision: number): pb.ResponseHeader {
  const { clusterId, memberId, replica } = context;
  return { clusterId, memberId, revision, raftTerm: replica.term };
}

/** The answer of the store with the rest of its header. */
export function withHeader<T extends { readonly header: pb.ResponseHeader | undefined }>(context: ServiceContext, response: T): T {
  return { ...response, header: header(context, response.header?.revision ?? 0) };
}

/**
 * Runs a handler: a learner refuses what is not `'from-learners-too'`, as etcd's does (what it knows may be far behind, and clients are to go to
 * members that decide), a caller that insists on a leader is refused without one, and what the store refuses becomes a status.
 */
export function answer<T>(
  context: ServiceContext,
  call: ServerCall,
  work: () => T | Promise<T>,
  from: 'from-voters' | 'from-learners-too' = 'from-voters',
): Promise<T> {
  try {
    if (from === 'from-voters' && context.replica.isLearner) throw notSupportedForLearner();
    if (context.replica.leader === undefined && call.metadata.get('hasleader') === 'true') throw noLeader();
    const result = work();
    // Not an async function, which would wait for the promise by two more.
    return result instanceof Promise ? result.catch(throwStatus) : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(statusOf(error) as Error);
  }
}

function throwStatus(error: unknown): never {
  throw statusOf(error);
}

function statusOf(error: unknown): unknown {
  if (error instanceof ApiError) return new GrpcError(error.status, error.message, { cause: error, isAnswer: true });
  if (error instanceof StoreLimitError) return new GrpcError('resource-exhausted', error.message, { cause: error });
  if (error instanceof ProtoError) return new GrpcError('internal', error.message, { cause: error });
  return error;
}
