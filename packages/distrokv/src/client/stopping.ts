// Commands that run until somebody stops them, and clean up then.
import type { Host } from '../host.ts';

/** Aborted by the first signal to stop. */
export function stopSignal(host: Host): AbortSignal {
  const stop = new AbortController();
  host.onStopRequest(() => stop.abort());
  return stop.signal;
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
