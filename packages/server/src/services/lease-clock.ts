// Moves the lease clock of the store on, if this member leads (`mvcc`, leases.ts: why no lease ends early). Time is measured from the moment that the
// tick before was applied here; a new leader lets an election timeout pass first, so that clients can find it and renew.
import type { Timer } from '@distrokv/env';
import { MAX_TICK_MS } from '@distrokv/mvcc';
import type { ServerConfig } from '../config.ts';
import type { ServiceContext } from './context.ts';

const PERIOD_MS = 500;

export type LeaseClockContext = Pick<ServiceContext, 'env' | 'logger' | 'replica' | 'store'> & {
  readonly config: Pick<ServerConfig, 'electionMs'>;
};

export class LeaseClock {
  readonly #context: LeaseClockContext;
  /** When the last tick was applied here; for a new leader, a while after it began to lead. */
  #sinceMs: number;
  #leads = false;
  #isTicking = false;
  #timer: Timer | undefined;

  constructor(context: LeaseClockContext) {
    this.#context = context;
    this.#sinceMs = context.env.clock.monotonicMs();
    context.store.onTick(() => (this.#sinceMs = context.env.clock.monotonicMs()));
  }

  start(): void {
    this.#timer = this.#context.env.timers.every(PERIOD_MS, () => void this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The reading now, as far as this member can tell. */
  get nowMs(): number {
    return this.#context.store.state.leaseClockMs + Math.min(this.#elapsedMs, MAX_TICK_MS);
  }

  get #elapsedMs(): number {
    return Math.max(0, Math.floor(this.#context.env.clock.monotonicMs() - this.#sinceMs));
  }

  async #tick(): Promise<void> {
    const { env, config, replica, store, logger } = this.#context;
    const leads = replica.leader === replica.id;
    if (leads && !this.#leads) this.#sinceMs = env.clock.monotonicMs() + config.electionMs;
    this.#leads = leads;
    if (!leads || this.#isTicking || store.leases.size === 0 || env.clock.monotonicMs() < this.#sinceMs) return;
    this.#isTicking = true;
    try {
      let more = true;
      while (more) {
        const fromMs = store.state.leaseClockMs;
        const toMs = fromMs + Math.min(this.#elapsedMs, MAX_TICK_MS);
        ({ more } = await replica.propose({ kind: 'lease-tick', request: { fromMs, toMs } }));
      }
    } catch (error) {
      logger.debug('a tick of the lease clock was lost', { error });
    } finally {
      this.#isTicking = false;
    }
  }
}
