// A request of HTTP/2 that is no call of gRPC: what a browser, curl or Prometheus asks on the same port once ALPN has chosen "h2".
import { concatBytes } from '@distrokv/base';
import { ErrorCode, type HeaderList, type Stream } from '@distrokv/http2';
import { Outbox } from '../outbox.ts';
import type { HttpExchange } from '../types.ts';
import { CANCELLED } from './call.ts';

export class Http2Exchange implements HttpExchange {
  readonly peer: string;
  readonly headers: HeaderList;
  readonly #stream: Stream;
  readonly #outbox = new Outbox();
  readonly #controller = new AbortController();
  /** What has come of the body and nobody has asked for: never more than the window of the stream. */
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended: boolean;
  #reader: { readonly maxBytes: number; readonly resolve: (body: Uint8Array) => void; readonly reject: (why: Error) => void } | undefined;

  constructor(peer: string, headers: HeaderList, stream: Stream, endStream: boolean) {
    this.peer = peer;
    this.headers = headers;
    this.#stream = stream;
    this.#ended = endStream;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  body(maxBytes: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#outbox.isOver) reject(CANCELLED);
      this.#reader = { maxBytes, resolve, reject };
      this.#stream.consume(this.#bytes);
      this.#read();
    });
  }

  respond(headers: HeaderList, endStream: boolean): void {
    this.#stream.sendHeaders(headers, endStream);
  }

  send(bytes: Uint8Array, endStream: boolean): boolean {
    return this.#outbox.sent(this.#stream.sendData(bytes, endStream));
  }

  writable(): Promise<void> {
    return this.#outbox.writable();
  }

  abort(): void {
    this.#stream.reset(ErrorCode.internalError);
    this.cancelled();
  }

  // What the connection tells.

  onData(bytes: Uint8Array, endStream: boolean): void {
    if (bytes.length > 0) this.#chunks.push(bytes.slice());
    this.#bytes += bytes.length;
    this.#ended = endStream;
    if (this.#reader !== undefined) this.#stream.consume(bytes.length);
    this.#read();
  }

  onWritable(): void {
    this.#outbox.drained();
  }

  cancelled(): void {
    this.#chunks = [];
    this.#outbox.close(CANCELLED);
    this.#reader?.reject(CANCELLED);
    this.#reader = undefined;
    this.#controller.abort(CANCELLED);
  }

  #read(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    if (this.#bytes > reader.maxBytes) {
      this.#chunks = [];
      reader.reject(new RangeError(`the body is larger than ${reader.maxBytes} bytes`));
    } else if (this.#ended) reader.resolve(concatBytes(this.#chunks));
  }
}
