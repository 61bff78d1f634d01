// Work that comes in steps: each is short, and between two the event loop may let others run. What drives them decides how long a slice is. A read
// outside of `apply` may need a block that is not in memory: then the step gives a promise, and the next one is for when it has settled.
import { assert } from '@distrokv/base';

export type Steps<T> = Generator<Promise<unknown> | undefined, T, undefined>;

/** What a step does at most, about: a key is one, and so are 4 KiB of its value. */
const WORK_PER_STEP = 256;

/** Counts the work of a step. */
export class StepWork {
  #done = 0;

  /** A key with so many bytes of value was looked at; whether the step has done enough. */
  add(valueBytes: number): boolean {
    this.#done += 1 + (valueBytes >>> 12);
    if (this.#done < WORK_PER_STEP) return false;
    this.#done = 0;
    return true;
  }
}

/** Runs all steps at once; none may have to wait. */
export function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    assert(step.value === undefined, 'what is run at once waits for nothing');
  }
}
