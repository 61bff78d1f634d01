// The KV API of etcd as a plain map, written from its documentation ("etcd API guarantees", "KV API"; the fields of rpc.proto) and from nothing
// in this repository: what each operation answers, and what it leaves behind. Revisions begin at 1, and grow by one with each operation
// that changes a key.
import type { Answer, Guard, KeyState, Operation, Step, StepAnswer } from '../workload/operations.ts';

export class KvModel {
  #keys: Map<string, KeyState>;
  #revision: number;

  constructor(revision = 1, keys: readonly KeyState[] = []) {
    this.#revision = revision;
    this.#keys = new Map(keys.map((key) => [key.key, key]));
  }

  get revision(): number {
    return this.#revision;
  }

  /** All keys, in the order of their texts. */
  keys(): KeyState[] {
    return [...this.#keys.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  copy(): KvModel {
    return new KvModel(this.#revision, [...this.#keys.values()]);
  }

  apply(operation: Operation): Answer {
    const at = this.#revision + 1;
    const succeeded = operation.kind === 'step' || operation.guards.every((guard) => this.#holds(guard));
    const steps = operation.kind === 'step' ? [operation.step] : succeeded ? operation.success : operation.failure;
    let changes = 0;
    const answers = steps.map((step): StepAnswer => {
      if (step.kind === 'range') return this.#range(step);
      if (step.kind === 'put') changes++;
      const answer = step.kind === 'put' ? this.#put(step, at) : this.#delete(step);
      if (answer.kind === 'delete') changes += answer.deleted;
      return answer;
    });
    if (changes > 0) this.#revision = at;
    return { revision: this.#revision, succeeded, steps: answers };
  }

  #holds({ key, value }: Guard): boolean {
    return this.#keys.get(key)?.value === value;
  }

  #put({ key, value, wantsPrevious }: Step & { kind: 'put' }, at: number): StepAnswer {
    const previous = this.#keys.get(key);
    this.#keys.set(key, { key, value, created: previous?.created ?? at, modified: at, version: (previous?.version ?? 0) + 1 });
    return { kind: 'put', previous: wantsPrevious ? previous : undefined };
  }

  #range({ key, end, limit }: Step & { kind: 'range' }): StepAnswer {
    const found = this.#within(key, end);
    const keys = limit > 0 ? found.slice(0, limit) : found;
    return { kind: 'range', keys, count: found.length, more: keys.length < found.length };
  }

  #delete({ key, end, wantsPrevious }: Step & { kind: 'delete' }): StepAnswer {
    const found = this.#within(key, end);
    for (const each of found) this.#keys.delete(each.key);
    return { kind: 'delete', deleted: found.length, previous: wantsPrevious ? found : [] };
  }

  #within(key: string, end: string | undefined): KeyState[] {
    if (end !== undefined) return this.keys().filter((each) => each.key >= key && each.key < end);
    const found = this.#keys.get(key);
    return found ? [found] : [];
  }
}
