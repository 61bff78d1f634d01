// A channel: calls to one server, or to the first of several that answers, over a connection that is made when there is a
// call and made again when it breaks (gRPC "Connectivity Semantics").
import { messageOf } from '@distrokv/base';
import { type Env, type Socket, type Timer, createNodeEnv } from '@distrokv/env';
import type { ConnectionOptions } from '@distrokv/http2';
import type { Method } from '@distrokv/proto';
import { GrpcError } from '../status.ts';
import type { CallOptions, Channel, ChannelOptions, ClientStream } from '../types.ts';
import { Buffers } from '../wire/buffers.ts';
import { Deadlines } from '../wire/deadlines.ts';
import { type LinkHost, TurnEnd } from '../wire/link.ts';
import type { Call, CallOwner } from './call.ts';
import { ClientConnection, type ConnectionEvents } from './connection.ts';
import { RequestHeaders } from './headers.ts';
import { StreamCall } from './stream-call.ts';
import { UnaryCall } from './unary-call.ts';

const DEFAULT_MAX_RECONNECT_MS = 1000;
const MIN_RECONNECT_MS = 100;
const RECONNECT_GROWTH = 1.6;
/** Each wait is this much shorter or longer at most, so that clients of one server do not come all at once. */
const RECONNECT_JITTER = 0.2;
const DEFAULT_CONNECT_TIMEOUT_MS = 5000;
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;
const TICK_MS = 1000;

/** Notices a server that vanished without a word; etcd accepts pings from every 5 s on. */
const keepalive: ConnectionOptions = { keepaliveMs: 10_000, keepaliveTimeoutMs: 5000, keepaliveWithoutStreams: false };

/** A channel to "host:port", or to the first of several that is there. It connects when the first call is made, and again whenever it must. */
export function createChannel(target: string | readonly string[], options: ChannelOptions = {}): Channel {
  return new ClientChannel(typeof target === 'string' ? target.split(',') : target, options);
}

interface Endpoint {
  readonly text: string;
  readonly host: string;
  readonly port: number;
  readonly headers: RequestHeaders;
}

/**
 * `idle`: no connection, and nobody needs one. `connecting`: calls wait. `ready`: calls go out. `waiting`: every endpoint
 * failed; calls fail at once, but for those that chose to wait.
 */
type State = 'closed' | 'connecting' | 'idle' | 'ready' | 'waiting';

class ClientChannel implements Channel, CallOwner, ConnectionEvents, LinkHost {
  readonly target: string;
  readonly deadlines: Deadlines;
  readonly maxReceiveBytes: number;
  readonly #env: Env;
  readonly #options: ChannelOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly turnEnd: TurnEnd;
  readonly buffers: Buffers = new Buffers();
  readonly #calls = new Set<Call>();
  /** Calls without a connection, in order. */
  #queue: Call[] = [];
  #state: State = 'idle';
  /** The endpoint to try next. */
  #next = 0;
  #failedInARow = 0;
  #lastError = 'no connection';
  #pauseMs = MIN_RECONNECT_MS;
  #pause: Timer | undefined;
  #attempt: AbortController | undefined;
  /** The connection that new calls go out on. */
  #current: ClientConnection | undefined;
  /** The connection that may become the current one. */
  #candidate: ClientConnection | undefined;
  readonly #connections = new Set<ClientConnection>();
  #endAttempt: () => void = () => {};
  #ticks: Timer | undefined;

  constructor(targets: readonly string[], options: ChannelOptions) {
    this.#env = options.env ?? createNodeEnv();
    this.#options = options;
    this.target = targets.join(',');
    this.#endpoints = targets.map((text) => parseTarget(text.trim(), options));
    this.maxReceiveBytes = options.maxReceiveBytes ?? MAX_MESSAGE_BYTES;
    this.deadlines = new Deadlines(this.#env.clock, this.#env.timers);
    this.turnEnd = new TurnEnd(this.#env.timers);
  }

  unary<Request, Response>(method: Method<Request, Response, 'unary'>, request: Request, options: CallOptions = {}): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#refuseIfClosed();
      const settle = { resolve: resolve as (response: unknown) => void, reject };
      this.#start(new UnaryCall(this, method as unknown as Method<unknown, unknown>, request, options, settle));
    });
  }

  stream<Request, Response>(
    method: Method<Request, Response, 'bidi-stream' | 'client-stream' | 'server-stream'>,
    options: CallOptions = {},
  ): ClientStream<Request, Response> {
    this.#refuseIfClosed();
    const call = new StreamCall(this, method as unknown as Method<unknown, unknown>, options);
    this.#start(call);
    return call as unknown as ClientStream<Request, Response>;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    for (const call of [...this.#calls]) call.abandon(new GrpcError('cancelled', 'the channel was closed'));
    this.#attempt?.abort();
    this.#forgetAttempt();
    this.#pause?.cancel();
    for (const connection of [...this.#connections]) connection.cut('the client is done');
    this.#stopTicking();
    this.deadlines.close();
  }

  // --- Calls ---

  #start(call: Call): void {
    this.#calls.add(call);
    this.begin(call);
  }

  begin(call: Call): void {
    if (call.isOver) return;
    const current = this.#current;
    if (current !== undefined && current.hasCapacity && this.#queue.length === 0) call.open(current);
    else if (this.#state === 'waiting' && !call.waitForReady) call.abandon(this.#unavailable());
    else {
      this.#queue.push(call);
      if (this.#state === 'idle') this.#connect();
    }
  }

  ended(call: Call): void {
    this.#calls.delete(call);
  }

  #drainQueue(): void {
    while (this.#queue.length > 0 && this.#current?.hasCapacity === true) {
      const queue = this.#queue;
      this.#queue = [];
      let at = 0;
      while (at < queue.length && this.#current?.hasCapacity === true) (queue[at++] as Call).open(this.#current);
      this.#queue = [...queue.slice(at), ...this.#queue];
    }
    if (this.#current === undefined && this.#queue.length > 0 && this.#state === 'idle') this.#connect();
  }

  #unavailable(): GrpcError {
    return new GrpcError('unavailable', this.#lastError, { neverSent: true });
  }

  #refuseIfClosed(): void {
    if (this.#state === 'closed') throw new GrpcError('unavailable', `the channel to ${this.target} is closed`, { neverSent: true });
  }

  // --- The connection ---

  #connect(): void {
    this.#state = 'connecting';
    this.#failedInARow = 0;
    this.#dial();
  }

  #dial(): void {
    const { tls, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = this.#options;
    const endpoint = this.#endpoints[this.#next % this.#endpoints.length] as Endpoint;
    const attempt = new AbortController();
    this.#attempt = attempt;
    const timeout = this.#env.timers.after(connectTimeoutMs, () => {
      attempt.abort();
      const candidate = this.#candidate;
      this.#failed(attempt, `no connection within ${connectTimeoutMs} ms`);
      candidate?.cut('it took too long');
    });
    this.#endAttempt = () => timeout.cancel();
    const { host, port, headers } = endpoint;
    const secure = tls === undefined ? {} : { tls: { ...tls, protocols: ['h2'] } };
    this.#env.net.connect({ host, port, ...secure, signal: attempt.signal }).then(
      (socket) => this.#connected(socket, headers, attempt),
      (error: unknown) => this.#failed(attempt, messageOf(error)),
    );
  }

  #connected(socket: Socket, headers: RequestHeaders, attempt: AbortController): void {
    if (this.#attempt !== attempt || this.#state === 'closed') {
      socket.destroy();
      return;
    }
    const http2 = { ...keepalive, ...this.#options.http2 };
    const options = { http2, headers, host: this, nowMs: this.#env.clock.monotonicMs() };
    this.#candidate = new ClientConnection(socket, options, this);
    this.#connections.add(this.#candidate);
    this.#ticks ??= this.#env.timers.every(TICK_MS, () => this.#tick());
  }

  onReady(connection: ClientConnection): void {
    if (connection !== this.#candidate) {
      connection.cut('it came too late');
      return;
    }
    this.#forgetAttempt();
    this.#state = 'ready';
    this.#current = connection;
    this.#pauseMs = MIN_RECONNECT_MS;
    this.#drainQueue();
  }

  onCapacity(): void {
    this.#drainQueue();
  }

  onRetired(connection: ClientConnection, why: string): void {
    if (this.#state === 'closed') return;
    if (connection === this.#current) {
      this.#current = undefined;
      this.#state = 'idle';
      // Another member may be there already.
      this.#next++;
      this.#drainQueue();
    } else if (connection === this.#candidate && this.#attempt !== undefined) this.#failed(this.#attempt, why);
  }

  onGone(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#stopTicking();
  }

  /** This endpoint is not there: the next one's turn, or, after the last, everybody is told. */
  #failed(attempt: AbortController, why: string): void {
    if (this.#attempt !== attempt || this.#state !== 'connecting') return;
    this.#forgetAttempt();
    this.#lastError = why;
    this.#next++;
    if (++this.#failedInARow < this.#endpoints.length) {
      this.#dial();
      return;
    }
    this.#state = 'waiting';
    const maxMs = this.#options.maxReconnectMs ?? DEFAULT_MAX_RECONNECT_MS;
    const jitter = 1 - RECONNECT_JITTER + 2 * RECONNECT_JITTER * this.#env.random.float();
    this.#pause = this.#env.timers.after(Math.min(this.#pauseMs, maxMs) * jitter, () => this.#pauseIsOver());
    this.#pauseMs = Math.min(this.#pauseMs * RECONNECT_GROWTH, maxMs);
    const queue = this.#queue;
    this.#queue = queue.filter((call) => call.waitForReady && !call.isOver);
    for (const call of queue) if (!call.waitForReady) call.abandon(this.#unavailable());
  }

  #forgetAttempt(): void {
    this.#attempt = undefined;
    this.#candidate = undefined;
    this.#endAttempt();
  }

  #pauseIsOver(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'idle';
    this.#queue = this.#queue.filter((call) => !call.isOver);
    if (this.#queue.length > 0) this.#connect();
  }

  #tick(): void {
    const nowMs = this.#env.clock.monotonicMs();
    this.buffers.tick();
    for (const connection of [...this.#connections]) connection.tick(nowMs);
  }

  #stopTicking(): void {
    this.#ticks?.cancel();
    this.#ticks = undefined;
    this.buffers.clear();
  }
}

function parseTarget(text: string, options: ChannelOptions): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new GrpcError('invalid-argument', `${JSON.stringify(text)} is not of the form host:port`);
  const headers = new RequestHeaders(options.authority ?? text, options.tls === undefined ? 'http' : 'https');
  return { text, host: (match[1] ?? match[2]) as string, port, headers };
}
