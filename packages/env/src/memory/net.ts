// A network in memory: connections between the hosts of a simulated world. Bytes arrive in order, after delays and in
// pieces that a seed chooses, so that the same seed gives the same run. Hosts can be cut off from each other.
import { assert, type Random, seededRandom } from '@distrokv/base';
import type { Timers } from '../env.ts';
import { NetError } from '../net-error.ts';
import {
  type ConnectOptions,
  type ListenOptions,
  type Listener,
  type Network,
  type Socket,
  type SocketEvents,
  SOCKET_QUEUE_BYTES,
  type TlsState,
  hostAndPort,
} from '../net.ts';

const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;
/** What one side may have on the way to another that does not read. */
const WIRE_BYTES = 256 << 10;

export interface MemoryNetworkOptions {
  readonly timers: Timers;
  readonly seed: number;
  /** Every piece takes between these times; 0 and 0 (the default) for none: it arrives at the end of the turn. */
  readonly minDelayMs?: number;
  readonly maxDelayMs?: number;
  /** Bytes that are written together arrive in pieces of at most this size, cut where the seed says (default: whole). */
  readonly maxPieceBytes?: number;
}

interface Bound {
  readonly options: ListenOptions;
  readonly accept: (socket: Socket) => void;
}

/** The wires between hosts. `at(host)` is the network as that host sees it; every host is also its own 127.0.0.1 and localhost. */
export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #random: Random;
  readonly #listeners = new Map<string, Bound>();
  readonly #connections = new Set<MemorySocket>();
  /** Pairs of hosts, as `a>b`, that no byte passes from one to the other. */
  readonly #cut = new Set<string>();
  /** Connections whose first packet does not get through. */
  readonly #dialling: (() => void)[] = [];
  #nextPort = FIRST_FREE_PORT;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  at(host: string): Network {
    return {
      listen: (options, accept) => this.#listen(host, options, accept),
      connect: (options) => this.#connect(host, options),
    };
  }

  /** From now on nothing that `from` sends reaches `to`; what is sent meanwhile arrives after `heal`, as it does with TCP. */
  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(from: string, to: string): void {
    this.#cut.delete(`${from}>${to}`);
    for (const socket of [...this.#connections]) if (socket.host === from && socket.other.host === to) socket.deliverSoon();
    for (const dial of this.#dialling.splice(0)) this.afterDelay(dial);
  }

  /** A host fails: its listeners are gone, its connections broken off. */
  crash(host: string): void {
    for (const key of [...this.#listeners.keys()]) if (key.startsWith(`${host}|`)) this.#listeners.delete(key);
    for (const socket of [...this.#connections]) if (socket.host === host) socket.destroy();
  }

  isCut(from: string, to: string): boolean {
    return this.#cut.has(`${from}>${to}`);
  }

  /** How much of `length` bytes arrives as one piece. */
  piece(length: number): number {
    const { maxPieceBytes = length } = this.#options;
    return length <= 1 ? length : this.#random.between(1, Math.min(length, maxPieceBytes));
  }

  get splits(): boolean {
    return this.#options.maxPieceBytes !== undefined;
  }

  /** Runs `callback` when what is sent now arrives. */
  afterDelay(callback: () => void): void {
    const { timers, minDelayMs = 0, maxDelayMs = minDelayMs } = this.#options;
    if (maxDelayMs === 0) timers.defer(callback);
    else timers.after(minDelayMs + this.#random.float() * (maxDelayMs - minDelayMs), callback);
  }

  forget(socket: MemorySocket): void {
    this.#connections.delete(socket);
  }

  async #listen(host: string, options: ListenOptions, accept: (socket: Socket) => void): Promise<Listener> {
    if (!isOwn(host, options.host)) throw new NetError('address-not-available');
    const port = options.port === 0 ? this.#freePort(host) : options.port;
    const key = `${host}|${port}`;
    if (this.#listeners.has(key)) throw new NetError('address-in-use');
    const bound: Bound = { options, accept };
    this.#listeners.set(key, bound);
    return {
      port,
      setTls: () => {
        if (options.tls === undefined) throw new NetError('tls', 'this listener began without TLS');
      },
      close: async () => {
        if (this.#listeners.get(key) === bound) this.#listeners.delete(key);
      },
    };
  }

  #freePort(host: string): number {
    for (let tries = FIRST_FREE_PORT; tries <= LAST_PORT; tries++) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_FREE_PORT : port + 1;
      if (!this.#listeners.has(`${host}|${port}`)) return port;
    }
    throw new NetError('address-in-use');
  }

  #connect(host: string, options: ConnectOptions): Promise<Socket> {
    const to = isOwn(host, options.host) ? host : options.host;
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(new NetError('aborted'));
      if (signal?.aborted === true) {
        abort();
        return;
      }
      signal?.addEventListener('abort', abort);
      const arrive = (): void => {
        if (signal?.aborted === true) return;
        if (this.isCut(host, to) || this.isCut(to, host)) {
          this.#dialling.push(arrive);
          return;
        }
        signal?.removeEventListener('abort', abort);
        const bound = this.#listeners.get(`${to}|${options.port}`);
        if (bound === undefined) reject(new NetError('refused'));
        else if ((bound.options.tls === undefined) !== (options.tls === undefined)) reject(new NetError('tls'));
        else resolve(this.#pair(host, to, options, bound));
      };
      this.afterDelay(arrive);
    });
  }

  #pair(host: string, to: string, options: ConnectOptions, bound: Bound): Socket {
    const chosen = bound.options.tls?.protocols.find((protocol) => options.tls?.protocols.includes(protocol) === true);
    const tls = options.tls === undefined ? undefined : { protocol: chosen, peerCommonName: undefined };
    const addressOf = (name: string): string => (name === host && name === to ? '127.0.0.1' : name);
    const client = new MemorySocket(this, host, hostAndPort(addressOf(to), options.port), tls);
    const server = new MemorySocket(this, to, hostAndPort(addressOf(host), this.#freePort(host)), tls);
    client.join(server);
    server.join(client);
    this.#connections.add(client).add(server);
    bound.accept(server);
    return client;
  }
}

function isOwn(host: string, name: string): boolean {
  return name === host || name === 'localhost' || name === '127.0.0.1' || name === '0.0.0.0' || name === '::' || name === '::1';
}

/** One end. What it writes waits in `#outgoing` until it arrives at the other, which may have paused. */
class MemorySocket implements Socket {
  readonly remote: string;
  readonly host: string;
  readonly tls: TlsState | undefined;
  readonly #network: MemoryNetwork;
  #other: MemorySocket | undefined;
  #events: SocketEvents | undefined;
  #outgoing: Uint8Array[] = [];
  #waitingBytes = 0;
  #full = false;
  #paused = false;
  /** A delivery to the other end is under way. */
  #delivering = false;
  #ending = false;
  #ended = false;
  #closed = false;

  constructor(network: MemoryNetwork, host: string, remote: string, tls: TlsState | undefined) {
    this.#network = network;
    this.host = host;
    this.remote = remote;
    this.tls = tls;
  }

  join(other: MemorySocket): void {
    this.#other = other;
  }

  get other(): MemorySocket {
    assert(this.#other !== undefined, 'a connection has two ends');
    return this.#other;
  }

  open(events: SocketEvents): void {
    this.#events = events;
    this.other.deliverSoon();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ending) return false;
    if (bytes.length > 0) {
      this.#outgoing.push(bytes);
      this.#waitingBytes += bytes.length;
    }
    this.#full ||= this.#waitingBytes >= SOCKET_QUEUE_BYTES + WIRE_BYTES;
    this.deliverSoon();
    return !this.#full;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.other.deliverSoon();
  }

  end(): void {
    this.#ending = true;
    this.deliverSoon();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#network.afterDelay(() => this.other.#close(new NetError('reset')));
    this.#network.afterDelay(() => this.#events?.onClose(undefined));
    this.#gone();
  }

  /** Takes what waits to the other end, when the delay is over. One delivery at a time keeps the order. */
  deliverSoon(): void {
    if (this.#delivering || this.#closed || !this.#canDeliver()) return;
    this.#delivering = true;
    this.#network.afterDelay(() => {
      this.#delivering = false;
      if (this.#closed || !this.#canDeliver()) return;
      this.#deliver();
      this.deliverSoon();
    });
  }

  #canDeliver(): boolean {
    const { other } = this;
    const anything = this.#outgoing.length > 0 || (this.#ending && !this.#ended);
    return anything && other.#events !== undefined && !other.#paused && !this.#network.isCut(this.host, other.host);
  }

  #deliver(): void {
    const { other } = this;
    const whole = this.#outgoing.shift();
    if (whole === undefined) {
      this.#ended = true;
      other.#events?.onEnd();
      if (other.#ended) this.#bothEnded();
      return;
    }
    const length = this.#network.splits ? this.#network.piece(whole.length) : whole.length;
    if (length < whole.length) this.#outgoing.unshift(whole.subarray(length));
    this.#waitingBytes -= length;
    other.#events?.onData(whole.slice(0, length));
    if (this.#full && this.#waitingBytes < SOCKET_QUEUE_BYTES) {
      this.#full = false;
      this.#events?.onDrain();
    }
  }

  #bothEnded(): void {
    const { other } = this;
    this.#close(undefined);
    other.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#gone();
    this.#events?.onClose(error);
  }

  #gone(): void {
    this.#closed = true;
    this.#outgoing = [];
    this.#waitingBytes = 0;
    this.#network.forget(this);
  }
}
