// Ranges: the family's options as the engine's.
import { EMPTY, compareBytes } from '@distrokv/base';
import type { RangeOptions } from '@distrokv/lsm';
import type { DistroSnapshot } from './snapshot.ts';

/** A range as abstract-level hands it down. */
export interface Range {
  readonly gt?: Uint8Array;
  readonly gte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly reverse: boolean;
  readonly snapshot?: DistroSnapshot;
}

/** Of two bounds of a side the inclusive one counts, as everywhere in the family. */
export function rangeOf({ gt, gte, lt, lte, reverse, snapshot }: Range): RangeOptions {
  return {
    ...(gte === undefined ? gt !== undefined && { gt } : { gte }),
    ...(lte === undefined ? lt !== undefined && { lt } : { lte }),
    ...(snapshot !== undefined && { snapshot: snapshot.snapshot }),
    reverse,
  };
}

/** The first key, and the end (excluded; undefined: there is none). */
export function boundsOf({ gt, gte, lt, lte }: Range): { readonly from: Uint8Array; readonly to: Uint8Array | undefined } {
  return { from: gte ?? (gt === undefined ? EMPTY : after(gt)), to: lte === undefined ? lt : after(lte) };
}

/** The first key behind `key`. */
function after(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/** Whether the key lies within the bounds. */
export function isWithin(key: Uint8Array, { gt, gte, lt, lte }: RangeOptions): boolean {
  return (
    (gte === undefined || compareBytes(key, gte) >= 0) &&
    (gt === undefined || compareBytes(key, gt) > 0) &&
    (lte === undefined || compareBytes(key, lte) <= 0) &&
    (lt === undefined || compareBytes(key, lt) < 0)
  );
}
