// The order of the engine, and the one way to walk anything that is in it.
//
// An entry is (keyspace, user key, version) → value or tombstone. Its *internal key* is the keyspace's id (one byte)
// followed by the user key; entries are ordered by internal key as bytes, then by version, the newest first. So the
// newest version ≤ `at` of a key is the first entry at or after (internal key, at): one seek serves every read.

import type { CachePiece } from './block-cache.ts';

/** Above every version: a seek to (key, NEWEST) finds the first entry of the key. */
export const NEWEST: number = Number.MAX_SAFE_INTEGER;

/**
 * Stands on an entry of a sorted source. The fields are plain, and name byte ranges instead of views, because scans and
 * merges read them for every entry. They hold while the cursor stays where it is, and mean nothing when `valid` is false;
 * `valueBytes` stays what it is as long as its `piece`, if there is one, is held.
 */
export interface Cursor {
  readonly valid: boolean;
  /** The internal key: `keyBytes[keyStart, keyEnd)`. */
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly version: number;
  readonly tombstone: boolean;
  /** The value: `valueBytes[valueStart, valueEnd)`; empty for a tombstone. */
  readonly valueBytes: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** What `valueBytes` is of, if that is used again one day; the cursor holds it until it moves on. */
  readonly piece?: CachePiece | undefined;
  /** To the first entry at or after (key, version). */
  seek(key: Uint8Array, version: number): void;
  /** To the last entry before (key, version). */
  seekBefore(key: Uint8Array, version: number): void;
  /** Only while `valid`. */
  next(): void;
  prev(): void;
}
