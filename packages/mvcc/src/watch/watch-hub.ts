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
import { EventBatch } from './event-batch.ts';
import { type WatchGroup, WatchGroups } from './watch-group.ts';
import { WatchIndex } from './watch-index.ts';
import { type WatchOptions, type WatchSink, Watcher } from './watcher.ts';

/** What a slice of history costs at most, a little more if a revision is large: one for each change, and one for each KiB that it gives. */
const SLICE_COST = 1000;
/** Revisions that a slice spans at most. */
const SLICE_REVISIONS = 1000;
/** Watchers that are given something in one go at most; the others of a larger crowd are behind then, and take their turn. */
const CROWD = 10_000;

export interface WatchHubOptions {
  readonly history: History;
  readonly revision: number;
  readonly compactRevision: () => number;
}

export class WatchHub {
  readonly #options: WatchHubOptions;
  readonly #groups = new WatchGroups();
  /** The groups that have synced watchers. */
  readonly #synced = new WatchIndex<WatchGroup>();
  /** Watchers that read history and whose sinks have room; each takes its turn. */
  #queue: Watcher[] = [];
  #revision: number;
  #size = 0;
  #onWork: () => void = () => {};
  #onGiven: () => void = () => {};

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#revision = options.revision;
  }

  /** Everything up to here was given to the synced watchers. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether what happens now is given to anybody. */
  get isWatched(): boolean {
    return this.#synced.size > 0;
  }

  /** How many watchers there are. */
  get size(): number {
    return this.#size;
  }

  /** `listener` is called when `step` has something to do. */
  onWork(listener: () => void): void {
    this.#onWork = listener;
  }

  /** `listener` is called when sinks were given events, and nothing more comes in this go. */
  onGiven(listener: () => void): void {
    this.#onGiven = listener;
  }

  /** `tag`: what the sink is to know it by. */
  create(options: WatchOptions, sink: WatchSink, tag = 0): Watcher {
    this.#size++;
    const next = options.startRevision > 0 ? options.startRevision : this.#revision + 1;
    const watcher = new Watcher(options, this.#groups.join(options), sink, tag, next);
    if (watcher.next > this.#revision) this.#sync(watcher);
    else this.#enqueue(watcher);
    return watcher;
  }

  remove(watcher: Watcher): void {
    if (watcher.state === 'ended') return;
    if (watcher.state === 'synced') this.#unsync(watcher);
    watcher.state = 'ended';
    this.#groups.leave(watcher.group, watcher.options);
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
    if (changes.length === 0 || !this.isWatched) return;
    const reached: WatchGroup[] = [];
    for (const change of changes) {
      const event = this.#eventOf(change);
      this.#synced.find(change.key, (group) => {
        const found = event(group.prevKv);
        if (!group.wants(found)) return;
        if (group.gathered) group.gathered.push(found);
        else {
          group.gathered = [found];
          reached.push(group);
        }
      });
    }
    let given = 0;
    for (const group of reached) given = this.#deliver(group, given);
    if (given > 0) this.#onGiven();
  }

  /** `given`: how many watchers were given something for this entry before; returns how many with these. */
  #deliver(group: WatchGroup, given: number): number {
    const batch = new EventBatch(group.gathered as mvccpb.Event[]);
    group.gathered = undefined;
    for (const crew of group.crews.list()) {
      crew.givenAt = this.#revision;
      const taken = this.#hand(crew.sink, crew.watchers, batch, CROWD - given);
      given += taken;
      if (taken < crew.watchers.length) for (const watcher of crew.watchers.slice(taken)) this.#fallBehind(watcher, batch);
    }
    if (group.early.size > 0) given += this.#deliverEarly(group, batch, CROWD - given);
    return given;
  }

  /** Returns how many it was given to, of those that begin with it. */
  #deliverEarly(group: WatchGroup, all: EventBatch, most: number): number {
    let given = 0;
    for (const watcher of [...group.early]) {
      const batch = all.from(watcher.next);
      if (!batch || watcher.state === 'ended') continue;
      const taken = this.#hand(watcher.sink, [watcher], batch, most - given);
      given += taken;
      if (isEnded(watcher)) continue;
      if (taken === 0) this.#fallBehind(watcher, batch);
      else {
        watcher.givenAt = this.#revision;
        group.unsync(watcher);
        group.crews.join(watcher);
      }
    }
    return given;
  }

  /** Returns how many were given it. */
  #hand(sink: WatchSink, watchers: readonly Watcher[], batch: EventBatch, most: number): number {
    return most > 0 && sink.hasRoom ? sink.events(watchers, most, batch, this.#revision) : 0;
  }

  /** Forgets the events: from there on it will read them again. */
  #fallBehind(watcher: Watcher, { firstRevision }: EventBatch): void {
    if (watcher.state === 'synced') this.#unsync(watcher);
    watcher.state = 'behind';
    watcher.next = firstRevision;
    if (watcher.sink.hasRoom) this.#enqueue(watcher);
    else watcher.sink.park(watcher);
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
    const batch = [first];
    const others: Watcher[] = [];
    for (const watcher of this.#queue) {
      const isNear =
        watcher.state === 'behind' && watcher.next >= first.next && watcher.next < first.next + SLICE_REVISIONS && watcher.sink.hasRoom;
      if (isNear && batch.length < CROWD) batch.push(watcher);
      else others.push(watcher);
    }
    if (batch.length === 1) return batch;
    this.#queue = others;
    for (const watcher of batch) watcher.isQueued = false;
    return batch;
  }

  #readFor(batch: readonly Watcher[]): void {
    const from = (batch[0] as Watcher).next;
    const to = Math.min(this.#revision, from + SLICE_REVISIONS - 1);
    const groups = new Set(batch.map((watcher) => watcher.group));
    const find = finderOf(groups);
    const reachedTo = this.#options.history.read({ from, to, maxCost: SLICE_COST }, (change) => {
      const event = this.#eventOf(change);
      let bytes = 0;
      find(change.key, (group) => {
        const found = event(group.prevKv);
        if (!group.wants(found)) return;
        (group.gathered ??= []).push(found);
        bytes = change.key.length + (found.kv?.value.length ?? 0) + (found.prevKv?.value.length ?? 0);
      });
      return 1 + (bytes >> 10);
    });
    const batches = new Map<WatchGroup, EventBatch>();
    for (const group of groups) {
      if (group.gathered) batches.set(group, new EventBatch(group.gathered));
      group.gathered = undefined;
    }
    for (const watcher of batch) {
      if (watcher.state === 'ended') continue; // by what was given to its sink just now
      const events = batches.get(watcher.group)?.from(watcher.next);
      if (events) {
        const taken = this.#hand(watcher.sink, [watcher], events, 1);
        if (isEnded(watcher)) continue;
        if (taken === 0) {
          this.#fallBehind(watcher, events);
          continue;
        }
        watcher.givenAt = this.#revision;
      }
      watcher.next = Math.max(watcher.next, reachedTo);
      if (watcher.next > this.#revision) this.#sync(watcher);
      else this.#enqueue(watcher);
    }
    this.#onGiven();
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
    const { group } = watcher;
    if (!group.hasSynced) this.#synced.add(group.range, group);
    if (watcher.next > this.#revision + 1) group.addEarly(watcher);
    else group.crews.join(watcher);
  }

  #unsync(watcher: Watcher): void {
    const { group } = watcher;
    group.unsync(watcher);
    if (!group.hasSynced) this.#synced.remove(group.range, group);
  }
}

function isEnded({ state }: Watcher): boolean {
  return state === 'ended';
}

type Find = (key: Uint8Array, visit: (group: WatchGroup) => void) => void;

function finderOf(groups: ReadonlySet<WatchGroup>): Find {
  const [only] = groups;
  if (groups.size === 1 && only) return (key, visit) => void (isInRange(only.range, key) && visit(only));
  const index = new WatchIndex<WatchGroup>();
  for (const group of groups) index.add(group.range, group);
  return (key, visit) => index.find(key, visit);
}
