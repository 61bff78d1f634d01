// A binary heap: the least item first. Each item knows its place, so that any can be taken out again.
import { assert } from '@distrokv/base';

export interface HeapItem {
  /** The heap's own: where the item is in it. */
  place: number;
}

export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  remove(item: T): void {
    const { place } = item;
    assert(this.#items[place] === item, 'what is taken out of a heap is in it');
    const last = this.#items.pop() as T;
    if (last !== item) this.#settle(last, place);
  }

  /** The item compares differently now. */
  moved(item: T): void {
    assert(this.#items[item.place] === item, 'what moves in a heap is in it');
    this.#settle(item, item.place);
  }

  #settle(item: T, place: number): void {
    this.#down(item, place);
    if (item.place === place) this.#up(item, place);
  }

  #up(item: T, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#compare(this.#items[parent] as T, item) <= 0) break;
      this.#put(this.#items[parent] as T, place);
      place = parent;
    }
    this.#put(item, place);
  }

  #down(item: T, from: number): void {
    const items = this.#items;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#compare(items[child + 1] as T, items[child] as T) < 0) child++;
      if (this.#compare(item, items[child] as T) <= 0) break;
      this.#put(items[child] as T, place);
      place = child;
    }
    this.#put(item, place);
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}
