// Generated from proto/reflection.proto by generator/main.mjs: change that and run `npm run generate`.
// How a client that has no .proto files asks a server for them (gRPC server reflection, v1).
import { messageType } from '../codec.ts';
import type { MessageType, Method } from '../message.ts';
import * as codec from './reflection.codec.ts';

export interface ServerReflectionRequest {
  readonly host: string;
  readonly messageRequest:
    | { readonly case: 'fileByFilename'; readonly value: string }
    | { readonly case: 'fileContainingSymbol'; readonly value: string }
    | { readonly case: 'fileContainingExtension'; readonly value: ExtensionRequest }
    | { readonly case: 'allExtensionNumbersOfType'; readonly value: string }
    | { readonly case: 'listServices'; readonly value: string }
    | undefined;
}
export const ServerReflectionRequest: MessageType<ServerReflectionRequest> = messageType(
  'grpc.reflection.v1.ServerReflectionRequest',
  codec.createServerReflectionRequest,
  codec.readServerReflectionRequest,
  codec.writeServerReflectionRequest,
);

export interface ExtensionRequest {
  readonly containingType: string;
  readonly extensionNumber: number;
}
export const ExtensionRequest: MessageType<ExtensionRequest> = messageType(
  'grpc.reflection.v1.ExtensionRequest',
  codec.createExtensionRequest,
  codec.readExtensionRequest,
  codec.writeExtensionRequest,
);

export interface ServerReflectionResponse {
  readonly validHost: string;
  readonly originalRequest: ServerReflectionRequest | undefined;
  readonly messageResponse:
    | { readonly case: 'fileDescriptorResponse'; readonly value: FileDescriptorResponse }
    | { readonly case: 'allExtensionNumbersResponse'; readonly value: ExtensionNumberResponse }
    | { readonly case: 'listServicesResponse'; readonly value: ListServiceResponse }
    | { readonly case: 'errorResponse'; readonly value: ErrorResponse }
    | undefined;
}
export const ServerReflectionResponse: MessageType<ServerReflectionResponse> = messageType(
  'grpc.reflection.v1.ServerReflectionResponse',
  codec.createServerReflectionResponse,
  codec.readServerReflectionResponse,
  codec.writeServerReflectionResponse,
);

export interface FileDescriptorResponse {
  /** The file that was asked for, and those that it imports, each a FileDescriptorProto. */
  readonly fileDescriptorProto: readonly Uint8Array[];
}
export const FileDescriptorResponse: MessageType<FileDescriptorResponse> = messageType(
  'grpc.reflection.v1.FileDescriptorResponse',
  codec.createFileDescriptorResponse,
  codec.readFileDescriptorResponse,
  codec.writeFileDescriptorResponse,
);

export interface ExtensionNumberResponse {
  readonly baseTypeName: string;
  readonly extensionNumber: readonly number[];
}
export const ExtensionNumberResponse: MessageType<ExtensionNumberResponse> = messageType(
  'grpc.reflection.v1.ExtensionNumberResponse',
  codec.createExtensionNumberResponse,
  codec.readExtensionNumberResponse,
  codec.writeExtensionNumberResponse,
);

export interface ListServiceResponse {
  readonly service: readonly ServiceResponse[];
}
export const ListServiceResponse: MessageType<ListServiceResponse> = messageType(
  'grpc.reflection.v1.ListServiceResponse',
  codec.createListServiceResponse,
  codec.readListServiceResponse,
  codec.writeListServiceResponse,
);

export interface ServiceResponse {
  readonly name: string;
}
export const ServiceResponse: MessageType<ServiceResponse> = messageType(
  'grpc.reflection.v1.ServiceResponse',
  codec.createServiceResponse,
  codec.readServiceResponse,
  codec.writeServiceResponse,
);

export interface ErrorResponse {
  /** A status code of gRPC. */
  readonly errorCode: number;
  readonly errorMessage: string;
}
export const ErrorResponse: MessageType<ErrorResponse> = messageType(
  'grpc.reflection.v1.ErrorResponse',
  codec.createErrorResponse,
  codec.readErrorResponse,
  codec.writeErrorResponse,
);

export const ServerReflection: {
  readonly typeName: 'grpc.reflection.v1.ServerReflection';
  readonly methods: {
    /** Each request gets its answer, in order. */
    readonly serverReflectionInfo: Method<ServerReflectionRequest, ServerReflectionResponse, 'bidi-stream'>;
  };
} = {
  typeName: 'grpc.reflection.v1.ServerReflection',
  methods: {
    serverReflectionInfo: {
      path: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      kind: 'bidi-stream',
      request: ServerReflectionRequest,
      response: ServerReflectionResponse,
    },
  },
};
