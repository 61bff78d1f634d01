// Generated from proto/reflection.proto by generator/main.mjs: change that and run `npm run generate`.
// Fields are read front to back onto `before`, and written back to front: reader.ts and writer.ts say why.
import { unreachable } from '@distrokv/base';
import { noItems } from '../codec.ts';
import { append, type Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';
import type {
  ErrorResponse,
  ExtensionNumberResponse,
  ExtensionRequest,
  FileDescriptorResponse,
  ListServiceResponse,
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServiceResponse,
} from './reflection.ts';

export function createServerReflectionRequest(fields: Partial<ServerReflectionRequest>): ServerReflectionRequest {
  return { host: fields.host ?? '', messageRequest: fields.messageRequest };
}

export const emptyServerReflectionRequest: ServerReflectionRequest = createServerReflectionRequest({});

export function readServerReflectionRequest(r: Reader, end: number, before: ServerReflectionRequest): ServerReflectionRequest {
  let { host, messageRequest } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        host = r.string();
        break;
      case 26:
        messageRequest = { case: 'fileByFilename', value: r.string() };
        break;
      case 34:
        messageRequest = { case: 'fileContainingSymbol', value: r.string() };
        break;
      case 42:
        messageRequest = {
          case: 'fileContainingExtension',
          value: readExtensionRequest(
            r,
            r.enter(),
            messageRequest?.case === 'fileContainingExtension' ? messageRequest.value : emptyExtensionRequest,
          ),
        };
        break;
      case 50:
        messageRequest = { case: 'allExtensionNumbersOfType', value: r.string() };
        break;
      case 58:
        messageRequest = { case: 'listServices', value: r.string() };
        break;
      default:
        r.unknown(tag, [1, 3, 4, 5, 6, 7]);
    }
  }
  r.leave(end);
  return { host, messageRequest };
}

export function writeServerReflectionRequest(w: Writer, m: ServerReflectionRequest): void {
  if (m.messageRequest !== undefined) {
    switch (m.messageRequest.case) {
      case 'fileByFilename':
        w.string(26, m.messageRequest.value);
        break;
      case 'fileContainingSymbol':
        w.string(34, m.messageRequest.value);
        break;
      case 'fileContainingExtension': {
        const end = w.mark();
        writeExtensionRequest(w, m.messageRequest.value);
        w.close(42, end);
        break;
      }
      case 'allExtensionNumbersOfType':
        w.string(50, m.messageRequest.value);
        break;
      case 'listServices':
        w.string(58, m.messageRequest.value);
        break;
      default:
        unreachable(m.messageRequest);
    }
  }
  if (m.host !== '') w.string(10, m.host);
}

export function createExtensionRequest(fields: Partial<ExtensionRequest>): ExtensionRequest {
  return { containingType: fields.containingType ?? '', extensionNumber: fields.extensionNumber ?? 0 };
}

export const emptyExtensionRequest: ExtensionRequest = createExtensionRequest({});

export function readExtensionRequest(r: Reader, end: number, before: ExtensionRequest): ExtensionRequest {
  let { containingType, extensionNumber } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        containingType = r.string();
        break;
      case 16:
        extensionNumber = r.int32();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { containingType, extensionNumber };
}

export function writeExtensionRequest(w: Writer, m: ExtensionRequest): void {
  if (m.extensionNumber !== 0) w.int32(16, m.extensionNumber);
  if (m.containingType !== '') w.string(10, m.containingType);
}

export function createServerReflectionResponse(fields: Partial<ServerReflectionResponse>): ServerReflectionResponse {
  return { validHost: fields.validHost ?? '', originalRequest: fields.originalRequest, messageResponse: fields.messageResponse };
}

export function readServerReflectionResponse(r: Reader, end: number, before: ServerReflectionResponse): ServerReflectionResponse {
  let { validHost, originalRequest, messageResponse } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        validHost = r.string();
        break;
      case 18:
        originalRequest = readServerReflectionRequest(r, r.enter(), originalRequest ?? emptyServerReflectionRequest);
        break;
      case 34:
        messageResponse = {
          case: 'fileDescriptorResponse',
          value: readFileDescriptorResponse(
            r,
            r.enter(),
            messageResponse?.case === 'fileDescriptorResponse' ? messageResponse.value : emptyFileDescriptorResponse,
          ),
        };
        break;
      case 42:
        messageResponse = {
          case: 'allExtensionNumbersResponse',
          value: readExtensionNumberResponse(
            r,
            r.enter(),
            messageResponse?.case === 'allExtensionNumbersResponse' ? messageResponse.value : emptyExtensionNumberResponse,
          ),
        };
        break;
      case 50:
        messageResponse = {
          case: 'listServicesResponse',
          value: readListServiceResponse(
            r,
            r.enter(),
            messageResponse?.case === 'listServicesResponse' ? messageResponse.value : emptyListServiceResponse,
          ),
        };
        break;
      case 58:
        messageResponse = {
          case: 'errorResponse',
          value: readErrorResponse(r, r.enter(), messageResponse?.case === 'errorResponse' ? messageResponse.value : emptyErrorResponse),
        };
        break;
      default:
        r.unknown(tag, [1, 2, 4, 5, 6, 7]);
    }
  }
  r.leave(end);
  return { validHost, originalRequest, messageResponse };
}

export function writeServerReflectionResponse(w: Writer, m: ServerReflectionResponse): void {
  if (m.messageResponse !== undefined) {
    switch (m.messageResponse.case) {
      case 'fileDescriptorResponse': {
        const end = w.mark();
        writeFileDescriptorResponse(w, m.messageResponse.value);
        w.close(34, end);
        break;
      }
      case 'allExtensionNumbersResponse': {
        const end = w.mark();
        writeExtensionNumberResponse(w, m.messageResponse.value);
        w.close(42, end);
        break;
      }
      case 'listServicesResponse': {
        const end = w.mark();
        writeListServiceResponse(w, m.messageResponse.value);
        w.close(50, end);
        break;
      }
      case 'errorResponse': {
        const end = w.mark();
        writeErrorResponse(w, m.messageResponse.value);
        w.close(58, end);
        break;
      }
      default:
        unreachable(m.messageResponse);
    }
  }
  if (m.originalRequest !== undefined) {
    const end = w.mark();
    writeServerReflectionRequest(w, m.originalRequest);
    w.close(18, end);
  }
  if (m.validHost !== '') w.string(10, m.validHost);
}

export function createFileDescriptorResponse(fields: Partial<FileDescriptorResponse>): FileDescriptorResponse {
  return { fileDescriptorProto: fields.fileDescriptorProto ?? noItems };
}

export const emptyFileDescriptorResponse: FileDescriptorResponse = createFileDescriptorResponse({});

export function readFileDescriptorResponse(r: Reader, end: number, before: FileDescriptorResponse): FileDescriptorResponse {
  let { fileDescriptorProto } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        fileDescriptorProto = append(fileDescriptorProto, r.bytes());
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { fileDescriptorProto };
}

export function writeFileDescriptorResponse(w: Writer, m: FileDescriptorResponse): void {
  for (let i = m.fileDescriptorProto.length - 1; i >= 0; i--) {
    w.bytes(10, m.fileDescriptorProto[i] as Uint8Array);
  }
}

export function createExtensionNumberResponse(fields: Partial<ExtensionNumberResponse>): ExtensionNumberResponse {
  return { baseTypeName: fields.baseTypeName ?? '', extensionNumber: fields.extensionNumber ?? noItems };
}

export const emptyExtensionNumberResponse: ExtensionNumberResponse = createExtensionNumberResponse({});

export function readExtensionNumberResponse(r: Reader, end: number, before: ExtensionNumberResponse): ExtensionNumberResponse {
  let { baseTypeName, extensionNumber } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        baseTypeName = r.string();
        break;
      case 18:
        extensionNumber = r.packedInt32(extensionNumber);
        break;
      case 16:
        extensionNumber = append(extensionNumber, r.int32());
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { baseTypeName, extensionNumber };
}

export function writeExtensionNumberResponse(w: Writer, m: ExtensionNumberResponse): void {
  if (m.extensionNumber.length > 0) w.packedInt32(18, m.extensionNumber);
  if (m.baseTypeName !== '') w.string(10, m.baseTypeName);
}

export function createListServiceResponse(fields: Partial<ListServiceResponse>): ListServiceResponse {
  return { service: fields.service ?? noItems };
}

export const emptyListServiceResponse: ListServiceResponse = createListServiceResponse({});

export function readListServiceResponse(r: Reader, end: number, before: ListServiceResponse): ListServiceResponse {
  let { service } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        service = append(service, readServiceResponse(r, r.enter(), emptyServiceResponse));
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { service };
}

export function writeListServiceResponse(w: Writer, m: ListServiceResponse): void {
  for (let i = m.service.length - 1; i >= 0; i--) {
    const end = w.mark();
    writeServiceResponse(w, m.service[i] as ServiceResponse);
    w.close(10, end);
  }
}

export function createServiceResponse(fields: Partial<ServiceResponse>): ServiceResponse {
  return { name: fields.name ?? '' };
}

export const emptyServiceResponse: ServiceResponse = createServiceResponse({});

export function readServiceResponse(r: Reader, end: number, before: ServiceResponse): ServiceResponse {
  let { name } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 10:
        name = r.string();
        break;
      default:
        r.unknown(tag, [1]);
    }
  }
  r.leave(end);
  return { name };
}

export function writeServiceResponse(w: Writer, m: ServiceResponse): void {
  if (m.name !== '') w.string(10, m.name);
}

export function createErrorResponse(fields: Partial<ErrorResponse>): ErrorResponse {
  return { errorCode: fields.errorCode ?? 0, errorMessage: fields.errorMessage ?? '' };
}

export const emptyErrorResponse: ErrorResponse = createErrorResponse({});

export function readErrorResponse(r: Reader, end: number, before: ErrorResponse): ErrorResponse {
  let { errorCode, errorMessage } = before;
  while (r.at < end) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        errorCode = r.int32();
        break;
      case 18:
        errorMessage = r.string();
        break;
      default:
        r.unknown(tag, [1, 2]);
    }
  }
  r.leave(end);
  return { errorCode, errorMessage };
}

export function writeErrorResponse(w: Writer, m: ErrorResponse): void {
  if (m.errorMessage !== '') w.string(18, m.errorMessage);
  if (m.errorCode !== 0) w.int32(8, m.errorCode);
}
