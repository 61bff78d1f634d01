// Metadata between our form and grpc-js's.
import * as grpc from '@grpc/grpc-js';
import { messageOf } from '@distrokv/base';
import { GrpcError } from '../status.ts';
import type { Metadata } from '../types.ts';

/** Shows the metadata of a call. A name that comes more than once has its first value with `get`. */
export function metadataOf(received: grpc.Metadata): Metadata {
  const first = (name: string): string | Buffer | undefined => received.get(name)[0];
  return {
    get(name) {
      const value = first(name);
      return typeof value === 'string' ? value : undefined;
    },
    getBinary(name) {
      const value = first(name);
      return value === undefined || typeof value === 'string' ? undefined : value;
    },
    *entries() {
      for (const name of Object.keys(received.getMap())) for (const value of received.get(name)) yield [name, value] as const;
    },
  };
}

/** The metadata of a call to make; GrpcError `invalid-argument` for a name or a value that no header can have. */
export function metadataToSend(entries: Readonly<Record<string, string | Uint8Array>> = {}, waitForReady = false): grpc.Metadata {
  const metadata = new grpc.Metadata({ waitForReady });
  try {
    for (const [name, value] of Object.entries(entries)) metadata.set(name, typeof value === 'string' ? value : Buffer.from(value));
  } catch (cause) {
    throw new GrpcError('invalid-argument', messageOf(cause), { cause });
  }
  return metadata;
}
