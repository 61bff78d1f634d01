// Deadlines of many calls at the price of one timer. Calls that are due within the same few milliseconds share a bucket; most
// calls are over long before, and all that they cost is an entry in a set.
import type { Clock, Timer, Timers } from '@distrokv/env';

/** A deadline is kept this late at most, and never early. */
const BUCKET_MS = 8;

export interface Due {
  /** The bucket that it is in, for `Deadlines`. */
  bucket: Set<Due> | undefined;
  onDeadline(): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #buckets = new Map<number, Set<Due>>();
  #timer: Timer | undefined;
  /** The bucket that the timer is for. */
  #next = Infinity;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  add(due: Due, timeoutMs: number): void {
    const key = Math.ceil((this.#clock.monotonicMs() + timeoutMs) / BUCKET_MS);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = new Set()));
    bucket.add(due);
    due.bucket = bucket;
    if (key < this.#next) this.#arm(key);
  }

  remove(due: Due): void {
    due.bucket?.delete(due);
    due.bucket = undefined;
  }

  /** No timer stays behind. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#next = Infinity;
    this.#buckets.clear();
  }

  #arm(key: number): void {
    this.#timer?.cancel();
    this.#next = key;
    const delayMs = Math.max(0, key * BUCKET_MS - this.#clock.monotonicMs());
    this.#timer = this.#timers.after(Math.min(delayMs, 2 ** 31 - 1), () => this.#fire());
  }

  #fire(): void {
    this.#next = Infinity;
    this.#timer = undefined;
    const now = this.#clock.monotonicMs() / BUCKET_MS;
    let next = Infinity;
    for (const [key, bucket] of this.#buckets) {
      if (key <= now) {
        this.#buckets.delete(key);
        for (const due of bucket) {
          due.bucket = undefined;
          due.onDeadline();
        }
      } else if (bucket.size === 0) this.#buckets.delete(key);
      else if (key < next) next = key;
    }
    if (next < this.#next) this.#arm(next);
  }
}
