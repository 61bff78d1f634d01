// Slows writers down gently before they would have to stop. What they owe grows with the *pressure*: how much of the memory
// between "one memtable waits" and "writers stop" is used, or how far merges lag behind, whichever is more. For its bytes a
// writer waits the time that the last flushes took for as many, times pressure² / (1 − pressure). So at 0.62 of the pressure (the
// golden ratio's) writers go exactly as fast as the disk, and whatever they do they find their balance short of the stop; and who is slower than the
// disk hardly waits, although a memtable is being flushed half of the time.
import { type Deferred, deferred } from '@distrokv/base';
import type { Clock, Timers } from '@distrokv/env';
import { type Generations, MAX_FROZEN } from './generations.ts';

/** Shorter waits than a timer can tell are saved up. */
const MIN_DELAY_MS = 1;
/** A single write never waits longer; beyond that the stop is a stop. */
const MAX_DELAY_MS = 50;
const MAX_PRESSURE = 0.98;
/** Bytes a millisecond, before any flush was measured. */
const FIRST_RATE = 128 << 10;
/** What a measured flush weighs after the next one. */
const FADING = 0.5;

export interface WritePaceOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly generations: Generations;
  readonly memtableBytes: number;
  /** How far merges lag behind: 0 not at all, 1 so far that flushes stop. */
  readonly mergeDebt: () => number;
}

export class WritePace {
  readonly #options: WritePaceOptions;
  #flushedBytes: number = FIRST_RATE;
  #flushedMs = 1;
  #owedMs = 0;
  #waiting: Deferred<void> | undefined;
  /** Waits so far, and how long they took. */
  delays = 0;
  delayedMs = 0;

  constructor(options: WritePaceOptions) {
    this.#options = options;
  }

  /** Nobody has to wait at the moment. */
  get isFree(): boolean {
    return this.#pressure() <= 0;
  }

  /** Undefined if a write of so many bytes may go on at once; else resolves when it may. */
  due(bytes: number): Promise<void> | undefined {
    const pressure = this.#pressure();
    if (pressure <= 0) {
      this.#owedMs = 0;
      return undefined;
    }
    this.#owedMs += ((bytes * this.#flushedMs) / this.#flushedBytes) * ((pressure * pressure) / (1 - pressure));
    if (this.#owedMs < MIN_DELAY_MS) return undefined;
    return this.#delay(Math.min(this.#owedMs, MAX_DELAY_MS));
  }

  /** A memtable of so many bytes was flushed in so many milliseconds. */
  noteFlush(bytes: number, ms: number): void {
    this.#flushedBytes = this.#flushedBytes * FADING + bytes;
    this.#flushedMs = this.#flushedMs * FADING + ms;
    this.relieve();
  }

  /** Ends the wait: there is less pressure now, or no point in waiting any more. */
  relieve(): void {
    this.#waiting?.resolve();
  }

  #pressure(): number {
    const { generations, memtableBytes, mergeDebt } = this.#options;
    let bytes = generations.active.byteLength;
    for (const { memtable } of generations.frozen) bytes += memtable.byteLength;
    const memory = (bytes / memtableBytes - 1) / (MAX_FROZEN - 1);
    return Math.min(MAX_PRESSURE, Math.max(generations.frozen.length > 0 ? memory : 0, mergeDebt()));
  }

  async #delay(delayMs: number): Promise<void> {
    const { timers, clock } = this.#options;
    const startMs = clock.monotonicMs();
    this.#waiting ??= deferred();
    const waiting = this.#waiting;
    const timer = timers.after(delayMs, () => waiting.resolve());
    await waiting.promise;
    timer.cancel();
    if (this.#waiting === waiting) this.#waiting = undefined;
    const tookMs = clock.monotonicMs() - startMs;
    this.delays++;
    this.delayedMs += tookMs;
    // Nothing is owed any more; a timer that came late, as they do where there is much to do, is made up for by the next writes.
    this.#owedMs = Math.max(-MAX_DELAY_MS, Math.min(0, this.#owedMs - tookMs));
  }
}
