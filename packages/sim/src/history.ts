// Who asked what, when, and what came of it: all that the judges of the clients' view ever see.
import type { Answer, Operation } from './workload/operations.ts';

/**
 * - `answered`: the store's answer.
 * - `refused`: it has not happened, and never will.
 * - `unknown`: it may have happened, or may still happen, at any time after its start.
 */
export type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface Operated {
  readonly client: number;
  readonly operation: Operation;
  readonly startMs: number;
  /** Orders events that fall into the same moment. */
  readonly startOrder: number;
  endMs: number;
  endOrder: number;
  outcome: Outcome | undefined;
}

export class History {
  readonly operations: Operated[] = [];
  #order = 0;

  /** The next place in the order of all that happens to clients. */
  next(): number {
    return this.#order++;
  }

  begin(client: number, operation: Operation, nowMs: number): Operated {
    const operated: Operated = {
      client,
      operation,
      startMs: nowMs,
      startOrder: this.next(),
      endMs: Infinity,
      endOrder: Infinity,
      outcome: undefined,
    };
    this.operations.push(operated);
    return operated;
  }

  end(operated: Operated, outcome: Outcome, nowMs: number): void {
    operated.outcome = outcome;
    operated.endMs = nowMs;
    operated.endOrder = this.next();
  }
}
