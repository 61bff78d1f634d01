// Gives what happens to those who watch. A watcher is *synced* and gets each log entry's changes when it is committed; or it is *behind*, because
// it starts in the past or its sink had no room, and reads history from the engine, a slice at a time, until it has caught up. So a slow watcher costs
// nobody anything: its events are not kept for it, they are found again. Writers never wait.
//
// What a watcher is promised (etcd's "API guarantees"):
// 1. Ordered and unique: `next` only grows, and no event below it is given.
// 2. Reliable: everything from `next` on is given, or the watcher ends as `compacted`.
// 3. Atomic: a revision is given in one piece.
// 4. Bookmarkable: a synced watcher whose sink is in order has been given everything up to `revision`.
import { assert } from '@distrokv/base';
import type { mvccpb } from '@distrokv/proto';
import type { Change, History } from '../history.ts';
import { isInRange } from '../key-range.ts';
import { WatchIndex } from './watch-index.ts';
import { type WatchOptions, type WatchSink, Watcher } from './watcher.ts';

/** What a slice of history costs at most, a little more if a revision is large: one for each change, and one for each KiB that it gives. */
const SLICE_COST = 1000;
/** Revisions that a slice spans at most. */
const SLICE_REVISIONS = 1000;

export interface WatchHubOptions {
  readonly history: History;
  readonly revision: number;
  readonly compactRevision: () => number;
}

export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #synced = new WatchIndex<Watcher>();
  /** Watchers that read history and whose sinks have room; each takes its turn. */
  #queue: Watcher[] = [];
  #revision: number;
  #size = 0;
  #onWork: () => void = () => {};

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#revision = options.revision;
  }

  /** Everything up to here was given to the synced watchers. */
  get revision(): number {
    return this.#revision;
  }

  /** How many watchers there are. */
  get size(): number {
    return this.#size;
  }

  /** `listener` is called when `step` has something to do. */
  onWork(listener: () => void): void {
    this.#onWork = listener;
  }

  create(options: WatchOptions, sink: WatchSink): Watcher {
    this.#size++;
    const watcher = new Watcher(options, sink, options.startRevision > 0 ? options.startRevision : this.#revision + 1);
    if (watcher.next > this.#revision) this.#sync(watcher);
    else this.#enqueue(watcher);
    return watcher;
  }

  remove(watcher: Watcher): void {
    if (watcher.state === 'ended') return;
    if (watcher.state === 'synced') this.#unsync(watcher);
    watcher.state = 'ended';
    this.#size--;
  }

  /** The sink of these watchers has room again. */
  resume(watchers: Iterable<Watcher>): void {
    for (const watcher of watchers) if (watcher.state === 'behind') this.#enqueue(watcher);
  }

  /** Has it been given everything there is, and begun? */
  isCurrent(watcher: Watcher): boolean {
    return watcher.state === 'synced' && watcher.options.startRevision <= this.#revision;
  }

  // --- What happens now. ---

  /** The changes of a committed entry, in order; the store is at `revision` now. */
  publish(changes: readonly Change[], revision: number): void {
    this.#revision = revision;
    if (changes.length === 0 || this.#synced.size === 0) return;
    const reached: Watcher[] = [];
    for (const change of changes) {
      const event = this.#eventOf(change);
      this.#synced.find(change.key, (watcher) => {
        if (watcher.next > change.revision) return;
        const found = event(watcher.options.prevKv);
        if (!watcher.wants(found)) return;
        if (watcher.gathered) watcher.gathered.push(found);
        else {
          watcher.gathered = [found];
          reached.push(watcher);
        }
      });
    }
    for (const watcher of reached) this.#deliver(watcher);
  }

  #deliver(watcher: Watcher): void {
    const events = watcher.gathered as mvccpb.Event[];
    watcher.gathered = undefined;
    if (watcher.state !== 'synced') return; // ended by what was given to its sink just now
    if (watcher.sink.hasRoom) {
      watcher.next = this.#revision + 1;
      watcher.sink.events(watcher, events, this.#revision);
      return;
    }
    // Forgets the events: from here it will read them again.
    this.#unsync(watcher);
    watcher.state = 'behind';
    watcher.next = Math.max(watcher.next, events[0]?.kv?.modRevision ?? watcher.next);
    watcher.sink.park(watcher);
  }

  /** Made when the first watcher wants it, and shared by all. */
  #eventOf(change: Change): (withPrevious: boolean) => mvccpb.Event {
    let plain: mvccpb.Event | undefined;
    let full: mvccpb.Event | undefined;
    const { history, compactRevision } = this.#options;
    return (withPrevious) =>
      withPrevious
        ? (full ??= history.event(change, true, compactRevision()))
        : (plain ??= history.event(change, false, compactRevision()));
  }

  // --- What happened. ---

  /** Reads a slice of history for those who are behind; false when there is nothing to do. */
  step(): boolean {
    const first = this.#queue.shift();
    if (!first) return false;
    first.isQueued = false;
    if (first.state !== 'behind') return this.#queue.length > 0;
    const compacted = this.#options.compactRevision();
    if (first.next < compacted) {
      this.remove(first);
      first.sink.compacted(first, compacted);
    } else if (first.sink.hasRoom) this.#readFor(this.#batchOf(first));
    else first.sink.park(first);
    return this.#queue.length > 0;
  }

  /** With the watcher whose turn it is go those that are not far ahead of it. */
  #batchOf(first: Watcher): Watcher[] {
    const isNear = (watcher: Watcher): boolean =>
      watcher.state === 'behind' && watcher.next >= first.next && watcher.next < first.next + SLICE_REVISIONS && watcher.sink.hasRoom;
    const near = this.#queue.filter(isNear);
    if (near.length === 0) return [first];
    this.#queue = this.#queue.filter((watcher) => !isNear(watcher));
    for (const watcher of near) watcher.isQueued = false;
    return [first, ...near];
  }

  #readFor(batch: readonly Watcher[]): void {
    const from = (batch[0] as Watcher).next;
    const to = Math.min(this.#revision, from + SLICE_REVISIONS - 1);
    const find = finderOf(batch);
    const reachedTo = this.#options.history.read({ from, to, maxCost: SLICE_COST }, (change) => {
      const event = this.#eventOf(change);
      let bytes = 0;
      find(change.key, (watcher) => {
        if (watcher.next > change.revision) return;
        const found = event(watcher.options.prevKv);
        if (!watcher.wants(found)) return;
        (watcher.gathered ??= []).push(found);
        bytes = change.key.length + (found.kv?.value.length ?? 0) + (found.prevKv?.value.length ?? 0);
      });
      return 1 + (bytes >> 10);
    });
    for (const watcher of batch) {
      const events = watcher.gathered;
      watcher.gathered = undefined;
      if (watcher.state === 'ended') continue; // by what was given to another of the batch just now
      watcher.next = Math.max(watcher.next, reachedTo);
      if (watcher.next > this.#revision) this.#sync(watcher);
      if (events) watcher.sink.events(watcher, events, this.#revision);
      if (watcher.state === 'behind') this.#enqueue(watcher);
    }
  }

  #enqueue(watcher: Watcher): void {
    if (watcher.isQueued) return;
    watcher.isQueued = true;
    this.#queue.push(watcher);
    if (this.#queue.length === 1) this.#onWork();
  }

  #sync(watcher: Watcher): void {
    assert(watcher.next > this.#revision, 'a synced watcher has been given everything');
    watcher.state = 'synced';
    this.#synced.add(watcher.options.range, watcher);
  }

  #unsync(watcher: Watcher): void {
    this.#synced.remove(watcher.options.range, watcher);
  }
}

type Find = (key: Uint8Array, visit: (watcher: Watcher) => void) => void;

function finderOf(batch: readonly Watcher[]): Find {
  const [only] = batch;
  if (batch.length === 1 && only) return (key, visit) => void (isInRange(only.options.range, key) && visit(only));
  const index = new WatchIndex<Watcher>();
  for (const watcher of batch) index.add(watcher.options.range, watcher);
  return (key, visit) => index.find(key, visit);
}
