// The host's clock and timers.
import { assert } from '@distrokv/base';
import type { Clock, Timer, Timers } from '../env.ts';
import { atEndOfTurn } from './turn.ts';

const MAX_DELAY_MS = 2 ** 31 - 1;

export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
};

export const nodeTimers: Timers = {
  after(delayMs: number, callback: () => void): Timer {
    mustBeDelay(delayMs);
    const dueMs = performance.now() + delayMs;
    // The event loop counts whole milliseconds, so setTimeout may call a fraction of one too early.
    const fire = (): void => {
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) handle = setTimeout(fire, leftMs);
      else callback();
    };
    let handle = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs: number, callback: () => void): Timer {
    assert(periodMs > 0, 'a period is longer than nothing');
    mustBeDelay(periodMs);
    const handle = setInterval(callback, periodMs);
    return { cancel: () => clearInterval(handle) };
  },
  defer: atEndOfTurn,
  sleep: (delayMs) => new Promise((resolve) => nodeTimers.after(delayMs, resolve)),
  yield: () => new Promise(atEndOfTurn),
};

function mustBeDelay(ms: number): void {
  assert(ms >= 0 && ms <= MAX_DELAY_MS, `a delay is between 0 and ${MAX_DELAY_MS} ms, not ${ms}`);
}
