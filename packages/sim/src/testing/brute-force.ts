// Linearizability by its definition: every order of every choice of operations, and nothing clever.
import type { SequentialModel, TimedOperation } from '../judges/linearizability.ts';

export function bruteForce<State extends string | number, Op>(
  model: SequentialModel<State, Op>,
  operations: readonly TimedOperation<Op>[],
): boolean {
  const goOn = (left: readonly TimedOperation<Op>[], state: State): boolean => {
    if (left.every(({ end }) => end === Infinity)) return true;
    return left.some((first) => {
      const others = left.filter((each) => each !== first);
      if (others.some(({ end }) => end < first.start)) return false; // That one was over before this began.
      const after = first.end === Infinity ? model.effect(state, first.op) : model.step(state, first.op);
      return after !== undefined && goOn(others, after);
    });
  };
  return goOn(operations, model.initial);
}
