// One channel per endpoint, and the one decision that matters: may a call that failed be tried elsewhere? A read may, as long
// as the failure was the endpoint's. A write may only when it surely reached no server; else it could be applied twice.
import { type Channel, type ChannelOptions, type ClientStream, createChannel, GrpcError } from '@distrokv/grpc';
import type { Method } from '@distrokv/proto';
import { type Endpoint, readEndpoint } from './endpoints.ts';
import { ClientError } from './errors.ts';

/** PEM, all of it. */
export interface TlsOptions {
  /** Who signs the servers' certificates (default: whom the host trusts). */
  readonly ca?: Uint8Array;
  /** What this client shows, with its key. */
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
  /** The name that the certificate must bear, instead of the endpoint's. */
  readonly serverName?: string;
  /** Take any certificate. */
  readonly insecureSkipVerify?: boolean;
}

export interface PoolOptions {
  /** At least one, as "host:port", "http://host:port" or "https://host:port"; all of one cluster. */
  readonly endpoints: readonly string[];
  /** For https endpoints, and for those without a scheme. */
  readonly tls?: TlsOptions;
  /** How long one endpoint may take to answer one call (default 5000). */
  readonly requestTimeoutMs?: number;
}

export type CallKind = 'read' | 'write';

export interface PoolCallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

type Unary<Request, Response> = Method<Request, Response, 'unary'>;

export interface Pool {
  readonly endpoints: readonly string[];
  /** Calls the endpoint that answered last; on a failure that allows it the others, each once. */
  call<Q, A>(method: Unary<Q, A>, request: Q, kind: CallKind, options: PoolCallOptions): Promise<A>;
  /** Calls this endpoint and no other; it need not be one of `endpoints`. */
  callOne<Q, A>(endpoint: string, method: Unary<Q, A>, request: Q, kind: CallKind, options: PoolCallOptions): Promise<A>;
  /** Opens a stream to the endpoint that answered last. Throws ClientError `closed`. */
  stream<Q, A>(method: Method<Q, A, 'bidi-stream'>, options: StreamOptions): ClientStream<Q, A>;
  /** What is called next goes to another endpoint: the one that answered last does not any more. */
  moveOn(): void;
  /** An error of a stream as one that callers know. */
  explain(error: unknown): unknown;
  close(): void;
}

export interface StreamOptions {
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

const defaultRequestTimeoutMs = 5000;

export function createPool(options: PoolOptions): Pool {
  /** How to reach each target. */
  const known = new Map<string, Endpoint>();
  const targetOf = (text: string): string => {
    const endpoint = readEndpoint(text);
    if (endpoint.isSecure !== undefined || !known.has(endpoint.target)) known.set(endpoint.target, endpoint);
    return endpoint.target;
  };
  const endpoints = options.endpoints.map(targetOf);
  if (endpoints.length === 0) throw new ClientError('invalid-endpoint', 'a client needs at least one endpoint');
  const channels = new Map<string, Channel>();
  let current = 0;
  let closed = false;

  const channelOf = (endpoint: string): Channel => {
    if (closed) throw new ClientError('closed', 'the client was closed');
    const channel = channels.get(endpoint) ?? createChannel(endpoint, channelOptions(known.get(endpoint)?.isSecure, options.tls));
    channels.set(endpoint, channel);
    return channel;
  };
  const attempt = async <Q, A>(endpoint: string, method: Unary<Q, A>, request: Q, kind: CallKind, call: PoolCallOptions): Promise<A> => {
    const channel = channelOf(endpoint);
    const timeoutMs = call.timeoutMs ?? options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    try {
      return await channel.unary(method, request, { timeoutMs, ...(call.signal && { signal: call.signal }) });
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      if (closed) throw new ClientError('closed', 'the client was closed', { cause: error });
      throw translate(error, { endpoint, kind, timeoutMs, aborted: call.signal?.aborted === true });
    }
  };

  return {
    endpoints,
    async call(method, request, kind, call) {
      const failures: ClientError[] = [];
      for (let i = 0; i < endpoints.length; i++) {
        const index = (current + i) % endpoints.length;
        try {
          const response = await attempt(endpoints[index] as string, method, request, kind, call);
          current = index;
          return response;
        } catch (error) {
          if (!(error instanceof ClientError) || !mayMoveOn(error, kind)) throw error;
          failures.push(error);
        }
      }
      throw summary(failures);
    },
    callOne: async (endpoint, method, request, kind, call) => attempt(targetOf(endpoint), method, request, kind, call),
    stream: (method, streamOptions) => channelOf(endpoints[current] as string).stream(method, streamOptions),
    moveOn() {
      current = (current + 1) % endpoints.length;
    },
    explain(error) {
      if (!(error instanceof GrpcError)) return error;
      if (closed) return new ClientError('closed', 'the client was closed', { cause: error });
      return translate(error, { endpoint: endpoints[current] as string, kind: 'read', timeoutMs: defaultRequestTimeoutMs, aborted: false });
    },
    close() {
      closed = true;
      for (const channel of channels.values()) channel.close();
      channels.clear();
    },
  };
}

function channelOptions(isSecure: boolean | undefined, tls: TlsOptions | undefined): ChannelOptions {
  if (isSecure === false || (isSecure === undefined && tls === undefined)) return {};
  const { cert, key, ...rest } = tls ?? {};
  return { tls: { ...rest, ...(cert !== undefined && key !== undefined && { identity: { cert, key } }) } };
}

function mayMoveOn(error: ClientError, kind: CallKind): boolean {
  if (error.code === 'unreachable') return true;
  return kind === 'read' && (error.code === 'no-answer' || (error.code === 'refused' && error.status === 'unavailable'));
}

interface Attempt {
  readonly endpoint: string;
  readonly kind: CallKind;
  readonly timeoutMs: number;
  /** The caller's signal was. */
  readonly aborted: boolean;
}

/** etcd's words for a command that was proposed, and of which nothing more is known. */
const GIVEN_UP = /^etcdserver: (request timed out|server stopped|leader changed)/;

/** What a status means to the caller (see ClientErrorCode). */
function translate(error: GrpcError, { endpoint, kind, timeoutMs, aborted }: Attempt): ClientError {
  const options = { cause: error, status: error.code, endpoint };
  const unanswered = (why: string): ClientError =>
    kind === 'read'
      ? new ClientError('no-answer', `${endpoint}: ${why}`, options)
      : new ClientError(
          'unknown-outcome',
          `${endpoint}: ${why}; the write may have been applied: read it back before you repeat it`,
          options,
        );
  // What a server gave up on it may still do, or have done.
  if (kind === 'write' && GIVEN_UP.test(error.message)) return unanswered(error.message);
  // A status that a server chose carries etcd's prefix; without it, it tells of the connection.
  if (error.message.startsWith('etcdserver:')) return new ClientError('refused', error.message, options);
  switch (error.code) {
    case 'cancelled':
      // Without the caller's wish it is a server that shuts down and drops its calls.
      return aborted ? new ClientError('cancelled', 'the call was cancelled', options) : unanswered('the server ended the call');
    case 'deadline-exceeded':
      return unanswered(`no answer within ${timeoutMs} ms`);
    case 'unavailable':
      return error.neverSent ? new ClientError('unreachable', `${endpoint}: ${error.message}`, options) : unanswered(error.message);
    default:
      return new ClientError('refused', error.message, options);
  }
}

/** What to tell when every endpoint was tried. */
function summary(failures: readonly ClientError[]): ClientError {
  const last = failures[failures.length - 1] as ClientError;
  if (failures.length === 1) return last;
  const told = failures.map((failure) => (failure.code === 'refused' ? `${failure.endpoint}: ${failure.message}` : failure.message));
  const worst = failures.find((failure) => failure.code !== 'unreachable') ?? last;
  return new ClientError(worst.code, told.join('; '), {
    cause: last,
    ...(worst.status && { status: worst.status }),
    ...(worst.endpoint && { endpoint: worst.endpoint }),
  });
}
