// Those who watch the same range in the same way see the same events: what is to be found out of an event is found out once for all of them.
import type { mvccpb } from '@distrokv/proto';
import type { KeyRange } from '../key-range.ts';
import { Crews } from './crews.ts';
import type { Watcher, WatchOptions } from './watcher.ts';

export type WatchTerms = Pick<WatchOptions, 'range' | 'prevKv' | 'noPut' | 'noDelete'>;

export class WatchGroup {
  readonly range: KeyRange;
  readonly prevKv: boolean;
  readonly #noPut: boolean;
  readonly #noDelete: boolean;
  /** Watchers that are not ended. */
  size = 0;
  /** Those of them that are synced and have begun: they want all that happens next. */
  readonly crews: Crews = new Crews();
  /** Those that are synced and begin later. */
  #early: Set<Watcher> | undefined;
  /** Events that are being gathered for them. */
  gathered: mvccpb.Event[] | undefined;

  constructor({ range, prevKv, noPut, noDelete }: WatchTerms) {
    this.range = range;
    this.prevKv = prevKv;
    this.#noPut = noPut;
    this.#noDelete = noDelete;
  }

  get hasSynced(): boolean {
    return this.crews.size > 0 || this.early.size > 0;
  }

  get early(): ReadonlySet<Watcher> {
    return this.#early ?? NONE;
  }

  /** The watcher begins after what happens next. */
  addEarly(watcher: Watcher): void {
    (this.#early ??= new Set()).add(watcher);
  }

  unsync(watcher: Watcher): void {
    if (watcher.crew) this.crews.leave(watcher);
    else this.#early?.delete(watcher);
  }

  wants(event: mvccpb.Event): boolean {
    return event.type === 1 ? !this.#noDelete : !this.#noPut;
  }
}

const NONE: ReadonlySet<Watcher> = new Set();

/** All groups that have watchers. */
export class WatchGroups {
  readonly #byName = new Map<string, WatchGroup>();

  /** The group with these terms, with one more watcher. */
  join(terms: WatchTerms): WatchGroup {
    const name = nameOf(terms);
    let group = this.#byName.get(name);
    if (!group) {
      group = new WatchGroup(terms);
      this.#byName.set(name, group);
    }
    group.size++;
    return group;
  }

  leave(group: WatchGroup, terms: WatchTerms): void {
    if (--group.size === 0) this.#byName.delete(nameOf(terms));
  }
}

function nameOf({ range: { single, from, to }, prevKv, noPut, noDelete }: WatchTerms): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const flags = (prevKv ? 1 : 0) | (noPut ? 2 : 0) | (noDelete ? 4 : 0) | (single ? 8 : 0);
  return `${flags}:${from.length}:${text(from)}${to === undefined ? '' : `:${text(to)}`}`;
}
