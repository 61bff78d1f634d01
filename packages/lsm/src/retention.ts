// What a flush or a merge may leave behind. It sees every entry of its inputs in order, so all versions of a key pass by
// in a row, the newest first. Each keyspace has a *watermark*: nobody reads it as of a version below. So of the versions of
// a key that are not above the watermark only the first can still be seen:
//
// - those after it go;
// - it goes too if it is a tombstone and nothing older lies below, for then there is nothing left to hide;
// - or if a range delete that is not above the watermark hides it, and then nothing older is seen either;
// - the same key and version twice (a log replayed over what was flushed already): the second goes.
//
// A `latest` keyspace is one whose watermark is above every version; of a dropped one everything goes. No reader can miss what goes: an open iterator holds
// on to the memtables and tables that it began with.
import { assert } from '@distrokv/base';
import { type Cursor, NEWEST } from './cursor.ts';
import type { VersionMode } from './engine.ts';
import type { Below } from './key-bounds.ts';
import { type RangeDelete, RangeDeletes } from './range-deletes.ts';
import { copyRange, equalRanges, grown } from './ranges.ts';

/** By a keyspace's id. */
export type Watermarks = ReadonlyMap<number, number>;

/** Below every version: all of them stay. */
export const KEEP_ALL = -1;

/** Above everything: of a dropped keyspace nothing stays. */
export const KEEP_NOTHING: number = Infinity;

interface Kept {
  readonly id: number;
  readonly versions: VersionMode;
  readonly isDropped: boolean;
}

export function watermarksOf(keyspaces: readonly Kept[], retentions: ReadonlyMap<number, number>): Watermarks {
  const watermark = ({ id, versions, isDropped }: Kept): number => {
    if (isDropped) return KEEP_NOTHING;
    return versions === 'latest' ? NEWEST : (retentions.get(id) ?? KEEP_ALL);
  };
  return new Map(keyspaces.map((keyspace) => [keyspace.id, watermark(keyspace)]));
}

export class Retention {
  readonly #watermarks: Watermarks;
  readonly #below: Below;
  readonly #deleted: RangeDeletes | undefined;
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;
  #version = 0;
  /** The keyspace of the last entry, and its watermark. */
  #id = 0;
  #watermark = KEEP_ALL;
  /** An entry of the key that is not above the watermark has passed: what follows cannot be seen. */
  #isShadowed = false;

  constructor(watermarks: Watermarks, below: Below, deleted: readonly RangeDelete[] = []) {
    this.#watermarks = watermarks;
    this.#below = below;
    this.#deleted = RangeDeletes.of(deleted);
  }

  /** Entries of a keyspace follow each other, so it is looked up once. */
  #enter(id: number): void {
    const watermark = this.#watermarks.get(id);
    assert(watermark !== undefined, 'every entry belongs to a keyspace');
    this.#id = id;
    this.#watermark = watermark;
  }

  /** Whether the entry stays; asked once for each, in order. */
  keeps(entry: Cursor): boolean {
    const { keyBytes, keyStart, keyEnd, version } = entry;
    if (equalRanges(keyBytes, keyStart, keyEnd, this.#key, 0, this.#keyLength)) {
      if (this.#isShadowed || version === this.#version) return false;
    } else {
      this.#key = grown(this.#key, 0, keyEnd - keyStart);
      this.#keyLength = copyRange(keyBytes, keyStart, keyEnd, this.#key, 0);
      this.#isShadowed = false;
    }
    this.#version = version;
    const id = keyBytes[keyStart] as number;
    if (id !== this.#id) this.#enter(id);
    const watermark = this.#watermark;
    if (version > watermark) return true;
    if (watermark === KEEP_NOTHING) return false;
    this.#isShadowed = true;
    if (this.#deleted !== undefined && this.#deleted.newest(keyBytes, keyStart, keyEnd, watermark, version) > version) return false;
    return !entry.tombstone || this.#below.mayHold(keyBytes, keyStart, keyEnd);
  }
}
