// Whether a read that need not wait for the disk waits all the same. Most of what the cache of blocks lacks is in the host's page cache, and to copy
// it from there takes some three microseconds; a trip through the thread pool takes ten times that. A read of the disk itself takes a
// hundred microseconds, or ten thousand where a disk turns, and must not hold up the event loop. Nothing tells where a block is but the read itself. So what
// the last ones took says how the next ones go: after one that was slow, the next go to the thread pool, the more the slower it was, until
// another is tried. All in all a read waits in vain for two microseconds at most.
//
// And within a turn of the event loop reads wait for two milliseconds at most; what comes then goes to the thread pool, so that other events get their turn.
import type { Clock, Timers } from '@distrokv/env';

/** What takes as long did not come from memory, or its thread had no processor meanwhile. */
const SLOW_MS = 0.05;
/** Reads in the background for each millisecond that one was waited for. */
const READS_A_SLOW_MS = 500;
/** In case that the disk stood still, or the process did. */
const MOST_READS = 4096;
/** Of a turn of the event loop, for reads that wait. */
const TURN_MS = 2;

export class DiskWaits {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Reads that still have to go to the background. */
  #background = 0;
  #startMs = 0;
  /** Waited for in this turn; undefined before the first. */
  #turnMs: number | undefined;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Whether the next read may wait. If so it begins now, and `end` is to be called after it, unless it fails. */
  begin(): boolean {
    if (this.#background > 0) {
      this.#background--;
      return false;
    }
    if (this.#turnMs === undefined) {
      this.#turnMs = 0;
      this.#timers.defer(() => (this.#turnMs = undefined));
    }
    if (this.#turnMs >= TURN_MS) return false;
    this.#startMs = this.#clock.monotonicMs();
    return true;
  }

  end(): void {
    const tookMs = this.#clock.monotonicMs() - this.#startMs;
    this.#turnMs = (this.#turnMs ?? 0) + tookMs;
    if (tookMs >= SLOW_MS) this.#background = Math.min(MOST_READS, Math.ceil(tookMs * READS_A_SLOW_MS));
  }
}
