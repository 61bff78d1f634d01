// Watching from inside the server: the events of a key or a range, one after the other.
import { type Deferred, deferred } from '@distrokv/base';
import { ApiError, type EventBatch, type KeyRange, type Store, type WatchSink, type Watcher } from '@distrokv/mvcc';
import type { mvccpb } from '@distrokv/proto';

/** What waits to be read; beyond it, the watcher reads history when there is room again. */
const MAX_WAITING = 1000;

export class EventReader implements WatchSink, Disposable {
  readonly #store: Store;
  readonly #watcher: Watcher;
  #waiting: mvccpb.Event[] = [];
  #isParked = false;
  #wake: Deferred<void> | undefined;
  #failure: Error | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#fail(this.#signal?.reason as Error);

  constructor(store: Store, range: KeyRange, startRevision: number, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
    this.#watcher = store.watches.create({ range, startRevision, prevKv: false, noPut: false, noDelete: false }, this);
  }

  /** The next event. Throws the signal's reason when that is aborted, and ApiError when the past that is to be read is compacted. */
  async next(): Promise<mvccpb.Event> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event) return event;
      if (this.#isParked) {
        this.#isParked = false;
        this.#store.watches.resume([this.#watcher]);
      }
      if (this.#signal?.aborted === true) throw this.#signal.reason as Error;
      if (this.#failure !== undefined) throw this.#failure;
      this.#wake = deferred();
      await this.#wake.promise;
    }
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#store.watches.remove(this.#watcher);
  }

  get hasRoom(): boolean {
    return this.#waiting.length < MAX_WAITING;
  }

  park(): void {
    this.#isParked = true;
  }

  events(_watcher: Watcher, { events }: EventBatch): void {
    this.#waiting = [...this.#waiting, ...events];
    this.#wake?.resolve();
  }

  compacted(): void {
    this.#fail(new ApiError('compacted'));
  }

  #fail(why: Error): void {
    this.#failure = why;
    this.#wake?.resolve();
  }
}
