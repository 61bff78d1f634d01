// Clients that write as fast as they are answered, and remember what they were promised.
import type { Random } from '@distrokv/base';
import { Api } from './api.ts';

/** A call without an answer after this time is given up; whether it happened is unknown. */
const CALL_TIMEOUT_MS = 2000;

export class Writers implements AsyncDisposable {
  /** Acknowledged: key → value. */
  readonly acknowledged: Map<string, string> = new Map();
  /** Tried, without an answer: key → value that it may have. */
  readonly unknown: Map<string, string> = new Map();
  readonly #apis: readonly Api[];
  readonly #running: Promise<unknown>;
  #stopped = false;
  #waiting: { readonly count: number; readonly startedAfterMs: number; seen: number; readonly resolve: () => void }[] = [];

  /** `prefix` keeps the keys of several runs apart. */
  constructor(options: {
    readonly endpoints: readonly string[];
    readonly clients: number;
    readonly prefix: string;
    readonly random: Random;
  }) {
    const { endpoints, clients, prefix, random } = options;
    this.#apis = endpoints.map((endpoint) => new Api(endpoint));
    this.#running = Promise.all(Array.from({ length: clients }, (_, i) => this.#write(`${prefix}/${i}`, i % endpoints.length, random)));
  }

  /** Resolves when `count` more writes, begun from now on, were acknowledged. */
  progress(count: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ count, startedAfterMs: performance.now(), seen: 0, resolve }));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    for (const api of this.#apis) api[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #write(prefix: string, first: number, random: Random): Promise<void> {
    let at = first;
    for (let i = 0; !this.#stopped; i++) {
      const [key, value] = [`${prefix}/${i}`, `value ${random.uint32()}`];
      const startedMs = performance.now();
      try {
        await (this.#apis[at] as Api).put(key, value, { timeoutMs: CALL_TIMEOUT_MS });
        this.acknowledged.set(key, value);
        this.#count(startedMs);
      } catch {
        // Unknown: it may have been written. Go on with another member, which may live.
        this.unknown.set(key, value);
        at = (at + 1) % this.#apis.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  #count(startedMs: number): void {
    for (const waiter of this.#waiting) if (startedMs >= waiter.startedAfterMs && ++waiter.seen >= waiter.count) waiter.resolve();
    this.#waiting = this.#waiting.filter((waiter) => waiter.seen < waiter.count);
  }
}
