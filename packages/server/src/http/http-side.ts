// HTTP/1.1 on the client port: node:http, fed with the connections that turned out not to be HTTP/2. Whoever has something to
// serve adds a handler; the first that knows a path answers.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import { messageOf } from '@distrokv/base';
import type { Logger, Socket } from '@distrokv/env';
import { SocketStream } from './socket-stream.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './types.ts';

/** A client may take so long for the head of a request, and for all of it. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 60_000;

export class HttpSide {
  readonly #server: Server;
  readonly #handlers: HttpHandler[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS };
    this.#server = createServer({ ...timeouts, insecureHTTPParser: false }, (request, response) => void this.#serve(request, response));
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

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController();
    outgoing.on('close', () => gone.abort());
    outgoing.on('error', () => gone.abort());
    try {
      const request = requestOf(incoming, gone.signal);
      const response =
        request === undefined ? text(400, 'bad request') : ((await this.#answer(request)) ?? text(404, '404 page not found'));
      await send(outgoing, response);
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#logger.error('an HTTP handler failed', { path: incoming.url, error });
      if (outgoing.headersSent) outgoing.destroy();
      else await send(outgoing, text(500, messageOf(error)));
    }
  }

  async #answer(request: HttpRequest): Promise<HttpResponse | undefined> {
    for (const handler of this.#handlers) {
      const response = await handler(request);
      if (response !== undefined) return response;
    }
    return undefined;
  }
}

export function text(status: number, body: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body: `${body}\n` };
}

export function json(status: number, value: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): HttpRequest | undefined {
  let url: URL;
  try {
    url = new URL(incoming.url ?? '/', 'http://client');
  } catch {
    return undefined;
  }
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

async function send(outgoing: ServerResponse, { status, headers = {}, body = '' }: HttpResponse): Promise<void> {
  outgoing.writeHead(
    status,
    typeof body === 'object' && Symbol.asyncIterator in body ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
  );
  if (typeof body !== 'object' || !(Symbol.asyncIterator in body)) {
    outgoing.end(body);
    return;
  }
  for await (const chunk of body) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(chunk)) await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')]);
  }
  outgoing.end();
}
