// Spreads writes over time, so that merges leave the disk to those who wait for it.
import type { Env } from '@distrokv/env';

/** Shorter waits are saved up: a timer costs more. */
const LEAST_WAIT_MS = 5;

export class Pacer {
  readonly #env: Env;
  readonly #bytesPerMs: number;
  /** When what was spent so far is paid for. */
  #paidAtMs = 0;

  constructor(env: Env, bytesPerSecond: number) {
    this.#env = env;
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Resolves when this many bytes more may have been written. */
  async spend(bytes: number): Promise<void> {
    const now = this.#env.clock.monotonicMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, now) + bytes / this.#bytesPerMs;
    const waitMs = this.#paidAtMs - now;
    if (waitMs >= LEAST_WAIT_MS) await this.#env.timers.sleep(Math.ceil(waitMs));
  }
}
