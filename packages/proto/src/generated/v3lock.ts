// Generated from proto/v3lock.proto by generator/main.mjs: change that and run `npm run generate`.
// Locks, kept by the server: what `clientv3/concurrency` does with plain transactions, as two calls. Wire-compatible with etcd's v3lockpb.
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import type { ResponseHeader } from './rpc.ts';
import * as codec from './v3lock.codec.ts';

export interface LockRequest {
  readonly name: Uint8Array;
  /** 0: the server grants one of a minute, which nobody renews. */
  readonly lease: bigint;
}
export const LockRequest: MessageType<LockRequest> = messageType(
  'v3lockpb.LockRequest',
  codec.createLockRequest,
  codec.readLockRequest,
  codec.writeLockRequest,
);

export interface LockResponse {
  readonly header: ResponseHeader | undefined;
  readonly key: Uint8Array;
}
export const LockResponse: MessageType<LockResponse> = messageType(
  'v3lockpb.LockResponse',
  codec.createLockResponse,
  codec.readLockResponse,
  codec.writeLockResponse,
);

export interface UnlockRequest {
  /** As LockResponse gave it. */
  readonly key: Uint8Array;
}
export const UnlockRequest: MessageType<UnlockRequest> = messageType(
  'v3lockpb.UnlockRequest',
  codec.createUnlockRequest,
  codec.readUnlockRequest,
  codec.writeUnlockRequest,
);

export interface UnlockResponse {
  readonly header: ResponseHeader | undefined;
}
export const UnlockResponse: MessageType<UnlockResponse> = messageType(
  'v3lockpb.UnlockResponse',
  codec.createUnlockResponse,
  codec.readUnlockResponse,
  codec.writeUnlockResponse,
);

export const Lock: {
  readonly typeName: 'v3lockpb.Lock';
  readonly methods: {
    /**
     * Waits until the lock is held, and answers with the key that holds it. The key lives as long as the lease; its create
     * revision grows from holder to holder, and fences what an earlier holder still does.
     */
    readonly lock: Method<LockRequest, LockResponse, 'unary'>;
    readonly unlock: Method<UnlockRequest, UnlockResponse, 'unary'>;
  };
} = {
  typeName: 'v3lockpb.Lock',
  methods: {
    lock: { path: '/v3lockpb.Lock/Lock', kind: 'unary', request: LockRequest, response: LockResponse },
    unlock: { path: '/v3lockpb.Lock/Unlock', kind: 'unary', request: UnlockRequest, response: UnlockResponse },
  },
};
