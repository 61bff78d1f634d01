// What an iterator walks over, as internal keys, out of what its caller asked for: each bound can be given in several ways, and the
// tightest counts.
import { compareBytes, prefixEnd } from '@distrokv/base';
import type { RangeOptions } from './engine.ts';
import { LsmError } from './errors.ts';

export interface KeyRange {
  /** Internal keys: the first one, and the end (excluded). */
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly at: number;
  readonly reverse: boolean;
  /** At most so many keys. */
  readonly limit: number;
  readonly keysOnly: boolean;
  readonly patient: boolean;
}

/** The range of a keyspace; throws LsmError `invalid` for a limit that is none. */
export function keyRange(id: number, at: number, options: RangeOptions): KeyRange {
  const { gte, gt, lt, lte, prefix, reverse = false, limit = Infinity, keysOnly = false, patient = false } = options;
  if (limit !== Infinity && (!Number.isSafeInteger(limit) || limit < 0))
    throw new LsmError('invalid', `a limit is a natural number, not ${limit}`);
  let start: Uint8Array = Uint8Array.of(id);
  let end: Uint8Array = Uint8Array.of(id + 1);
  const from = (key: Uint8Array): void => void (start = compareBytes(key, start) > 0 ? key : start);
  const to = (key: Uint8Array): void => void (end = compareBytes(key, end) < 0 ? key : end);
  if (gte !== undefined) from(internalKey(id, gte));
  if (gt !== undefined) from(keyAfter(id, gt));
  if (lt !== undefined) to(internalKey(id, lt));
  if (lte !== undefined) to(keyAfter(id, lte));
  if (prefix !== undefined) {
    const first = internalKey(id, prefix);
    from(first);
    // An internal key begins with an id below 0xff, so there always is an end.
    to(prefixEnd(first) as Uint8Array);
  }
  return { start, end, at, reverse, limit, keysOnly, patient };
}

export function internalKey(id: number, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1);
  out[0] = id;
  out.set(key, 1);
  return out;
}

/** The first internal key behind `key`'s. */
export function keyAfter(id: number, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 2);
  out[0] = id;
  out.set(key, 1);
  return out;
}
