// What a flush or a merge may leave behind. It sees every entry of its inputs in order, so all versions of a key pass by
// in a row, the newest first:
//
// - the same key and version twice (a log replayed over what was flushed already): the second is left out;
// - `latest` keyspaces: only the first of a key stays, and not even that if it is a tombstone and nothing older lies below;
// - `caller` keyspaces: every version stays.
//
// No reader can miss what goes: an open iterator holds on to the memtables and tables that it began with.
import { assert } from '@distrokv/base';
import type { Cursor } from './cursor.ts';
import type { VersionMode } from './engine.ts';
import { compareRanges, copyRange, grown } from './ranges.ts';

export class Retention {
  readonly #modes: ReadonlyMap<number, VersionMode>;
  readonly #bottom: boolean;
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;
  #version = 0;

  /** `bottom`: no older entry lies outside the inputs. */
  constructor(modes: ReadonlyMap<number, VersionMode>, bottom: boolean) {
    this.#modes = modes;
    this.#bottom = bottom;
  }

  /** Whether the entry stays; asked once for each, in order. */
  keeps(entry: Cursor): boolean {
    const { keyBytes, keyStart, keyEnd } = entry;
    const mode = this.#modes.get(keyBytes[keyStart] as number);
    assert(mode !== undefined, 'every entry belongs to a keyspace');
    if (compareRanges(keyBytes, keyStart, keyEnd, this.#key, 0, this.#keyLength) === 0) {
      if (mode === 'latest' || entry.version === this.#version) return false;
      this.#version = entry.version;
      return true;
    }
    this.#key = grown(this.#key, 0, keyEnd - keyStart);
    this.#keyLength = copyRange(keyBytes, keyStart, keyEnd, this.#key, 0);
    this.#version = entry.version;
    return !(mode === 'latest' && entry.tombstone && this.#bottom);
  }
}
