// One connection of a server: from its first bytes, which tell what it speaks, to its calls.
import { concatBytes } from '@distrokv/base';
import { type Socket, type SocketEvents } from '@distrokv/env';
import {
  type Connection,
  type ConnectionHandler,
  ErrorCode,
  type HeaderList,
  Http2Error,
  type Stream,
  createServerConnection,
  startsLikeHttp2,
} from '@distrokv/http2';
import { GrpcError } from '../status.ts';
import type { Buffers } from '../wire/buffers.ts';
import type { Deadlines } from '../wire/deadlines.ts';
import { Link } from '../wire/link.ts';
import { errorTrailers } from '../wire/trailers.ts';
import type { Call, CallHost } from './call.ts';
import { Http2Exchange } from './http-exchange.ts';
import { type CallRequest, readRequest, refusalHeaders } from './request.ts';
import type { Address } from './neighbours.ts';
import type { ConnectionHost } from './server.ts';
import { StreamCall } from './stream-call.ts';
import { UnaryCall } from './unary-call.ts';

/** Who says nothing for so long after connecting is in the way. */
const FIRST_BYTES_TIMEOUT_MS = 10_000;

/** A connection that has not said yet whether it speaks HTTP/2. */
export class NewConnection implements SocketEvents {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #address: Address;
  readonly #sinceMs: number;
  #received: Uint8Array[] = [];

  constructor(socket: Socket, host: ConnectionHost, address: Address) {
    this.#socket = socket;
    this.#host = host;
    this.#address = address;
    this.#sinceMs = host.env.clock.monotonicMs();
    host.newcomers.add(this);
    if (socket.tls?.protocol === 'http/1.1') this.#http1(new Uint8Array(0));
    else socket.open(this);
  }

  onData(bytes: Uint8Array): void {
    this.#received.push(bytes);
    const received = this.#received.length === 1 ? bytes : concatBytes(this.#received);
    const answer = startsLikeHttp2(received);
    if (answer === 'no') this.#http1(received);
    else if (answer === 'yes') {
      this.#host.newcomers.delete(this);
      new ServerConnection(this.#socket, this.#host, this.#address).receive(received);
    }
  }

  onDrain(): void {
    // Nothing was sent yet.
  }

  onEnd(): void {
    this.cut();
  }

  onClose(): void {
    this.#host.newcomers.delete(this);
    this.#address.gone();
  }

  tick(nowMs: number): void {
    if (nowMs - this.#sinceMs > FIRST_BYTES_TIMEOUT_MS) this.cut();
  }

  cut(): void {
    this.#host.newcomers.delete(this);
    this.#socket.destroy();
  }

  #http1(received: Uint8Array): void {
    const { onHttp1 } = this.#host.options;
    this.#host.newcomers.delete(this);
    if (onHttp1 === undefined) this.#socket.destroy();
    else {
      this.#address.gone();
      onHttp1(this.#socket, received);
    }
  }
}

/** What a stream carries. */
type Served = Call | Http2Exchange;

/** A connection that speaks HTTP/2, and its calls. */
export class ServerConnection implements ConnectionHandler<Served>, CallHost {
  readonly peer: string;
  readonly peerCommonName: string | undefined;
  readonly deadlines: Deadlines;
  readonly maxReceiveBytes: number;
  readonly memory: Buffers;
  readonly #host: ConnectionHost;
  readonly #address: Address;
  readonly #connection: Connection;
  readonly #link: Link;
  /** Many calls have the very same headers. */
  #lastHeaders: HeaderList | undefined;
  #lastRequest: CallRequest | undefined;
  #toldOfHeaders = false;

  constructor(socket: Socket, host: ConnectionHost, address: Address) {
    this.#host = host;
    this.#address = address;
    this.peer = socket.remote;
    this.peerCommonName = socket.tls?.peerCommonName;
    this.deadlines = host.deadlines;
    this.maxReceiveBytes = host.maxReceiveBytes;
    this.memory = host.buffers;
    this.#connection = createServerConnection<Served>(this, host.http2, address);
    this.#connection.tick(host.env.clock.monotonicMs());
    this.#link = new Link(socket, this.#connection, host, () => this.#gone(), address);
    host.connections.add(this);
    socket.open(this.#link);
  }

  receive(bytes: Uint8Array): void {
    this.#link.onData(bytes);
  }

  /** Whoever takes no headers as long as ours takes none of any call: that is told once, or it could fill a log. */
  onUnexpectedError(error: unknown, path: string): void {
    if (error instanceof Http2Error && error.code === 'bad-headers') {
      if (this.#toldOfHeaders) return;
      this.#toldOfHeaders = true;
    }
    this.#host.options.onUnexpectedError?.(error, path);
  }

  onHeaders(stream: Stream<Served>, headers: HeaderList, endStream: boolean): void {
    const request = this.#requestOf(headers);
    const { refusal, route } = request;
    if (refusal !== undefined || route === undefined) this.#refuse(stream, request, headers, endStream);
    else if (route.kind === 'unary') {
      const call = new UnaryCall(this, request, stream, route);
      stream.context = call;
      if (endStream) call.onData(NOTHING, true);
    } else {
      const call = new StreamCall(this, request, stream, route);
      stream.context = call;
      if (endStream) call.onData(NOTHING, true);
      call.run();
    }
  }

  onData(stream: Stream<Served>, bytes: Uint8Array, endStream: boolean): void {
    const call = stream.context;
    if (call === undefined) stream.consume(bytes.length);
    else call.onData(bytes, endStream);
  }

  onTrailers(stream: Stream<Served>): void {
    stream.context?.onData(NOTHING, true);
  }

  onReset(stream: Stream<Served>): void {
    stream.context?.cancelled();
  }

  onWritable(stream: Stream<Served>): void {
    stream.context?.onWritable();
  }

  onDataMoved(bytes: Uint8Array): void {
    this.#link.onDataMoved(bytes);
  }

  onOutput(): void {
    this.#link.wake();
  }

  onClose(error: Http2Error | undefined): void {
    if (error !== undefined && error.code === 'protocol') this.#host.options.onBadConnection?.(this.peer, error);
    this.#host.lingering.add(this);
    this.#host.connections.delete(this);
    this.#link.end();
    this.#host.gone();
  }

  tick(nowMs: number): void {
    this.#link.tick(nowMs);
  }

  /** No new calls; the connection ends when those that are there have. */
  drain(): void {
    this.#connection.shutdown();
  }

  cut(): void {
    this.#link.cut('the server shuts down');
  }

  /** What no handler of gRPC gets: a request of plain HTTP, or a call that cannot be served. */
  #refuse(stream: Stream<Served>, { refusal, isPlain }: CallRequest, headers: HeaderList, endStream: boolean): void {
    const { onHttp2 } = this.#host.options;
    if (!isPlain || onHttp2 === undefined) {
      refuse(stream, refusal);
      return;
    }
    const exchange = new Http2Exchange(this.peer, headers, stream, endStream);
    stream.context = exchange;
    onHttp2(exchange);
  }

  #gone(): void {
    this.#host.lingering.delete(this);
    this.#address.gone();
    this.#host.gone();
  }

  #requestOf(headers: HeaderList): CallRequest {
    if (headers === this.#lastHeaders && this.#lastRequest !== undefined) return this.#lastRequest;
    let request = this.#host.requests.get(headers);
    if (request === undefined) this.#host.requests.set(headers, (request = readRequest(headers, this.#host.router)));
    this.#lastHeaders = headers;
    this.#lastRequest = request;
    return request;
  }
}

const NOTHING = new Uint8Array(0);

/** Answers a call that no handler gets; one whose caller takes no headers as long as these is reset. */
function refuse(stream: Stream<Served>, refusal: CallRequest['refusal']): void {
  try {
    stream.sendHeaders(refusalOf(refusal), true);
  } catch (error) {
    if (!(error instanceof Http2Error)) throw error;
    stream.reset(ErrorCode.internalError);
  }
}

function refusalOf(refusal: CallRequest['refusal']): HeaderList {
  if (refusal === undefined || refusal instanceof GrpcError)
    return [...refusalHeaders, ...errorTrailers(refusal ?? new GrpcError('unimplemented', 'unknown method'))];
  const grpc = errorTrailers(new GrpcError(refusal.status === '415' ? 'invalid-argument' : 'internal', refusal.text));
  return [':status', refusal.status, 'content-type', 'application/grpc', ...grpc];
}
