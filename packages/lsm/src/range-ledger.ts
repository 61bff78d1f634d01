// Which range deletes the store still needs. The manifest keeps them, all levels together; a flush brings those of its memtable.
//
// One is *ripe* when its version is not above its keyspace's watermark: then merges leave out what it hides. It goes when nothing it hides
// can be left, and tables tell that by their numbers: a merge leaves out what the ranges hide that it *knows*, those that were there when it
// began, and its tables get higher numbers than these. So a ripe range is needed while a table with a lower number than its own lies in it. Two cases
// break the order, and get the range a new number, behind all tables: it becomes ripe; a merge ends that did not know it.
//
// Entries that are flushed later are never hidden by a range that was there before, since versions do not decrease.
import { compareBytes } from '@distrokv/base';
import { type KeyBounds, hull, overlappingRange } from './key-bounds.ts';
import type { RangeDelete, RangeDeletes } from './range-deletes.ts';
import { KEEP_ALL, KEEP_NOTHING, type Watermarks } from './retention.ts';
import type { Run } from './run.ts';
import type { Table } from './table.ts';

export interface KeptRange extends RangeDelete {
  /** In the order of tables' numbers; unique among ranges. */
  readonly number: number;
}

export type KeptRanges = RangeDeletes<KeptRange> | undefined;

export interface LedgerChange {
  /** What the store keeps before the change. */
  readonly kept: KeptRanges;
  /** The range deletes of the memtable that is flushed; undefined if the change is none of a flush. */
  readonly written?: readonly RangeDelete[] | undefined;
  /** What the merge knew that wrote `added`. */
  readonly known: KeptRanges;
  readonly added: readonly Table[];
  readonly removed: readonly Table[];
  /** After the change. */
  readonly runs: readonly Run[];
  readonly before: Watermarks;
  readonly after: Watermarks;
  readonly nextNumber: () => number;
}

export interface LedgerEdit {
  readonly rangesAdded: readonly KeptRange[];
  readonly rangesRemoved: readonly number[];
}

const NO_EDIT: LedgerEdit = { rangesAdded: [], rangesRemoved: [] };

export function isRipe({ start, version }: RangeDelete, watermarks: Watermarks): boolean {
  return version <= (watermarks.get(start[0] as number) ?? KEEP_ALL);
}

/** What the manifest has to say of range deletes together with a change of tables. */
export function ledgerEdit(change: LedgerChange): LedgerEdit {
  const { kept, written, after, before, runs, nextNumber } = change;
  if (kept === undefined && (written === undefined || written.length === 0)) return NO_EDIT;
  const removed = new Set<KeptRange>();
  const renewed = new Set<RangeDelete>(unknown(change));
  if (written !== undefined) {
    for (const range of kept?.ranges ?? []) {
      if (after.get(range.start[0] as number) === KEEP_NOTHING) removed.add(range);
      else if (isRipe(range, after) && !isRipe(range, before)) renewed.add(range);
    }
    for (const range of outermost(written, after)) {
      if (isRipe(range, after)) for (const hidden of within(kept, range)) removed.add(hidden);
      renewed.add(range);
    }
  }
  for (const range of touched(change)) {
    if (!renewed.has(range) && isRipe(range, after) && !tablesIn(runs, range).some((table) => table.number < range.number))
      removed.add(range);
  }
  const rangesAdded: KeptRange[] = [];
  for (const range of renewed) {
    const isKept = 'number' in range;
    if (isKept && removed.has(range as KeptRange)) continue;
    if (isKept) removed.add(range as KeptRange);
    // Without a table in it there is nothing that it could hide.
    const { start, end, version } = range;
    if (tablesIn(runs, range).length > 0) rangesAdded.push({ number: nextNumber(), start, end, version });
  }
  return { rangesAdded, rangesRemoved: [...removed].map(({ number }) => number) };
}

/** All tables that may lie in a range. */
export function tablesIn(runs: readonly Run[], { start, end }: RangeDelete): Table[] {
  const bounds = { smallestKey: start, largestKey: end };
  return runs.flatMap(({ tables }) => {
    const { start: first, end: last } = overlappingRange(tables, bounds);
    return tables.slice(first, last);
  });
}

/** Those in whose range a table was written by a merge that did not know them. */
function unknown({ kept, known, added }: LedgerChange): KeptRange[] {
  if (kept === undefined || kept === known || added.length === 0) return [];
  const numbers = new Set(known?.ranges.map(({ number }) => number));
  const { smallestKey, largestKey } = hull(added);
  return kept.overlapping(smallestKey, largestKey).filter(({ number }) => !numbers.has(number));
}

/** Those in whose range tables have gone. */
function touched({ kept, removed }: LedgerChange): KeptRange[] {
  if (kept === undefined || removed.length === 0) return [];
  const { smallestKey, largestKey }: KeyBounds = hull(removed);
  return kept.overlapping(smallestKey, largestKey);
}

/** So many are looked at for one that covers another: a range that is cleared again and again. */
const LATEST = 32;

/** Of ranges that were written one after the other, those that no later ripe one covers whole; none of dropped keyspaces. */
function outermost(written: readonly RangeDelete[], watermarks: Watermarks): RangeDelete[] {
  const found: RangeDelete[] = [];
  for (let i = written.length - 1; i >= 0; i--) {
    const range = written[i] as RangeDelete;
    if (watermarks.get(range.start[0] as number) === KEEP_NOTHING) continue;
    if (!found.slice(0, LATEST).some((later) => isRipe(later, watermarks) && covers(later, range))) found.push(range);
  }
  return found.reverse();
}

/** Those that a later, ripe range covers whole: it hides all that they hide. */
function within(kept: KeptRanges, range: RangeDelete): KeptRange[] {
  return kept?.overlapping(range.start, range.end).filter((before) => covers(range, before)) ?? [];
}

function covers(outer: RangeDelete, inner: RangeDelete): boolean {
  return outer.version >= inner.version && compareBytes(outer.start, inner.start) <= 0 && compareBytes(inner.end, outer.end) <= 0;
}
