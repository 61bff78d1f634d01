// The term of every entry of the log, as runs: a log has few terms, however long it is.
import { type LogIndex, type Term, assert } from '@distrokv/base';

export class TermRuns {
  /** The run `i` is [firsts[i], firsts[i + 1]) in `terms[i]`; firsts ascend, terms never decrease. */
  readonly #firsts: number[];
  readonly #terms: Term[];

  /** `first` is the earliest index that can be asked for. */
  constructor(first: LogIndex, term: Term) {
    this.#firsts = [first];
    this.#terms = [term];
  }

  /** The entries from `index` on are of `term`; what was known from there on is forgotten. */
  set(index: LogIndex, term: Term): void {
    assert(index >= (this.#firsts[0] as number), `the term at ${index}, before the log, does not change`);
    let last = this.#firsts.length - 1;
    while (last > 0 && (this.#firsts[last] as number) >= index) {
      this.#firsts.pop();
      this.#terms.pop();
      last--;
    }
    if (this.#firsts[last] === index) this.#terms[last] = term;
    else if (this.#terms[last] !== term) {
      this.#firsts.push(index);
      this.#terms.push(term);
    }
  }

  at(index: LogIndex): Term | undefined {
    for (let i = this.#firsts.length - 1; i >= 0; i--) if (index >= (this.#firsts[i] as number)) return this.#terms[i];
    return undefined;
  }

  /** Forgets what is before `index`. */
  dropBefore(index: LogIndex): void {
    while (this.#firsts.length > 1 && (this.#firsts[1] as number) <= index) {
      this.#firsts.shift();
      this.#terms.shift();
    }
    if ((this.#firsts[0] as number) < index) this.#firsts[0] = index;
  }
}
