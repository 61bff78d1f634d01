// Who asked for what of the API, and what came of it; in one order with the history of the other clients.
import type { v3electionpb } from '@distrokv/proto';
import type { History } from '../history.ts';
import type { Call, Reply } from './calls.ts';

/** As in `Outcome`: an answer, which may be an error of the store; certainly not happened; perhaps happened, perhaps still to happen. */
export type CallOutcome =
  | { readonly kind: 'answered'; readonly reply: Reply }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export interface AskedCall {
  readonly call: Call;
  /** Answered by a member from what it has, which may be old. */
  readonly startMs: number;
  readonly startOrder: number;
  endMs: number;
  endOrder: number;
  outcome: CallOutcome | undefined;
  /** For who was told but a part of the answer: whether it is that of this one. */
  isSaid?: (reply: Reply) => boolean;
}

/** A client was told that it is the first of a line: that it holds a lock, or leads. */
export interface Claim {
  readonly who: string;
  /** The line's name, and the key of the place in it. */
  readonly name: string;
  readonly key: string;
  /** It was not first before this revision, the one of its answer. */
  readonly revision: number;
  /** When it was told. */
  readonly endOrder: number;
}

/** What a client that observes an election was told on one stream. */
export interface Observed {
  readonly who: string;
  /** The index of the machine. */
  readonly machine: number;
  readonly name: string;
  readonly answers: v3electionpb.LeaderResponse[];
  /** The stream is gone. */
  isOver: boolean;
}

export class ApiHistory {
  readonly calls: AskedCall[] = [];
  readonly claims: Claim[] = [];
  readonly observed: Observed[] = [];
  readonly #history: History;

  constructor(history: History) {
    this.#history = history;
  }

  begin(call: Call, nowMs: number): AskedCall {
    const asked: AskedCall = {
      call,
      startMs: nowMs,
      startOrder: this.#history.next(),
      endMs: Infinity,
      endOrder: Infinity,
      outcome: undefined,
    };
    this.calls.push(asked);
    return asked;
  }

  end(asked: AskedCall, outcome: CallOutcome, nowMs: number): void {
    asked.outcome = outcome;
    asked.endMs = nowMs;
    asked.endOrder = this.#history.next();
  }
}
