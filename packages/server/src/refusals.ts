// Connections that were turned away for what the other side did, in the log: whoever has the wrong certificate tries again every second, so a reason is told once a
// minute for each address, with how often it was met meanwhile.
import type { Env, Logger } from '@distrokv/env';

const TELL_EVERY_MS = 60_000;
/** Pairs of address and reason that are told in that time; an attacker with many addresses fills no disk. */
const MAX_TOLD = 100;

interface Told {
  readonly atMs: number;
  untold: number;
}

export class Refusals {
  readonly #env: Env;
  readonly #logger: Logger;
  readonly #port: string;
  readonly #told = new Map<string, Told>();

  /** `port`: "clients" or "peers", as the log has it. */
  constructor(env: Env, logger: Logger, port: string) {
    this.#env = env;
    this.#logger = logger;
    this.#port = port;
  }

  /** `remote` is "host:port". */
  add(remote: string, reason: string): void {
    const address = remote.slice(0, remote.lastIndexOf(':'));
    // What differs from one connection to the next is a number mostly.
    const key = `${address} ${reason.replaceAll(/\d+/g, '#')}`;
    const nowMs = this.#env.clock.monotonicMs();
    const before = this.#told.get(key);
    if (before !== undefined && nowMs - before.atMs < TELL_EVERY_MS) {
      before.untold++;
      return;
    }
    this.#told.delete(key);
    if (this.#told.size >= MAX_TOLD && !this.#forgetOldest(nowMs)) return;
    this.#told.set(key, { atMs: nowMs, untold: 0 });
    const more = before === undefined || before.untold === 0 ? {} : { more_since: before.untold };
    this.#logger.warn('refused a connection', { port: this.#port, from: remote, reason, ...more });
  }

  /** False if even the oldest was told less than a minute ago. */
  #forgetOldest(nowMs: number): boolean {
    for (const [key, { atMs }] of this.#told) {
      if (nowMs - atMs < TELL_EVERY_MS) return false;
      this.#told.delete(key);
      return true;
    }
    return true;
  }
}
