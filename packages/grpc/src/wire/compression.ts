// Compressed messages (gRPC "Compression"): gzip is taken, never sent. What it unpacks to has the same limit as any message,
// so a bomb costs no more than an honest one.
import { gunzipSync } from 'node:zlib';
import { messageOf } from '@distrokv/base';
import { GrpcError } from '../status.ts';

export type Compression = 'identity' | 'gzip';

/** What both sides say that they take. */
export const ACCEPT_ENCODING = 'identity,gzip';

/** The encoding that a header names; undefined for one that is not known here. */
export function compressionOf(name: string | undefined): Compression | undefined {
  if (name === undefined || name === '' || name === 'identity') return 'identity';
  return name === 'gzip' ? 'gzip' : undefined;
}

/** Throws GrpcError: `resource-exhausted` past `maxBytes`, `internal` when it is not gzip. */
export function decompress(bytes: Uint8Array, compression: Compression, maxBytes: number): Uint8Array {
  if (compression === 'identity') return bytes;
  try {
    const { buffer, byteOffset, length } = gunzipSync(bytes, { maxOutputLength: maxBytes });
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    if (cause instanceof RangeError || (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE'))
      throw new GrpcError('resource-exhausted', `grpc: received message after decompression larger than max ${maxBytes}`, { cause });
    throw new GrpcError('internal', `grpc: failed to decompress the received message: ${messageOf(cause)}`, { cause });
  }
}
