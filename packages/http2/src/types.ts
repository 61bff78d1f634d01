// What the owner of a connection sees. A `Connection` is HTTP/2 (RFC 9113) without a socket: the owner hands in the bytes that arrived and
// the time, and takes away the bytes to send. Nothing here opens, waits or keeps time, and nothing throws for what a peer did.
import type { ErrorCode } from './codes.ts';
import type { HeaderBlock } from './header-block.ts';
import type { Http2Error } from './errors.ts';

/**
 * Names and values in turn: `[':status', '200', 'content-type', 'application/grpc']`. Names are lower case, pseudo-headers come first.
 * A character is a byte (Latin-1). A list that a connection hands out is shared: it is never changed, and calls with equal
 * headers mostly get the very same array, so what is derived from one can be kept in a WeakMap.
 */
export type HeaderList = readonly string[];

/** Why a stream is over before its time. */
export interface StreamReset {
  readonly code: ErrorCode;
  /** `peer`: it sent RST_STREAM. `local`: it broke the protocol on this stream. `connection`: the connection is over. */
  readonly by: 'connection' | 'local' | 'peer';
  /** The peer never looked at this request, so it may be sent again whatever it does (RFC 9113 §8.7). Clients only. */
  readonly unprocessed: boolean;
  readonly message: string;
}

/**
 * One stream. `Context` is whatever the owner hangs on it (its call). After the end of a stream every method does nothing, so that the
 * owner may be late: `send…` returns false then.
 */
export interface Stream<Context = unknown> {
  readonly id: number;
  context: Context | undefined;
  /** Neither side will say more: both have ended, or one has reset it, or the connection is over. */
  readonly closed: boolean;
  /** Bytes given to `sendData` that wait for the peer's windows, or for the output to be taken. */
  readonly queuedBytes: number;

  /**
   * The first headers of this side (a server's; a client's go with `openStream`), any number of `1xx` before them, or the last of
   * this side, the trailers: then `endStream` is true. `extra` follows `headers`; a `HeaderBlock` that serves many calls
   * plus what is special to this one. Trailers wait for the data before them. Throws Http2Error `bad-headers` if a name or value is malformed, or if
   * the list is larger than the peer takes; nothing is sent then.
   */
  sendHeaders(headers: HeaderBlock | HeaderList, endStream?: boolean, extra?: HeaderList): boolean;
  /**
   * Sends or queues `bytes`, which nobody may change before they are written (`onDataMoved`). Returns false when more than `options.streamQueueBytes` are queued: wait for
   * `onWritable`. Everything is taken, whatever it returns.
   */
  sendData(bytes: Uint8Array, endStream?: boolean): boolean;
  /**
   * `bytes` of what `onData` gave are done with: the peer may send as many more. Whoever gathers a message of many frames must say so for each
   * frame, or a message larger than the window never completes. What nobody consumed is given back to the connection's window at the stream's end.
   */
  consume(bytes: number): void;
  /** Ends the stream now: RST_STREAM, and what is queued is dropped. No callback of this stream follows. */
  reset(code: ErrorCode): void;
}

/**
 * What a connection tells. Called from within `receive`, `tick`, `takeOutput`, `close` and `disconnected`; each may call any method of the connection
 * and its streams. Must not throw: what a handler throws leaves the connection unusable and reaches the caller.
 */
export interface ConnectionHandler<Context = unknown> {
  /** A request (server), or the final response (client). `endStream`: the peer has nothing more to say. */
  onHeaders(stream: Stream<Context>, headers: HeaderList, endStream: boolean): void;
  /** A `1xx` response (client). */
  onInformational?(stream: Stream<Context>, headers: HeaderList): void;
  /** A part of the body, as it came off the socket: part of a frame, or a whole one. **`bytes` is valid during the call only.** May be empty with `endStream`. */
  onData(stream: Stream<Context>, bytes: Uint8Array, endStream: boolean): void;
  /** The trailers; the peer has nothing more to say. */
  onTrailers(stream: Stream<Context>, headers: HeaderList): void;
  /** The stream is over before its time, and not by `reset`. The last callback of this stream. */
  onReset(stream: Stream<Context>, reset: StreamReset): void;
  /** `queuedBytes` fell below half of `options.streamQueueBytes` after `sendData` had returned false, or to 0. */
  onWritable?(stream: Stream<Context>): void;
  /**
   * All of `bytes`, which `sendData` was given, is in the output: once that is taken and written, nobody refers to `bytes` any more. Told of
   * what is larger than a frame, unless its stream ends before.
   */
  onDataMoved?(bytes: Uint8Array): void;
  /** Both sides have ended the stream in order, and all that this side queued is in the output. */
  onStreamEnd?(stream: Stream<Context>): void;
  /** The peer takes no new streams on this connection. Streams that it did not process get `onReset` with `unprocessed`. */
  onGoaway?(code: ErrorCode, debug: Uint8Array): void;
  /** The peer's settings have come (and acknowledged). The first time says that the peer speaks HTTP/2. */
  onSettings?(settings: PeerSettings): void;
  /** A `ping` of ours came back. */
  onPong?(opaque: number): void;
  /** `availableStreams` has risen from 0 (client). */
  onCapacity?(): void;
  /** The last stream that this connection has an id for was opened (client; RFC 9113 §5.1.1): those that are open go on, new ones need a new connection. */
  onExhausted?(): void;
  /** There is output to take, after there was none: take it once, at the end of this turn of the event loop. */
  onOutput(): void;
  /**
   * The connection is over; every stream has had its callback. Write what `takeOutput` still has, then end the socket. `error` says what
   * the peer did wrong, or what this side had to complain of; undefined after a shutdown in order.
   */
  onClose(error: Http2Error | undefined): void;
}

/** What the peer said in SETTINGS (RFC 9113 §6.5.2). */
export interface PeerSettings {
  readonly headerTableSize: number;
  readonly enablePush: boolean;
  readonly maxConcurrentStreams: number;
  readonly initialWindowSize: number;
  readonly maxFrameSize: number;
  readonly maxHeaderListSize: number;
}

/** A bucket that a server keeps for all connections of one peer, so that no peer gains by connecting again: what `nuisanceBurst` counts is counted there, too. */
export interface SharedNuisance {
  /** At most so many tokens has a new connection of this peer. */
  readonly firstTokens: number;
  /** A frame that is a nuisance came. Returns how many tokens of its own it costs the connection, 1 or more. */
  take(): number;
  /** Honest work happened on a connection that had not all of its own tokens. */
  earn(tokens: number): void;
}

export interface Connection {
  /**
   * Bytes off the socket, however they are cut. What goes wrong reaches `onReset` and `onClose`. After `onClose` it does nothing.
   * The connection keeps no reference to `bytes`.
   */
  receive(bytes: Uint8Array): void;
  /**
   * What to write, in order; empty if there is nothing. One vectored write for all of it. Take more only when the socket has room:
   * what is not taken is what makes queues fill, and so the senders wait. The connection never touches these bytes again.
   */
  takeOutput(): readonly Uint8Array[];
  /** Bytes that `takeOutput` would give now. */
  readonly outputBytes: number;
  /**
   * More output than `options.outputBytes` waits to be taken: stop reading from the socket until it is false again (only
   * servers ever say so, so two peers cannot wait for each other).
   */
  readonly congested: boolean;

  /** Hands in the time: any monotonic milliseconds, at least once a second or so. Keepalive and time-outs are driven by this alone. */
  tick(nowMs: number): void;
  /** Streams that are not closed, whoever opened them. */
  readonly openStreams: number;
  /** What the peer said; the defaults of the protocol before that. */
  readonly peerSettings: PeerSettings;
  readonly closed: boolean;

  /** Sends PING; `onPong` gets `opaque` (a safe integer ≥ 0) back. False if too many are on their way. */
  ping(opaque: number): boolean;
  /**
   * Ends in order: no new streams, those that are open may finish, then `onClose(undefined)`. A server says GOAWAY twice, so that requests on
   * their way are still taken (RFC 9113 §6.8). Deadlines for it are the owner's: call `close`.
   */
  shutdown(): void;
  /** Ends now: GOAWAY with `code`, every stream gets `onReset`, then `onClose`. */
  close(code: ErrorCode, message: string): void;
  /** The socket is gone: every stream gets `onReset`, then `onClose`. `why` becomes part of the error's message; undefined if the peer ended it in order. */
  disconnected(why: string | undefined): void;
}

export interface ClientConnection<Context = unknown> extends Connection {
  /** How many streams can be opened now: the peer's limit less those that are open; 0 after GOAWAY, `shutdown` and the end. */
  readonly availableStreams: number;
  /** Sends a request. Returns undefined when `availableStreams` is 0. Throws like `sendHeaders`. */
  openStream(headers: HeaderBlock | HeaderList, endStream: boolean, context: Context, extra?: HeaderList): Stream<Context> | undefined;
}
