// The work of one merge: what it reads, what it may leave out, and doing it. It is done on this thread or on another one
// (merge-thread.ts), which needs it as a *job*: plain data, with tables named instead of open.
import { EMPTY, assert } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { BlockCache } from './block-cache.ts';
import { NEWEST } from './cursor.ts';
import type { Codec } from './engine.ts';
import { Below, type KeyBounds, hull, overlap } from './key-bounds.ts';
import { FilePool } from './file-pool.ts';
import { MergingCursor } from './merging-cursor.ts';
import { Pacer } from './pacer.ts';
import { tablesOf } from './picker.ts';
import { ReadAhead } from './read-ahead.ts';
import { Retention, type Watermarks } from './retention.ts';
import { type Run, RunCursor, makeRun } from './run.ts';
import { type RunWriterOptions, writeRun } from './run-writer.ts';
import type { WrittenTable } from './table-writer.ts';
import { Table } from './table.ts';

/** Of a job, on top of those that the engine has open. A merge walks through its inputs, so it needs few at a time. */
const MAX_OPEN_FILES = 32;

export interface MergeWork {
  /** The latest writes first. */
  readonly inputs: readonly Run[];
  /** The bounds of tables in deeper levels that meet the inputs, level by level. */
  readonly below: readonly (readonly KeyBounds[])[];
  readonly watermarks: Watermarks;
  /** Of the tables that are written. */
  readonly codec: Codec;
}

/** How tables are written, as plain data. */
export interface MergeWriting {
  readonly directory: string;
  readonly blockBytes: number;
  readonly tableBytes: number;
  readonly bytesPerSecond: number;
}

export interface MergeJob extends MergeWriting {
  readonly inputs: readonly (readonly { readonly number: number; readonly byteLength: number }[])[];
  readonly below: MergeWork['below'];
  readonly watermarks: Watermarks;
  readonly codec: Codec;
  /** Tables get these numbers: enough of them, and nobody else does. */
  readonly firstNumber: number;
  readonly endNumber: number;
}

/** A merge of `inputs`, above the `deeper` runs. */
export function mergeWork(inputs: readonly Run[], deeper: readonly Run[], watermarks: Watermarks, codec: Codec): MergeWork {
  const bounds = hull(tablesOf(inputs));
  const below = deeper.map(({ tables }) => tables.filter((table) => overlap(table, bounds)));
  return { inputs, below, watermarks, codec };
}

/** Writes what stays of the inputs into tables, which are durable when it returns. */
export function writeMerge(
  { inputs, below, watermarks, codec }: MergeWork,
  writing: Omit<RunWriterOptions, 'codec'>,
): Promise<WrittenTable[]> {
  const source = new ReadAhead();
  const entries = new MergingCursor(
    inputs.map((run) => new RunCursor(run, source)),
    false,
  );
  entries.seek(EMPTY, NEWEST);
  const beforeSlice = async (): Promise<void> => {
    await writing.beforeSlice();
    await source.fill();
  };
  return writeRun(entries, new Retention(watermarks, new Below(below)), { ...writing, codec, beforeSlice });
}

/** The merge as a job for another thread; `reserve` takes numbers and returns the first. */
export function jobOf(work: MergeWork, writing: MergeWriting, reserve: (count: number) => number): MergeJob {
  const count = tablesAtMost(tablesOf(work.inputs), writing.tableBytes);
  const firstNumber = reserve(count);
  // Copies: a view would take the whole buffer that it lies in along.
  const below = work.below.map((tables) =>
    tables.map(({ smallestKey, largestKey }) => ({ smallestKey: smallestKey.slice(), largestKey: largestKey.slice() })),
  );
  const inputs = work.inputs.map((run) => run.tables.map(({ number, byteLength }) => ({ number, byteLength })));
  return { ...writing, inputs, below, watermarks: work.watermarks, codec: work.codec, firstNumber, endNumber: firstNumber + count };
}

/** Does a job; `check` throws when it is to be broken off. */
export async function runJob(job: MergeJob, env: Env, check: () => void): Promise<WrittenTable[]> {
  const { directory, blockBytes, tableBytes, bytesPerSecond, below, watermarks, codec } = job;
  const cache = new BlockCache(0);
  const files = new FilePool(env.fs, MAX_OPEN_FILES);
  const opened: Table[] = [];
  let number = job.firstNumber;
  try {
    const inputs: Run[] = [];
    for (const tables of job.inputs) {
      const first = opened.length;
      for (const table of tables) opened.push(await Table.open(files, directory, table.number, table.byteLength, cache));
      inputs.push(makeRun(0, 0, opened.slice(first)));
    }
    const pacer = new Pacer(env, bytesPerSecond);
    const nextNumber = (): number => {
      assert(number < job.endNumber, 'enough numbers were reserved');
      return number++;
    };
    const beforeSlice = async (): Promise<void> => check();
    return await writeMerge(
      { inputs, below, watermarks, codec },
      { env, directory, blockBytes, tableBytes, nextNumber, beforeSlice, afterSlice: (bytes) => pacer.spend(bytes) },
    );
  } finally {
    for (const table of opened) await table.close();
  }
}

/** What an entry takes in a table beside its key and value, at most: four numbers, and a block of its own. */
const ENTRY_OVERHEAD_BYTES = 48;

function tablesAtMost(inputs: readonly Table[], tableBytes: number): number {
  let bytes = 0;
  for (const { properties } of inputs) bytes += properties.keyBytes + properties.valueBytes + properties.entries * ENTRY_OVERHEAD_BYTES;
  return Math.ceil(bytes / tableBytes) + 1;
}
