// The end of a turn of the host's event loop: what arrived has been handled, and all promises that could go on have.
// The simulated world runs on the host's turns too: their order is fixed (first in, first out), so they may stay real.

export function atEndOfTurn(callback: () => void): void {
  setImmediate(callback);
}
