// The client's time: waiting, unless somebody says that it is enough, and how long something has taken.
import { createNodeEnv } from '@distrokv/env';

const { clock, timers } = createNodeEnv();

/** Resolves after `ms`, or when the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.after(ms, end);
    signal?.addEventListener('abort', end);
  });
}

/** Milliseconds of a clock that never goes back. */
export function nowMs(): number {
  return clock.monotonicMs();
}
