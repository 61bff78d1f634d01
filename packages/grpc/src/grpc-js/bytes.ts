// grpc-js is handed finished bytes and hands bytes back: messages are encoded and decoded here, so that what is wrong
// with them is told in our words.
import { messageOf } from '@distrokv/base';
import type { MessageType } from '@distrokv/proto';
import { GrpcError } from '../status.ts';

/** The `serialize` and `deserialize` of every method: none. */
export function asIs(bytes: Buffer): Buffer {
  return bytes;
}

/** `bytes` as a Buffer on the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes a request; what is none is answered as Go's gRPC does. */
export function decodeRequest<T>(type: MessageType<T>, bytes: Uint8Array): T {
  return decode(type, bytes, 'grpc: error unmarshalling request');
}

export function decodeResponse<T>(type: MessageType<T>, bytes: Uint8Array): T {
  return decode(type, bytes, 'grpc: failed to unmarshal the received message');
}

function decode<T>(type: MessageType<T>, bytes: Uint8Array, problem: string): T {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw new GrpcError('internal', `${problem}: ${type.typeName}: ${messageOf(cause)}`, { cause });
  }
}
