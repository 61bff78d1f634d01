// How long the event loop stands still. Everything of a member shares it, so a stall longer than a heartbeat is a bug: the others hear nothing
// meanwhile, and after an election timeout they run for leader. A timer that comes late is the measure; it finds stalls of whatever cause,
// also of a process that was stopped and of a machine that had no time for it.
import type { Env, Logger, Timer } from '@distrokv/env';

/** At most one line in this time: a machine without breath must not be kept busy with telling so. */
const TELL_PERIOD_MS = 1000;
/** Looks in a heartbeat: a stall is measured too short by the pause between two at most. */
const LOOKS = 4;

export interface LoopStallsOptions {
  readonly env: Pick<Env, 'clock' | 'timers'>;
  readonly logger: Logger;
  readonly heartbeatMs: number;
}

export class LoopStalls {
  readonly #options: LoopStallsOptions;
  readonly #periodMs: number;
  #timer: Timer | undefined;
  #lastMs = 0;
  #maxMs = 0;
  #count = 0;
  #toldMs = -Infinity;
  /** Stalls that were not told since the last line. */
  #untold = 0;

  constructor(options: LoopStallsOptions) {
    this.#options = options;
    this.#periodMs = Math.max(1, options.heartbeatMs / LOOKS);
  }

  /** The longest stall since the start, in milliseconds, longer than a heartbeat or not. */
  get maxMs(): number {
    return this.#maxMs;
  }

  /** Stalls longer than a heartbeat since the start. */
  get count(): number {
    return this.#count;
  }

  start(): void {
    const { clock, timers } = this.#options.env;
    this.#lastMs = clock.monotonicMs();
    this.#timer = timers.every(this.#periodMs, () => this.#look(clock.monotonicMs()));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(nowMs: number): void {
    const stallMs = nowMs - this.#lastMs - this.#periodMs;
    this.#lastMs = nowMs;
    this.#maxMs = Math.max(this.#maxMs, stallMs);
    if (stallMs <= this.#options.heartbeatMs) return;
    this.#count++;
    this.#untold++;
    if (nowMs - this.#toldMs < TELL_PERIOD_MS) return;
    const more = this.#untold > 1 ? { stalls: this.#untold } : {};
    this.#options.logger.warn('the event loop stood still', { ms: Math.round(stallMs), ...more });
    this.#toldMs = nowMs;
    this.#untold = 0;
  }
}
