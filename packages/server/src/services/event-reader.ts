// Watching from inside the server: the events of a key or a range, one after the other.
import { type Deferred, deferred } from '@distrokv/base';
import { ApiError, type EventBatch, type KeyRange, type Store, type WatchSink, type Watcher } from '@distrokv/mvcc';
import type { mvccpb } from '@distrokv/proto';

/** Whoever waits in the server waits until one of these is aborted: its client goes, or the server stops. */
export type Ends = readonly AbortSignal[];

/** What waits to be read; beyond it, the watcher reads history when there is room again. */
const MAX_WAITING = 1000;

export class EventReader implements WatchSink, Disposable {
  readonly #store: Store;
  readonly #watcher: Watcher;
  #waiting: mvccpb.Event[] = [];
  #isParked = false;
  #wake: Deferred<void> | undefined;
  #failure: Error | undefined;
  readonly #ends: Ends;
  readonly #onAbort = (): void => this.#wake?.resolve();

  constructor(store: Store, range: KeyRange, startRevision: number, ends: Ends) {
    this.#store = store;
    this.#ends = ends;
    // Not AbortSignal.any: a signal that lives as long as the server would keep something of each that lived for a call.
    for (const signal of ends) signal.addEventListener('abort', this.#onAbort);
    this.#watcher = store.watches.create({ range, startRevision, prevKv: false, noPut: false, noDelete: false }, this);
  }

  /** The next event. Throws the reason of the signal that is aborted, and ApiError `compacted` when the past that is to be read is compacted. */
  async next(): Promise<mvccpb.Event> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event) return event;
      if (this.#isParked) {
        this.#isParked = false;
        this.#store.watches.resume([this.#watcher]);
      }
      for (const signal of this.#ends) signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      this.#wake = deferred();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    for (const signal of this.#ends) signal.removeEventListener('abort', this.#onAbort);
    this.#store.watches.remove(this.#watcher);
  }

  get hasRoom(): boolean {
    return this.#waiting.length < MAX_WAITING;
  }

  park(): void {
    this.#isParked = true;
  }

  events(_watchers: readonly Watcher[], _most: number, { events }: EventBatch): number {
    this.#waiting = [...this.#waiting, ...events];
    this.#wake?.resolve();
    return 1;
  }

  compacted(): void {
    this.#failure = new ApiError('compacted');
    this.#wake?.resolve();
  }
}
