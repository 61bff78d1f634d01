// The end of the log in memory, up to a bound: what followers that keep up are sent from.
import { type LogIndex, assert } from '@distrokv/base';
import type { Entry } from '@distrokv/raft';

/** What an entry takes beside its data, about. */
const ENTRY_OVERHEAD_BYTES = 64;

export class RecentEntries {
  readonly #maxBytes: number;
  /** Contiguous; the first `#dropped` places are already given up. */
  #entries: Entry[] = [];
  #dropped = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The first index held, or Infinity if none is. */
  get first(): number {
    return this.#entries[this.#dropped]?.index ?? Infinity;
  }

  /** Appends, after forgetting what stood at or behind the first of them. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (!first) return;
    for (
      let last = this.#entries.at(-1);
      this.#entries.length > this.#dropped && last && last.index >= first.index;
      last = this.#entries.at(-1)
    ) {
      this.#bytes -= last.data.length + ENTRY_OVERHEAD_BYTES;
      this.#entries.pop();
    }
    if (this.#entries.length === this.#dropped) this.#clear();
    else assert(this.#entries.at(-1)?.index === first.index - 1, 'recent entries are contiguous');
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += entry.data.length + ENTRY_OVERHEAD_BYTES;
    }
    this.#evict();
  }

  /** Entries from `from` (held) on, before `to`, within `maxBytes` of data but at least one. */
  read(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    const start = this.#dropped + from - this.first;
    let bytes = 0;
    let end = start;
    for (; end < this.#entries.length; end++) {
      const entry = this.#entries[end] as Entry;
      bytes += entry.data.length;
      if (entry.index >= to || (bytes > maxBytes && end > start)) break;
    }
    return this.#entries.slice(start, end);
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes && this.#dropped < this.#entries.length - 1) {
      this.#bytes -= (this.#entries[this.#dropped++] as Entry).data.length + ENTRY_OVERHEAD_BYTES;
    }
    if (this.#dropped > 1024 && this.#dropped * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#dropped);
      this.#dropped = 0;
    }
  }

  #clear(): void {
    this.#entries = [];
    this.#dropped = 0;
    this.#bytes = 0;
  }
}
