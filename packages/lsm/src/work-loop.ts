// Background work that is done one piece after the other: woken when something may be due, it goes on until nothing is,
// waits and tries again where a failure may pass (a full disk), and ends the engine where it may not.
import { messageOf } from '@distrokv/base';
import type { Env, Logger } from '@distrokv/env';
import { type Health, isTransient } from './fail-stop.ts';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;

export interface WorkLoopOptions {
  /** What it does, for the log: "a flush". */
  readonly what: string;
  /** Does one piece; false when nothing is due. */
  readonly step: () => Promise<boolean>;
  /** Called when an attempt failed and the next one has to wait. */
  readonly onStuck?: () => void;
  readonly env: Env;
  readonly logger: Logger;
  readonly health: Health;
}

export class WorkLoop {
  readonly #options: WorkLoopOptions;
  #running: Promise<void> | undefined;
  #woken = false;
  #failures = 0;
  #endDelay: (() => void) | undefined;

  constructor(options: WorkLoopOptions) {
    this.#options = options;
  }

  /** The last attempt failed, and the next one waits for its time. */
  get isStuck(): boolean {
    return this.#failures > 0;
  }

  /** Looks for work, unless it is being looked for. */
  wake(): void {
    this.#woken = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // Woken between the last look and now.
      if (this.#woken && this.#options.health.isWritable) this.wake();
    });
  }

  /** Resolves when nothing is due any more, or the engine has failed or is closed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Ends a wait between attempts, for the engine closes. */
  async stop(): Promise<void> {
    this.#endDelay?.();
    await this.idle();
  }

  async #run(): Promise<void> {
    const { step, health } = this.#options;
    while (this.#woken && health.isWritable) {
      this.#woken = false;
      try {
        while (health.isWritable && (await step())) this.#failures = 0;
        this.#failures = 0;
      } catch (error) {
        await this.#afterFailure(error);
      }
    }
  }

  async #afterFailure(error: unknown): Promise<void> {
    const { what, env, logger, health } = this.#options;
    // Work that was broken off because the engine closes has not failed.
    if (!health.isWritable) return;
    if (!isTransient(error)) {
      logger.fatal(`${what} failed; the engine takes no more writes`, { error });
      health.fail(error);
      return;
    }
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures);
    this.#failures++;
    logger.warn(`${what} failed and is tried again in ${delayMs} ms`, { error: messageOf(error), attempt: this.#failures });
    this.#woken = true;
    this.#options.onStuck?.();
    await new Promise<void>((resolve) => {
      const timer = env.timers.after(delayMs, resolve);
      this.#endDelay = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#endDelay = undefined;
  }
}
