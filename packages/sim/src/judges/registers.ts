// A register as the judge of single keys sees it, and a client's operations on one, without a word about revisions: so this judge and the one
// of the order of revisions cannot make the same mistake.
import type { Operated } from '../history.ts';
import { Violation } from '../violation.ts';
import { type SequentialModel, type TimedOperation, checkLinearizable } from './linearizability.ts';

/** Values are texts; the register that does not exist is ABSENT. */
export const ABSENT = '\u0000';

export interface RegisterOperation {
  /** What the answer shows that was there: a value, or that there was any. Undefined: the answer does not say. */
  readonly saw: string | undefined;
  readonly sawAny: boolean;
  /** It writes only over this. */
  readonly guard: string | undefined;
  /** The answer says that the guard did not hold. */
  readonly failed: boolean;
  readonly writes: string | undefined;
}

export const registerModel: SequentialModel<string, RegisterOperation> = {
  initial: ABSENT,
  step(state, { saw, sawAny, guard, failed, writes }) {
    if (saw !== undefined && saw !== state) return undefined;
    if (sawAny && state === ABSENT) return undefined;
    if (guard !== undefined && (guard === state) === failed) return undefined;
    return failed ? state : (writes ?? state);
  },
  onlyReads: ({ failed, writes }) => failed || writes === undefined,
  effect: (state, { guard, writes }) => (guard !== undefined && guard !== state ? state : (writes ?? state)),
};

/** Throws a Violation. */
export function judgeRegisters(operations: readonly Operated[]): { readonly keys: number; readonly undecided: number } {
  const byKey = new Map<string, TimedOperation<RegisterOperation>[]>();
  for (const operated of operations) {
    const key = keyOf(operated);
    const timed = key === undefined ? undefined : timedOf(operated);
    if (key === undefined || timed === undefined) continue;
    const list = byKey.get(key) ?? [];
    byKey.set(key, list);
    list.push(timed);
  }
  let undecided = 0;
  for (const [key, list] of byKey) {
    const verdict = checkLinearizable(registerModel, withoutUnseen(list));
    if (verdict === 'undecided') undecided++;
    if (verdict === 'not linearizable')
      throw new Violation('linearizability', `the ${list.length} operations on ${key} have no order that explains them`);
  }
  return { keys: byKey.size, undecided };
}

/** The register that an operation is about, and nothing else. */
function keyOf({ operation }: Operated): string | undefined {
  const steps = operation.kind === 'step' ? [operation.step] : [...operation.success, ...operation.failure];
  const [first] = steps;
  return first?.key.startsWith('r') === true &&
    steps.every(({ key, ...step }) => key === first.key && !('end' in step && step.end !== undefined))
    ? first.key
    : undefined;
}

/** Undefined for what says nothing: reads without an answer, reads that may be stale, and what was refused. */
function timedOf({ operation, outcome, startOrder, endOrder }: Operated): TimedOperation<RegisterOperation> | undefined {
  if (outcome?.kind === 'refused') return undefined;
  const answer = outcome?.kind === 'answered' ? outcome.answer : undefined;
  const [start, end] = [startOrder, answer ? endOrder : Infinity];
  const got = answer?.steps[0];
  const nothing = { saw: undefined, sawAny: false, guard: undefined, failed: false, writes: undefined };
  const seen = got?.kind === 'range' ? (got.keys[0]?.value ?? ABSENT) : undefined;
  if (operation.kind === 'txn') {
    const [put] = operation.success;
    const guard = operation.guards[0]?.value ?? ABSENT;
    const failed = answer?.succeeded === false;
    const saw = failed ? seen : got?.kind === 'put' && got.previous ? got.previous.value : undefined;
    return { start, end, op: { ...nothing, guard, failed, saw, writes: put?.kind === 'put' ? put.value : undefined } };
  }
  const { step, serializable } = operation;
  if (step.kind === 'range') return answer && !serializable ? { start, end, op: { ...nothing, saw: seen } } : undefined;
  if (step.kind === 'put') {
    const saw = got?.kind === 'put' && step.wantsPrevious ? (got.previous?.value ?? ABSENT) : undefined;
    return { start, end, op: { ...nothing, saw, writes: step.value } };
  }
  const deleted = got?.kind === 'delete' ? got : undefined;
  const saw = deleted?.deleted === 0 ? ABSENT : deleted?.previous[0]?.value;
  return { start, end, op: { ...nothing, saw, sawAny: deleted?.deleted === 1, writes: ABSENT } };
}

/**
 * Values are written once: a write in doubt that nobody ever saw may as well not have happened, and leaving it out spares the search. (Unless
 * somebody saw that there was something, and not what.)
 */
function withoutUnseen(operations: readonly TimedOperation<RegisterOperation>[]): readonly TimedOperation<RegisterOperation>[] {
  if (operations.some(({ op: { sawAny, saw } }) => sawAny && saw === undefined)) return operations;
  const seen = new Set(operations.flatMap(({ op: { saw, guard } }) => [saw, guard]));
  return operations.filter(({ end, op: { writes } }) => end !== Infinity || writes === undefined || writes === ABSENT || seen.has(writes));
}
