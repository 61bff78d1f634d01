// Which keys a request is about: one, a range, a prefix, or everything from a key on (etcd's conventions for `range_end`).
import { EMPTY, prefixEnd, utf8 } from '@distrokv/base';

/** A key or a value: text is sent as UTF-8. */
export type BytesLike = string | Uint8Array;

/** At most one of the three; none of them: the one key. */
export interface KeySelection {
  /** All keys from the key up to this one, which is excluded. */
  readonly rangeEnd?: BytesLike;
  /** All keys that begin with the key. */
  readonly prefix?: boolean;
  /** The key and all after it. */
  readonly fromKey?: boolean;
}

export function toBytes(from: BytesLike): Uint8Array {
  return typeof from === 'string' ? utf8(from) : from;
}

/** A single zero byte: as a range end "to the last key", as a key "from the first". */
const ZERO: Uint8Array = Uint8Array.of(0);

export function keyRange(key: BytesLike, selection: KeySelection): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  const start = toBytes(key);
  if (selection.fromKey) return { key: start.length === 0 ? ZERO : start, rangeEnd: ZERO };
  if (selection.prefix) return start.length === 0 ? { key: ZERO, rangeEnd: ZERO } : { key: start, rangeEnd: prefixEnd(start) ?? ZERO };
  return { key: start, rangeEnd: selection.rangeEnd === undefined ? EMPTY : toBytes(selection.rangeEnd) };
}
