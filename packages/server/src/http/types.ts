// Requests and answers of HTTP/1.1 as the parts of a member see them, whatever carries them.

export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Aborted when the client goes away before it is answered. */
  readonly signal: AbortSignal;
  /** Reads the body; rejects with RangeError beyond `maxBytes`. */
  body(maxBytes: number): Promise<Uint8Array>;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent as it comes, and read as fast as the client takes it. */
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

/** Answers a request, or says with undefined that it is not for it. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>;
