// Linearizable reads (Raft dissertation §6.4): a read may be answered from this member's store once it has applied everything that was
// committed anywhere when the read was asked. All reads that come while one round is under way share the next: a read that arrives
// during a round must not use it, for the round's index may be older than the read.
import type { LogIndex, Random } from '@distrokv/base';
import type { ReadIndexResult } from '@distrokv/raft';
import { timedOut } from './errors.ts';

/** A round without an answer is asked again after this time, as in etcd. */
const RETRY_MS = 500;

interface Reader {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly expiresMs: number;
}

interface Round {
  readonly context: number;
  readonly readers: Reader[];
  readonly askedMs: number;
}

export interface ReadBarrierOptions {
  readonly random: Random;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly readIndex: (context: number) => ReadIndexResult;
}

export class ReadBarrier {
  readonly #options: ReadBarrierOptions;
  #gathered: Reader[] = [];
  #round: Round | undefined;
  /** Rounds that have their index and wait until it is applied, in the order of the indexes' arrival. */
  #answered: { readonly index: LogIndex; readonly readers: readonly Reader[] }[] = [];
  #applied: LogIndex;
  /** Starts at a random place: an answer to a read of an earlier run of this process must match none of this run's. */
  #context: number;

  constructor(options: ReadBarrierOptions, applied: LogIndex) {
    this.#options = options;
    this.#applied = applied;
    this.#context = options.random.below(1 << 20) * 0x1_0000_0000;
  }

  /** Resolves when a read of this member's store is linearizable for who called now. */
  wait(): Promise<void> {
    const expiresMs = this.#options.now() + this.#options.timeoutMs;
    return new Promise((resolve, reject) => this.#gathered.push({ resolve, reject, expiresMs }));
  }

  /** Starts a round for the readers that have gathered, if none is under way. */
  flush(): void {
    if (this.#round || this.#gathered.length === 0) return;
    const context = ++this.#context;
    if (this.#options.readIndex(context) === 'no-leader') return;
    this.#round = { context, readers: this.#gathered, askedMs: this.#options.now() };
    this.#gathered = [];
  }

  /** The answer to a round; ignored when the round was given up. */
  answer(context: number, index: LogIndex): void {
    if (this.#round?.context !== context) return;
    const { readers } = this.#round;
    this.#round = undefined;
    if (index <= this.#applied) for (const reader of readers) reader.resolve();
    else this.#answered.push({ index, readers });
    this.flush();
  }

  applied(index: LogIndex): void {
    this.#applied = index;
    if (this.#answered.length === 0) return;
    const waiting = this.#answered;
    this.#answered = [];
    for (const round of waiting) {
      if (round.index > index) this.#answered.push(round);
      else for (const reader of round.readers) reader.resolve();
    }
  }

  /** Asks again: the round's leader is gone, or its answer is overdue. */
  retry(): void {
    if (this.#round) {
      this.#gathered = [...this.#round.readers, ...this.#gathered];
      this.#round = undefined;
    }
    this.flush();
  }

  /** To be called now and then: overdue rounds are asked again, overdue readers are told. */
  tick(): void {
    const now = this.#options.now();
    if (!this.#round || now - this.#round.askedMs >= RETRY_MS) this.retry();
    const alive = (reader: Reader): boolean => {
      if (reader.expiresMs > now) return true;
      reader.reject(timedOut());
      return false;
    };
    this.#gathered = this.#gathered.filter(alive);
    if (this.#round) this.#round = { ...this.#round, readers: this.#round.readers.filter(alive) };
    this.#answered = this.#answered.map((round) => ({ ...round, readers: round.readers.filter(alive) }));
  }

  /** Nobody will be there to answer rounds for a while; readers that only wait until their index is applied wait on. */
  failUnanswered(error: Error): void {
    for (const reader of [...this.#gathered, ...(this.#round?.readers ?? [])]) reader.reject(error);
    this.#gathered = [];
    this.#round = undefined;
  }

  failAll(error: Error): void {
    this.failUnanswered(error);
    for (const reader of this.#answered.flatMap((r) => r.readers)) reader.reject(error);
    this.#answered = [];
  }
}
