// One connection of a channel, and the calls on it.
import type { Socket, TlsState } from '@distrokv/env';
import {
  type ClientConnection as Http2Connection,
  type ConnectionHandler,
  type ConnectionOptions,
  type HeaderList,
  type Http2Error,
  type Stream,
  type StreamReset,
  createClientConnection,
} from '@distrokv/http2';
import { Link, type LinkHost } from '../wire/link.ts';
import type { Call } from './call.ts';
import type { RequestHeaders } from './headers.ts';

export interface ConnectionEvents {
  /** The server speaks HTTP/2: calls may begin. */
  onReady(connection: ClientConnection): void;
  /** Calls may begin again. */
  onCapacity(connection: ClientConnection): void;
  /** No new calls on this connection; those that are there go on. */
  onRetired(connection: ClientConnection, why: string): void;
  onGone(connection: ClientConnection): void;
}

export class ClientConnection implements ConnectionHandler<Call> {
  readonly tls: TlsState | undefined;
  readonly #connection: Http2Connection<Call>;
  readonly #link: Link;
  readonly #headers: RequestHeaders;
  readonly #events: ConnectionEvents;
  #ready = false;

  constructor(
    socket: Socket,
    options: { readonly http2: ConnectionOptions; readonly headers: RequestHeaders; readonly host: LinkHost; readonly nowMs: number },
    events: ConnectionEvents,
  ) {
    this.tls = socket.tls;
    this.#headers = options.headers;
    this.#events = events;
    this.#connection = createClientConnection<Call>(this, options.http2);
    this.#connection.tick(options.nowMs);
    this.#link = new Link(socket, this.#connection, options.host, () => events.onGone(this));
    socket.open(this.#link);
    this.#link.wake();
  }

  get hasCapacity(): boolean {
    return this.#connection.availableStreams > 0;
  }

  get openStreams(): number {
    return this.#connection.openStreams;
  }

  openStream(call: Call, endStream: boolean): Stream<Call> | undefined {
    const block = this.#headers.of(call.method.path, call.timeoutMs);
    return this.#connection.openStream(block, endStream, call, call.extra);
  }

  tick(nowMs: number): void {
    this.#link.tick(nowMs);
  }

  cut(why: string): void {
    this.#link.cut(why);
  }

  onHeaders(stream: Stream<Call>, headers: HeaderList, endStream: boolean): void {
    stream.context?.onHeaders(headers, endStream);
  }

  onData(stream: Stream<Call>, bytes: Uint8Array, endStream: boolean): void {
    const call = stream.context;
    if (call === undefined) stream.consume(bytes.length);
    else {
      call.onData(bytes);
      if (endStream) call.onCut();
    }
  }

  onTrailers(stream: Stream<Call>, headers: HeaderList): void {
    stream.context?.onTrailers(headers);
  }

  onReset(stream: Stream<Call>, reset: StreamReset): void {
    stream.context?.onReset(reset);
  }

  onWritable(stream: Stream<Call>): void {
    stream.context?.onWritable();
  }

  onSettings(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#events.onReady(this);
  }

  onCapacity(): void {
    this.#events.onCapacity(this);
  }

  onGoaway(): void {
    this.#events.onRetired(this, 'the server is shutting down');
    // The calls that are there go on; then the connection ends by itself.
    this.#connection.shutdown();
  }

  /** A thousand million calls: the next goes to a new connection. */
  onExhausted(): void {
    this.#events.onRetired(this, 'the connection has no more streams');
    this.#connection.shutdown();
  }

  onDataMoved(bytes: Uint8Array): void {
    this.#link.onDataMoved(bytes);
  }

  onOutput(): void {
    this.#link?.wake();
  }

  /** Who is hung up on before the first word of HTTP/2 mostly has the wrong certificate, or none, or no TLS where the server wants it. */
  #whyOver(error: Http2Error | undefined): string {
    const wasCut = error === undefined || (error.code === 'disconnected' && !error.message.startsWith('TLS'));
    if (this.#ready || !wasCut) return error?.message ?? 'the connection was closed';
    return this.tls === undefined
      ? 'the server hung up before a word of HTTP/2: it may want TLS'
      : 'the server hung up after the TLS handshake: it may want a certificate, or not trust the one it was shown';
  }

  onClose(error: Http2Error | undefined): void {
    this.#events.onRetired(this, this.#whyOver(error));
    this.#link.end();
  }
}
