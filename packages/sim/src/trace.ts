// What happened in a run, event by event: a hash of everything, by which two runs are told to be the same, and, where somebody wants to
// read it, the lines.
export class Trace {
  readonly #now: () => number;
  readonly #lines: string[] | undefined;
  #hash = 0x811c9dc5;
  #events = 0;

  constructor(now: () => number, keepsLines: boolean) {
    this.#now = now;
    this.#lines = keepsLines ? [] : undefined;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  get events(): number {
    return this.#events;
  }

  /** FNV-1a over everything noted so far, and how much that was. */
  get hash(): string {
    return `${(this.#hash >>> 0).toString(16).padStart(8, '0')}-${this.#events}`;
  }

  /** `who` did or met `what`. */
  note(who: string, what: string): void {
    this.#events++;
    const now = this.#now();
    let hash = this.#hash ^ Math.floor(now * 1000);
    for (let i = 0; i < who.length; i++) hash = Math.imul(hash ^ who.charCodeAt(i), 0x01000193);
    for (let i = 0; i < what.length; i++) hash = Math.imul(hash ^ what.charCodeAt(i), 0x01000193);
    this.#hash = hash;
    this.#lines?.push(`${(now / 1000).toFixed(3).padStart(9)}  ${who.padEnd(5)} ${what}`);
  }
}
