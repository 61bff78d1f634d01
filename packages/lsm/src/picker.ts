// Which merge comes next: *leveled* compaction (LevelDB; RocksDB's "dynamic level bytes").
//
// Level 0 has a run for each flush. Of the deeper levels each is one sorted run, ten times as large as the one above. Sizes
// are counted from the bottom: the last level holds what it holds, the level above may hold a tenth of that, and so on up to the
// *base*, where runs of level 0 are merged in. A level is opened only when its share is worth it, so a small store has the
// last level alone. As nearly all data lies in the last level, each key once, dead entries cost little space:
//
//   bytes of tables ≤ live bytes × (1 + 1/10 + 1/100 + …) × 4/3 + the base's least size, level 0, and one table a level
//
// where 4/3 is for garbage that only the watermark makes: a table of the last level is rewritten when a quarter of it is such.
//
// Each level that may get a merge has a *score*, its size by its target; the highest one above 1 is next. From a level, the
// table goes down that meets the fewest bytes below it, since those are what it costs.
import { compareBytes } from '@distrokv/base';
import { type KeyBounds, hull, overlap, overlappingRange } from './key-bounds.ts';
import type { RangeDelete } from './range-deletes.ts';
import { isRipe, tablesIn } from './range-ledger.ts';
import { KEEP_ALL, KEEP_NOTHING, type Watermarks } from './retention.ts';
import { type Run, makeRun } from './run.ts';
import type { Table } from './table.ts';
import { LAST_LEVEL, type Shortcut, type Version } from './version.ts';

const GROWTH = 10;
/** The part of a table of the last level that has to be garbage before it is rewritten for that alone. */
const GARBAGE_SHARE = 1 / 4;

export interface PickerOptions {
  /** Runs of level 0 that are left alone. */
  readonly fanIn: number;
  /** The least target of a level. */
  readonly baseBytes: number;
  /** Tables are cut at this size. */
  readonly tableBytes: number;
  /** While there are more of those that merges may obey, or their bounds have more bytes, tables are rewritten for their sake. */
  readonly rangeDeletes: number;
  readonly rangeDeleteBytes: number;
}

export interface Merge {
  /** What is merged, the latest writes first. */
  readonly inputs: readonly Run[];
  /** Where it goes. */
  readonly level: number;
  /**
   * - `move`: the tables, all of `inputs`, meet nothing there: they change their level, and no byte is written
   * - `drop`: nothing in them can be seen any more: they go
   */
  readonly kind: 'merge' | 'move' | 'drop';
  /** It is due for the sake of reads alone. */
  readonly isShortcut?: true;
}

export function tablesOf(inputs: readonly Run[]): Table[] {
  return inputs.flatMap((run) => run.tables);
}

/**
 * The merge that is due; undefined if none is. `checkedUpTo`: range deletes of lower numbers have no table of their own any more. `forReads`: the
 * version's shortcut is due, after what its sizes make due.
 */
export function pickMerge(
  version: Version,
  watermarks: Watermarks,
  options: PickerOptions,
  checkedUpTo: number = 0,
  forReads: boolean = false,
): Merge | undefined {
  const dead = dropped(version, watermarks) ?? deleted(version, watermarks, checkedUpTo);
  if (dead !== undefined) return dead;
  const { base, targets } = levelTargets(version, options.baseBytes);
  let level = -1;
  let highest = 1;
  const runs = version.runsAt(0).length;
  if (runs > options.fanIn) {
    level = 0;
    highest = runs / options.fanIn;
  }
  for (let i = base; i < LAST_LEVEL; i++) {
    const score = version.bytesAt(i) / (targets[i] as number);
    if (score <= highest) continue;
    level = i;
    highest = score;
  }
  if (level === 0) return fromLevel0(version, base, options);
  if (level > 0) return fromLevel(version, level, options);
  if (forReads && version.shortcut !== undefined) return { ...shortcut(version, version.shortcut, base, options), isShortcut: true };
  return rewrite(version, watermarks) ?? purge(version, base, watermarks, options);
}

/** The first level below level 0 that is in use, and how large each level may be. */
export function levelTargets(version: Version, baseBytes: number): { base: number; targets: readonly number[] } {
  const targets: number[] = [];
  let first = LAST_LEVEL;
  for (const { level } of version.runs) if (level > 0 && level < first) first = level;
  let base = LAST_LEVEL;
  let target = version.bytesAt(LAST_LEVEL);
  targets[LAST_LEVEL] = Infinity;
  // A level that has something stays, for what comes from above must not pass it.
  while (base > 1 && (base > first || target / GROWTH >= baseBytes)) {
    base--;
    target = Math.max(target / GROWTH, baseBytes);
    targets[base] = target;
  }
  return { base, targets };
}

function shortcut(version: Version, { from, to }: Shortcut, base: number, options: PickerOptions): Merge {
  return from === 0 ? fromLevel0(version, Math.min(to, base), options) : fromLevel(version, from, options);
}

function fromLevel0(version: Version, base: number, options: PickerOptions): Merge {
  const runs = version.runsAt(0);
  // Keys that rise make runs that meet no other; the oldest such can go down as it is.
  const oldest = runs.at(-1) as Run;
  const isAlone = runs.every((run) => run === oldest || !overlap(hull(run.tables), hull(oldest.tables)));
  if (isAlone && isMovable(version, oldest.tables, base, options)) return { inputs: [oldest], level: base, kind: 'move' };
  return { inputs: withOverlapped(version, runs, base, options), level: base, kind: 'merge' };
}

function fromLevel(version: Version, level: number, options: PickerOptions): Merge {
  const table = leastOverlapping(version.tablesAt(level), version.tablesAt(level + 1));
  const inputs = [makeRun(level, 0, [table])];
  if (isMovable(version, [table], level + 1, options)) return { inputs, level: level + 1, kind: 'move' };
  return { inputs: withOverlapped(version, inputs, level + 1, options), level: level + 1, kind: 'merge' };
}

/** The table with the fewest bytes below it for each of its own; both lists are sorted. */
function leastOverlapping(tables: readonly Table[], below: readonly Table[]): Table {
  let least = Infinity;
  let found = tables[0] as Table;
  for (const table of tables) {
    const { start, end } = overlappingRange(below, table);
    const share = bytesOf(below.slice(start, end)) / table.byteLength;
    if (share >= least) continue;
    least = share;
    found = table;
  }
  return found;
}

/** Small tables are not moved, but merged with their neighbours, or they would pile up. */
function isMovable(version: Version, tables: readonly Table[], level: number, { tableBytes }: PickerOptions): boolean {
  if (bytesOf(tables) < (tables.length * tableBytes) / 2) return false;
  const { start, end } = overlappingRange(version.tablesAt(level), hull(tables));
  return start === end;
}

/** The inputs, and what they meet in `level`; with a small neighbour on either side, so that it does not stay small. */
function withOverlapped(version: Version, inputs: readonly Run[], level: number, { tableBytes }: PickerOptions): Run[] {
  const tables = version.tablesAt(level);
  const bounds: KeyBounds = hull(tablesOf(inputs));
  let { start, end } = overlappingRange(tables, bounds);
  const isSmall = (table: Table | undefined): boolean => table !== undefined && table.byteLength < tableBytes / 2;
  if (isSmall(tables[start - 1])) start--;
  if (isSmall(tables[end])) end++;
  return start === end ? [...inputs] : [...inputs, makeRun(level, 0, tables.slice(start, end))];
}

/** Tables that hold nothing but dropped keyspaces. */
function dropped(version: Version, watermarks: Watermarks): Merge | undefined {
  for (const run of version.runs) {
    const dead = run.tables.filter(({ properties: { shares } }) =>
      shares.every(({ keyspace }) => watermarks.get(keyspace) === KEEP_NOTHING),
    );
    if (dead.length > 0) return { inputs: [makeRun(run.level, run.number, dead)], level: run.level, kind: 'drop' };
  }
  return undefined;
}

/** Tables that one range delete hides whole. */
function deleted(version: Version, watermarks: Watermarks, checkedUpTo: number): Merge | undefined {
  const { rangeDeletes, runs } = version;
  const dead = new Set<Table>();
  for (const range of rangeDeletes?.ranges ?? []) {
    if (range.number <= checkedUpTo || !isRipe(range, watermarks)) continue;
    for (const table of tablesIn(runs, range)) if (isHiddenBy(range, table)) dead.add(table);
  }
  if (dead.size === 0) return undefined;
  const inputs = runs.flatMap(({ level, number, tables }) => {
    const some = tables.filter((table) => dead.has(table));
    return some.length === 0 ? [] : [makeRun(level, number, some)];
  });
  return { inputs, level: LAST_LEVEL, kind: 'drop' };
}

function isHiddenBy({ start, end, version }: RangeDelete, { smallestKey, largestKey, properties: { shares } }: Table): boolean {
  return (
    shares.every(({ lastVersion }) => lastVersion < version) && compareBytes(start, smallestKey) <= 0 && compareBytes(largestKey, end) < 0
  );
}

/** A table of the last level of which enough can go by itself. */
function rewrite(version: Version, watermarks: Watermarks): Merge | undefined {
  const hidden = hiddenBytes(version, watermarks);
  for (const table of version.tablesAt(LAST_LEVEL)) {
    let garbage = hidden.get(table) ?? 0;
    for (const { keyspace, bytes, garbageBytes, garbageVersion } of table.properties.shares) {
      const watermark = watermarks.get(keyspace) ?? KEEP_ALL;
      if (watermark === KEEP_NOTHING) garbage += bytes;
      else if (garbageVersion <= watermark) garbage += garbageBytes;
    }
    if (garbage > 0 && garbage >= table.byteLength * GARBAGE_SHARE)
      return { inputs: [makeRun(LAST_LEVEL, 0, [table])], level: LAST_LEVEL, kind: 'merge' };
  }
  return undefined;
}

/** About how many bytes of tables of the last level range deletes hide that merges may obey. */
function hiddenBytes({ rangeDeletes, runs }: Version, watermarks: Watermarks): ReadonlyMap<Table, number> {
  const hidden = new Map<Table, number>();
  const last = runs.filter(({ level }) => level === LAST_LEVEL);
  for (const range of rangeDeletes?.ranges ?? []) {
    if (!isRipe(range, watermarks)) continue;
    // A table with a higher number holds nothing of it any more.
    for (const table of tablesIn(last, range))
      if (table.number < range.number) hidden.set(table, (hidden.get(table) ?? 0) + table.bytesBetween(range.start, range.end));
  }
  return hidden;
}

/** While there are too many range deletes: a table that keeps the oldest of them from going. */
function purge(version: Version, base: number, watermarks: Watermarks, options: PickerOptions): Merge | undefined {
  const ripe = version.rangeDeletes?.ranges.filter((range) => isRipe(range, watermarks)) ?? [];
  const bytes = ripe.reduce((sum, { start, end }) => sum + start.length + end.length, 0);
  if (ripe.length <= options.rangeDeletes && bytes <= options.rangeDeleteBytes) return undefined;
  const oldest = ripe.reduce((a, b) => (a.number < b.number ? a : b));
  for (const run of version.runs) {
    const table = tablesIn([run], oldest).find(({ number }) => number < oldest.number);
    if (table === undefined) continue;
    if (run.level === 0) return fromLevel0(version, base, options);
    return { inputs: [makeRun(run.level, 0, [table])], level: run.level, kind: 'merge' };
  }
  return undefined;
}

function bytesOf(tables: readonly Table[]): number {
  let sum = 0;
  for (const table of tables) sum += table.byteLength;
  return sum;
}
