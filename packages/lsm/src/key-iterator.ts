// What `iterator` returns: of the entries that pass by, sorted by key and version, each key once with its newest version
// ≤ `at`, without those that are deleted. The sources were picked when the iterator was made, and none of them changes.
import type { KeyIterator } from './engine.ts';
import type { Cursor } from './cursor.ts';
import { NEWEST } from './cursor.ts';
import { LsmError } from './errors.ts';
import type { MergingCursor } from './merging-cursor.ts';
import { compareRanges, copyRange, grown } from './ranges.ts';

export interface KeyRange {
  /** Internal keys: the first one, and the end (excluded). */
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly at: number;
  readonly reverse: boolean;
}

export class RangeIterator implements KeyIterator {
  readonly #entries: MergingCursor;
  readonly #range: KeyRange;
  readonly #check: () => void;
  readonly #onClose: () => void;
  #state: 'new' | 'on' | 'ended' | 'closed' = 'new';
  /** The internal key of the last entry that counted. */
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;
  #value: Uint8Array = new Uint8Array(0);
  #valueStart = 0;
  #valueEnd = 0;
  #version = 0;

  /** `check` throws when the engine is closed; `onClose` lets go of the sources. */
  constructor(entries: MergingCursor, range: KeyRange, check: () => void, onClose: () => void) {
    this.#entries = entries;
    this.#range = range;
    this.#check = check;
    this.#onClose = onClose;
  }

  get key(): Uint8Array {
    return this.#key.subarray(1, this.#keyLength);
  }

  get value(): Uint8Array {
    return this.#value.subarray(this.#valueStart, this.#valueEnd);
  }

  get version(): number {
    return this.#version;
  }

  next(): boolean {
    this.#check();
    if (this.#state === 'closed') throw new LsmError('closed', 'the iterator is closed');
    if (this.#state === 'ended') return false;
    const { reverse, start, end } = this.#range;
    if (this.#state === 'new') this.#entries.seek(reverse ? end : start, NEWEST);
    const found = reverse ? this.#backward() : this.#forward();
    this.#state = found ? 'on' : 'ended';
    return found;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#onClose();
  }

  #forward(): boolean {
    const { end, at } = this.#range;
    for (let top = this.#entries.top; top !== undefined; top = this.#entries.top) {
      const { keyBytes, keyStart, keyEnd } = top;
      const isOlder = compareRanges(keyBytes, keyStart, keyEnd, this.#key, 0, this.#keyLength) === 0;
      if (!isOlder && top.version <= at) {
        if (compareRanges(keyBytes, keyStart, keyEnd, end, 0, end.length) >= 0) return false;
        this.#take(top);
        if (!top.tombstone) return true;
      }
      this.#entries.step();
    }
    return false;
  }

  /** Entries pass by with the oldest version of a key first, so its newest one ≤ `at` is known only when the key is through. */
  #backward(): boolean {
    const { start, at } = this.#range;
    for (;;) {
      let top = this.#entries.top;
      if (top === undefined || compareRanges(top.keyBytes, top.keyStart, top.keyEnd, start, 0, start.length) < 0) return false;
      this.#take(top);
      let isThere = false;
      do {
        if (top.version <= at) {
          isThere = !top.tombstone;
          this.#takeValue(top);
        }
        this.#entries.step();
        top = this.#entries.top;
      } while (top !== undefined && compareRanges(top.keyBytes, top.keyStart, top.keyEnd, this.#key, 0, this.#keyLength) === 0);
      if (isThere) return true;
    }
  }

  #take(entry: Cursor): void {
    const { keyBytes, keyStart, keyEnd } = entry;
    this.#key = grown(this.#key, 0, keyEnd - keyStart);
    this.#keyLength = copyRange(keyBytes, keyStart, keyEnd, this.#key, 0);
    this.#takeValue(entry);
  }

  #takeValue(entry: Cursor): void {
    this.#value = entry.valueBytes;
    this.#valueStart = entry.valueStart;
    this.#valueEnd = entry.valueEnd;
    this.#version = entry.version;
  }
}
