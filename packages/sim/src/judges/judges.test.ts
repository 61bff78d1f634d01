import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { History, type Operated } from '../history.ts';
import type { Operation } from '../workload/operations.ts';
import { KvModel } from './kv-model.ts';
import { judgeRegisters } from './registers.ts';
import { judgeOrder } from './revision-order.ts';

const put = (key: string, value: string): Operation => ({
  kind: 'step',
  step: { kind: 'put', key, value, wantsPrevious: false },
  serializable: false,
});
const get = (key: string): Operation => ({ kind: 'step', step: { kind: 'range', key, end: undefined, limit: 0 }, serializable: false });

const clear = (key: string, end?: string): Operation => ({
  kind: 'step',
  step: { kind: 'delete', key, end, wantsPrevious: false },
  serializable: false,
});

/** Performs operations one after the other on a model, as a correct store would, and remembers all states. */
class Store {
  readonly history: History = new History();
  readonly model: KvModel = new KvModel();
  readonly #states: Map<number, ReturnType<KvModel['keys']>> = new Map([[1, []]]);
  #now = 0;

  begin(operation: Operation): Operated {
    return this.history.begin(0, operation, this.#now++);
  }

  perform(operation: Operation, outcome: 'answered' | 'unknown' = 'answered', operated: Operated = this.begin(operation)): Operated {
    const answer = this.model.apply(operation);
    this.#states.set(this.model.revision, this.model.keys());
    this.history.end(operated, outcome === 'answered' ? { kind: 'answered', answer } : { kind: 'unknown', why: 'lost' }, this.#now++);
    return operated;
  }

  judge(lastRevision: number = this.model.revision): Promise<number> {
    return judgeOrder(this.history.operations, lastRevision, (revision) => Promise.resolve(this.#states.get(revision) ?? []));
  }
}

describe('the order of revisions', () => {
  test('is satisfied by what a correct store answers, with doubtful operations that happened and others that did not', async () => {
    const store = new Store();
    store.perform(put('r0', 'a'));
    store.perform(put('r0', 'b'), 'unknown');
    store.perform(get('r0'));
    const lost = store.history.begin(1, put('r0', 'never'), 0);
    store.history.end(lost, { kind: 'unknown', why: 'lost' }, 1);
    assert.equal(await store.judge(), 2);
  });

  test('gives each revision that nobody was told of an operation in doubt of its own, in time', async () => {
    const [one, both] = [clear('r0'), clear('r0', 'r2')];
    const store = new Store();
    store.perform(put('r0', 'a'));
    const wide = store.begin(both);
    store.perform(one, 'unknown'); // `both` would have done the same.
    store.perform(put('r0', 'b'));
    store.perform(put('r1', 'b'));
    store.perform(both, 'unknown', wide);
    assert.equal(await store.judge(), 3);
    store.history.operations.splice(store.history.operations.indexOf(wide), 1);
    await assert.rejects(store.judge(), /nobody asked for revision 6/);
  });

  test('takes an operation in doubt for one revision only, and for none that was answered before it began', async () => {
    const twice = new Store();
    twice.perform(put('r0', 'a'));
    twice.perform(clear('r0'), 'unknown');
    twice.perform(put('r0', 'b'));
    const again = twice.perform(clear('r0'), 'unknown');
    twice.history.operations.splice(twice.history.operations.indexOf(again), 1);
    await assert.rejects(twice.judge(), /nobody asked for revision 5 once more, or in time: /);
    const late = new Store();
    late.perform(put('r0', 'a'));
    const early = late.perform(clear('r0'), 'unknown');
    late.history.operations.splice(late.history.operations.indexOf(early), 1);
    late.perform(put('r0', 'b'));
    late.history.end(late.begin(clear('r0')), { kind: 'unknown', why: 'lost' }, 100);
    await assert.rejects(late.judge(), /nobody asked for revision 3 once more, or in time: /);
  });

  test('finds an acknowledged write that is gone', async () => {
    const store = new Store();
    store.perform(put('r0', 'a'));
    store.perform(put('r0', 'b'));
    await assert.rejects(store.judge(2), /durability: revision 3 was answered, and the store ends at 2/);
  });

  test('finds a change that nobody asked for', async () => {
    const store = new Store();
    store.perform(put('r0', 'a'));
    const twice = store.perform(put('r0', 'a'));
    store.history.operations.splice(store.history.operations.indexOf(twice), 1);
    await assert.rejects(store.judge(), /nobody asked for revision 3/);
  });

  test('finds a refused operation that happened all the same', async () => {
    const store = new Store();
    const refused = store.perform(put('r0', 'a'));
    refused.outcome = { kind: 'refused', why: 'no leader' };
    await assert.rejects(store.judge(), /nobody asked for revision 2/);
  });

  test('finds a stale read', async () => {
    const store = new Store();
    const read = store.perform(get('r0'));
    store.perform(put('r0', 'a'));
    // The same answer to a read that was asked after the write.
    const late = store.history.begin(1, get('r0'), 10);
    store.history.end(late, read.outcome as NonNullable<typeof read.outcome>, 11);
    await assert.rejects(store.judge(), /stale: get r0 took effect at revision 1/);
  });

  test('finds a wrong answer', async () => {
    const store = new Store();
    store.perform(put('r0', 'a'));
    const read = store.perform(get('r0'));
    read.outcome = {
      kind: 'answered',
      answer: { revision: 2, succeeded: true, steps: [{ kind: 'range', keys: [], count: 0, more: false }] },
    };
    await assert.rejects(store.judge(), /get r0 was answered r2 ∅, but at that revision it is r2 r0=a@2/);
  });
});

describe('registers', () => {
  test('a read of what was overwritten before it began has no explanation', () => {
    const store = new Store();
    store.perform(put('r0', 'a'));
    const early = store.perform(get('r0'));
    store.perform(put('r0', 'b'));
    assert.equal(judgeRegisters(store.history.operations).keys, 1);
    const late = store.history.begin(1, get('r0'), 10);
    store.history.end(late, early.outcome as NonNullable<typeof early.outcome>, 11);
    assert.throws(() => judgeRegisters(store.history.operations), /r0 have no order/);
  });
});
