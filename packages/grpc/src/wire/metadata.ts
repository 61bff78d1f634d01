// Metadata is headers (gRPC over HTTP/2, "Custom-Metadata"): text as it is, bytes in base64 under names that end in "-bin".
import type { HeaderList } from '@distrokv/http2';
import { GrpcError } from '../status.ts';
import type { Metadata, MetadataInit } from '../types.ts';

/** What the protocol itself uses is no metadata. */
const reserved = new Set([
  'content-type',
  'te',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'grpc-status',
  'grpc-message',
  'host',
]);

function isReserved(name: string): boolean {
  return name.charCodeAt(0) === 0x3a || reserved.has(name);
}

/** Metadata on top of a header list; nothing is decoded before somebody asks. */
export class ReceivedMetadata implements Metadata {
  readonly #headers: HeaderList;

  constructor(headers: HeaderList) {
    this.#headers = headers;
  }

  get(name: string): string | undefined {
    return name.endsWith('-bin') ? undefined : this.#first(name);
  }

  getBinary(name: string): Uint8Array | undefined {
    const value = name.endsWith('-bin') ? this.#first(name) : undefined;
    // Several values may have been joined to one (RFC 9110 §5.3); base64 has no comma.
    return value === undefined ? undefined : fromBase64(value.split(',', 1)[0] as string);
  }

  *entries(): IterableIterator<readonly [string, string | Uint8Array]> {
    const headers = this.#headers;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      if (isReserved(name)) continue;
      if (!name.endsWith('-bin')) yield [name, value];
      else for (const part of value.split(',')) yield [name, fromBase64(part.trim())];
    }
  }

  #first(name: string): string | undefined {
    const headers = this.#headers;
    for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return isReserved(name) ? undefined : headers[i + 1];
    return undefined;
  }
}

const namePattern = /^[0-9a-z_.-]+$/;
const textPattern = /^[\x20-\x7e]*$/;

/** The headers of metadata to send. Throws GrpcError `invalid-argument` for a name or a value that no header can have. */
export function metadataHeaders(entries: MetadataInit): string[] {
  const headers: string[] = [];
  for (const [given, value] of Object.entries(entries)) {
    const name = given.toLowerCase();
    const refuse = (why: string): GrpcError => new GrpcError('invalid-argument', `metadata ${JSON.stringify(given)}: ${why}`);
    if (!namePattern.test(name)) throw refuse('a name has letters, digits, "_", "-" and "." only');
    if (isReserved(name) || name.startsWith('grpc-')) throw refuse('the name belongs to the protocol');
    const isBinary = name.endsWith('-bin');
    if (typeof value !== 'string') {
      if (!isBinary) throw refuse('bytes need a name that ends in "-bin"');
      headers.push(name, toBase64(value));
      continue;
    }
    if (isBinary) throw refuse('a name that ends in "-bin" is for bytes');
    if (!textPattern.test(value)) throw refuse('a value is printable ASCII; bytes go under a name that ends in "-bin"');
    headers.push(name, value.trim());
  }
  return headers;
}

/** Without padding, as gRPC asks of senders. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64').replace(/=+$/, '');
}

/** With padding or without. */
export function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
