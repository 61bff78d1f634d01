// One watcher: what it wants to see, how far it has come, and who takes its events.
import type { KeyRange } from '../key-range.ts';
import type { Crew } from './crews.ts';
import type { EventBatch } from './event-batch.ts';
import type { WatchGroup } from './watch-group.ts';

export interface WatchOptions {
  readonly range: KeyRange;
  /** The first revision to see, which may lie in the past or in the future; 0: what comes next. */
  readonly startRevision: number;
  readonly prevKv: boolean;
  readonly noPut: boolean;
  readonly noDelete: boolean;
}

/** Takes the events of watchers. Never called from within `create`. */
export interface WatchSink {
  /** Whether more may be given to it now. */
  readonly hasRoom: boolean;
  /** There was no room for the watcher's events: `WatchHub.resume` it when there is. */
  park(watcher: Watcher): void;
  /**
   * Events of one or several revisions, whole and in order, for the first of these watchers, at most `most`; `revision` is the store's, and everything up
   * to it has been given with these. Returns how many it took them for, fewer only when it has no room for more. It may end all of its watchers
   * meanwhile, or none.
   */
  events(watchers: readonly Watcher[], most: number, batch: EventBatch, revision: number): number;
  /** The watcher has ended: what it would see next is compacted. */
  compacted(watcher: Watcher, compactRevision: number): void;
}

/**
 * - `synced`: it gets what happens as it happens.
 * - `behind`: it reads history until it has caught up.
 * - `ended`: removed, or compacted away.
 */
export type WatcherState = 'synced' | 'behind' | 'ended';

export class Watcher {
  readonly options: WatchOptions;
  readonly group: WatchGroup;
  readonly sink: WatchSink;
  /** What the sink knows it by. */
  readonly tag: number;
  state: WatcherState = 'behind';
  /** Revisions below have been given to the sink, or are not wanted. Of no use while it is synced and has begun: then it has been given everything. */
  next: number;
  /** With whom it is given things while it is synced and has begun, and its place there. */
  crew: Crew | undefined;
  place = 0;
  /** In the hub's queue of those that read history. */
  isQueued = false;
  #givenAt = 0;

  constructor(options: WatchOptions, group: WatchGroup, sink: WatchSink, tag: number, next: number) {
    this.options = options;
    this.group = group;
    this.sink = sink;
    this.tag = tag;
    this.next = next;
  }

  /** The store's revision when it, or one that it is given things with, was given something last; 0: never. */
  get givenAt(): number {
    return Math.max(this.#givenAt, this.crew?.givenAt ?? 0);
  }

  set givenAt(revision: number) {
    this.#givenAt = revision;
  }
}
