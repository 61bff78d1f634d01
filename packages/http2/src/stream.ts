// One stream (RFC 9113 §5.1): what both sides have said so far, and what waits to be sent. The states of the RFC are `localEnded` and
// `remoteEnded` in all their combinations, and `closed`; "idle" streams have no object. Nothing here is for the owner of the connection but `Stream`.
import type { ErrorCode } from './codes.ts';
import type { HeaderBlock } from './header-block.ts';
import type { ReceiveWindow } from './receive-window.ts';
import type { HeaderList, Stream } from './types.ts';

/** What a stream asks of its connection. */
export interface StreamOwner<Context> {
  sendHeaders(stream: Http2Stream<Context>, headers: HeaderBlock | HeaderList, endStream: boolean, extra?: HeaderList): boolean;
  sendData(stream: Http2Stream<Context>, bytes: Uint8Array, endStream: boolean): boolean;
  consume(stream: Http2Stream<Context>, bytes: number): void;
  resetStream(stream: Http2Stream<Context>, code: ErrorCode): void;
}

export interface Trailers {
  readonly headers: HeaderBlock | HeaderList;
  readonly extra: HeaderList | undefined;
}

export class Http2Stream<Context> implements Stream<Context> {
  readonly id: number;
  readonly #owner: StreamOwner<Context>;
  context: Context | undefined = undefined;
  closed = false;
  /** Value of `Core.ticks` when it was opened. */
  readonly bornAt: number;

  // What comes.
  /** The peer has sent END_STREAM. */
  remoteEnded = false;
  /** The request (server) or the final response (client) has come: headers that follow are trailers. */
  headersCame = false;
  readonly window: ReceiveWindow;
  /** Value of content-length, or -1. */
  expectedBytes = -1;
  receivedBytes = 0;
  /** A client's request was HEAD: the answer has no body, whatever its content-length. */
  isHead = false;

  // What goes.
  /** The owner has said its last word, which may still be queued. */
  localEnded = false;
  /** END_STREAM is in the output. */
  localFlushed = false;
  /** How many bytes the peer takes; negative after it has made its window smaller (§6.9.2). */
  sendWindow: number;
  queuedBytes = 0;
  /** Of the first of `queue`, this many bytes are sent. */
  queue: Uint8Array[] = [];
  headSent = 0;
  trailers: Trailers | undefined = undefined;
  /** `sendData` has said false. */
  mustHearOfRoom = false;

  constructor(owner: StreamOwner<Context>, id: number, sendWindow: number, window: ReceiveWindow, bornAt: number) {
    this.#owner = owner;
    this.id = id;
    this.sendWindow = sendWindow;
    this.window = window;
    this.bornAt = bornAt;
  }

  sendHeaders(headers: HeaderBlock | HeaderList, endStream = false, extra?: HeaderList): boolean {
    return this.#owner.sendHeaders(this, headers, endStream, extra);
  }

  sendData(bytes: Uint8Array, endStream = false): boolean {
    return this.#owner.sendData(this, bytes, endStream);
  }

  consume(bytes: number): void {
    this.#owner.consume(this, bytes);
  }

  reset(code: ErrorCode): void {
    this.#owner.resetStream(this, code);
  }
}
