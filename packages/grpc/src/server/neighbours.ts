// What connections from one address share. A limit for each connection alone does not hold those who connect again, or many times at once; so what they do that
// costs us and brings them nothing (http2's nuisance.ts) is counted for their address, too. Where that was much, new connections begin one at a time and with
// little to spend, and all of them pay more. Who does no harm notices nothing; who lives behind one address with somebody who does waits a little to connect.
import type { Socket, SocketEvents, Timer, Timers } from '@distrokv/env';
import type { SharedNuisance } from '@distrokv/http2';
import type { AddressLimits } from '../types.ts';
import type { Pace } from '../wire/link.ts';

const defaults: Required<AddressLimits> = {
  nuisanceBurst: 10_000,
  nuisancePerSecond: 1000,
  connectionsPerSecond: 100,
  maxWaiting: 1000,
};
/** What a connection may spend at first while its address is in trouble: enough for a handshake and a call cancelled here and there. */
const FIRST_TOKENS = 16;
/** What each frame costs the connection when its address has nothing left. */
const PRICE_OF_NEED = 10;
/** Frames that bring nothing which an address may send in one turn of the event loop, once it has spent as many of its tokens. What comes after them waits for the
 * next turn, so that others are heard in between: all of its tokens at once would hold the loop for 100 ms. */
const FRAMES_A_TURN = 500;
/** Addresses without connections that are remembered. */
const MAX_REMEMBERED = 10_000;

export type Admit = (socket: Socket, address: Address) => void;

export class Neighbours {
  readonly #limits: Required<AddressLimits>;
  readonly #timers: Timers;
  readonly #admit: Admit;
  readonly #addresses = new Map<string, Address>();

  /** `admit` is called for each socket, at once or when its turn has come. */
  constructor(limits: AddressLimits | undefined, timers: Timers, admit: Admit) {
    this.#limits = { ...defaults, ...limits };
    this.#timers = timers;
    this.#admit = admit;
  }

  /** Addresses that are known. */
  get size(): number {
    return this.#addresses.size;
  }

  arrive(socket: Socket): void {
    const key = addressOf(socket.remote);
    let address = this.#addresses.get(key);
    if (address === undefined) this.#addresses.set(key, (address = new Address(this.#limits, this.#timers, this.#admit)));
    address.arrive(socket);
  }

  /** `ms` have passed. */
  tick(ms: number): void {
    let remembered = 0;
    for (const [key, address] of this.#addresses) {
      address.passed(ms);
      if (address.connections > 0) continue;
      // One that did harm is remembered until it has earned its peace; beyond the bound the latest are forgotten.
      if (address.isCalm || ++remembered > MAX_REMEMBERED) this.#addresses.delete(key);
    }
  }

  close(): void {
    for (const address of this.#addresses.values()) address.close();
  }
}

/** One address, and its connections. */
export class Address implements SharedNuisance, Pace {
  readonly #limits: Required<AddressLimits>;
  readonly #timers: Timers;
  readonly #admit: Admit;
  #tokens: number;
  /** From half of its tokens down until it has all of them again: so who attacks stays in trouble, and does not come and go. */
  #isInTrouble = false;
  #spentThisTurn = 0;
  #late: (() => void)[] = [];
  #waiting = new Set<Waiting>();
  #turns: Timer | undefined;
  /** Connections that were admitted and are not over, and those that wait. */
  connections = 0;

  constructor(limits: Required<AddressLimits>, timers: Timers, admit: Admit) {
    this.#limits = limits;
    this.#timers = timers;
    this.#admit = admit;
    this.#tokens = limits.nuisanceBurst;
  }

  /** As good as one that nobody has heard of. */
  get isCalm(): boolean {
    return this.#tokens === this.#limits.nuisanceBurst;
  }

  get firstTokens(): number {
    return this.#isInTrouble ? FIRST_TOKENS : Infinity;
  }

  get mustWait(): boolean {
    return this.#spentThisTurn >= FRAMES_A_TURN && this.#tokens < this.#limits.nuisanceBurst - FRAMES_A_TURN;
  }

  nextTurn(run: () => void): void {
    this.#late.push(run);
  }

  take(): number {
    if (this.#spentThisTurn++ === 0) this.#timers.defer(() => this.#turn());
    if (this.#tokens < 1) return PRICE_OF_NEED;
    this.#tokens--;
    if (this.#tokens < this.#limits.nuisanceBurst / 2) this.#isInTrouble = true;
    return 1;
  }

  earn(tokens: number): void {
    this.#tokens = Math.min(this.#limits.nuisanceBurst, this.#tokens + tokens);
    if (this.isCalm) this.#isInTrouble = false;
  }

  #turn(): void {
    this.#spentThisTurn = 0;
    const late = this.#late;
    this.#late = [];
    let at = 0;
    while (at < late.length && !this.mustWait) (late[at++] as () => void)();
    // Whoever came in between has been waiting for less long.
    if (at < late.length) this.#late = [...late.slice(at), ...this.#late];
  }

  passed(ms: number): void {
    this.earn((ms * this.#limits.nuisancePerSecond) / 1000);
  }

  arrive(socket: Socket): void {
    if (!this.#isInTrouble && this.#waiting.size === 0) {
      this.connections++;
      this.#admit(socket, this);
    } else if (this.#waiting.size >= this.#limits.maxWaiting) socket.destroy();
    else {
      this.connections++;
      this.#waiting.add(new Waiting(socket, (waiting) => this.#left(waiting)));
      this.#turns ??= this.#timers.every(1000 / this.#limits.connectionsPerSecond, () => this.#next());
    }
  }

  /** A connection is over. */
  gone(): void {
    this.connections--;
  }

  close(): void {
    for (const { socket } of this.#waiting) socket.destroy();
    this.#waiting.clear();
    this.#turns?.cancel();
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      this.#admit(waiting.socket, this);
      waiting.socket.resume();
      break;
    }
    if (this.#waiting.size > 0) return;
    this.#turns?.cancel();
    this.#turns = undefined;
  }

  #left(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.gone();
  }
}

/** A connection whose turn has not come: nothing of it is read. */
class Waiting implements SocketEvents {
  readonly socket: Socket;
  readonly #onGone: (waiting: Waiting) => void;

  constructor(socket: Socket, onGone: (waiting: Waiting) => void) {
    this.socket = socket;
    this.#onGone = onGone;
    socket.open(this);
    socket.pause();
  }

  onData(): void {
    // Paused before anything could come; a host that has some already delivered may lose it, and the connection with it.
    this.socket.destroy();
  }

  onDrain(): void {
    // Nothing was sent.
  }

  onEnd(): void {
    this.socket.destroy();
  }

  onClose(): void {
    this.#onGone(this);
  }
}

/** What tells callers apart: an IPv4 address, or the network of an IPv6 one (64 bits, of which one host has as many addresses as it likes). */
export function addressOf(remote: string): string {
  const ipv6 = /^\[([^\]]*)\]/.exec(remote)?.[1];
  if (ipv6 === undefined) return remote.slice(0, remote.lastIndexOf(':'));
  const ipv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ipv6)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [head = '', tail] = ipv6.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = tail === undefined ? front : [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
