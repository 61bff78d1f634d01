// Walks a memtable as it was at some moment, while writes go on: entries with a later ref are passed over,
// and the place in the tree is looked up again after the tree has changed.
import type { Cursor } from './cursor.ts';
import type { MemtableView, Place } from './memtable-view.ts';
import { equalRanges } from './ranges.ts';

export class MemtableCursor implements Cursor {
  valid = false;
  keyBytes: Uint8Array;
  keyStart = 0;
  keyEnd = 0;
  version = 0;
  tombstone = false;
  valueBytes: Uint8Array;
  valueStart = 0;
  valueEnd = 0;
  readonly #memtable: MemtableView;
  /** Refs from here on are later writes. */
  readonly #limit: number;
  readonly #place: Place = { leaf: 0, slot: 0 };
  #ref = 0;
  /** The memtable's entries when `#place` was right. */
  #seen = 0;

  /** `limit`: the memtable's `published` at the moment that is to be seen. */
  constructor(memtable: MemtableView, limit: number = memtable.published) {
    this.#memtable = memtable;
    this.#limit = limit;
    this.keyBytes = memtable.bytes;
    this.valueBytes = memtable.bytes;
  }

  /** To the first entry at or after (key, version), `key[0, keyEnd)`; returns whether it is one of this key. */
  find(key: Uint8Array, keyEnd: number, version: number): boolean {
    this.#memtable.seek(key, 0, keyEnd, version, this.#place);
    this.#forward();
    return this.valid && equalRanges(this.keyBytes, this.keyStart, this.keyEnd, key, 0, keyEnd);
  }

  seek(key: Uint8Array, version: number): void {
    this.#memtable.seek(key, 0, key.length, version, this.#place);
    this.#forward();
  }

  seekBefore(key: Uint8Array, version: number): void {
    this.#memtable.seek(key, 0, key.length, version, this.#place);
    this.#memtable.stepBack(this.#place);
    this.#backward();
  }

  next(): void {
    this.#findAgain();
    this.#memtable.step(this.#place);
    this.#forward();
  }

  prev(): void {
    this.#findAgain();
    this.#memtable.stepBack(this.#place);
    this.#backward();
  }

  #findAgain(): void {
    const memtable = this.#memtable;
    if (this.#seen === memtable.entries) return;
    memtable.seek(memtable.bytes, memtable.keyStart(this.#ref), memtable.keyEnd(this.#ref), this.version, this.#place);
    while (memtable.refAt(this.#place) !== this.#ref) memtable.step(this.#place);
  }

  #forward(): void {
    while (this.#place.leaf !== 0 && this.#memtable.refAt(this.#place) >= this.#limit) this.#memtable.step(this.#place);
    this.#read();
  }

  #backward(): void {
    while (this.#place.leaf !== 0 && this.#memtable.refAt(this.#place) >= this.#limit) this.#memtable.stepBack(this.#place);
    this.#read();
  }

  #read(): void {
    const memtable = this.#memtable;
    this.#seen = memtable.entries;
    this.valid = this.#place.leaf !== 0;
    if (!this.valid) return;
    const ref = memtable.refAt(this.#place);
    this.#ref = ref;
    this.keyBytes = memtable.bytes;
    this.keyStart = memtable.keyStart(ref);
    this.keyEnd = memtable.keyEnd(ref);
    this.version = memtable.version(ref);
    this.tombstone = memtable.isTombstone(ref);
    this.valueBytes = memtable.bytes;
    this.valueStart = this.keyEnd;
    this.valueEnd = memtable.valueEnd(ref);
  }
}
