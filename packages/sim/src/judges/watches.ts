// What watchers were given, against the history that a replay of the log makes. The checks of etcd's robustness tests: filter, ordered, unique, atomic,
// reliable, resumable, bookmarkable, isCreate, prevKV; and ours: cancelled as compacted only when that is so, nothing before the watch is created and
// nothing after its end, fragments in one piece, and everything given in the end.
import type { etcdserverpb as pb, mvccpb } from '@distrokv/proto';
import { print, show, textOf } from '../api/calls.ts';
import { namer } from '../api/model-range.ts';
import { type Watched, describeWatch } from '../api/watched.ts';
import { Violation } from '../violation.ts';

export interface WatchHistory {
  readonly events: ReadonlyMap<number, readonly mvccpb.Event[]>;
  readonly revision: number;
  /** Every revision that the store was compacted at. */
  readonly compactions: ReadonlySet<number>;
}

/** `isHealed`: of a machine; there a watch that is still open must have been given everything. Returns how many events were judged. */
export function judgeWatches(watches: readonly Watched[], history: WatchHistory, isHealed: (machine: number) => boolean): number {
  let events = 0;
  for (const watched of watches) events += new WatchJudge(watched, history).judge(isHealed(watched.machine));
  return events;
}

class WatchJudge {
  readonly #watched: Watched;
  readonly #history: WatchHistory;
  readonly #lastCompaction: number;
  readonly #names: (key: string) => boolean;
  /** Everything before was given; undefined until the watch is created. */
  #next = 0;
  /** Nothing up to here may come. */
  #given = 0;
  #fragments: mvccpb.Event[] = [];
  #state: 'asked' | 'open' | 'over' = 'asked';
  #judged = 0;

  constructor(watched: Watched, history: WatchHistory) {
    this.#watched = watched;
    this.#history = history;
    this.#names = namer(watched.request.key, watched.request.rangeEnd);
    this.#lastCompaction = Math.max(0, ...history.compactions);
  }

  judge(isHealed: boolean): number {
    for (const response of this.#watched.responses) this.#take(response);
    const lacks =
      this.#state === 'open' && !this.#watched.isOver && isHealed ? this.#wanted(this.#next, this.#history.revision)[0] : undefined;
    if (lacks) this.#broken('reliable', `was never given ${show(lacks)}`);
    return this.#judged;
  }

  #take(response: pb.WatchResponse): void {
    const { created, canceled, events, header, fragment } = response;
    const revision = header?.revision ?? 0;
    if (this.#state === 'over') this.#broken('cancel', `is told ${show(response)} after its end`);
    if (revision > this.#history.revision)
      this.#broken('bookmarkable', `hears of revision ${revision}, and the store ends at ${this.#history.revision}`);
    if (created) return this.#created(response, revision);
    if (this.#state === 'asked') this.#broken('created', `is told ${show(response)} before it is created`);
    if (canceled) return this.#cancelled(response);
    if (events.length === 0) return this.#progress(response, revision);
    this.#fragments.push(...events);
    if (fragment) {
      if (!this.#watched.request.fragment) this.#broken('atomic', 'is given a fragment that it did not ask for');
      return;
    }
    const whole = this.#fragments;
    this.#fragments = [];
    this.#events(whole, revision);
  }

  #created({ canceled, cancelReason, watchId }: pb.WatchResponse, revision: number): void {
    if (this.#state !== 'asked') this.#broken('created', 'is created twice');
    const { request } = this.#watched;
    this.#state = canceled ? 'over' : 'open';
    this.#next = request.startRevision > 0 ? request.startRevision : revision + 1;
    this.#given = this.#next - 1;
    if (!canceled) return;
    const reasons = [
      request.startRevision < 0 ? 'etcdserver: mvcc: required revision has been compacted' : undefined,
      isNobody(request) ? 'mvcc: watcher range is empty' : undefined,
      request.watchId !== 0 ? 'mvcc: duplicate watch ID provided on the WatchStream' : undefined,
    ];
    if (watchId !== -1 || !reasons.includes(cancelReason)) this.#broken('created', `is refused for no reason: ${cancelReason}`);
  }

  #cancelled({ compactRevision, header }: pb.WatchResponse): void {
    this.#state = 'over';
    if (compactRevision === 0) {
      if (!this.#watched.isCancelled) this.#broken('cancel', 'is cancelled, and nobody asked for that');
      return;
    }
    if (!this.#history.compactions.has(compactRevision))
      this.#broken('compacted', `is told of a compaction at ${compactRevision}, where there was none`);
    if (this.#next >= compactRevision)
      this.#broken('compacted', `ends as compacted at ${compactRevision}, although it has everything before ${this.#next}`);
    if ((header?.revision ?? 0) !== 0) this.#broken('compacted', 'is told a revision with the end');
  }

  #progress(response: pb.WatchResponse, revision: number): void {
    const { request } = this.#watched;
    if (request.startRevision > revision) this.#broken('bookmarkable', `hears of progress at ${revision}, before its start`);
    const [lacks] = this.#wanted(this.#next, revision);
    if (lacks) this.#broken('bookmarkable', `hears of progress at ${revision}, and was not given ${show(lacks)}: ${show(response)}`);
    this.#next = Math.max(this.#next, revision + 1);
    this.#given = Math.max(this.#given, revision);
  }

  #events(events: readonly mvccpb.Event[], revision: number): void {
    const last = events.at(-1)?.kv?.modRevision ?? 0;
    let before = 0;
    for (const event of events) {
      const at = event.kv?.modRevision ?? 0;
      if (at < before) this.#broken('ordered', `is given ${show(event)} after revision ${before}`);
      if (at <= this.#given)
        this.#broken(
          at < this.#watched.request.startRevision ? 'resumable' : 'unique',
          `is given ${show(event)}, and had or wanted nothing up to ${this.#given}`,
        );
      if (!this.#wants(event)) this.#broken('filter', `is given ${show(event)}, which it does not watch`);
      before = at;
    }
    if (last > revision) this.#broken('ordered', `is given revision ${last} under the header ${revision}`);
    const expected = this.#wanted(this.#next, last);
    for (const [i, event] of expected.entries()) {
      const given = events[i];
      if (!given || nameOf(given) !== nameOf(event)) this.#lacks(event, events);
      this.#compare(given, event);
    }
    const [extra] = events.slice(expected.length);
    if (extra) this.#broken('unique', `is given ${show(extra)} once more than it happened`);
    this.#judged += events.length;
    this.#next = last + 1;
    this.#given = last;
  }

  #lacks(event: mvccpb.Event, given: readonly mvccpb.Event[]): never {
    const isTorn = given.some(({ kv }) => kv?.modRevision === event.kv?.modRevision);
    return this.#broken(isTorn ? 'atomic' : 'reliable', `is not given ${show(event)}, but later ones: ${show(given)}`);
  }

  #compare(given: mvccpb.Event, event: mvccpb.Event): void {
    const { kv } = event;
    const isCreate = kv?.createRevision === kv?.modRevision;
    if (given.type !== event.type || print({ kv: given.kv }) !== print({ kv }))
      this.#broken(isCreate ? 'isCreate' : 'atomic', `is given ${show(given)}, and it was ${show(event)}`);
    const mayLack = (kv?.modRevision ?? 0) <= this.#lastCompaction;
    const expected = this.#watched.request.prevKv ? event.prevKv : undefined;
    if (given.prevKv === undefined && mayLack) return;
    if (print({ kv: given.prevKv }) !== print({ kv: expected }))
      this.#broken('prevKV', `is given ${show(given)}, and before it was ${expected ? show(expected) : 'nothing to be told'}`);
  }

  /** What it is to be given of the revisions from one to another, both included. */
  #wanted(from: number, to: number): mvccpb.Event[] {
    const wanted: mvccpb.Event[] = [];
    for (let revision = from; revision <= to; revision++)
      wanted.push(...(this.#history.events.get(revision) ?? []).filter((event) => this.#wants(event)));
    return wanted;
  }

  #wants({ type, kv }: mvccpb.Event): boolean {
    return kv !== undefined && this.#names(textOf(kv.key)) && !this.#watched.request.filters.includes(type);
  }

  #broken(check: string, what: string): never {
    throw new Violation('watch', `${check}: ${describeWatch(this.#watched)} ${what}`);
  }
}

/** NOPUT is 0 as PUT is, and NODELETE 1 as DELETE. */
const nameOf = ({ type, kv }: mvccpb.Event): string => `${kv?.modRevision} ${type} ${textOf(kv?.key ?? new Uint8Array())}`;

function isNobody({ key, rangeEnd }: pb.WatchCreateRequest): boolean {
  const [from, to] = [textOf(key), textOf(rangeEnd)];
  return to !== '' && to !== '\0' && from >= to;
}
