// What unary calls and streams have in common on the client: when they may start, and every way in which they end.
import { type HeaderList, ErrorCode, type Stream, type StreamReset, errorName } from '@distrokv/http2';
import type { Method } from '@distrokv/proto';
import { GrpcError, type StatusName } from '../status.ts';
import type { CallOptions } from '../types.ts';
import type { Buffers } from '../wire/buffers.ts';
import { type Compression, compressionOf } from '../wire/compression.ts';
import type { Deadlines, Due } from '../wire/deadlines.ts';
import { ReceivedMetadata, metadataHeaders } from '../wire/metadata.ts';
import { statusOf, statusOfHttp } from '../wire/trailers.ts';
import type { ClientConnection } from './connection.ts';

/** What a call needs of its channel. */
export interface CallOwner {
  readonly deadlines: Deadlines;
  readonly maxReceiveBytes: number;
  readonly buffers: Buffers;
  /** Starts a call, now or when there is a connection. */
  begin(call: Call): void;
  /** The call is over. */
  ended(call: Call): void;
}

/** A server may refuse a call unseen, and it is sent again; not for ever. */
const MAX_ATTEMPTS = 4;

export abstract class Call implements Due {
  bucket: Set<Due> | undefined = undefined;
  readonly method: Method<unknown, unknown>;
  readonly timeoutMs: number;
  readonly waitForReady: boolean;
  /** The metadata to send, as headers. */
  readonly extra: HeaderList | undefined;
  protected readonly owner: CallOwner;
  protected stream: Stream<Call> | undefined;
  /** How the messages of the answer are compressed, once its headers have come. */
  compression: Compression = 'identity';
  protected over = false;
  readonly #options: CallOptions;
  #answered = false;
  #attempts = 0;
  #abort: (() => void) | undefined;

  /** Throws GrpcError for a call that cannot be made. */
  constructor(owner: CallOwner, method: Method<unknown, unknown>, options: CallOptions) {
    const { signal, timeoutMs = Infinity, metadata, waitForReady = false } = options;
    this.owner = owner;
    this.method = method;
    this.timeoutMs = timeoutMs;
    this.waitForReady = waitForReady;
    this.extra = metadata === undefined ? undefined : metadataHeaders(metadata);
    this.#options = options;
    if (signal?.aborted === true) throw new GrpcError('cancelled', 'the call was cancelled', { cause: signal.reason, neverSent: true });
    if (timeoutMs !== Infinity) owner.deadlines.add(this, Math.max(0, timeoutMs));
    if (signal !== undefined) {
      this.#abort = () => this.cancel();
      signal.addEventListener('abort', this.#abort);
    }
  }

  get isOver(): boolean {
    return this.over;
  }

  /** There is a connection that has room for a stream: the call goes out. */
  open(connection: ClientConnection): void {
    if (this.over) return;
    this.#attempts++;
    this.onOpen(connection);
  }

  protected abstract onOpen(connection: ClientConnection): void;
  /** A part of the answer, valid during the call only. */
  abstract onData(bytes: Uint8Array): void;
  /** The call is over; undefined for status OK. */
  protected abstract onEnd(error: GrpcError | undefined): void;
  /** May it be sent once more as if nothing had happened? */
  protected abstract get isRepeatable(): boolean;

  onWritable(): void {
    // Who sends one request does not wait for room.
  }

  onHeaders(headers: HeaderList, endStream: boolean): void {
    let status = '';
    let contentType: string | undefined;
    let encoding: string | undefined;
    let grpcStatus = false;
    for (let i = 0; i < headers.length; i += 2) {
      const value = headers[i + 1] as string;
      if (headers[i] === ':status') status = value;
      else if (headers[i] === 'content-type') contentType = value;
      else if (headers[i] === 'grpc-encoding') encoding = value;
      else if (headers[i] === 'grpc-status') grpcStatus = true;
    }
    if (!contentType?.startsWith('application/grpc') || status !== '200') {
      this.abandon(grpcStatus && endStream ? (statusOf(headers) ?? statusOfHttp(status, contentType)) : statusOfHttp(status, contentType));
      return;
    }
    this.#answered = true;
    if (endStream) {
      this.onTrailers(headers);
      return;
    }
    const compression = compressionOf(encoding);
    if (compression === undefined)
      this.abandon(new GrpcError('internal', `the server compresses with ${JSON.stringify(encoding)}, which is not known here`));
    else this.compression = compression;
    this.#options.onMetadata?.(new ReceivedMetadata(headers));
  }

  onTrailers(trailers: HeaderList): void {
    this.#options.onTrailers?.(new ReceivedMetadata(trailers));
    this.end(statusOf(trailers));
  }

  /** The stream ended without trailers. */
  onCut(): void {
    this.end(new GrpcError('internal', 'the server ended the call without a status'));
  }

  onReset(reset: StreamReset): void {
    this.stream = undefined;
    if (reset.unprocessed && this.isRepeatable && !this.#answered && this.#attempts < MAX_ATTEMPTS) this.owner.begin(this);
    else this.end(statusOfReset(reset));
  }

  onDeadline(): void {
    const neverSent = this.stream === undefined;
    this.abandon(new GrpcError('deadline-exceeded', `deadline exceeded after ${this.timeoutMs} ms`, { neverSent }));
  }

  cancel(): void {
    const cause = this.#options.signal?.reason as unknown;
    this.abandon(new GrpcError('cancelled', 'the call was cancelled', { cause, neverSent: this.stream === undefined }));
  }

  /** Ends the call from this side. */
  abandon(error: GrpcError): void {
    if (this.over) return;
    this.stream?.reset(ErrorCode.cancel);
    this.end(error);
  }

  protected end(error: GrpcError | undefined): void {
    if (this.over) return;
    this.over = true;
    if (this.bucket !== undefined) this.owner.deadlines.remove(this);
    if (this.#abort !== undefined) this.#options.signal?.removeEventListener('abort', this.#abort);
    this.owner.ended(this);
    this.onEnd(error);
  }
}

/** What an RST_STREAM means (gRPC over HTTP/2, "Errors"). */
function statusOfReset({ code, by, unprocessed, message }: StreamReset): GrpcError {
  if (by === 'connection') return new GrpcError('unavailable', message, { neverSent: unprocessed });
  const status: StatusName = resetCodes[code] ?? 'internal';
  return new GrpcError(status, `the stream was reset with ${errorName(code)}${message === '' ? '' : `: ${message}`}`, {
    neverSent: unprocessed,
  });
}

const resetCodes: Readonly<Record<number, StatusName>> = {
  [ErrorCode.refusedStream]: 'unavailable',
  [ErrorCode.cancel]: 'cancelled',
  [ErrorCode.enhanceYourCalm]: 'resource-exhausted',
  [ErrorCode.inadequateSecurity]: 'permission-denied',
};
