// What the log on disk holds, as known in memory: built record by record when a log is recovered, and kept record by record when it is written.
import { type LogIndex, type Term, assert, defined, logIndex, term } from '@distrokv/base';
import type { Entry, HardState } from '@distrokv/raft';
import type { Batch } from './codec.ts';
import { RecentEntries } from './recent-entries.ts';
import type { Segment } from './segment.ts';
import { TermRuns } from './terms.ts';

export class LogImage {
  readonly #segments: Segment[] = [];
  readonly #recent: RecentEntries;
  #terms: TermRuns = new TermRuns(logIndex(0), term(0));
  #hardState: HardState = { term: term(0), vote: undefined, commit: logIndex(0) };
  #last: LogIndex = logIndex(0);

  constructor(recentBytes: number) {
    this.#recent = new RecentEntries(recentBytes);
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get current(): Segment {
    return defined(this.#segments.at(-1), 'the current segment');
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get firstIndex(): LogIndex {
    return logIndex(defined(this.#segments[0], 'the first segment').header.previousIndex + 1);
  }

  get lastIndex(): LogIndex {
    return this.#last;
  }

  /**
   * Takes all segments if the next one reaches back before the first of them: whatever they hold is hidden. They were being dropped when a
   * crash came (`takeBefore` lets go of them together, but files are removed one by one).
   */
  takeLeftovers(previousIndex: LogIndex): Segment[] {
    const isHidden = this.#segments.length > 0 && previousIndex < this.firstIndex - 1;
    return isHidden ? this.#segments.splice(0) : [];
  }

  /** The segment's header says what stands before it; anything known beyond that is overwritten. */
  addSegment(segment: Segment): void {
    const { previousIndex, previousTerm, hardState } = segment.header;
    if (this.#segments.length === 0) this.#terms = new TermRuns(previousIndex, previousTerm);
    else
      assert(
        previousIndex <= this.#last && this.termAt(previousIndex) === previousTerm,
        'a segment goes on where the one before it may end',
      );
    this.#segments.push(segment);
    this.#last = previousIndex;
    this.#hardState = hardState;
  }

  /** A batch that lies in the current segment: where, and how long its record is. */
  addBatch(batch: Batch, at: { readonly offset: number; readonly length: number }): void {
    if (batch.hardState) this.#hardState = batch.hardState;
    const first = batch.entries[0];
    if (!first) return;
    assert(
      first.index > this.current.header.previousIndex && first.index <= this.#last + 1,
      'a batch starts within its segment and leaves no gap',
    );
    this.current.addBatch({ first: first.index, ...at });
    for (const entry of batch.entries) this.#terms.set(entry.index, entry.term);
    this.#recent.append(batch.entries);
    this.#last = logIndex(first.index + batch.entries.length - 1);
  }

  termAt(index: LogIndex): Term | undefined {
    return index > this.#last ? undefined : this.#terms.at(index);
  }

  /** Within `maxBytes`, but at least one. */
  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    assert(from >= this.firstIndex && to <= this.#last + 1, `entries [${from}, ${to}) are in the log [${this.firstIndex}, ${this.#last}]`);
    if (from >= to) return [];
    if (from >= this.#recent.first) return this.#recent.read(from, to, maxBytes);
    const at = this.#segments.findLastIndex((s) => s.header.previousIndex < from);
    const segment = defined(this.#segments[at], `the segment of entry ${from}`);
    const end = Math.min(to, this.#hiddenFrom(at));
    return withinBytes(segment.read(from, logIndex(end), maxBytes), maxBytes);
  }

  /** Entries of segment `at` from this index on are hidden by later segments, which may reach back further than the next one does. */
  #hiddenFrom(at: number): number {
    let previous: number = this.#last;
    for (let i = at + 1; i < this.#segments.length; i++) previous = Math.min(previous, (this.#segments[i] as Segment).header.previousIndex);
    return previous + 1;
  }

  /** What comes before the segments that make up the last `bytes`, one at least. */
  indexBeforeLast(bytes: number): LogIndex {
    let from = this.#segments.length - 1;
    let sum = this.current.byteLength;
    while (from > 0 && sum + (this.#segments[from - 1] as Segment).byteLength <= bytes)
      sum += (this.#segments[--from] as Segment).byteLength;
    return defined(this.#segments[from], 'a segment').header.previousIndex;
  }

  /** Takes segments from the front whose entries are all at or before `upTo`, or hidden; never the current one. */
  takeBefore(upTo: LogIndex): Segment[] {
    let keepFrom = 0;
    for (let i = 1; i < this.#segments.length; i++) {
      const { previousIndex } = (this.#segments[i] as Segment).header;
      // What is kept starts after `previousIndex`, so no later segment may reach back before it.
      if (previousIndex <= upTo && previousIndex < this.#hiddenFrom(i)) keepFrom = i;
    }
    const taken = this.#segments.splice(0, keepFrom);
    if (taken.length > 0) this.#terms.dropBefore(logIndex(this.firstIndex - 1));
    return taken;
  }
}

function withinBytes(entries: readonly Entry[], maxBytes: number): readonly Entry[] {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    bytes += (entries[i] as Entry).data.length;
    if (bytes > maxBytes && i > 0) return entries.slice(0, i);
  }
  return entries;
}
