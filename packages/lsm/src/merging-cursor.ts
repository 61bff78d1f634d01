// Many cursors as one: a binary heap with the next entry on top. Of equal entries (same key, same version) the one of the
// earlier source comes first; sources are given the newest first.
//
// A step that leaves its source on top costs one comparison, with the *second*: the smaller child of the root, which is
// remembered while the rest of the heap stays as it is. A single source that is left costs none.
import type { Cursor } from './cursor.ts';
import { compareRanges } from './ranges.ts';

/** The second is not known. */
const UNKNOWN = 0;

export class MergingCursor {
  readonly #sources: readonly Cursor[];
  readonly #direction: 1 | -1;
  /** Places in `#sources` of those that are valid, heap-ordered. */
  readonly #heap: number[] = [];
  /** The place in the heap of the second. */
  #second = UNKNOWN;
  /** The cursor that stands on the next entry; undefined at the end. */
  top: Cursor | undefined;

  constructor(sources: readonly Cursor[], reverse: boolean) {
    this.#sources = sources;
    this.#direction = reverse ? -1 : 1;
  }

  /** Forward: to the first entry at or after (key, version); in reverse: to the last one before it. */
  seek(key: Uint8Array, version: number): void {
    this.#heap.length = 0;
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[i] as Cursor;
      if (this.#direction > 0) source.seek(key, version);
      else source.seekBefore(key, version);
      if (source.valid) this.#heap.push(i);
    }
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#sink(i);
    this.#noteTop();
  }

  /** Steps on, in the cursor's direction. Only while there is a top. */
  step(): void {
    const heap = this.#heap;
    const source = this.top as Cursor;
    if (this.#direction > 0) source.next();
    else source.prev();
    if (source.valid) {
      if (heap.length === 1) return;
      if (this.#second === UNKNOWN) this.#second = heap.length > 2 && this.#isBefore(heap[2] as number, heap[1] as number) ? 2 : 1;
      if (this.#isBefore(heap[0] as number, heap[this.#second] as number)) return;
    } else {
      const last = heap.pop() as number;
      if (heap.length > 0) heap[0] = last;
    }
    this.#sink(0);
    this.#noteTop();
  }

  #noteTop(): void {
    const first = this.#heap[0];
    this.top = first === undefined ? undefined : this.#sources[first];
    this.#second = UNKNOWN;
  }

  #sink(at: number): void {
    const heap = this.#heap;
    const n = heap.length;
    if (at >= n) return;
    const moving = heap[at] as number;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= n) break;
      if (child + 1 < n && this.#isBefore(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.#isBefore(heap[child] as number, moving)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moving;
  }

  #isBefore(a: number, b: number): boolean {
    const x = this.#sources[a] as Cursor;
    const y = this.#sources[b] as Cursor;
    let c = compareRanges(x.keyBytes, x.keyStart, x.keyEnd, y.keyBytes, y.keyStart, y.keyEnd);
    if (c === 0) c = y.version - x.version;
    if (c === 0) c = a - b;
    return c * this.#direction < 0;
  }
}
