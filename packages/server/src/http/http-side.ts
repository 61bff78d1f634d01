// HTTP on the client port: HTTP/1.1 by node:http, fed with the connections that turned out not to be HTTP/2, and the requests of HTTP/2 that are no calls
// of gRPC. Whoever has something to serve adds a handler; the first that knows a path answers.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { messageOf, utf8 } from '@distrokv/base';
import type { Logger, Socket, Timers } from '@distrokv/env';
import type { HttpExchange } from '@distrokv/grpc';
import { SocketStream } from './socket-stream.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './types.ts';

/** A client may take so long for the head of a request, and for all of it. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;
/** How late these may be noticed; Node looks every thirty seconds by itself. */
const LOOK_EVERY_MS = 5000;
/** Who was told that this is no request has so long to hang up. */
const LINGER_MS = 1000;

const badRequests: Partial<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

export class HttpSide {
  readonly #server: Server;
  readonly #handlers: HttpHandler[] = [];
  readonly #logger: Logger;
  readonly #timers: Timers;

  constructor(timers: Timers, logger: Logger) {
    this.#timers = timers;
    this.#logger = logger;
    const timeouts = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    };
    this.#server = createServer({ ...timeouts, insecureHTTPParser: false }, (request, response) => void this.#serve(request, response));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuse(error, socket));
    // A server that listens looks after the time-outs of its connections; this one has them from elsewhere, and must be told to.
    this.#server.emit('listening');
  }

  add(handler: HttpHandler): void {
    this.#handlers.push(handler);
  }

  /** Takes a connection over, with the bytes that have come. */
  accept(socket: Socket, received: Uint8Array): void {
    this.#server.emit('connection', new SocketStream(socket, received));
  }

  /** Answers a request that came over HTTP/2. */
  async exchange(exchange: HttpExchange): Promise<void> {
    let begun = false;
    const say = async (response: HttpResponse): Promise<void> => {
      begun = true;
      await sendOver(exchange, response);
    };
    try {
      await say(await this.#respond(requestOver(exchange)));
    } catch (error) {
      if (exchange.signal.aborted) return;
      this.#logger.error('an HTTP handler failed', { path: valueOf(exchange, ':path'), error });
      if (begun) exchange.abort();
      else await say(text(500, messageOf(error)));
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** No request of HTTP/1.1. What is still on its way is read and thrown away: a socket that is closed with bytes unread takes back its answer. */
  #refuse({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
    if (!socket.writable || code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    socket.removeAllListeners('data').on('data', () => undefined);
    socket.end(`HTTP/1.1 ${badRequests[code] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    const linger = this.#timers.after(LINGER_MS, () => socket.destroy());
    socket.on('end', () => socket.destroy()).on('close', () => linger.cancel());
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    outgoing.on('error', () => gone.abort());
    try {
      await send(outgoing, await this.#respond(requestOf(incoming, gone.signal)));
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#logger.error('an HTTP handler failed', { path: incoming.url, error });
      if (outgoing.headersSent) outgoing.destroy();
      else await send(outgoing, text(500, messageOf(error)));
    }
  }

  async #respond(request: HttpRequest | undefined): Promise<HttpResponse> {
    if (request === undefined) return text(400, 'bad request');
    for (const handler of this.#handlers) {
      const response = await handler(request);
      if (response !== undefined) return response;
    }
    return text(404, '404 page not found');
  }
}

export function text(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body: `${body}\n` };
}

export function json(status: number, value: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function urlOf(target: string): URL | undefined {
  try {
    return new URL(target, 'http://client');
  } catch {
    return undefined;
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): HttpRequest | undefined {
  const url = urlOf(incoming.url ?? '/');
  if (url === undefined) return undefined;
  return {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    signal,
    async body(maxBytes) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of incoming as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw new RangeError(`the body is larger than ${maxBytes} bytes`);
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
  };
}

/** With the length of the body, where that is known. */
function headersOf({ headers = {}, body = '' }: HttpResponse): Record<string, string | number> {
  return isStream(body) ? { ...headers } : { ...headers, 'content-length': Buffer.byteLength(body) };
}

function isStream(body: string | Uint8Array | AsyncIterable<string | Uint8Array>): body is AsyncIterable<string | Uint8Array> {
  return typeof body === 'object' && Symbol.asyncIterator in body;
}

async function send(outgoing: ServerResponse, response: HttpResponse): Promise<void> {
  const { status, body = '' } = response;
  outgoing.writeHead(status, headersOf(response));
  if (!isStream(body)) {
    outgoing.end(body);
    return;
  }
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')]);
  }
  outgoing.end();
}

// The same over HTTP/2.

function valueOf({ headers }: HttpExchange, name: string): string {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1] as string;
  return '';
}

function requestOver(exchange: HttpExchange): HttpRequest | undefined {
  const url = urlOf(valueOf(exchange, ':path'));
  if (url === undefined) return undefined;
  const headers: Record<string, string> = {};
  const list = exchange.headers;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    if (name.startsWith(':')) continue;
    const value = list[i + 1] as string;
    // RFC 9113 §8.2.3: a cookie may come in crumbs.
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}${name === 'cookie' ? '; ' : ', '}${value}` : value;
  }
  return {
    method: valueOf(exchange, ':method'),
    path: url.pathname,
    query: url.searchParams,
    headers,
    signal: exchange.signal,
    body: (maxBytes) => exchange.body(maxBytes),
  };
}

async function sendOver(exchange: HttpExchange, response: HttpResponse): Promise<void> {
  const { status, body = '' } = response;
  const headers = Object.entries(headersOf(response)).flatMap(([name, value]) => [name.toLowerCase(), String(value)]);
  const isBodiless = (!isStream(body) && body.length === 0) || valueOf(exchange, ':method') === 'HEAD';
  exchange.respond([':status', String(status), ...headers], isBodiless);
  if (isBodiless) return;
  const bytesOf = (part: string | Uint8Array): Uint8Array => (typeof part === 'string' ? utf8(part) : part);
  if (!isStream(body)) {
    exchange.send(bytesOf(body), true);
    return;
  }
  for await (const part of body) if (!exchange.send(bytesOf(part), false)) await exchange.writable();
  exchange.send(new Uint8Array(0), true);
}
