// A sink that takes what watchers are given, and says "no room" when it is told to; and the checks that every history of a watcher must pass.
import assert from 'node:assert/strict';
import { fromUtf8 } from '@distrokv/base';
import type { mvccpb } from '@distrokv/proto';
import { type KeyRange, isInRange } from '../key-range.ts';
import type { EventBatch } from '../watch/event-batch.ts';
import type { WatchHub } from '../watch/watch-hub.ts';
import type { WatchOptions, WatchSink, Watcher } from '../watch/watcher.ts';

export class RecordingSink implements WatchSink {
  hasRoom = true;
  readonly batches: EventBatch[] = [];
  readonly responses: { readonly events: readonly mvccpb.Event[]; readonly revision: number }[] = [];
  compactedAt: number | undefined;
  readonly #hub: WatchHub;
  #parked: Watcher[] = [];

  constructor(hub: WatchHub) {
    this.#hub = hub;
  }

  park(watcher: Watcher): void {
    this.#parked.push(watcher);
  }

  events(watchers: readonly Watcher[], most: number, batch: EventBatch, revision: number): number {
    const { events } = batch;
    this.batches.push(batch);
    assert.ok(this.hasRoom, 'nothing is given where there is no room');
    assert.ok(events.length > 0, 'a response has events');
    assert.ok(watchers.length > 0 && most > 0, 'and there is somebody for it');
    const taken = Math.min(watchers.length, most);
    for (let i = 0; i < taken; i++) this.responses.push({ events, revision });
    return taken;
  }

  compacted(_watcher: Watcher, compactRevision: number): void {
    this.compactedAt = compactRevision;
  }

  makeRoom(): void {
    this.hasRoom = true;
    this.#hub.resume(this.#parked.splice(0));
  }

  get all(): mvccpb.Event[] {
    return this.responses.flatMap((response) => response.events);
  }
}

/** Takes the events of many watchers, each known by its tag, and now and then only for some of those that it is offered. */
export class SharedSink implements WatchSink {
  readonly byTag: RecordingSink[];
  /** For so many watchers it takes something before it has no room. */
  room = 0;
  readonly #hub: WatchHub;
  #parked: Watcher[] = [];

  constructor(hub: WatchHub, watchers: number) {
    this.#hub = hub;
    this.byTag = Array.from({ length: watchers }, () => new RecordingSink(hub));
  }

  get hasRoom(): boolean {
    return this.room > 0;
  }

  park(watcher: Watcher): void {
    this.#parked.push(watcher);
  }

  events(watchers: readonly Watcher[], most: number, batch: EventBatch, revision: number): number {
    assert.ok(this.hasRoom, 'nothing is given where there is no room');
    const taken = Math.min(watchers.length, most, this.room);
    this.room -= taken;
    for (const watcher of watchers.slice(0, taken)) this.byTag[watcher.tag]?.events([watcher], 1, batch, revision);
    return taken;
  }

  compacted({ tag }: Watcher, compactRevision: number): void {
    (this.byTag[tag] as RecordingSink).compactedAt = compactRevision;
  }

  makeRoom(room: number): void {
    this.room = room;
    if (room > 0) this.#hub.resume(this.#parked.splice(0));
  }
}

export function watch(key: KeyRange, fields: Partial<WatchOptions> = {}): WatchOptions {
  return { range: key, startRevision: 0, prevKv: false, noPut: false, noDelete: false, ...fields };
}

/** "3 put a=1 (a=0)": with the previous value, if it is told. */
export function showEvent({ type, kv, prevKv }: mvccpb.Event): string {
  const key = fromUtf8(kv?.key ?? new Uint8Array(0));
  const change =
    type === 1 ? `${kv?.modRevision} delete ${key}` : `${kv?.modRevision} put ${key}=${fromUtf8(kv?.value ?? new Uint8Array(0))}`;
  return prevKv ? `${change} (${fromUtf8(prevKv.value)})` : change;
}

/** What etcd promises of every watcher, whatever happened: filtered, ordered, unique, atomic, bookmarkable. */
export function checkHistory(sink: RecordingSink, options: WatchOptions): void {
  let last = 0;
  let bookmark = 0;
  for (const { events, revision } of sink.responses) {
    const first = events[0]?.kv?.modRevision ?? 0;
    assert.ok(first > last, 'ordered, unique and atomic: a response begins with a later revision than all before');
    assert.ok(first > bookmark, 'bookmarkable: nothing up to the revision of an earlier response comes later');
    const seen = new Set<string>();
    for (const event of events) {
      const { kv } = event;
      assert.ok(kv && isInRange(options.range, kv.key), 'only keys that are watched');
      assert.ok(event.type === 1 ? !options.noDelete : !options.noPut, 'only events that are wanted');
      assert.ok(kv.modRevision >= last && kv.modRevision >= options.startRevision, 'ordered, and none before the start');
      const name = `${kv.modRevision}/${fromUtf8(kv.key)}`;
      assert.ok(!seen.has(name), 'unique');
      seen.add(name);
      if (event.type === 0) assert.equal(kv.version === 1, kv.createRevision === kv.modRevision, 'a new key begins at version 1');
      if (event.prevKv) assert.ok(options.prevKv && event.prevKv.modRevision < kv.modRevision, 'the previous version is an earlier one');
      last = kv.modRevision;
    }
    assert.ok(revision >= last, 'a header is not behind its events');
    bookmark = revision;
  }
}
