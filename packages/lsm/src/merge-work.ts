// The work of one merge: what it reads, what it may leave out, and doing it, on this thread or on another one.
import { EMPTY } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { type JobWriting, type TableJob, type TableWork, type Writing, numbering, numbersFor, plainBounds } from './background-work.ts';
import { BlockCache } from './block-cache.ts';
import { NEWEST } from './cursor.ts';
import type { Codec } from './engine.ts';
import { Below, hull, overlap } from './key-bounds.ts';
import { FilePool } from './file-pool.ts';
import { MergingCursor } from './merging-cursor.ts';
import { Pacer } from './pacer.ts';
import { tablesOf } from './picker.ts';
import { ReadAhead } from './read-ahead.ts';
import { Retention, type Watermarks } from './retention.ts';
import { type Run, RunCursor, makeRun } from './run.ts';
import { writeRun } from './run-writer.ts';
import type { WrittenTable } from './table-writer.ts';
import { Table } from './table.ts';
import type { Version } from './version.ts';

/** Of a job, on top of those that the engine has open. A merge walks through its inputs, so it needs few at a time. */
const MAX_OPEN_FILES = 32;

export interface MergeWork extends TableWork {
  /** The latest writes first. */
  readonly inputs: readonly Run[];
}

export interface MergeJob extends TableJob {
  readonly kind: 'merge';
  readonly inputs: readonly (readonly { readonly number: number; readonly byteLength: number }[])[];
  /** Written no faster than this on average. */
  readonly bytesPerSecond: number;
}

/** A merge of `inputs` into `level` of a version. */
export function mergeWork(
  inputs: readonly Run[],
  { runs, rangeDeletes }: Version,
  level: number,
  watermarks: Watermarks,
  codec: Codec,
): MergeWork {
  const bounds = hull(tablesOf(inputs));
  const deeper = runs.filter((run) => run.level > level);
  const below = deeper.map(({ tables }) => tables.filter((table) => overlap(table, bounds)));
  const deleted = rangeDeletes?.overlapping(bounds.smallestKey, bounds.largestKey) ?? [];
  return { inputs, below, watermarks, deleted, codec };
}

/** Writes what stays of the inputs into tables, which are durable when it returns. */
export function writeMerge({ inputs, below, watermarks, deleted, codec }: MergeWork, writing: Writing): Promise<WrittenTable[]> {
  const source = new ReadAhead(writing.ownThread === true);
  const entries = new MergingCursor(
    inputs.map((run) => new RunCursor(run, source)),
    false,
  );
  entries.seek(EMPTY, NEWEST);
  const beforeSlice = async (): Promise<void> => {
    await writing.beforeSlice();
    await source.fill();
  };
  return writeRun(entries, new Retention(watermarks, new Below(below), deleted), { ...writing, codec, beforeSlice });
}

/** The merge as a job for another thread; `reserve` takes numbers and returns the first. */
export function mergeJobOf(
  { inputs, below, watermarks, deleted, codec }: MergeWork,
  writing: JobWriting & Pick<MergeJob, 'bytesPerSecond'>,
  reserve: (count: number) => number,
): MergeJob {
  let entries = 0;
  let bytes = 0;
  for (const { properties } of tablesOf(inputs)) {
    entries += properties.entries;
    bytes += properties.keyBytes + properties.valueBytes;
  }
  const numbers = numbersFor(entries, bytes, writing.tableBytes, reserve);
  const named = inputs.map((run) => run.tables.map(({ number, byteLength }) => ({ number, byteLength })));
  return { kind: 'merge', ...writing, ...numbers, inputs: named, below: plainBounds(below), watermarks, deleted, codec };
}

/** Does a job; `beforeSlice` throws when it is to be broken off. */
export async function runMerge(job: MergeJob, env: Env, beforeSlice: () => Promise<void>): Promise<WrittenTable[]> {
  const { directory, blockBytes, tableBytes } = job;
  const cache = new BlockCache(0);
  const files = new FilePool(env.fs, MAX_OPEN_FILES);
  const opened: Table[] = [];
  try {
    const inputs: Run[] = [];
    for (const tables of job.inputs) {
      const first = opened.length;
      for (const table of tables) opened.push(await Table.open(files, directory, table.number, table.byteLength, cache));
      inputs.push(makeRun(0, 0, opened.slice(first)));
    }
    const pacer = new Pacer(env, job.bytesPerSecond);
    return await writeMerge(
      { ...job, inputs },
      {
        env,
        directory,
        blockBytes,
        tableBytes,
        nextNumber: numbering(job),
        ownThread: true,
        beforeSlice,
        afterSlice: (bytes) => pacer.spend(bytes),
      },
    );
  } finally {
    for (const table of opened) await table.close();
  }
}
