// A log in memory: the reference for what LogStorage means, and the storage of tests.
import { assert, defined, logIndex } from '@distrokv/base';
import type { LogIndex, Term } from '@distrokv/base';
import { countThatFits } from './entry.ts';
import type { Entry } from './messages.ts';
import type { LogStorage } from './types.ts';

/**
 * Invariants:
 * 1. Indexes are contiguous, starting with `firstIndex`.
 * 2. Terms never decrease along the log.
 */
export class MemoryLog implements LogStorage {
  readonly #entries: Entry[] = [];
  /** What stood just before the first entry: index and term of the last one that was compacted away. */
  #before: { readonly index: LogIndex; readonly term: Term } = { index: 0 as LogIndex, term: 0 as Term };

  constructor(entries: readonly Entry[] = []) {
    this.append(entries);
  }

  firstIndex(): LogIndex {
    return (this.#before.index + 1) as LogIndex;
  }

  lastIndex(): LogIndex {
    return (this.#before.index + this.#entries.length) as LogIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.#before.index ? this.#before.term : this.#entries[index - this.firstIndex()]?.term;
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    assert(from >= this.firstIndex() && from <= to && to <= this.lastIndex() + 1, `[${from}, ${to}) lies in the log`);
    const start = from - this.firstIndex();
    return this.#entries.slice(start, start + countThatFits(this.#entries, start, to - this.firstIndex(), maxBytes));
  }

  /** Writes entries; they replace whatever the log has from the first one's index on. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index >= this.firstIndex() && first.index <= this.lastIndex() + 1, 'memory log 1: an append leaves no gap');
    this.#entries.length = first.index - this.firstIndex();
    for (const entry of entries) {
      assert(entry.index === this.lastIndex() + 1, 'memory log 1: indexes are contiguous');
      assert(entry.term >= defined(this.termAt(this.lastIndex()), 'the last term'), 'memory log 2: terms never decrease');
      this.#entries.push(entry);
    }
  }

  /** Drops every entry up to and including `index`. */
  compact(index: LogIndex): void {
    if (index <= this.#before.index) return;
    const term = defined(this.termAt(index), `entry ${index}, the last to compact,`);
    this.#entries.splice(0, index - this.#before.index);
    this.#before = { index: logIndex(index), term };
  }
}
