// Many cursors as one: a binary heap with the next entry on top. Of equal entries (same key, same version) the one of the
// earlier source comes first; sources are given the newest first.
import type { Cursor } from './cursor.ts';
import { compareRanges } from './ranges.ts';

export class MergingCursor {
  readonly #sources: readonly Cursor[];
  readonly #direction: 1 | -1;
  /** Places in `#sources` of those that are valid, heap-ordered. */
  readonly #heap: number[] = [];

  constructor(sources: readonly Cursor[], reverse: boolean) {
    this.#sources = sources;
    this.#direction = reverse ? -1 : 1;
  }

  /** The cursor that stands on the next entry; undefined at the end. */
  get top(): Cursor | undefined {
    const first = this.#heap[0];
    return first === undefined ? undefined : this.#sources[first];
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
  }

  /** Steps on, in the cursor's direction. Only while there is a top. */
  step(): void {
    const heap = this.#heap;
    const source = this.#sources[heap[0] as number] as Cursor;
    if (this.#direction > 0) source.next();
    else source.prev();
    if (!source.valid) {
      const last = heap.pop() as number;
      if (heap.length === 0) return;
      heap[0] = last;
    }
    this.#sink(0);
  }

  #sink(at: number): void {
    const heap = this.#heap;
    const n = heap.length;
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
