// Server reflection, v1: tells clients without .proto files (grpcurl and its kind) what is served.
import { unreachable } from '@distrokv/base';
import { type FileDescriptor, fileDescriptors, reflection as pb } from '@distrokv/proto';
import { StatusCode } from '../status.ts';
import type { Server } from '../types.ts';

type Answer = NonNullable<pb.ServerReflectionResponse['messageResponse']>;

/** Adds the service; it tells of what the server has by the time that it is asked. */
export function addReflection(server: Server): void {
  server.addService(pb.ServerReflection, {
    async serverReflectionInfo(call) {
      for await (const request of call.requests) {
        const response = { validHost: request.host, originalRequest: request, messageResponse: answer(server, request) };
        if (!call.send(response)) await call.writable();
      }
    },
  });
}

function answer(server: Server, { messageRequest: request }: pb.ServerReflectionRequest): Answer {
  switch (request?.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: server.services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return filesFrom(
        fileDescriptors.find(({ name }) => name === request.value),
        `File not found: ${request.value}`,
      );
    case 'fileContainingSymbol': {
      const symbol = request.value;
      return filesFrom(
        fileDescriptors.find(({ symbols }) => symbols.includes(symbol)),
        `Symbol not found: ${symbol}`,
      );
    }
    case 'fileContainingExtension':
      return notFound(`${request.value.containingType} has no extensions`);
    case 'allExtensionNumbersOfType':
      return notFound(`${request.value} has no extensions`);
    case undefined:
      return { case: 'errorResponse', value: { errorCode: StatusCode['invalid-argument'], errorMessage: 'the request asks nothing' } };
    default:
      return unreachable(request, 'reflection request');
  }
}

/** A file and all that it stands on: so that one answer is enough. */
function filesFrom(file: FileDescriptor | undefined, missing: string): Answer {
  if (file === undefined) return notFound(missing);
  const found = new Set([file]);
  for (const each of found) for (const name of each.imports) for (const other of fileDescriptors) if (other.name === name) found.add(other);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...found].map(({ base64 }) => Buffer.from(base64, 'base64')) } };
}

function notFound(errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode: StatusCode['not-found'], errorMessage } };
}
