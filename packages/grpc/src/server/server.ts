// The server: its services, its listeners, its connections, and the order in which they end.
import { type Env, type Listener, NetError, createNodeEnv, hostAndPort, type Timer } from '@distrokv/env';
import type { ConnectionOptions, HeaderList } from '@distrokv/http2';
import type { Service } from '@distrokv/proto';
import { GrpcError, type StatusName } from '../status.ts';
import type { Handlers, ListenAddress, Listening, ListenTls, Server, ServerOptions } from '../types.ts';
import { Buffers } from '../wire/buffers.ts';
import { Deadlines } from '../wire/deadlines.ts';
import { type LinkHost, TurnEnd } from '../wire/link.ts';
import { NewConnection, type ServerConnection } from './connection.ts';
import { Neighbours } from './neighbours.ts';
import type { CallRequest } from './request.ts';
import { Router } from './router.ts';

const DEFAULT_MAX_RECEIVE_BYTES = 4 << 20;
const DEFAULT_GRACE_MS = 1000;
const TICK_MS = 1000;
/** After its last call a connection gets so long to hear the goodbye and hang up. */
const GOODBYE_MS = 250;

/** etcd's rules for a client that asks whether the server is there, and the server's own asking (embed: GRPCKeepAlive…). */
const keepalive: ConnectionOptions = {
  minPingIntervalMs: 5000,
  keepaliveMs: 7_200_000,
  keepaliveTimeoutMs: 20_000,
};

/** What connections need of their server. */
export interface ConnectionHost extends LinkHost {
  readonly env: Env;
  readonly options: ServerOptions;
  readonly http2: ConnectionOptions;
  readonly maxReceiveBytes: number;
  readonly router: Router;
  readonly deadlines: Deadlines;
  readonly newcomers: Set<NewConnection>;
  readonly connections: Set<ServerConnection>;
  /** Those that are over, and only wait for the other side to hang up. */
  readonly lingering: Set<ServerConnection>;
  /** What was read from a header list, as long as a connection keeps that. */
  readonly requests: WeakMap<HeaderList, CallRequest>;
  /** A connection left `connections` or `lingering`. */
  gone(): void;
}

/** A server that has no services and listens nowhere yet. */
export function createServer(options: ServerOptions = {}): Server {
  return new GrpcServer(options);
}

class GrpcServer implements Server {
  readonly #host: ConnectionHost;
  readonly #listeners = new Set<Listener>();
  #ticks: Timer | undefined;
  #closed: Promise<void> | undefined;
  #onGone: () => void = () => {};
  readonly #neighbours: Neighbours;
  #tickedAtMs: number;

  constructor(options: ServerOptions) {
    const env = options.env ?? createNodeEnv();
    this.#host = {
      env,
      options,
      http2: { ...keepalive, ...options.http2 },
      maxReceiveBytes: options.maxReceiveBytes ?? DEFAULT_MAX_RECEIVE_BYTES,
      router: new Router(),
      deadlines: new Deadlines(env.clock, env.timers),
      turnEnd: new TurnEnd(env.timers),
      buffers: new Buffers(),
      newcomers: new Set(),
      connections: new Set(),
      lingering: new Set(),
      requests: new WeakMap(),
      gone: () => this.#onGone(),
    };
    this.#neighbours = new Neighbours(options.perAddress, env.timers, (socket, address) => new NewConnection(socket, this.#host, address));
    this.#tickedAtMs = env.clock.monotonicMs();
  }

  get services(): readonly string[] {
    return this.#host.router.services;
  }

  addService<S extends { readonly typeName: string; readonly methods: object }>(service: S, handlers: Handlers<S>): void {
    this.#host.router.add(service as unknown as Service, handlers as Readonly<Record<string, unknown>>);
  }

  async listen(address: ListenAddress): Promise<Listening> {
    const { env, options } = this.#host;
    const where = hostAndPort(address.host, address.port);
    if (this.#closed !== undefined) throw new GrpcError('failed-precondition', `cannot listen on ${where}: the server is closed`);
    // Of the two addresses that this name may have, one could be taken and nobody be told; Go's listeners choose this one.
    const host = address.host === 'localhost' ? '127.0.0.1' : address.host;
    try {
      const listener = await env.net.listen(
        {
          host,
          port: address.port,
          ...(address.tls !== undefined && { tls: withProtocols(address.tls, options) }),
          onRefused: (remote, error) => options.onBadConnection?.(remote, error),
        },
        (socket) => {
          if (this.#closed === undefined) this.#neighbours.arrive(socket);
          else socket.destroy();
        },
      );
      this.#listeners.add(listener);
      this.#ticks ??= env.timers.every(TICK_MS, () => this.#tick());
      return { port: listener.port, setTls: (tls) => listener.setTls(withProtocols(tls, options)) };
    } catch (cause) {
      throw listenError(cause, where);
    }
  }

  close({ graceMs = DEFAULT_GRACE_MS }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    const { newcomers, connections, lingering, deadlines } = this.#host;
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    this.#neighbours.close();
    for (const connection of [...newcomers]) connection.cut();
    if (graceMs > 0) {
      for (const connection of [...connections]) connection.drain();
      await this.#untilEmpty(connections, graceMs);
      await this.#untilEmpty(lingering, GOODBYE_MS);
    }
    for (const connection of [...connections, ...lingering]) connection.cut();
    this.#ticks?.cancel();
    deadlines.close();
  }

  /** Resolves when no connection is left in `set`, or after `withinMs`. */
  #untilEmpty(set: ReadonlySet<ServerConnection>, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#onGone = () => {};
        resolve();
      };
      const timer = this.#host.env.timers.after(withinMs, done);
      this.#onGone = () => {
        if (set.size === 0) done();
      };
      this.#onGone();
    });
  }

  #tick(): void {
    const { env, newcomers, connections, lingering, buffers } = this.#host;
    const nowMs = env.clock.monotonicMs();
    buffers.tick();
    this.#neighbours.tick(nowMs - this.#tickedAtMs);
    this.#tickedAtMs = nowMs;
    for (const newcomer of [...newcomers]) newcomer.tick(nowMs);
    for (const connection of [...connections, ...lingering]) connection.tick(nowMs);
  }
}

function withProtocols(tls: ListenTls, options: ServerOptions): ListenTls & { readonly protocols: readonly string[] } {
  return { ...tls, protocols: options.onHttp1 === undefined ? ['h2'] : ['h2', 'http/1.1'] };
}

const listenCodes: Partial<Record<string, StatusName>> = { permission: 'permission-denied' };

function listenError(cause: unknown, where: string): unknown {
  if (!(cause instanceof NetError)) return cause;
  return new GrpcError(listenCodes[cause.code] ?? 'unavailable', `cannot listen on ${where}: ${cause.message}`, { cause });
}
