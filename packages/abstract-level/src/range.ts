// Ranges: the family's options as the engine's.
import { compareBytes } from '@distrokv/base';
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

/** Whether the key lies within the bounds. */
export function isWithin(key: Uint8Array, { gt, gte, lt, lte }: RangeOptions): boolean {
  return (
    (gte === undefined || compareBytes(key, gte) >= 0) &&
    (gt === undefined || compareBytes(key, gt) > 0) &&
    (lte === undefined || compareBytes(key, lte) <= 0) &&
    (lt === undefined || compareBytes(key, lt) < 0)
  );
}
