// Messages in a byte stream (gRPC over HTTP/2, "Length-Prefixed-Message"): one byte that says whether it is compressed,
// four of length, the message. DATA frames cut them anywhere.
import { messageOf } from '@distrokv/base';
import type { MessageType } from '@distrokv/proto';
import { GrpcError } from '../status.ts';
import { type Compression, decompress } from './compression.ts';

export const PREFIX_BYTES = 5;

/** A message with its prefix, ready to send. */
export function frame<T>(type: MessageType<T>, message: T): Uint8Array {
  const bytes = type.encode(message, PREFIX_BYTES);
  const length = bytes.length - PREFIX_BYTES;
  bytes[0] = 0;
  bytes[1] = length >>> 24;
  bytes[2] = length >>> 16;
  bytes[3] = length >>> 8;
  bytes[4] = length;
  return bytes;
}

/** Is `bytes` exactly one message that is not compressed? Then it may be decoded where it lies. */
export function isOneMessage(bytes: Uint8Array): boolean {
  return bytes.length >= PREFIX_BYTES && bytes[0] === 0 && lengthAt(bytes, 0) === bytes.length - PREFIX_BYTES;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at + 1] as number) << 24) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 8) |
      (bytes[at + 4] as number)) >>>
    0
  );
}

/** Bytes of a stream that wait to be read as messages. Holds what came and no more: a length that lies costs nothing. */
export class MessageBuffer {
  readonly #maxBytes: number;
  readonly #of: { readonly compression: Compression };
  /** The first from `#at`. */
  readonly #chunks: Uint8Array[] = [];
  #first = 0;
  #at = 0;
  /** Bytes that wait. */
  #bytes = 0;
  /** Length of the message at the front; -1 while its prefix is not complete. */
  #length = -1;
  #compressed = false;

  /** `maxBytes`: the largest message, compressed or not. `of` is asked how messages are compressed when there are some. */
  constructor(maxBytes: number, of: { readonly compression: Compression }) {
    this.#maxBytes = maxBytes;
    this.#of = of;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Is a whole message there? Throws GrpcError when what is there can never be one. */
  get hasMessage(): boolean {
    if (this.#length < 0 && !this.#readPrefix()) return false;
    return this.#bytes >= this.#length;
  }

  /** Would an end here cut a message in two? */
  get isWithinMessage(): boolean {
    return this.#bytes > 0 || this.#length >= 0;
  }

  /** Adds bytes, which must not change any more. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The next message, if it is whole. Throws as `hasMessage` does, and when it does not decompress. */
  next(): Uint8Array | undefined {
    if (!this.hasMessage) return undefined;
    const message = this.#take(this.#length);
    this.#length = -1;
    return this.#compressed ? decompress(message, this.#of.compression, this.#maxBytes) : message;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#first = 0;
    this.#at = 0;
    this.#bytes = 0;
    this.#length = -1;
  }

  #readPrefix(): boolean {
    if (this.#bytes < PREFIX_BYTES) return false;
    const prefix = this.#take(PREFIX_BYTES);
    const flag = prefix[0] as number;
    if (flag > 1) throw new GrpcError('internal', `grpc: received unexpected payload format ${flag}`);
    if (flag === 1 && this.#of.compression === 'identity')
      throw new GrpcError('internal', 'grpc: compressed flag set with identity or empty encoding');
    const length = lengthAt(prefix, 0);
    if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes);
    this.#compressed = flag === 1;
    this.#length = length;
    return true;
  }

  /** The next `length` bytes, which are there: a view if they lie in one chunk. */
  #take(length: number): Uint8Array {
    this.#bytes -= length;
    const first = this.#chunks[this.#first];
    if (first !== undefined && first.length - this.#at >= length) {
      const view = first.subarray(this.#at, this.#at + length);
      this.#skip(length);
      return view;
    }
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const chunk = this.#chunks[this.#first] as Uint8Array;
      const part = Math.min(chunk.length - this.#at, length - filled);
      out.set(chunk.subarray(this.#at, this.#at + part), filled);
      filled += part;
      this.#skip(part);
    }
    return out;
  }

  /** Moves on within the first chunk. Chunks that are used up are dropped many at a time. */
  #skip(length: number): void {
    this.#at += length;
    if (this.#at < (this.#chunks[this.#first]?.length ?? 0)) return;
    this.#at = 0;
    this.#chunks[this.#first++] = NOTHING;
    if (this.#first === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#first = 0;
    } else if (this.#first >= 1024) {
      this.#chunks.splice(0, this.#first);
      this.#first = 0;
    }
  }
}

const NOTHING = new Uint8Array(0);

/** In the words of Go's gRPC. */
export function tooLarge(length: number, max: number): GrpcError {
  return new GrpcError('resource-exhausted', `grpc: received message larger than max (${length} vs. ${max})`);
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
