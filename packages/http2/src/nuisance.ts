// Floods. Some frames cost us work and bring the peer nothing: resets, pings, settings, empty frames, updates of windows that nobody waits for. Honest
// peers send some; so each takes one token of a bucket that fills again with time and with honest work.
// Behind it stand CVE-2019-9511 to 9518, CVE-2023-44487 (rapid reset), CVE-2024-27316 (CONTINUATION) and CVE-2025-8671 (MadeYouReset).
import type { SharedNuisance } from './types.ts';

/** Whoever connects needs a few; they are not held against its neighbours. */
const OWN_FRAMES = 8;

export class Nuisance {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #shared: SharedNuisance | undefined;
  #tokens: number;
  #taken = 0;

  /** `shared`: what connections have together that may belong to one peer. */
  constructor(burst: number, perSecond: number, shared?: SharedNuisance) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#shared = shared;
    this.#tokens = Math.min(burst, shared?.firstTokens ?? burst);
  }

  /** False if the peer has used up what it had. */
  take(): boolean {
    this.#tokens -= this.#shared === undefined || ++this.#taken <= OWN_FRAMES ? 1 : this.#shared.take();
    return this.#tokens >= 0;
  }

  /** Honest work happened: what it earns. */
  earn(tokens: number): void {
    if (this.#tokens === this.#burst) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + tokens);
    this.#shared?.earn(tokens);
  }

  passed(ms: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (ms * this.#perSecond) / 1000);
  }
}
