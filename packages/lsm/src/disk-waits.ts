// Whether a read that need not wait for the disk waits all the same. Most of what the cache of blocks lacks is in the host's page cache, and to copy
// it from there takes some three microseconds; a trip through the thread pool takes ten times that. A read of the disk itself takes a
// hundred microseconds, or ten thousand where a disk turns, and must not hold up the event loop. Nothing tells where a block is but the read itself. So what
// the last ones took says how the next ones go: after one that was slow, the next go to the thread pool, the more the slower it was, until
// another is tried. All in all a read waits in vain for two microseconds at most.
//
// A read is slow, too, when its thread had no processor meanwhile. On a machine that is busy that happens a hundred times a second, and would send most
// of what is in memory to the thread pool; so the host is asked whether the disk was.
//
// And within a turn of the event loop reads wait for five milliseconds at most; what comes then waits for the next turn, so that other events get theirs.
import type { Clock, Timers } from '@distrokv/env';

/** What takes as long did not come from memory, or its thread had no processor meanwhile. */
const SLOW_MS = 0.05;
/** Reads in the background for each millisecond that one was waited for. */
const READS_A_SLOW_MS = 500;
/** In case that the disk stood still, or the process did. */
const MOST_READS = 4096;
/** Slow reads in a row that no disk explains: these came from one that the host does not count. */
const MOST_UNEXPLAINED = 8;
/** Of a turn of the event loop, for reads that wait. */
const TURN_MS = 5;

/** How a read goes: it waits `now`, or asks once more in the `next-turn`, or goes to the `background`. */
export type Way = 'now' | 'next-turn' | 'background';

export class DiskWaits {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #diskReads: () => number | undefined;
  /** What that said last. */
  #known = 0;
  /** Reads that still have to go to the background. */
  #background = 0;
  #unexplained = 0;
  #startMs = 0;
  /** Waited for in this turn; undefined before the first. */
  #turnMs: number | undefined;
  #nextTurn: Promise<void> | undefined;

  /** `diskReads`: as a file system's. */
  constructor(clock: Clock, timers: Timers, diskReads: () => number | undefined) {
    this.#clock = clock;
    this.#timers = timers;
    this.#diskReads = diskReads;
  }

  /** How the next read goes. If it may wait it begins now, and `end` is to be called after it, unless it fails. */
  begin(): Way {
    if (this.#background > 0) {
      this.#background--;
      return 'background';
    }
    if (this.#turnMs === undefined) {
      this.#turnMs = 0;
      this.#timers.defer(() => {
        this.#turnMs = undefined;
        this.#nextTurn = undefined;
      });
    }
    if (this.#turnMs >= TURN_MS) return 'next-turn';
    this.#startMs = this.#clock.monotonicMs();
    return 'now';
  }

  end(): void {
    const tookMs = this.#clock.monotonicMs() - this.#startMs;
    this.#turnMs = (this.#turnMs ?? 0) + tookMs;
    if (tookMs < SLOW_MS) this.#unexplained = 0;
    else if (this.#wasDisk()) this.#background = Math.min(MOST_READS, Math.ceil(tookMs * READS_A_SLOW_MS));
  }

  /** When it is worth to ask again, after `next-turn`. */
  nextTurn(): Promise<void> {
    return (this.#nextTurn ??= this.#timers.yield());
  }

  #wasDisk(): boolean {
    const reads = this.#diskReads();
    if (reads === undefined || reads > this.#known) {
      this.#known = reads ?? 0;
      return true;
    }
    return ++this.#unexplained >= MOST_UNEXPLAINED;
  }
}
