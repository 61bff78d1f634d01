// Work in the background that makes tables: flushes (flush-work.ts) and merges (merge-work.ts). It is done on this thread or on
// another one (background-thread.ts), which needs it as a *job*: plain data, with memory shared and tables named instead of open.
import { assert } from '@distrokv/base';
import type { Codec } from './engine.ts';
import type { KeyBounds } from './key-bounds.ts';
import type { RangeDelete } from './range-deletes.ts';
import type { Watermarks } from './retention.ts';
import type { RunWriterOptions } from './run-writer.ts';

/** What a flush and a merge have in common. */
export interface TableWork {
  /** The bounds of tables in deeper levels that may meet what is written, level by level. */
  readonly below: readonly (readonly KeyBounds[])[];
  readonly watermarks: Watermarks;
  /** Range deletes that may hide some of what is written: what is not above the watermark goes. */
  readonly deleted: readonly RangeDelete[];
  /** Of the tables that are written. */
  readonly codec: Codec;
}

/** How tables are written on this thread. */
export type Writing = Omit<RunWriterOptions, 'codec'>;

/** How tables are written, as plain data. */
export interface JobWriting {
  readonly directory: string;
  readonly blockBytes: number;
  readonly tableBytes: number;
}

/** Tables get these numbers: enough of them, and nobody else does. */
export interface JobNumbers {
  readonly firstNumber: number;
  readonly endNumber: number;
}

export interface TableJob extends TableWork, JobWriting, JobNumbers {}

/** What an entry takes in a table beside its key and value, at most: four numbers, and a block of its own. */
const ENTRY_OVERHEAD_BYTES = 48;

/** Numbers for the tables that so many entries, with so many bytes of keys and values, need at most; `reserve` takes them and returns the first. */
export function numbersFor(entries: number, bytes: number, tableBytes: number, reserve: (count: number) => number): JobNumbers {
  const count = Math.ceil((bytes + entries * ENTRY_OVERHEAD_BYTES) / tableBytes) + 1;
  const firstNumber = reserve(count);
  return { firstNumber, endNumber: firstNumber + count };
}

/** Gives a job's numbers out, one at a time. */
export function numbering({ firstNumber, endNumber }: JobNumbers): () => number {
  let number = firstNumber;
  return () => {
    assert(number < endNumber, 'enough numbers were reserved');
    return number++;
  };
}

/** Bounds that another thread can be sent: a view would take the whole buffer that it lies in along. */
export function plainBounds(below: TableWork['below']): KeyBounds[][] {
  return below.map((tables) =>
    tables.map(({ smallestKey, largestKey }) => ({ smallestKey: smallestKey.slice(), largestKey: largestKey.slice() })),
  );
}
