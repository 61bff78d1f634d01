// One watcher: what it wants to see, how far it has come, and who takes its events.
import type { KeyRange } from '../key-range.ts';
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
  /** Events of one or several revisions, whole and in order; `revision` is the store's, and everything up to it has been given with these. */
  events(watcher: Watcher, batch: EventBatch, revision: number): void;
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
  /** Revisions below have been given to the sink, or are not wanted. Of a synced watcher it is only brought up to date with an event. */
  next: number;
  /** In the hub's queue of those that read history. */
  isQueued = false;
  /** Its sink was given nothing since the sink last set this. */
  isQuiet = true;

  constructor(options: WatchOptions, group: WatchGroup, sink: WatchSink, tag: number, next: number) {
    this.options = options;
    this.group = group;
    this.sink = sink;
    this.tag = tag;
    this.next = next;
  }
}
