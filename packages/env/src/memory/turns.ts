// Work that waits for the end of a turn of the event loop, counted, so that a test can tell when its world has come to rest.
// The turns are the host's own: their order is fixed, so a simulated world on them repeats itself.
import { assert } from '@distrokv/base';
import { atEndOfTurn } from '../node/turn.ts';

const MAX_TURNS = 1_000_000;

let waiting = 0;

/** Runs `callback` at the end of this turn. */
export function defer(callback: () => void): void {
  waiting++;
  atEndOfTurn(() => {
    waiting--;
    callback();
  });
}

/** Resolves at the end of this turn. */
export function nextTurn(): Promise<void> {
  return new Promise(defer);
}

/** Resolves when nothing is left that could go on without time passing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    await new Promise<void>(atEndOfTurn);
    if (waiting === 0) return;
  }
  assert(false, `the world comes to rest within ${MAX_TURNS} turns`);
}
