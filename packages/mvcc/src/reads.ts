// Reads of the store, as of a revision that is applied: ranges, transactions that come to nothing but ranges, and the checksum of it all. Each goes in steps,
// and between two of them commands may be applied: what it reads stays as of its revision, until a compaction takes that away.
import { type Revision, revision } from '@distrokv/base';
import { type Keyspace, LsmError } from '@distrokv/lsm';
import { etcdserverpb as pb } from '@distrokv/proto';
import { ApiError } from './api-errors.ts';
import { type StoreHash, hashStore } from './hash.ts';
import type { History } from './history.ts';
import { KnownCounts } from './known-counts.ts';
import { type RangeChunks, type RangeResult, rangeChunks, rangeSteps } from './range.ts';
import type { StoreState } from './state.ts';
import type { Steps } from './steps.ts';
import { type TxnPath, choosePath, forEachOp, onlyReads, revisionHeader, runPath } from './txn.ts';

export interface ReadsOptions {
  readonly kv: Keyspace;
  readonly history: History;
  /** As it is at any time. */
  readonly state: StoreState;
  /** That of the last entry that is committed: of an entry in work the history is not whole yet. */
  readonly committedRevision: () => number;
  /** Throws ApiError when alarms forbid the transaction, should it have to be applied. */
  readonly checkTxn: (request: pb.TxnRequest) => void;
}

export class Reads {
  readonly #kv: Keyspace;
  readonly #history: History;
  readonly #state: StoreState;
  readonly #committedRevision: () => number;
  readonly #checkTxn: (request: pb.TxnRequest) => void;
  readonly #counts = new KnownCounts();

  constructor({ kv, history, state, committedRevision, checkTxn }: ReadsOptions) {
    this.#kv = kv;
    this.#history = history;
    this.#state = state;
    this.#committedRevision = committedRevision;
    this.#checkTxn = checkTxn;
  }

  /** Throws ApiError unless a read at `requested` (0 or less: the latest) can be answered. */
  checkRevision(requested: number): void {
    if (requested > this.#state.revision) throw new ApiError('future-revision');
    if (requested > 0 && requested < this.#state.compactRevision) throw new ApiError('compacted');
  }

  /** A range in steps, pinned to the revision at the call; make the response of the result at once. */
  rangeSteps(request: pb.RangeRequest): {
    readonly steps: Steps<RangeResult>;
    readonly toResponse: (result: RangeResult) => pb.RangeResponse;
  } {
    this.checkRevision(request.revision);
    const at = request.revision > 0 ? revision(request.revision) : this.#state.revision;
    const steps = rangeSteps(this.#kv, request, { at, known: this.#counts, patient: true });
    // The header names the revision that was current at the call, whatever the read was as of: not a later one, or a client that goes on to watch
    // from there would miss what came between.
    const header = revisionHeader(this.#state.revision);
    return { steps, toResponse: (result) => pb.RangeResponse.create({ header, ...result }) };
  }

  /** As `rangeSteps`, with the keys in chunks of at most `maxBytes`; the result has the last keys. For ranges in key order, without filters. */
  rangeChunks(
    request: pb.RangeRequest,
    maxBytes: number,
  ): { readonly chunks: RangeChunks; readonly toResponse: (result: RangeResult) => pb.RangeResponse } {
    const { toResponse } = this.rangeSteps(request);
    const at = request.revision > 0 ? revision(request.revision) : this.#state.revision;
    return { chunks: rangeChunks(this.#kv, request, at, maxBytes, this.#counts), toResponse };
  }

  /**
   * Of all that can be read as of `requested` (0: now) and of the history behind it; equal on members that are equal. Begins anew when a compaction
   * takes some of that history away meanwhile.
   */
  *hash(requested: number): Steps<StoreHash> {
    for (;;) {
      const { compactRevision } = this.#state;
      // Of an entry in work the history is not whole yet.
      const now = this.#committedRevision();
      if (requested > now) throw new ApiError('future-revision');
      this.checkRevision(requested);
      const hashRevision = requested > 0 ? requested : now;
      try {
        const hash = yield* hashStore(this.#kv, this.#history, { from: compactRevision, to: hashRevision });
        if (this.#state.compactRevision === compactRevision) return { hash, compactRevision, hashRevision };
      } catch (error) {
        if (!isCompactedAway(error)) throw error;
      }
    }
  }

  /** A transaction of ranges alone (`isReadOnlyTxn`), answered from what is applied, all of it as of the revision at the first step. */
  *readOnlyTxn(request: pb.TxnRequest): Steps<pb.TxnResponse> {
    return yield* unlessCompacted(this.#readTxn(request));
  }

  /**
   * Do its compares, by what is applied now, choose operations that only read? A no if that is not to be said in a moment. A promise if the disk has
   * to be asked: what it answers is in memory then, for the transaction to be applied without a wait.
   */
  wouldOnlyRead(request: pb.TxnRequest): boolean | Promise<boolean> {
    const steps = choosePath(this.#kv, this.#state.revision, request, PATIENTLY);
    const first = steps.next();
    if (first.done === true) return onlyReads(first.value);
    if (first.value !== undefined) return this.#wouldOnlyRead(steps, first.value);
    steps.return(undefined as never); // closes what it holds
    return false;
  }

  /** As `wouldOnlyRead`, of which the first step waits. */
  async #wouldOnlyRead(steps: Steps<TxnPath>, wait: Promise<unknown>): Promise<boolean> {
    try {
      for (let next: Promise<unknown> | undefined = wait; next !== undefined;) {
        await next;
        const step = steps.next();
        if (step.done === true) return onlyReads(step.value);
        next = step.value;
      }
    } catch (error) {
      if (!isCompactedAway(error)) throw error;
    } finally {
      steps.return(undefined as never);
    }
    return false;
  }

  /** Any transaction, as `readOnlyTxn`, if its compares choose operations that only read; else undefined: it has to be applied. */
  *txnIfItOnlyReads(request: pb.TxnRequest): Steps<pb.TxnResponse | undefined> {
    this.#checkTxn(request);
    const at = this.#state.revision;
    const path = yield* unlessCompacted(choosePath(this.#kv, at, request, PATIENTLY));
    return onlyReads(path) ? yield* unlessCompacted(this.#readPath(path, at)) : undefined;
  }

  *#readTxn(request: pb.TxnRequest): Steps<pb.TxnResponse> {
    const at = this.#state.revision;
    return yield* this.#readPath(yield* choosePath(this.#kv, at, request, PATIENTLY), at);
  }

  *#readPath(path: TxnPath, at: Revision): Steps<pb.TxnResponse> {
    forEachOp(path, (op) => {
      if (op.case === 'requestRange') this.checkRevision(op.value.revision);
    });
    const refuse = (): never => {
      throw new Error('a transaction of ranges does not write');
    };
    const response = yield* runPath(path, {
      range: (range) => this.#rangeResponse(range, at, PATIENTLY),
      put: refuse,
      deleteRange: refuse,
    });
    return { ...response, header: revisionHeader(at) };
  }

  /** A range of a transaction in work, as of what it has done; it waits for the disk: nothing else may happen to the store meanwhile. */
  rangeAtOnce(request: pb.RangeRequest, seen: Revision): Steps<pb.RangeResponse> {
    return this.#rangeResponse(request, seen, AT_ONCE);
  }

  /** What a transaction that is applied will do. Waits for the disk, as `rangeAtOnce` does. */
  pathAtOnce(request: pb.TxnRequest): Steps<TxnPath> {
    return choosePath(this.#kv, this.#state.revision, request, AT_ONCE);
  }

  *#rangeResponse(request: pb.RangeRequest, seen: Revision, patient: boolean): Steps<pb.RangeResponse> {
    const at = request.revision > 0 ? revision(request.revision) : seen;
    return pb.RangeResponse.create({ header: revisionHeader(seen), ...(yield* rangeSteps(this.#kv, request, { at, patient })) });
  }
}

/** What reads while it is applied waits for the disk: nothing else may happen to the store meanwhile. */
const AT_ONCE = false;
const PATIENTLY = true;

/** A read whose revision is compacted away between two of its steps is refused like one that comes later. */
function* unlessCompacted<T>(steps: Steps<T>): Steps<T> {
  try {
    return yield* steps;
  } catch (error) {
    if (isCompactedAway(error)) throw new ApiError('compacted');
    throw error;
  }
}

function isCompactedAway(error: unknown): boolean {
  return error instanceof LsmError && error.code === 'compacted';
}
