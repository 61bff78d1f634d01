// Who watches a key: those who watch just it, found by its name, and those who watch a range that holds it.
import type { KeyRange } from '../key-range.ts';
import { RangeIndex } from './range-index.ts';

export class WatchIndex<T> {
  readonly #keys = new Map<string, Set<T>>();
  readonly #ranges = new RangeIndex<T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(range: KeyRange, item: T): void {
    this.#size++;
    if (!range.single) return this.#ranges.add(range, item);
    const name = nameOf(range.from);
    const items = this.#keys.get(name);
    if (items) items.add(item);
    else this.#keys.set(name, new Set([item]));
  }

  /** The item must be there, with this range. */
  remove(range: KeyRange, item: T): void {
    this.#size--;
    if (!range.single) return this.#ranges.remove(range, item);
    const name = nameOf(range.from);
    const items = this.#keys.get(name);
    items?.delete(item);
    if (items?.size === 0) this.#keys.delete(name);
  }

  find(key: Uint8Array, visit: (item: T) => void): void {
    if (this.#keys.size > 0) for (const item of this.#keys.get(nameOf(key)) ?? []) visit(item);
    this.#ranges.find(key, (items) => {
      for (const item of items) visit(item);
    });
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
