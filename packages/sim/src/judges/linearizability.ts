// Is a history linearizable? (Herlihy and Wing 1990.) The search of Wing and Gong, with Lowe's memory of the states it has been in ("Testing
// for linearizability", 2017): try every operation that may come first, and go on from there; a set of operations done and a state that
// were met before need not be tried again. An operation whose outcome is unknown may take effect at any time after its start, or never.

/** What operations do to a state. States that are equal must be equal as texts. */
export interface SequentialModel<State extends string | number, Op> {
  readonly initial: State;
  /** The state after an operation of which the outcome is known; undefined if it cannot have had that outcome in `state`. */
  step(state: State, op: Op): State | undefined;
  /** The state after an operation whose outcome is unknown, if it takes effect in `state`. */
  effect(state: State, op: Op): State;
  /** Whether an operation with its known outcome changes no state at all. */
  onlyReads(op: Op): boolean;
}

export interface TimedOperation<Op> {
  readonly op: Op;
  readonly start: number;
  /** Infinity when the outcome is unknown. */
  readonly end: number;
}

export type Verdict = 'linearizable' | 'not linearizable' | 'undecided';

/** Gives up, `undecided`, after so many steps of the search. */
const MAX_STEPS = 5_000_000;

export function checkLinearizable<State extends string | number, Op>(
  model: SequentialModel<State, Op>,
  operations: readonly TimedOperation<Op>[],
): Verdict {
  return new Search(model, operations).run();
}

class Search<State extends string | number, Op> {
  readonly #model: SequentialModel<State, Op>;
  /** With a known outcome, in the order of their starts. */
  readonly #known: readonly TimedOperation<Op>[];
  readonly #unknown: readonly TimedOperation<Op>[];
  readonly #done: boolean[];
  readonly #taken: boolean[];
  readonly #visited = new Set<string>();
  #steps = 0;

  constructor(model: SequentialModel<State, Op>, operations: readonly TimedOperation<Op>[]) {
    this.#model = model;
    const sorted = [...operations].sort((a, b) => a.start - b.start);
    this.#known = sorted.filter(({ end }) => end !== Infinity);
    this.#unknown = sorted.filter(({ end }) => end === Infinity);
    this.#done = this.#known.map(() => false);
    this.#taken = this.#unknown.map(() => false);
  }

  /** A depth-first search on a stack of its own: histories are longer than the stack of the host is deep. */
  run(): Verdict {
    const stack: { undo: () => void; moves: Iterator<Move<State>> }[] = [{ undo: () => {}, moves: this.#moves(0, this.#model.initial) }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (++this.#steps > MAX_STEPS) return 'undecided';
      const next = top.moves.next();
      if (next.done === true) {
        top.undo();
        stack.pop();
        continue;
      }
      const { flags, index, state } = next.value;
      flags[index] = true;
      const low = this.#low(0);
      if (low === this.#known.length) return 'linearizable';
      if (this.#isNew(low, state)) stack.push({ undo: () => (flags[index] = false), moves: this.#moves(low, state) });
      else flags[index] = false;
    }
    return this.#known.length === 0 ? 'linearizable' : 'not linearizable';
  }

  #low(from: number): number {
    let low = from;
    while (low < this.#done.length && this.#done[low] === true) low++;
    return low;
  }

  /** Whatever started before the first of the others ended may come next. */
  *#moves(low: number, state: State): Generator<Move<State>, undefined, undefined> {
    let firstEnd = Infinity;
    for (let i = low; i < this.#known.length; i++) {
      const { start, end } = this.#known[i] as TimedOperation<Op>;
      if (start > firstEnd) break;
      if (this.#done[i] !== true) firstEnd = Math.min(firstEnd, end);
    }
    // A read that fits here may as well be here: it stands in no other operation's way, so nothing else need be tried.
    for (let i = low; i < this.#known.length; i++) {
      const { start, op } = this.#known[i] as TimedOperation<Op>;
      if (start > firstEnd) break;
      if (this.#done[i] === true || !this.#model.onlyReads(op) || this.#model.step(state, op) === undefined) continue;
      yield { flags: this.#done, index: i, state };
      return undefined;
    }
    for (let i = low; i < this.#known.length; i++) {
      const { start, op } = this.#known[i] as TimedOperation<Op>;
      if (start > firstEnd) break;
      if (this.#done[i] === true || this.#model.onlyReads(op)) continue;
      const after = this.#model.step(state, op);
      if (after !== undefined) yield { flags: this.#done, index: i, state: after };
    }
    for (const [i, { start, op }] of this.#unknown.entries()) {
      if (start > firstEnd) break;
      if (this.#taken[i] === true) continue;
      const after = this.#model.effect(state, op);
      if (after !== state) yield { flags: this.#taken, index: i, state: after };
    }
    return undefined;
  }

  #isNew(low: number, state: State): boolean {
    let key = `${low}`;
    for (let i = low + 1, skipped = 0; i < this.#done.length && skipped < 64; i++) {
      if (this.#done[i] === true) {
        key += `,${i}`;
        skipped = 0;
      } else skipped++;
    }
    for (const [i, taken] of this.#taken.entries()) if (taken) key += `+${i}`;
    key += `|${state}`;
    if (this.#visited.has(key)) return false;
    this.#visited.add(key);
    return true;
  }
}

interface Move<State> {
  readonly flags: boolean[];
  readonly index: number;
  readonly state: State;
}
