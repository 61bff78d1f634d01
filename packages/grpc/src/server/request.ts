// What the headers of a call say, read once: calls with the same headers share it.
import { HeaderBlock, type HeaderList } from '@distrokv/http2';
import { GrpcError } from '../status.ts';
import type { Metadata } from '../types.ts';
import { ACCEPT_ENCODING, type Compression, compressionOf } from '../wire/compression.ts';
import { ReceivedMetadata } from '../wire/metadata.ts';
import { parseTimeout } from '../wire/timeout.ts';
import type { Route, Router } from './router.ts';

/** The headers of every answer that has messages. */
export const responseHeaders: HeaderBlock = new HeaderBlock([':status', '200', 'content-type', 'application/grpc']);
/** The same where the caller has to learn what it may compress with. */
export const refusalHeaders: readonly string[] = [...responseHeaders.list, 'grpc-accept-encoding', ACCEPT_ENCODING];

/** A call that is none of gRPC's, answered with a status of HTTP (gRPC over HTTP/2, "Requests"). */
export interface HttpRefusal {
  readonly status: string;
  readonly text: string;
}

export interface CallRequest {
  readonly path: string;
  readonly route: Route | undefined;
  readonly metadata: Metadata;
  readonly timeoutMs: number | undefined;
  readonly compression: Compression;
  /** No call at all: neither its path nor its content type is one of gRPC's. */
  readonly isPlain: boolean;
  /** Why the call is refused before its handler hears of it. */
  readonly refusal: GrpcError | HttpRefusal | undefined;
}

export function readRequest(headers: HeaderList, router: Router): CallRequest {
  let method = '';
  let path = '';
  let contentType: string | undefined;
  let timeout: string | undefined;
  let encoding: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    switch (headers[i]) {
      case ':method':
        method = value;
        break;
      case ':path':
        path = value;
        break;
      case 'content-type':
        contentType = value;
        break;
      case 'grpc-timeout':
        timeout = value;
        break;
      case 'grpc-encoding':
        encoding = value;
        break;
      default:
    }
  }
  const route = router.find(path);
  const compression = compressionOf(encoding);
  const timeoutMs = timeout === undefined ? undefined : parseTimeout(timeout);
  let refusal: CallRequest['refusal'];
  if (!isGrpc(contentType)) refusal = { status: '415', text: `invalid gRPC request content-type ${JSON.stringify(contentType ?? '')}` };
  else if (method !== 'POST') refusal = { status: '405', text: `invalid gRPC request method ${JSON.stringify(method)}` };
  else if (timeout !== undefined && timeoutMs === undefined)
    refusal = new GrpcError('internal', `malformed grpc-timeout: ${JSON.stringify(timeout)}`);
  else if (route === undefined) refusal = router.refusal(path);
  else if (compression === undefined)
    refusal = new GrpcError('unimplemented', `grpc: Decompressor is not installed for grpc-encoding ${JSON.stringify(encoding)}`);
  const isPlain = route === undefined && contentType?.startsWith('application/grpc') !== true;
  return { path, route, metadata: new ReceivedMetadata(headers), timeoutMs, compression: compression ?? 'identity', isPlain, refusal };
}

function isGrpc(contentType: string | undefined): boolean {
  if (contentType === 'application/grpc') return true;
  return contentType !== undefined && /^application\/grpc(\+proto)?(;.*)?$/i.test(contentType);
}
