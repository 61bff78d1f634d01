// The log as Raft sees it: the durable part in the storage, then the tail that is still on its way there; and the two
// marks that run along it, committed and applied.
import { assert, defined } from '@distrokv/base';
import type { LogIndex, Term } from '@distrokv/base';
import { ByteWindow } from './byte-window.ts';
import { countThatFits, dataBytes } from './entry.ts';
import { RaftError } from './errors.ts';
import type { Entry } from './messages.ts';
import type { LogStorage } from './types.ts';
import { UnstableTail } from './unstable.ts';

/**
 * Invariants:
 * 1. applied ≤ handedOut ≤ min(commit, stableIndex); commit ≤ lastIndex.
 * 2. commit never decreases, and nothing up to it is ever replaced (Raft §5.4: a committed entry stays).
 * 3. Terms never decrease along the log.
 * 4. firstIndex - 1 ≤ applied: the storage drops only what is applied.
 */
export class RaftLog {
  readonly #storage: LogStorage;
  readonly #tail: UnstableTail;
  readonly #applying: ByteWindow;
  readonly #maxApplyBytes: number;
  #commit: LogIndex;
  #handedOut: LogIndex;
  #applied: LogIndex;

  /** Throws RaftError `corrupt-state` when storage, commit and applied do not fit together. */
  constructor(storage: LogStorage, commit: LogIndex, applied: LogIndex, maxApplyBytes: number) {
    const [first, last] = [storage.firstIndex(), storage.lastIndex()];
    if (commit > last) throw new RaftError('corrupt-state', `entries up to ${commit} were committed, but the log ends at ${last}`);
    if (applied > last) throw new RaftError('corrupt-state', `entries up to ${applied} were applied, but the log ends at ${last}`);
    if (applied < first - 1) throw new RaftError('corrupt-state', `the log begins at ${first}, but only ${applied} is applied`);
    this.#storage = storage;
    this.#tail = new UnstableTail(last);
    this.#applying = new ByteWindow(maxApplyBytes);
    this.#maxApplyBytes = maxApplyBytes;
    // What was applied was committed, even if the commit mark itself had not been written yet.
    this.#commit = commit > applied ? commit : applied;
    this.#handedOut = applied;
    this.#applied = applied;
  }

  get firstIndex(): LogIndex {
    return this.#storage.firstIndex();
  }

  get lastIndex(): LogIndex {
    return this.#tail.lastIndex;
  }

  get lastTerm(): Term {
    return defined(this.termAt(this.lastIndex), 'the term of the last entry');
  }

  /** The log is durable here up to this index. */
  get stableIndex(): LogIndex {
    return this.#tail.stableIndex;
  }

  get commit(): LogIndex {
    return this.#commit;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  /** The term of an entry in [firstIndex - 1, lastIndex]; undefined outside. */
  termAt(index: LogIndex): Term | undefined {
    if (index <= this.#tail.stableIndex) return this.#storage.termAt(index);
    return this.#tail.entries[index - this.#tail.stableIndex - 1]?.term;
  }

  /** Entries from `from` to the end: as many as fit in `maxBytes` of data, but at least one if there is one. */
  entriesFrom(from: LogIndex, maxBytes: number): readonly Entry[] {
    assert(from >= this.firstIndex, `entry ${from} is still in the log, which begins at ${this.firstIndex}`);
    if (from > this.lastIndex) return [];
    const tail = this.#tail.entries;
    const start = from - this.#tail.stableIndex - 1;
    if (start >= 0) return tail.slice(start, start + countThatFits(tail, start, tail.length, maxBytes));
    const end = (this.#tail.stableIndex + 1) as LogIndex;
    const stored = this.#storage.entries(from, end, maxBytes);
    const room = maxBytes - dataBytes(stored);
    if (stored.length < end - from || tail.length === 0 || (tail[0] as Entry).data.length > room) return stored;
    return [...stored, ...tail.slice(0, countThatFits(tail, 0, tail.length, room))];
  }

  /** Whether a log that ends with this entry is at least as up-to-date as this one (Raft §5.4.1). */
  isCoveredBy(lastTerm: Term, lastIndex: LogIndex): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** The greatest index in [low, high] whose term is at most `term`, or `low` if there is none. Terms are sorted, so it bisects. */
  lastIndexWithTermUpTo(term: Term, low: LogIndex, high: LogIndex): LogIndex {
    let [found, end] = [low, high];
    while (found < end) {
      const middle = (found + Math.ceil((end - found) / 2)) as LogIndex;
      if (defined(this.termAt(middle), `the term of entry ${middle}`) <= term) found = middle;
      else end = (middle - 1) as LogIndex;
    }
    return found;
  }

  /** Appends entries (one or more, contiguous); they replace what the log has from the first one's index on. */
  append(entries: readonly Entry[]): void {
    const { index, term } = entries[0] as Entry;
    assert(index > this.#commit, `log 2: entry ${index} would be replaced, but everything up to ${this.#commit} is committed`);
    const before = defined(this.termAt((index - 1) as LogIndex), `the term of entry ${index - 1}`);
    assert(before <= term, 'log 3: terms never decrease');
    this.#tail.append(entries);
  }

  /** Marks everything up to `index` committed; true when that is news. */
  commitTo(index: LogIndex): boolean {
    if (index <= this.#commit) return false;
    assert(index <= this.lastIndex, `log 1: entry ${index} would be committed, but the log ends at ${this.lastIndex}`);
    this.#commit = index;
    return true;
  }

  get hasUnwritten(): boolean {
    return this.#tail.hasUnwritten;
  }

  get writing(): boolean {
    return this.#tail.writing;
  }

  /** When the oldest write that is under way was handed out. */
  get writingSinceTick(): number | undefined {
    return this.#tail.writingSinceTick;
  }

  beginWrite(tick: number): { readonly id: number; readonly entries: readonly Entry[] } {
    return this.#tail.beginWrite(tick);
  }

  /** The write `id` and those before it are durable, and the storage shows them. */
  persisted(id: number): void {
    const last = this.#tail.persisted(id);
    if (last === undefined) return;
    const { index, term } = last;
    assert(this.#storage.termAt(index) === term, `the storage shows entry ${index} of term ${term}, which is said to be durable`);
  }

  get hasCommitted(): boolean {
    return this.#handedOut < this.#applicable && (this.#applying.empty || this.#applying.room > 0);
  }

  /** The next page of committed, durable entries to apply; empty when there is none, or too much is being applied already. */
  takeCommitted(): readonly Entry[] {
    if (!this.hasCommitted) return [];
    const room = Math.min(this.#applying.room, this.#maxApplyBytes);
    const page = this.#storage.entries((this.#handedOut + 1) as LogIndex, (this.#applicable + 1) as LogIndex, room);
    this.#handedOut = defined(page.at(-1), 'a committed entry of the storage').index;
    this.#applying.add(this.#handedOut, dataBytes(page));
    return page;
  }

  get #applicable(): LogIndex {
    return this.#commit < this.#tail.stableIndex ? this.#commit : this.#tail.stableIndex;
  }

  appliedTo(index: LogIndex): void {
    assert(
      index >= this.#applied && index <= this.#handedOut,
      `log 1: applied goes from ${this.#applied} up to ${this.#handedOut}, not ${index}`,
    );
    this.#applied = index;
    this.#applying.release(index);
    assert(this.firstIndex - 1 <= this.#applied, 'log 4: the storage drops only what is applied');
  }
}
