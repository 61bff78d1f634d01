// Range deletes: from a version on, no key of a range shows that was written at a lower one. They are kept beside the entries, not
// among them: one that is written costs the same however many keys it hides, and one that is kept costs a read a search among few.
//
// Here is that search: the ranges sorted by their starts, as a balanced tree that is not stored: the middle of a stretch is its root.
// For each root are noted the highest end and the highest version below it, which cut off what cannot matter (an *interval tree*; Cormen
// et al., Introduction to Algorithms, 17.3).
import { compareBytes } from '@distrokv/base';
import { compareRanges } from './ranges.ts';

/** Bounds are internal keys: the first one, and the end (excluded), which is at most the first key of the next keyspace. */
export interface RangeDelete {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  /** Entries of lower versions are hidden from whoever reads as of this one or later. */
  readonly version: number;
}

/** In a memtable. */
export interface WrittenRange extends RangeDelete {
  /** As an entry's: those from a reader's limit on were written later. */
  readonly ref: number;
}

/** Below every version. */
export const NOT_DELETED = -1;

/** A batch holds so many at most, and a memtable with so many is frozen. */
export const MAX_RANGES = 1000;

/** A sorted set of range deletes, which does not change. */
export class RangeDeletes<Range extends RangeDelete = RangeDelete> {
  /** By their starts. */
  readonly ranges: readonly Range[];
  /** Of their bounds. */
  readonly byteLength: number;
  readonly #maxEnds: Uint8Array[] = [];
  readonly #maxVersions: Float64Array;

  /** Undefined for none, so that whoever has none does not even ask. */
  static of<Range extends RangeDelete>(ranges: readonly Range[]): RangeDeletes<Range> | undefined {
    return ranges.length === 0 ? undefined : new RangeDeletes(ranges);
  }

  private constructor(ranges: readonly Range[]) {
    this.ranges = ranges.toSorted((a, b) => compareBytes(a.start, b.start));
    this.byteLength = ranges.reduce((sum, { start, end }) => sum + start.length + end.length, 0);
    this.#maxVersions = new Float64Array(ranges.length);
    this.#note(0, ranges.length);
  }

  /** The highest version of those that hold the key, if it is above `best`, at most `at`, and was written before `limit`; else `best`. */
  newest(key: Uint8Array, keyStart: number, keyEnd: number, at: number, best: number, limit: number = Infinity): number {
    return this.#newest(0, this.ranges.length, key, keyStart, keyEnd, at, best, limit);
  }

  /** Those that overlap `[start, end]`. */
  overlapping(start: Uint8Array, end: Uint8Array): Range[] {
    const found: Range[] = [];
    this.#collect(0, this.ranges.length, start, end, found);
    return found;
  }

  #note(low: number, high: number): number {
    const middle = (low + high) >>> 1;
    const { end, version } = this.ranges[middle] as Range;
    let [maxEnd, maxVersion] = [end, version];
    for (const [from, to] of [
      [low, middle],
      [middle + 1, high],
    ] as const) {
      if (from >= to) continue;
      const root = this.#note(from, to);
      if (compareBytes(this.#maxEnds[root] as Uint8Array, maxEnd) > 0) maxEnd = this.#maxEnds[root] as Uint8Array;
      maxVersion = Math.max(maxVersion, this.#maxVersions[root] as number);
    }
    this.#maxEnds[middle] = maxEnd;
    this.#maxVersions[middle] = maxVersion;
    return middle;
  }

  #newest(low: number, high: number, key: Uint8Array, keyStart: number, keyEnd: number, at: number, best: number, limit: number): number {
    if (low >= high) return best;
    const middle = (low + high) >>> 1;
    if ((this.#maxVersions[middle] as number) <= best || !isBefore(key, keyStart, keyEnd, this.#maxEnds[middle] as Uint8Array)) return best;
    best = this.#newest(low, middle, key, keyStart, keyEnd, at, best, limit);
    const range = this.ranges[middle] as Range;
    if (isBefore(key, keyStart, keyEnd, range.start)) return best;
    const { version } = range;
    const ref = 'ref' in range ? (range.ref as number) : 0;
    if (version > best && version <= at && ref < limit && isBefore(key, keyStart, keyEnd, range.end)) best = version;
    return this.#newest(middle + 1, high, key, keyStart, keyEnd, at, best, limit);
  }

  #collect(low: number, high: number, start: Uint8Array, end: Uint8Array, found: Range[]): void {
    if (low >= high) return;
    const middle = (low + high) >>> 1;
    if (compareBytes(this.#maxEnds[middle] as Uint8Array, start) <= 0) return;
    this.#collect(low, middle, start, end, found);
    const range = this.ranges[middle] as Range;
    if (compareBytes(range.start, end) > 0) return;
    if (compareBytes(range.end, start) > 0) found.push(range);
    this.#collect(middle + 1, high, start, end, found);
  }
}

/** The tree is made anew after so many writes; those that are not in it yet are looked through one by one. */
const TAIL = 64;

/** The range deletes of a memtable. */
export class WrittenRanges {
  readonly #all: WrittenRange[] = [];
  #tree: RangeDeletes<WrittenRange> | undefined;
  #inTree = 0;

  get all(): readonly WrittenRange[] {
    return this.#all;
  }

  add(range: WrittenRange): void {
    this.#all.push(range);
    if (this.#all.length - this.#inTree < TAIL) return;
    this.#tree = RangeDeletes.of(this.#all);
    this.#inTree = this.#all.length;
  }

  /** As `RangeDeletes.newest`. */
  newest(key: Uint8Array, keyStart: number, keyEnd: number, at: number, best: number, limit: number): number {
    if (this.#tree !== undefined) best = this.#tree.newest(key, keyStart, keyEnd, at, best, limit);
    for (let i = this.#inTree; i < this.#all.length; i++) {
      const range = this.#all[i] as WrittenRange;
      if (range.ref >= limit) return best;
      if (range.version > best && range.version <= at && holds(range, key, keyStart, keyEnd)) best = range.version;
    }
    return best;
  }
}

export function holds({ start, end }: RangeDelete, key: Uint8Array, keyStart: number, keyEnd: number): boolean {
  return !isBefore(key, keyStart, keyEnd, start) && isBefore(key, keyStart, keyEnd, end);
}

function isBefore(key: Uint8Array, keyStart: number, keyEnd: number, bound: Uint8Array): boolean {
  return compareRanges(key, keyStart, keyEnd, bound, 0, bound.length) < 0;
}
