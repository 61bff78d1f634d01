// A connection of HTTP/2 on a socket: bytes in, bytes out, once a turn, and waiting on both sides. When the socket is full,
// no more output is taken, so queues fill and senders wait; when too much output waits, no more is read.
import type { Socket, SocketEvents, Timers } from '@distrokv/env';
import { concatBytes } from '@distrokv/base';
import { ErrorCode, type Connection } from '@distrokv/http2';
import type { Buffers } from './buffers.ts';

/** Runs what has to be done at the end of this turn: one entry in the event loop, however many links have output. */
export class TurnEnd {
  readonly #timers: Timers;
  #links: Link[] = [];

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(link: Link): void {
    if (this.#links.length === 0) this.#timers.defer(() => this.#run());
    this.#links.push(link);
  }

  /** Runs `callback` after what was added before. */
  later(callback: () => void): void {
    this.#timers.defer(callback);
  }

  #run(): void {
    const links = this.#links;
    this.#links = [];
    for (const link of links) link.flush();
  }
}

/** What links share. */
export interface LinkHost {
  readonly turnEnd: TurnEnd;
  readonly buffers: Buffers;
}

/** Says when what came has to wait, because too much of its kind came in this turn of the event loop. */
export interface Pace {
  readonly mustWait: boolean;
  /** Calls `run` in a later turn, in order. */
  nextTurn(run: () => void): void;
}

/** So few bytes never wait: they hold few frames, and may be those of a neighbour who calls now and then. */
const PROMPT_BYTES = 2048;

/** A connection that is over may take so long to send the rest and to hear that the other side has ended, too. */
const LINGER_MS = 5000;
/** And it may send so much that nobody hears any more: what was on its way. A socket that is closed with bytes unread takes back what it has sent. */
const LINGER_BYTES = 256 << 10;

export class Link implements SocketEvents {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly #host: LinkHost;
  readonly #onGone: () => void;
  readonly #pace: Pace | undefined;
  /** What has to wait for a later turn; the socket is paused. */
  #late: Uint8Array | undefined;
  /** Inside of `onData`, which ends with a flush. */
  #receiving = false;
  #planned = false;
  #full = false;
  #paused = false;
  #ending = false;
  /** Bytes that came since then. */
  #unheard = 0;
  /** When `tick` first saw it ending. */
  #endingSinceMs: number | undefined;
  /** Large messages of which some may be in the output, and those that were taken out of it but are perhaps not written yet. */
  #moved: Uint8Array[] = [];
  #taken: Uint8Array[] = [];

  /** `onGone` is called once, when the socket is closed. */
  constructor(socket: Socket, connection: Connection, host: LinkHost, onGone: () => void, pace?: Pace) {
    this.socket = socket;
    this.connection = connection;
    this.#host = host;
    this.#onGone = onGone;
    this.#pace = pace;
  }

  onData(bytes: Uint8Array): void {
    if (this.#ending) {
      this.#unheard += bytes.length;
      if (this.#unheard > LINGER_BYTES) this.socket.destroy();
      return;
    }
    if (this.#pace !== undefined && (this.#late !== undefined || (bytes.length > PROMPT_BYTES && this.#pace.mustWait))) {
      this.#wait(this.#pace, bytes);
      return;
    }
    this.#receiving = true;
    this.connection.receive(bytes);
    this.#receiving = false;
    this.flush();
    if (this.connection.congested && !this.#paused) {
      this.#paused = true;
      this.socket.pause();
    }
  }

  #wait(pace: Pace, bytes: Uint8Array): void {
    // A host may have had more on its way when it was paused.
    this.#late = this.#late === undefined ? bytes : concatBytes([this.#late, bytes]);
    if (this.#late !== bytes) return;
    this.socket.pause();
    pace.nextTurn(() => {
      const late = this.#late;
      this.#late = undefined;
      if (late !== undefined) this.onData(late);
      if (this.#late === undefined && !this.#paused) this.socket.resume();
    });
  }

  onDrain(): void {
    this.#full = false;
    this.flush();
  }

  /** HTTP/2 has no half-closed connections: who stops sending has gone. */
  onEnd(): void {
    this.connection.disconnected(undefined);
    this.socket.end();
  }

  onClose(error: Error | undefined): void {
    this.connection.disconnected(error?.message);
    // The host may still hold what it could not write.
    this.#moved = [];
    this.#taken = [];
    this.#onGone();
  }

  /** There is output: it leaves at the end of this turn. */
  wake(): void {
    if (this.#receiving || this.#planned || this.#full) return;
    this.#planned = true;
    this.#host.turnEnd.add(this);
  }

  /** `bytes` is all in the output. */
  onDataMoved(bytes: Uint8Array): void {
    this.#moved.push(bytes);
  }

  flush(): void {
    this.#planned = false;
    if (this.#taken.length > 0 && this.socket.waitingBytes === 0) this.#recycle();
    while (!this.#full) {
      // What moves into the output while it is taken is in the next one.
      if (this.#moved.length > 0) {
        this.#taken.push(...this.#moved);
        this.#moved = [];
      }
      const output = this.connection.takeOutput();
      if (output.length === 0) break;
      for (const bytes of output) if (!this.socket.write(bytes)) this.#full = true;
    }
    if (this.#paused && !this.connection.congested) {
      this.#paused = false;
      if (this.#late === undefined) this.socket.resume();
    }
    if (this.#ending && !this.#full) this.socket.end();
  }

  /** All that was taken is written. */
  #recycle(): void {
    for (const bytes of this.#taken) this.#host.buffers.giveBack(bytes);
    this.#taken = [];
  }

  /** The connection is over: what it still has to say goes out, then the socket ends. */
  end(): void {
    this.#ending = true;
    this.wake();
  }

  /** To be called about once a second. */
  tick(nowMs: number): void {
    this.connection.tick(nowMs);
    this.flush();
    if (!this.#ending) return;
    this.#endingSinceMs ??= nowMs;
    if (nowMs - this.#endingSinceMs > LINGER_MS) this.socket.destroy();
  }

  /** Ends now: with a goodbye, if the socket takes it at once. */
  cut(why: string): void {
    this.connection.close(ErrorCode.noError, why);
    this.flush();
    this.#host.turnEnd.later(() => this.socket.destroy());
  }
}
