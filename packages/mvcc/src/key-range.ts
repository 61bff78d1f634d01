// etcd's ways to name keys: `range_end` empty is the single key; a `range_end` of one zero byte is "to the last key",
// and with a `key` of one zero byte too, all keys; otherwise [key, range_end), which is empty when the end is not after the key.
import { EMPTY, compareBytes } from '@distrokv/base';

export interface KeyRange {
  /** One key, looked up and not walked to. */
  readonly single: boolean;
  readonly from: Uint8Array;
  /** Excluded; undefined: to the last key. */
  readonly to: Uint8Array | undefined;
}

const isZeroByte = (bytes: Uint8Array): boolean => bytes.length === 1 && bytes[0] === 0;

export function keyRange(key: Uint8Array, rangeEnd: Uint8Array): KeyRange {
  if (rangeEnd.length === 0) return { single: true, from: key, to: undefined };
  return { single: false, from: isZeroByte(key) && isZeroByte(rangeEnd) ? EMPTY : key, to: isZeroByte(rangeEnd) ? undefined : rangeEnd };
}

export function isInRange(range: KeyRange, key: Uint8Array): boolean {
  const order = compareBytes(key, range.from);
  if (range.single) return order === 0;
  return order >= 0 && (range.to === undefined || compareBytes(key, range.to) < 0);
}

export function isEmptyRange(range: KeyRange): boolean {
  return !range.single && range.to !== undefined && compareBytes(range.from, range.to) >= 0;
}
