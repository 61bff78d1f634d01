// Time that stands still until a test moves it. Several environments may share one (the nodes of a simulated cluster).
import { assert } from '@distrokv/base';
import type { Clock, Timer, Timers } from '../env.ts';
import { defer, nextTurn, settled } from './turns.ts';

/** The simulated world begins on 1 January 2026. */
const WALL_START_MS = 1_767_225_600_000;

interface Scheduled {
  dueMs: number;
  /** Breaks ties: first set, first run. */
  readonly order: number;
  readonly run: () => void;
}

export class SimulatedTime implements Clock {
  readonly timers: Timers;
  #nowMs = 0;
  #order = 0;
  #advancing = false;
  // Sorted; the next to run is the last, so that taking it is cheap.
  readonly #queue: Scheduled[] = [];

  constructor() {
    this.timers = {
      after: (delayMs, callback) => this.#schedule(delayMs, callback),
      every: (periodMs, callback) => this.#every(periodMs, callback),
      defer,
      sleep: (delayMs) => new Promise((resolve) => this.#schedule(delayMs, resolve)),
      yield: nextTurn,
    };
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#nowMs;
  }

  /** Lets everything run that can go on without time passing. */
  settle(): Promise<void> {
    return settled();
  }

  /**
   * Moves time on by `ms`. Timers run when they are due, in order, and after each the world settles at that moment before
   * time goes on: computing takes no time here.
   */
  async advance(ms: number): Promise<void> {
    assert(ms >= 0 && !this.#advancing, 'time moves forward, one advance at a time');
    this.#advancing = true;
    const endMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#queue.at(-1); next !== undefined && next.dueMs <= endMs; next = this.#queue.at(-1)) {
      this.#queue.pop();
      this.#nowMs = next.dueMs;
      next.run();
      await settled();
    }
    this.#nowMs = endMs;
    this.#advancing = false;
  }

  #schedule(delayMs: number, run: () => void): Timer {
    assert(delayMs >= 0 && delayMs < 2 ** 31, `a delay is between 0 and ${2 ** 31 - 1} ms, not ${delayMs}`);
    const entry = { dueMs: this.#nowMs + delayMs, order: this.#order++, run };
    this.#queue.splice(this.#placeOf(entry), 0, entry);
    return { cancel: () => this.#cancel(entry) };
  }

  #every(periodMs: number, callback: () => void): Timer {
    assert(periodMs > 0, 'a period is longer than nothing');
    const tick = (): void => {
      timer = this.#schedule(periodMs, tick);
      callback();
    };
    let timer = this.#schedule(periodMs, tick);
    return { cancel: () => timer.cancel() };
  }

  #cancel(entry: Scheduled): void {
    const at = this.#placeOf(entry);
    if (this.#queue[at] === entry) this.#queue.splice(at, 1);
  }

  /** Where `entry` is, or belongs, in the queue: before all that run earlier than it. */
  #placeOf(entry: Scheduled): number {
    let [low, high] = [0, this.#queue.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#queue[middle] as Scheduled;
      if (other.dueMs > entry.dueMs || (other.dueMs === entry.dueMs && other.order > entry.order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
