// The work of one flush: a memtable that takes no more writes becomes a run of tables. Another thread reads the memtable where it
// lies, in shared memory: nothing is copied, however large it is.
import { EMPTY } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import { type JobWriting, type TableJob, type TableWork, type Writing, numbering, numbersFor, plainBounds } from './background-work.ts';
import { NEWEST } from './cursor.ts';
import { Below } from './key-bounds.ts';
import type { Memtable } from './memtable.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { MemtableView, type SharedMemtable } from './memtable-view.ts';
import { MergingCursor } from './merging-cursor.ts';
import { Retention } from './retention.ts';
import { writeRun } from './run-writer.ts';
import type { WrittenTable } from './table-writer.ts';

export interface FlushWork extends TableWork {
  readonly memtable: Memtable;
}

export interface FlushJob extends TableJob {
  readonly kind: 'flush';
  readonly memtable: SharedMemtable;
}

/** Writes what stays of the memtable into tables, which are durable when it returns. */
export function writeFlush(
  { memtable, ...work }: TableWork & { readonly memtable: MemtableView },
  writing: Writing,
): Promise<WrittenTable[]> {
  const entries = new MergingCursor([new MemtableCursor(memtable)], false);
  entries.seek(EMPTY, NEWEST);
  return writeRun(entries, new Retention(work.watermarks, new Below(work.below), work.deleted), { ...writing, codec: work.codec });
}

/** The flush as a job for another thread; `reserve` takes numbers and returns the first. */
export function flushJobOf(
  { memtable, below, watermarks, deleted, codec }: FlushWork,
  writing: JobWriting,
  reserve: (count: number) => number,
): FlushJob {
  const numbers = numbersFor(memtable.entries, memtable.byteLength, writing.tableBytes, reserve);
  return { kind: 'flush', ...writing, ...numbers, memtable: memtable.share(), below: plainBounds(below), watermarks, deleted, codec };
}

/** Does a job; `beforeSlice` throws when it is to be broken off. */
export function runFlush(job: FlushJob, env: Env, beforeSlice: () => Promise<void>): Promise<WrittenTable[]> {
  const { directory, blockBytes, tableBytes } = job;
  const memtable = new MemtableView(job.memtable);
  const writing = { env, directory, blockBytes, tableBytes, nextNumber: numbering(job), ownThread: true, beforeSlice };
  return writeFlush({ ...job, memtable }, writing);
}
