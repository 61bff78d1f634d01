// Generated from proto/kvservice.proto by generator/main.mjs: change that and run `npm run generate`.
// The interface of DistroKV's ancestor, so that its Go client and its command line go on working. The keys are those of
// the etcd API, as far as they are UTF-8. Reads are linearizable; every member answers.
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import * as codec from './kvservice.codec.ts';

export interface PutRequest {
  readonly key: string;
  readonly value: Uint8Array;
}
export const PutRequest: MessageType<PutRequest> = messageType(
  'proto.PutRequest',
  codec.createPutRequest,
  codec.readPutRequest,
  codec.writePutRequest,
);

export interface PutResponse {
  readonly success: boolean;
}
export const PutResponse: MessageType<PutResponse> = messageType(
  'proto.PutResponse',
  codec.createPutResponse,
  codec.readPutResponse,
  codec.writePutResponse,
);

export interface GetRequest {
  readonly key: string;
}
export const GetRequest: MessageType<GetRequest> = messageType(
  'proto.GetRequest',
  codec.createGetRequest,
  codec.readGetRequest,
  codec.writeGetRequest,
);

export interface GetResponse {
  readonly found: boolean;
  readonly value: Uint8Array;
}
export const GetResponse: MessageType<GetResponse> = messageType(
  'proto.GetResponse',
  codec.createGetResponse,
  codec.readGetResponse,
  codec.writeGetResponse,
);

export interface DeleteRequest {
  readonly key: string;
}
export const DeleteRequest: MessageType<DeleteRequest> = messageType(
  'proto.DeleteRequest',
  codec.createDeleteRequest,
  codec.readDeleteRequest,
  codec.writeDeleteRequest,
);

export interface DeleteResponse {
  /** True also when there was no such key: it is gone. */
  readonly success: boolean;
}
export const DeleteResponse: MessageType<DeleteResponse> = messageType(
  'proto.DeleteResponse',
  codec.createDeleteResponse,
  codec.readDeleteResponse,
  codec.writeDeleteResponse,
);

export const KVService: {
  readonly typeName: 'proto.KVService';
  readonly methods: {
    readonly put: Method<PutRequest, PutResponse, 'unary'>;
    readonly get: Method<GetRequest, GetResponse, 'unary'>;
    readonly delete: Method<DeleteRequest, DeleteResponse, 'unary'>;
  };
} = {
  typeName: 'proto.KVService',
  methods: {
    put: { path: '/proto.KVService/Put', kind: 'unary', request: PutRequest, response: PutResponse },
    get: { path: '/proto.KVService/Get', kind: 'unary', request: GetRequest, response: GetResponse },
    delete: { path: '/proto.KVService/Delete', kind: 'unary', request: DeleteRequest, response: DeleteResponse },
  },
};
