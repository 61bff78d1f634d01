// Time as one machine sees it: a clock that runs a little fast or slow, a wall clock that jumps, and timers that end with their process.
import type { Clock, SimulatedTime, Timer, Timers } from '@distrokv/env';
import type { Gate } from './gate.ts';

export class MachineClock implements Clock {
  readonly #time: SimulatedTime;
  /** Its seconds in a second of the world. */
  readonly rate: number;
  /** How far the wall clock was set forward, or back. */
  wallOffsetMs = 0;
  readonly #startMs: number;

  constructor(time: SimulatedTime, rate: number, startMs: number) {
    this.#time = time;
    this.rate = rate;
    this.#startMs = startMs;
  }

  monotonicMs(): number {
    return this.#startMs + this.#time.monotonicMs() * this.rate;
  }

  wallMs(): number {
    return this.#time.wallMs() + this.wallOffsetMs;
  }
}

export function processTimers(time: SimulatedTime, clock: MachineClock, gate: Gate): Timers {
  const after = (delayMs: number, callback: () => void): Timer => {
    let isOver = false;
    const run = (): void => {
      if (isOver) return;
      isOver = true;
      callback();
    };
    const timer = time.timers.after(delayMs / clock.rate, () => gate.enter(run));
    return {
      cancel() {
        isOver = true;
        timer.cancel();
      },
    };
  };
  const every = (periodMs: number, callback: () => void): Timer => {
    const tick = (): void => {
      timer = after(periodMs, tick);
      callback();
    };
    let timer = after(periodMs, tick);
    return { cancel: () => timer.cancel() };
  };
  return {
    after,
    every,
    defer: (callback) => time.timers.defer(() => gate.enter(callback)),
    sleep: (delayMs) => new Promise((resolve) => after(delayMs, resolve)),
    yield: () => time.timers.yield(),
  };
}
