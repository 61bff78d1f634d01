// Time: who has been silent for too long (RFC 9113 §6.5.3, §6.7), and who pings too often. Time is what `tick` was last told; nothing here has a clock.
import { ErrorCode } from './codes.ts';
import { type Core, debugText } from './core.ts';
import { Http2Error } from './errors.ts';

/** What the first byte of our PINGs says they are for. */
const Purpose = { owner: 0, keepalive: 1, shutdown: 2 } as const;
const MAX_PINGS_UNDER_WAY = 16;
/** Without open streams, gRPC's servers take a PING every two hours (gRFC A8). */
const IDLE_PING_INTERVAL_MS = 2 * 3_600_000;

export interface WatchState {
  readonly sawSettings: boolean;
  /** A field block has begun and not ended. */
  readonly isInBlock: boolean;
}

export class Watch<Context> {
  readonly #core: Core<Context>;
  /** What to do when the PING of a shutdown has come back, or did not in time. */
  readonly #onShutdownPong: () => void;
  #now = 0;
  #started: number | undefined;
  #lastElapsed = 0;
  /** Something came since the last tick. */
  heard = false;
  #lastHeard = 0;
  #keepaliveSentAt: number | undefined;
  #shutdownSentAt: number | undefined;
  #blockSince: number | undefined;
  readonly #pings = new Set<number>();
  #lastPingAt = -Infinity;
  #strikes = 0;
  /** The last GOAWAY of the peer, if it was for an error. */
  goaway: string | undefined;
  goawayCode: ErrorCode = ErrorCode.noError;

  constructor(core: Core<Context>, onShutdownPong: () => void) {
    this.#core = core;
    this.#onShutdownPong = onShutdownPong;
  }

  /** Throws Http2Error `timeout`. */
  tick(now: number, state: WatchState): void {
    const { limits } = this.#core;
    if (this.#started === undefined) {
      this.#started = now;
      this.#lastHeard = now;
    } else this.#lastElapsed = Math.max(0, now - this.#now);
    this.#now = now;
    this.#core.nuisance.passed(this.#lastElapsed);
    if (this.heard) {
      this.heard = false;
      this.#lastHeard = now;
      this.#keepaliveSentAt = undefined;
    } else this.#core.sender.output.shrink();
    if (!(state.sawSettings && this.#core.settingsAcked) && now - this.#started > limits.handshakeTimeoutMs) {
      throw timeout(ErrorCode.settingsTimeout, state.sawSettings ? 'our SETTINGS are not acknowledged' : 'no SETTINGS came');
    }
    this.#blockSince = state.isInBlock ? (this.#blockSince ?? now) : undefined;
    if (this.#blockSince !== undefined && now - this.#blockSince > limits.handshakeTimeoutMs) {
      throw timeout(ErrorCode.enhanceYourCalm, 'a field block does not end');
    }
    this.#keepAlive(now);
    if (this.#shutdownSentAt !== undefined && now - this.#shutdownSentAt > limits.keepaliveTimeoutMs) this.#shutdownPong();
  }

  #keepAlive(now: number): void {
    const { limits, streams, sender } = this.#core;
    if (this.#keepaliveSentAt !== undefined) {
      if (now - this.#keepaliveSentAt >= limits.keepaliveTimeoutMs) throw timeout(ErrorCode.noError, 'no answer to a keepalive PING');
      return;
    }
    if (now - this.#lastHeard < limits.keepaliveMs || (streams.size === 0 && !limits.keepaliveWithoutStreams)) return;
    this.#keepaliveSentAt = now;
    sender.output.ping(opaque(Purpose.keepalive, 0), 0, false);
  }

  ping(value: number): boolean {
    if (this.#pings.size >= MAX_PINGS_UNDER_WAY || this.#pings.has(value)) return false;
    this.#pings.add(value);
    this.#core.sender.output.ping(opaque(Purpose.owner, value), 0, false);
    return true;
  }

  pingForShutdown(): void {
    this.#shutdownSentAt = this.#now;
    this.#core.sender.output.ping(opaque(Purpose.shutdown, 0), 0, false);
  }

  /** False if no PING of ours said that. */
  onPong(bytes: Uint8Array, from: number): boolean {
    let value = 0;
    for (let i = from + 1; i < from + 8; i++) value = value * 256 + (bytes[i] as number);
    switch (bytes[from]) {
      case Purpose.owner:
        if (!this.#pings.delete(value)) return false;
        this.#core.handler.onPong?.(value);
        return true;
      case Purpose.keepalive:
        return this.#keepaliveSentAt !== undefined;
      case Purpose.shutdown:
        if (this.#shutdownSentAt === undefined) return false;
        this.#shutdownPong();
        return true;
      default:
        return false;
    }
  }

  #shutdownPong(): void {
    this.#shutdownSentAt = undefined;
    this.#onShutdownPong();
  }

  /** Counts strikes as gRPC's servers do (gRFC A8). Throws "too_many_pings". */
  onPing(): void {
    const { limits, streams, isServer } = this.#core;
    if (!isServer) return;
    const isIdle = streams.size === 0 && limits.strictPingsWithoutStreams;
    // Our time is as old as the last tick.
    const least = (isIdle ? IDLE_PING_INTERVAL_MS : limits.minPingIntervalMs) - this.#lastElapsed;
    const isTooSoon = limits.minPingIntervalMs > 0 && this.#now - this.#lastPingAt < least;
    this.#lastPingAt = this.#now;
    if (this.#core.hasSpoken) {
      this.#core.hasSpoken = false;
      this.#strikes = 0;
    } else if (isTooSoon && ++this.#strikes > limits.maxPingStrikes) {
      throw new Http2Error('protocol', ErrorCode.enhanceYourCalm, 'too_many_pings');
    }
  }

  onGoaway(code: ErrorCode, debug: Uint8Array): void {
    this.goawayCode = code;
    if (code !== ErrorCode.noError) this.goaway = debugText(debug);
  }
}

function timeout(code: ErrorCode, message: string): Http2Error {
  return new Http2Error('timeout', code, message);
}

/** Seven bytes hold any safe integer. */
function opaque(purpose: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes[0] = purpose;
  for (let i = 7; i > 0; i--) {
    bytes[i] = value % 256;
    value = Math.floor(value / 256);
  }
  return bytes;
}
