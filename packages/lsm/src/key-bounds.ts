// Stretches of the key space, and which tables lie in them. Bounds are internal keys, both of them included: all versions of a
// key lie in one table of a level, so whole keys are all that a merge has to think of.
import { compareBytes } from '@distrokv/base';
import { compareRanges } from './ranges.ts';

export interface KeyBounds {
  readonly smallestKey: Uint8Array;
  readonly largestKey: Uint8Array;
}

export function overlap(a: KeyBounds, b: KeyBounds): boolean {
  return compareBytes(a.smallestKey, b.largestKey) <= 0 && compareBytes(b.smallestKey, a.largestKey) <= 0;
}

/** The bounds around all of these, one at least. */
export function hull(all: readonly KeyBounds[]): KeyBounds {
  const [first, ...others] = all as [KeyBounds, ...KeyBounds[]];
  let { smallestKey, largestKey } = first;
  for (const each of others) {
    if (compareBytes(each.smallestKey, smallestKey) < 0) smallestKey = each.smallestKey;
    if (compareBytes(each.largestKey, largestKey) > 0) largestKey = each.largestKey;
  }
  return { smallestKey, largestKey };
}

/** Where in `sorted`, which do not overlap each other, those lie that overlap `bounds`: `[start, end)`. */
export function overlappingRange(sorted: readonly KeyBounds[], bounds: KeyBounds): { start: number; end: number } {
  const start = firstAtOrAfter(sorted, bounds.smallestKey);
  let end = start;
  while (end < sorted.length && compareBytes((sorted[end] as KeyBounds).smallestKey, bounds.largestKey) <= 0) end++;
  return { start, end };
}

/** The first of `sorted` that does not end before `key`. */
function firstAtOrAfter(sorted: readonly KeyBounds[], key: Uint8Array): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes((sorted[middle] as KeyBounds).largestKey, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * What lies below a merge: the runs of deeper levels, by the bounds of their tables. It is asked with keys that rise, so it
 * walks along instead of searching.
 */
export class Below {
  readonly #runs: readonly (readonly KeyBounds[])[];
  readonly #places: number[];

  constructor(runs: readonly (readonly KeyBounds[])[]) {
    this.#runs = runs;
    this.#places = runs.map(() => 0);
  }

  /** Whether a version of the key may lie there. */
  mayHold(keyBytes: Uint8Array, keyStart: number, keyEnd: number): boolean {
    for (let i = 0; i < this.#runs.length; i++) {
      const run = this.#runs[i] as readonly KeyBounds[];
      let place = this.#places[i] as number;
      while (place < run.length && isBefore((run[place] as KeyBounds).largestKey, keyBytes, keyStart, keyEnd)) place++;
      this.#places[i] = place;
      const next = run[place];
      if (next !== undefined && compareRanges(next.smallestKey, 0, next.smallestKey.length, keyBytes, keyStart, keyEnd) <= 0) return true;
    }
    return false;
  }
}

function isBefore(key: Uint8Array, keyBytes: Uint8Array, keyStart: number, keyEnd: number): boolean {
  return compareRanges(key, 0, key.length, keyBytes, keyStart, keyEnd) < 0;
}
