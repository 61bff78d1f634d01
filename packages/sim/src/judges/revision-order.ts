// Strict serializability of everything at once. The revisions in the answers say in which order the operations took effect; so no order has to
// be searched, only this one checked: a model that performs them in it must answer the same, and the order must not contradict real time.
// A revision that no answer names was made by an operation whose outcome nobody knows; the store's own history says what it changed,
// and there must be such an operation. A change that nobody asked for, and an answer whose revision is gone, are what this is to find.
import type { Operated } from '../history.ts';
import { Violation } from '../violation.ts';
import { type Answer, type KeyState, type Operation, describeAnswer, describeOperation, isReadOnly } from '../workload/operations.ts';
import { KvModel } from './kv-model.ts';

/** All keys as of a revision, as the store tells it after the run. */
export type ReadAt = (revision: number) => Promise<readonly KeyState[]>;

/** Where an operation stands in the order: what made revision r at 2r, what saw it after that at 2r + 1. */
type Place = number;

interface Placed {
  readonly operated: Operated;
  readonly answer: Answer;
}

/** Throws a Violation. Returns how many operations were checked against the model. */
export async function judgeOrder(operations: readonly Operated[], lastRevision: number, readAt: ReadAt): Promise<number> {
  const answered = operations.flatMap((operated): Placed[] =>
    operated.outcome?.kind === 'answered' ? [{ operated, answer: operated.outcome.answer }] : [],
  );
  const doubtful = new Set(
    operations.filter(({ outcome, operation }) => outcome?.kind !== 'answered' && outcome?.kind !== 'refused' && !isReadOnly(operation)),
  );
  const at = new Map<number, Placed[]>();
  for (const placed of answered) {
    const { revision } = placed.answer;
    if (revision > lastRevision)
      throw new Violation(
        'order',
        `durability: revision ${revision} was answered, and the store ends at ${lastRevision}: ${describeOperation(placed.operated.operation)}`,
      );
    at.set(revision, [...(at.get(revision) ?? []), placed]);
  }
  const times = new Map<Operated, Place>();
  const made: Made[] = [];
  let model = new KvModel();
  for (let revision = 1; revision <= lastRevision; revision++) {
    if (revision > 1) model = await performNext(model, revision, at.get(revision) ?? [], doubtful, times, made, readAt);
    for (const { operated, answer } of at.get(revision) ?? []) {
      if (times.has(operated)) continue; // It made the revision.
      expect(model.copy().apply(operated.operation), answer, operated);
      times.set(operated, 2 * revision + 1);
    }
  }
  expectState(model, await readAt(lastRevision));
  assignMakers(made, operations, times);
  judgeRealTime(operations, times);
  return answered.length;
}

/** A revision that no answer names, and the operations in doubt that would have made it what it is. */
interface Made {
  readonly revision: number;
  readonly candidates: readonly Operated[];
}

/** The operation that made `revision`: one that was answered with it and changes something, or one of those in doubt. */
async function performNext(
  before: KvModel,
  revision: number,
  placed: readonly Placed[],
  doubtful: ReadonlySet<Operated>,
  times: Map<Operated, Place>,
  made: Made[],
  readAt: ReadAt,
): Promise<KvModel> {
  for (const { operated, answer } of placed) {
    if (isReadOnly(operated.operation)) continue;
    const after = before.copy();
    const expected = after.apply(operated.operation);
    if (after.revision !== revision) continue;
    if (!isSame(expected, answer)) continue; // Perhaps it changed nothing, and came after.
    times.set(operated, 2 * revision);
    return after;
  }
  const wanted = JSON.stringify(await readAt(revision));
  let next: KvModel | undefined;
  const candidates: Operated[] = [];
  for (const operated of doubtful) {
    const after = before.copy();
    after.apply(operated.operation);
    if (after.revision !== revision || JSON.stringify(after.keys()) !== wanted) continue;
    candidates.push(operated);
    next = after; // Whichever it was, this is what it made.
  }
  if (next) {
    made.push({ revision, candidates });
    return next;
  }
  const claims = placed.map(({ operated, answer }) => `${describeOperation(operated.operation)} → ${describeAnswer(answer)}`);
  throw new Violation(
    'order',
    `nobody asked for revision ${revision} as it is in the store${claims.length > 0 ? `; with that revision were answered: ${claims.join(' | ')}` : ''}`,
  );
}

/**
 * Finds an operation in doubt for each revision that nobody was told of, none for two of them, and none for a revision before one that had been
 * answered when it began: a matching, by augmenting paths.
 */
function assignMakers(made: readonly Made[], operations: readonly Operated[], times: Map<Operated, Place>): void {
  const makerOf = new Map<Operated, Made>();
  const assign = (wanted: Made, tried: Set<Operated>): boolean => {
    for (const operated of wanted.candidates) {
      if (tried.has(operated) || 2 * wanted.revision < firstPlace(operated, operations, times)) continue;
      tried.add(operated);
      const other = makerOf.get(operated);
      if (other && !assign(other, tried)) continue;
      makerOf.set(operated, wanted);
      return true;
    }
    return false;
  };
  for (const each of made) {
    if (assign(each, new Set())) continue;
    const asked = each.candidates.map(({ operation }) => describeOperation(operation)).join(' | ');
    throw new Violation('order', `nobody asked for revision ${each.revision} once more, or in time: ${asked}`);
  }
  for (const [operated, { revision }] of makerOf) times.set(operated, 2 * revision);
}

/** What began when this had been answered took effect no earlier. */
function firstPlace({ startOrder }: Operated, operations: readonly Operated[], times: ReadonlyMap<Operated, Place>): Place {
  let first = 0;
  for (const operated of operations) {
    const { operation, endOrder, outcome } = operated;
    if (outcome?.kind !== 'answered' || endOrder >= startOrder || (operation.kind === 'step' && operation.serializable)) continue;
    first = Math.max(first, times.get(operated) ?? 0);
  }
  return first;
}

function expect(expected: Answer, answer: Answer, { operation }: Operated): void {
  if (!isSame(expected, answer))
    throw new Violation(
      'order',
      `${describeOperation(operation)} was answered ${describeAnswer(answer)}, but at that revision it is ${describeAnswer(expected)}`,
    );
}

function expectState(model: KvModel, keys: readonly KeyState[]): void {
  if (JSON.stringify(model.keys()) !== JSON.stringify(keys))
    throw new Violation('order', `at the end the store is not what its history makes of it`);
}

/** What ended before something else began took effect no later. A serializable read may be of the past, and bounds nothing. */
function judgeRealTime(operations: readonly Operated[], times: ReadonlyMap<Operated, Place>): void {
  const events: { readonly order: number; readonly isStart: boolean; readonly operation: Operation; readonly place: Place }[] = [];
  for (const operated of operations) {
    const { operation, startOrder, endOrder, outcome } = operated;
    const place = times.get(operated);
    if (place === undefined || (operation.kind === 'step' && operation.serializable)) continue;
    events.push({ order: startOrder, isStart: true, operation, place });
    if (outcome?.kind === 'answered') events.push({ order: endOrder, isStart: false, operation, place });
  }
  events.sort((a, b) => a.order - b.order);
  let latest: { readonly place: Place; readonly operation: Operation } | undefined;
  for (const { isStart, operation, place } of events) {
    if (isStart && latest && place < latest.place)
      throw new Violation(
        'order',
        `stale: ${describeOperation(operation)} took effect at revision ${Math.floor(place / 2)}, but before it began, ${describeOperation(latest.operation)} had been answered at ${Math.floor(latest.place / 2)}`,
      );
    if (!isStart && (!latest || place > latest.place)) latest = { place, operation };
  }
}

const isSame = (a: Answer, b: Answer): boolean => JSON.stringify(a) === JSON.stringify(b);
