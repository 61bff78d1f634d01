// What callers and servers of gRPC see, whatever carries it.
import type { ClientTls, Env, ServerTls, Socket } from '@distrokv/env';
import type { ConnectionOptions, HeaderList } from '@distrokv/http2';
import type { Method } from '@distrokv/proto';

/** Request and response headers; names in lower case, "-bin" names carry bytes. */
export interface Metadata {
  get(name: string): string | undefined;
  getBinary(name: string): Uint8Array | undefined;
  entries(): IterableIterator<readonly [string, string | Uint8Array]>;
}

/** Metadata to send: text, or bytes under names that end in "-bin". */
export type MetadataInit = Readonly<Record<string, string | Uint8Array>>;

/** What a handler knows of the call it serves. */
export interface ServerCall {
  readonly path: string;
  readonly metadata: Metadata;
  /** Address of the caller, as "127.0.0.1:53124". */
  readonly peer: string;
  /** The common name in the certificate that the caller showed, if it had to show one (mutual TLS). */
  readonly peerCommonName: string | undefined;
  /** Milliseconds that the caller had set for the whole call, if it had. */
  readonly timeoutMs: number | undefined;
  /** Aborted when the caller cancels, its deadline passes, or its connection ends; never after the handler has answered. Made when it is asked for. */
  readonly signal: AbortSignal;
  /** Metadata that goes before the first message; too late once that is sent. Throws GrpcError `invalid-argument`. */
  sendMetadata(metadata: MetadataInit): void;
  /** Metadata that goes with the status. Throws GrpcError `invalid-argument`. */
  setTrailers(metadata: MetadataInit): void;
}

export interface ServerStream<Request, Response> extends ServerCall {
  /** The caller's messages; ends when it half-closes, throws GrpcError `cancelled` when the call is aborted, `internal` on a message that is none. */
  readonly requests: AsyncIterable<Request>;
  /**
   * Queues a message. Returns false when the queue has reached its bound (1 MiB): await `writable()` before
   * the next. It returns false, too, and drops the message, when the call is over. Never throws for what the caller did.
   */
  send(response: Response): boolean;
  /** As `send`, for one or several whole messages as `framed` makes them, one behind the other. The bytes are the stream's from here on. */
  sendFramed(messages: Uint8Array): boolean;
  /** Memory for `sendFramed`. */
  readonly memory: MessageMemory;
  /** Resolves when the queue has room; rejects with GrpcError `cancelled` when the call is over, which need not be handled. */
  writable(): Promise<void>;
}

/** Memory for large messages. It is used again once it is written, and what is never written or given back is left to the collector. */
export interface MessageMemory {
  /** Undefined if so few bytes are not worth it. `sendFramed` gives back what it was given, if that is more than 16 KiB; so does `giveBack` for what is not sent. */
  allocate(bytes: number): Uint8Array | undefined;
  /** `bytes` will be given back once more than it would be without this: it is sent by another stream, too, or kept for a while. */
  share(bytes: Uint8Array): void;
  /** One of those who share `bytes` does not refer to it any more. What does not come from `allocate` is none of our business. */
  giveBack(bytes: Uint8Array): void;
}

export type UnaryHandler<Request, Response> = (request: Request, call: ServerCall) => Response | Promise<Response>;
/** The call ends with status OK when the promise resolves, and with the error's status when it rejects. */
export type ServerStreamHandler<Request, Response> = (request: Request, call: ServerStream<Request, Response>) => Promise<void>;
export type ClientStreamHandler<Request, Response> = (call: ServerStream<Request, Response>) => Promise<Response>;
export type BidiStreamHandler<Request, Response> = (call: ServerStream<Request, Response>) => Promise<void>;

export type Handler<M> =
  M extends Method<infer Request, infer Response, infer Kind>
    ? Kind extends 'unary'
      ? UnaryHandler<Request, Response>
      : Kind extends 'server-stream'
        ? ServerStreamHandler<Request, Response>
        : Kind extends 'client-stream'
          ? ClientStreamHandler<Request, Response>
          : BidiStreamHandler<Request, Response>
    : never;

/** Handlers by method name; a method without one answers `unimplemented`. */
export type Handlers<S extends { readonly methods: object }> = { readonly [K in keyof S['methods']]?: Handler<S['methods'][K]> };

export interface ServerOptions {
  /** Sockets, time and chance (default: the host's). */
  readonly env?: Env;
  /** Larger request messages end with `resource-exhausted` (default 4 MiB). */
  readonly maxReceiveBytes?: number;
  /**
   * Called with what a handler threw that was no GrpcError; the caller sees `unknown` with its message. And with an Http2Error `bad-headers`, once for a
   * connection, when the caller takes no headers as long as ours.
   */
  readonly onUnexpectedError?: (error: unknown, path: string) => void;
  /** Limits of HTTP/2, where they are not to be the defaults. */
  readonly http2?: ConnectionOptions;
  /** What all connections from one address may do together. */
  readonly perAddress?: AddressLimits;
  /**
   * Takes connections that begin as HTTP/1, with the bytes that have come so far; it must `open` the socket and end with it.
   * Without it they are closed.
   */
  readonly onHttp1?: (socket: Socket, received: Uint8Array) => void;
  /** Takes requests of HTTP/2 that are no calls, neither by their path nor by their content type. Without it they are answered with 415. */
  readonly onHttp2?: (exchange: HttpExchange) => void;
  /** Told of connections that ended for what the other side did: broke the protocol, failed a handshake. */
  readonly onBadConnection?: (peer: string, error: Error) => void;
}

/** A plain request of HTTP/2, and its answer. */
export interface HttpExchange {
  /** Address of the client, as "127.0.0.1:53124". */
  readonly peer: string;
  /** Of the request, the pseudo-headers first. */
  readonly headers: HeaderList;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** Reads the body; rejects with RangeError beyond `maxBytes`, and with GrpcError `cancelled` when the client goes away. To be called once at most. */
  body(maxBytes: number): Promise<Uint8Array>;
  /** `:status` first. Throws Http2Error `bad-headers`. */
  respond(headers: HeaderList, endStream: boolean): void;
  /** A part of the answer's body; false: wait for `writable()` before the next. */
  send(bytes: Uint8Array, endStream: boolean): boolean;
  /** As in a ServerStream. */
  writable(): Promise<void>;
  /** Ends an answer that has begun and cannot be finished. */
  abort(): void;
}

/**
 * What connections from one IPv4 address, or one /64 of IPv6, share, beside the limits of each. Frames that cost the server work and bring the caller nothing are
 * counted (`nuisanceBurst` of `http2`); from half of the burst down until it is whole again the address is in trouble: new connections wait for their turn and may spend little.
 * Nobody who keeps to the protocol comes near: 1000 clients behind one address that cancel a call a second do.
 */
export interface AddressLimits {
  /** Such frames at once (default 10,000). */
  readonly nuisanceBurst?: number;
  /** And so many more each second (default 1000). */
  readonly nuisancePerSecond?: number;
  /** Connections that are admitted each second while the address is in trouble (default 100). */
  readonly connectionsPerSecond?: number;
  /** Connections that may wait for that; more are hung up on (default 1000). */
  readonly maxWaiting?: number;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  readonly tls?: ListenTls;
}

export type ListenTls = Omit<ServerTls, 'protocols'>;

export interface Listening {
  readonly port: number;
  /** New connections are met with this certificate; those that are there go on. Only where there was TLS to begin with. */
  setTls(tls: ListenTls): void;
}

export interface Server {
  addService<S extends { readonly typeName: string; readonly methods: object }>(service: S, handlers: Handlers<S>): void;
  /** The full names of the services that were added, sorted. */
  readonly services: readonly string[];
  /**
   * Starts to serve on an IP address, or on `localhost`, which means 127.0.0.1; port 0 picks a free one. Rejects with a
   * GrpcError that names the address when that is in use (`unavailable`), not ours (`unavailable`) or not allowed
   * (`permission-denied`). May be called for several addresses.
   */
  listen(address: ListenAddress): Promise<Listening>;
  /** Takes no new calls, waits up to `graceMs` (default 1000) for open ones, then cuts them. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The call fails with `deadline-exceeded` after this time. */
  readonly timeoutMs?: number;
  readonly metadata?: MetadataInit;
  /** Wait for a connection instead of failing with `unavailable` when there is none (default false). */
  readonly waitForReady?: boolean;
  /** Called with the metadata that came before the first message, and with what came with the status. */
  readonly onMetadata?: (metadata: Metadata) => void;
  readonly onTrailers?: (metadata: Metadata) => void;
}

/** A call under way with messages both ways. */
export interface ClientStream<Request, Response> {
  /** As in a ServerStream. */
  send(request: Request): boolean;
  /** As in a ServerStream; rejects with the status of the call. */
  writable(): Promise<void>;
  /** No more requests from this side. */
  finish(): void;
  /** The server's messages; ends with status OK, throws GrpcError with any other. */
  readonly responses: AsyncIterable<Response>;
  cancel(): void;
}

export interface Channel {
  /** "host:port", or several of them separated by commas. */
  readonly target: string;
  /** Rejects with a GrpcError. */
  unary<Request, Response>(method: Method<Request, Response, 'unary'>, request: Request, options?: CallOptions): Promise<Response>;
  stream<Request, Response>(
    method: Method<Request, Response, 'bidi-stream' | 'client-stream' | 'server-stream'>,
    options?: CallOptions,
  ): ClientStream<Request, Response>;
  /** Ends the calls under way with `cancelled`, and later ones with `unavailable`. */
  close(): void;
}

export interface ChannelOptions {
  /** Sockets, time and chance (default: the host's). */
  readonly env?: Env;
  /** Larger response messages end with `resource-exhausted` (default: no limit below 2^31 - 1). */
  readonly maxReceiveBytes?: number;
  /** Longest wait between attempts to connect (default 1000). */
  readonly maxReconnectMs?: number;
  /** How long one attempt to connect may take, the handshake included (default 5000). */
  readonly connectTimeoutMs?: number;
  readonly tls?: Omit<ClientTls, 'protocols'>;
  /** Value of `:authority`, instead of the target. */
  readonly authority?: string;
  readonly http2?: ConnectionOptions;
}
