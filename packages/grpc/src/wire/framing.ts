// Messages in a byte stream (gRPC over HTTP/2, "Length-Prefixed-Message"): one byte that says whether it is compressed,
// four of length, the message. DATA frames cut them anywhere.
import { messageOf } from '@distrokv/base';
import type { Allocate, MessageType } from '@distrokv/proto';
import { GrpcError } from '../status.ts';
import { type Compression, decompress } from './compression.ts';

export const PREFIX_BYTES = 5;

/** A message with its prefix, ready to send; `allocate` may give the memory. */
export function frame<T>(type: MessageType<T>, message: T, allocate?: Allocate): Uint8Array {
  const bytes = type.encode(message, PREFIX_BYTES, allocate);
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

/** A longer message is gathered in a buffer of its own as it comes. */
const LARGE_BYTES = 64 << 10;

/** Bytes of a stream that wait to be read as messages. Holds what came and little more: a length that lies costs nothing. */
export class MessageBuffer {
  readonly #maxBytes: number;
  readonly #of: { readonly compression: Compression };
  /** The first from `#at`. */
  readonly #chunks: Uint8Array[] = [];
  #first = 0;
  #at = 0;
  /** Bytes in the chunks. */
  #bytes = 0;
  /** Length of the message at the front; -1 while its prefix is not complete. */
  #length = -1;
  #compressed = false;
  /** What has come of a large message; it grows with it. */
  #large: Uint8Array | undefined;
  #largeBytes = 0;

  /** `maxBytes`: the largest message, compressed or not. `of` is asked how messages are compressed when there are some. */
  constructor(maxBytes: number, of: { readonly compression: Compression }) {
    this.#maxBytes = maxBytes;
    this.#of = of;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes + this.#largeBytes;
  }

  /** Is a whole message there? Throws GrpcError when what is there can never be one. */
  get hasMessage(): boolean {
    if (this.#length < 0 && !this.#readPrefix()) return false;
    return this.bytes >= this.#length;
  }

  /** Would an end here cut a message in two? */
  get isWithinMessage(): boolean {
    return this.bytes > 0 || this.#length >= 0;
  }

  /** Adds a copy of `bytes`. */
  push(bytes: Uint8Array): void {
    let from = 0;
    if (this.#length >= LARGE_BYTES && this.#largeBytes < this.#length) {
      this.#large ??= this.#gather();
      from = this.#fill(bytes);
    }
    if (from === bytes.length) return;
    this.#chunks.push(bytes.slice(from));
    this.#bytes += bytes.length - from;
  }

  /** The next message, if it is whole: nobody else's bytes. Throws as `hasMessage` does, and when it does not decompress. */
  next(): Uint8Array | undefined {
    if (!this.hasMessage) return undefined;
    const length = this.#length;
    const message = this.#large === undefined ? this.#take(length) : this.#large.subarray(0, length);
    this.#large = undefined;
    this.#largeBytes = 0;
    this.#length = -1;
    return this.#compressed ? decompress(message, this.#of.compression, this.#maxBytes) : message;
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#first = 0;
    this.#at = 0;
    this.#bytes = 0;
    this.#length = -1;
    this.#large = undefined;
    this.#largeBytes = 0;
  }

  /** Moves what has come of a large message into a buffer of its own. */
  #gather(): Uint8Array {
    const part = this.#bytes;
    const large = new Uint8Array(Math.min(this.#length, Math.max(4 * LARGE_BYTES, 2 * part)));
    this.#copyTo(large, part);
    this.#bytes -= part;
    this.#largeBytes = part;
    return large;
  }

  /** Adds what belongs to the large message; returns where the rest begins. */
  #fill(bytes: Uint8Array): number {
    const part = Math.min(bytes.length, this.#length - this.#largeBytes);
    let large = this.#large as Uint8Array;
    if (this.#largeBytes + part > large.length) {
      large = new Uint8Array(Math.min(this.#length, Math.max(4 * large.length, this.#largeBytes + part)));
      large.set((this.#large as Uint8Array).subarray(0, this.#largeBytes));
      this.#large = large;
    }
    large.set(part === bytes.length ? bytes : bytes.subarray(0, part), this.#largeBytes);
    this.#largeBytes += part;
    return part;
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
    this.#copyTo(out, length);
    return out;
  }

  #copyTo(out: Uint8Array, length: number): void {
    for (let filled = 0; filled < length;) {
      const chunk = this.#chunks[this.#first] as Uint8Array;
      const part = Math.min(chunk.length - this.#at, length - filled);
      out.set(chunk.subarray(this.#at, this.#at + part), filled);
      filled += part;
      this.#skip(part);
    }
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

/** Decodes a request; what is none is answered as Go's gRPC does. `given`: nobody else needs `bytes` any more. */
export function decodeRequest<T>(type: MessageType<T>, bytes: Uint8Array, given = false): T {
  return decode(type, bytes, given, 'grpc: error unmarshalling request');
}

export function decodeResponse<T>(type: MessageType<T>, bytes: Uint8Array, given = false): T {
  return decode(type, bytes, given, 'grpc: failed to unmarshal the received message');
}

function decode<T>(type: MessageType<T>, bytes: Uint8Array, given: boolean, problem: string): T {
  try {
    return type.decode(bytes, given && bytes.length >= LARGE_BYTES);
  } catch (cause) {
    throw new GrpcError('internal', `${problem}: ${type.typeName}: ${messageOf(cause)}`, { cause });
  }
}
