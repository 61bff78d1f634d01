// Which of many key ranges hold a key? Watchers of one range share an entry. The entries are kept sorted by where they begin, read as a balanced
// tree whose nodes know how far the ranges below them reach (an interval tree, Cormen et al. §14.3), so a search looks only where there can be one.
// What was added since the tree was built is a short list beside it: it is built anew when that is long, or when most of what it has is gone.
import { compareBytes } from '@distrokv/base';
import type { KeyRange } from '../key-range.ts';

interface Entry<T> {
  readonly name: string;
  readonly from: Uint8Array;
  /** Excluded; undefined: to the last key. */
  readonly to: Uint8Array | undefined;
  readonly items: Set<T>;
}

/** So many entries wait beside the tree before it is built anew. */
const MAX_RECENT = 32;

export class RangeIndex<T> {
  readonly #byName = new Map<string, Entry<T>>();
  #tree: Entry<T>[] = [];
  /** The furthest end in the subtree of each node of `#tree`. */
  #reach: (Uint8Array | undefined)[] = [];
  #recent: Entry<T>[] = [];
  /** Entries that have no items any more. */
  #dead = 0;

  /** Ranges that it holds, those that are only not swept away yet among them. */
  get entries(): number {
    return this.#tree.length + this.#recent.length;
  }

  add(range: KeyRange, item: T): void {
    const name = nameOf(range);
    let entry = this.#byName.get(name);
    if (!entry) {
      entry = { name, from: range.from, to: range.to, items: new Set() };
      this.#byName.set(name, entry);
      this.#recent.push(entry);
    }
    entry.items.add(item);
  }

  remove(range: KeyRange, item: T): void {
    const entry = this.#byName.get(nameOf(range));
    if (!entry?.items.delete(item) || entry.items.size > 0) return;
    this.#byName.delete(entry.name);
    if (++this.#dead > MAX_RECENT && 2 * this.#dead > this.entries) this.#build();
  }

  /** Calls `visit` with the items of each range that holds the key. */
  find(key: Uint8Array, visit: (items: ReadonlySet<T>) => void): void {
    if (this.#recent.length > MAX_RECENT) this.#build();
    for (const entry of this.#recent) if (holds(entry, key)) visit(entry.items);
    this.#findIn(0, this.#tree.length, key, visit);
  }

  #findIn(start: number, end: number, key: Uint8Array, visit: (items: ReadonlySet<T>) => void): void {
    while (start < end) {
      const middle = (start + end) >> 1;
      const reach = this.#reach[middle];
      if (reach !== undefined && compareBytes(reach, key) <= 0) return;
      this.#findIn(start, middle, key, visit);
      const entry = this.#tree[middle] as Entry<T>;
      if (compareBytes(entry.from, key) > 0) return;
      if (entry.items.size > 0 && holds(entry, key)) visit(entry.items);
      start = middle + 1;
    }
  }

  #build(): void {
    this.#tree = [...this.#byName.values()].sort((a, b) => compareBytes(a.from, b.from));
    this.#recent = [];
    this.#dead = 0;
    this.#reach = Array.from({ length: this.#tree.length });
    this.#measure(0, this.#tree.length);
  }

  /** Undefined for "to the last key"; of an empty subtree, the empty key, which is before all. */
  #measure(start: number, end: number): Uint8Array | undefined {
    if (start >= end) return NOWHERE;
    const middle = (start + end) >> 1;
    const reach = further((this.#tree[middle] as Entry<T>).to, further(this.#measure(start, middle), this.#measure(middle + 1, end)));
    this.#reach[middle] = reach;
    return reach;
  }
}

const NOWHERE = new Uint8Array(0);

function further(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) return undefined;
  return compareBytes(a, b) >= 0 ? a : b;
}

function holds(entry: { readonly from: Uint8Array; readonly to: Uint8Array | undefined }, key: Uint8Array): boolean {
  return compareBytes(entry.from, key) <= 0 && (entry.to === undefined || compareBytes(key, entry.to) < 0);
}

function nameOf({ from, to }: KeyRange): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return `${from.length}:${text(from)}${to === undefined ? '' : `:${text(to)}`}`;
}
