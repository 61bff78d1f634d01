// Floods. Some frames cost us work and bring the peer nothing: resets, pings, settings, empty frames, updates of windows that nobody waits for. Honest
// peers send some; so each takes one token of a bucket that fills again with time and with honest work.
// Behind it stand CVE-2019-9511 to 9518, CVE-2023-44487 (rapid reset), CVE-2024-27316 (CONTINUATION) and CVE-2025-8671 (MadeYouReset).
export class Nuisance {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
  }

  /** False if the peer has used up what it had. */
  take(): boolean {
    return --this.#tokens >= 0;
  }

  /** Honest work happened: what it earns. */
  earn(tokens: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + tokens);
  }

  passed(ms: number): void {
    this.earn((ms * this.#perSecond) / 1000);
  }
}
