// What unary calls and streams have in common on the server: who called, until when, and how the call ends.
import { messageOf } from '@distrokv/base';
import { ErrorCode, type HeaderBlock, type HeaderList, type Stream } from '@distrokv/http2';
import { GrpcError } from '../status.ts';
import type { Metadata, MetadataInit, ServerCall } from '../types.ts';
import type { Buffers } from '../wire/buffers.ts';
import type { Deadlines, Due } from '../wire/deadlines.ts';
import { metadataHeaders } from '../wire/metadata.ts';
import { errorTrailers, okTrailers } from '../wire/trailers.ts';
import { type CallRequest, refusalHeaders, responseHeaders } from './request.ts';

/** What a call needs of its server and its connection. */
export interface CallHost {
  readonly peer: string;
  readonly peerCommonName: string | undefined;
  readonly deadlines: Deadlines;
  readonly maxReceiveBytes: number;
  readonly memory: Buffers;
  onUnexpectedError(error: unknown, path: string): void;
}

/** What a handler seldom asks for is made when it does: most calls need no AbortController. */
export abstract class Call implements ServerCall, Due {
  bucket: Set<Due> | undefined = undefined;
  protected readonly host: CallHost;
  protected readonly request: CallRequest;
  protected readonly stream: Stream;
  /** The headers have been sent. */
  protected started = false;
  /** The handler has answered, or nobody waits for its answer any more. */
  protected over = false;
  #cancelled = false;
  #controller: AbortController | undefined;
  #metadata: string[] | undefined;
  #trailers: string[] | undefined;

  constructor(host: CallHost, request: CallRequest, stream: Stream) {
    this.host = host;
    this.request = request;
    this.stream = stream;
    if (request.timeoutMs !== undefined) host.deadlines.add(this, request.timeoutMs);
  }

  /** A part of the body, valid during the call only. */
  abstract onData(bytes: Uint8Array, endStream: boolean): void;
  /** The stream has room again. */
  onWritable(): void {
    // Who sends one answer does not wait for room.
  }

  get path(): string {
    return this.request.path;
  }

  get metadata(): Metadata {
    return this.request.metadata;
  }

  get peer(): string {
    return this.host.peer;
  }

  get peerCommonName(): string | undefined {
    return this.host.peerCommonName;
  }

  get timeoutMs(): number | undefined {
    return this.request.timeoutMs;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(CANCELLED);
    }
    return this.#controller.signal;
  }

  sendMetadata(metadata: MetadataInit): void {
    const headers = metadataHeaders(metadata);
    if (!this.started) (this.#metadata ??= []).push(...headers);
  }

  setTrailers(metadata: MetadataInit): void {
    (this.#trailers ??= []).push(...metadataHeaders(metadata));
  }

  onDeadline(): void {
    if (this.over) return;
    this.fail(new GrpcError('deadline-exceeded', 'context deadline exceeded'));
    this.cancelled(); // its handler may still be at it
  }

  /** The caller has gone, or its deadline has passed, or the server is in a hurry. */
  cancelled(): void {
    if (this.#cancelled) return;
    const wasOver = this.over;
    this.#cancelled = true;
    this.finished();
    if (!wasOver || this.#controller !== undefined) this.#controller?.abort(CANCELLED);
    this.onCancelled(CANCELLED);
  }

  protected onCancelled(_why: GrpcError): void {
    // Unary handlers hear of it by their signal.
  }

  /** Ends the call with the status of what was thrown, after what was sent. */
  protected fail(thrown: unknown): void {
    if (this.over) return;
    this.finished();
    const error = this.#blame(thrown);
    const trailers = [...errorTrailers(error), ...(this.#trailers ?? [])];
    this.#end(this.started ? trailers : [...refusalHeaders, ...(this.#metadata ?? []), ...trailers]);
  }

  /** Throws Http2Error `bad-headers` if they are more than the other side takes. */
  protected start(): void {
    if (this.started) return;
    if (this.#metadata === undefined) this.stream.sendHeaders(responseHeaders);
    else this.stream.sendHeaders(responseHeaders, false, this.#metadata);
    this.started = true;
  }

  protected succeed(): void {
    if (this.over) return;
    this.finished();
    this.#end(okTrailers, this.#trailers);
  }

  protected finished(): void {
    if (this.over) return;
    this.over = true;
    if (this.bucket !== undefined) this.host.deadlines.remove(this);
  }

  #end(headers: HeaderBlock | HeaderList, extra?: HeaderList): void {
    try {
      this.stream.sendHeaders(headers, true, extra);
    } catch (error) {
      this.host.onUnexpectedError(error, this.path);
      this.stream.reset(ErrorCode.internalError); // they are more than the other side takes
    }
  }

  #blame(thrown: unknown): GrpcError {
    if (thrown instanceof GrpcError) return thrown;
    this.host.onUnexpectedError(thrown, this.path);
    return new GrpcError('unknown', messageOf(thrown));
  }
}

/** One for all calls: a caller can cancel thousands a second, and each error of its own would cost more than the rest of the call. */
export const CANCELLED: GrpcError = new GrpcError('cancelled', 'the call was cancelled');
