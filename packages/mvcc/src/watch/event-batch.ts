// Events that go to one watcher or to thousands: they are the same for all who watch the same range in the same way, and so are their bytes, which
// are made once, when somebody first asks for them.
import { etcdserverpb as pb, type mvccpb } from '@distrokv/proto';

export class EventBatch {
  /** Of whole revisions, in order; at least one. */
  readonly events: readonly mvccpb.Event[];
  readonly firstRevision: number;
  #encoded: Uint8Array | undefined;

  constructor(events: readonly mvccpb.Event[]) {
    this.events = events;
    this.firstRevision = events[0]?.kv?.modRevision ?? 0;
  }

  /** As they are within a WatchResponse: what is left of one is its other fields. */
  get encoded(): Uint8Array {
    return (this.#encoded ??= pb.WatchResponse.encode(pb.WatchResponse.create({ events: this.events })));
  }

  /** Those of `revision` and later; undefined if there are none. */
  from(revision: number): EventBatch | undefined {
    if (this.firstRevision >= revision) return this;
    const later = this.events.filter(({ kv }) => kv !== undefined && kv.modRevision >= revision);
    return later.length > 0 ? new EventBatch(later) : undefined;
  }
}
