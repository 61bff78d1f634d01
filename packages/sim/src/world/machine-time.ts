// Time as one machine sees it: a clock that runs a little fast or slow, a wall clock that jumps, and timers that end with their process.
import type { Random } from '@distrokv/base';
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

/** Longest time that others have the processor. */
const PREEMPTED_MS = 20;

/**
 * The clock of a machine as a process sees it that does not have the processor for itself. Computing takes no time in the simulated world, so a
 * process never finds that its slice of the event loop is over; here it does: at a look at the clock, some time may have gone by. Its clock
 * then leads the world's, by one such time at most, until it lets others run.
 */
export class ProcessClock implements Clock {
  readonly #clock: MachineClock;
  readonly #random: Random;
  readonly #preemption: () => number;
  #untilMs = 0;

  /** `preemption`: the chance of it, at each look. */
  constructor(clock: MachineClock, random: Random, preemption: () => number) {
    this.#clock = clock;
    this.#random = random;
    this.#preemption = preemption;
  }

  monotonicMs(): number {
    const now = this.#clock.monotonicMs();
    if (this.#untilMs > now) return this.#untilMs;
    const chance = this.#preemption();
    if (chance === 0 || !this.#random.chance(chance)) return now;
    this.#untilMs = now + PREEMPTED_MS * this.#random.float();
    return this.#untilMs;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  /** How far it leads: so long the process waits when it lets others run. */
  leadMs(): number {
    return Math.max(0, this.#untilMs - this.#clock.monotonicMs());
  }
}

export function processTimers(time: SimulatedTime, clock: MachineClock, gate: Gate, leadMs: () => number): Timers {
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
    yield: () => {
      const lead = leadMs();
      return lead === 0 ? time.timers.yield() : new Promise((resolve) => after(lead, resolve));
    },
  };
}
