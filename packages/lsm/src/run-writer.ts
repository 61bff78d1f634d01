// Turns a sorted stream of entries into tables: what a flush and a merge have in common. It works in slices, and lets
// other events run between them, so no flush, however large, holds up a heartbeat.
import type { Env } from '@distrokv/env';
import { syncDirectoryOrFail } from './fail-stop.ts';
import type { MergingCursor } from './merging-cursor.ts';
import { tableName } from './names.ts';
import type { Retention } from './retention.ts';
import { type BlockFormat, TableWriter, type WrittenTable } from './table-writer.ts';

/** Entries looked at, or bytes written, before other events get their turn: about a millisecond. */
const SLICE_ENTRIES = 2048;
const SLICE_BYTES = 128 << 10;
/** On a thread of its own work is cut for the sake of flushes that come, and of an end: slices are this many times as large. */
const OWN_THREAD_FACTOR = 8;

export interface RunWriterOptions extends BlockFormat {
  readonly env: Env;
  readonly directory: string;
  /** A table ends at the first key beyond this size; all versions of a key stay together. */
  readonly tableBytes: number;
  readonly nextNumber: () => number;
  /** This thread does nothing else, and may wait for the disk (default: no). */
  readonly ownThread?: boolean;
  /** Done before each slice; what it throws ends the work. */
  readonly beforeSlice: () => Promise<void>;
  /** Done after each slice, which wrote so many bytes. */
  readonly afterSlice?: (bytes: number) => Promise<void>;
}

/**
 * Writes all that is left of `entries` and that `retention` keeps. The tables are durable when it returns. When it throws,
 * they have been removed as far as that was possible; orphans that stay are removed when the engine is opened.
 */
export async function writeRun(entries: MergingCursor, retention: Retention, options: RunWriterOptions): Promise<WrittenTable[]> {
  const { env, directory } = options;
  const finished: WrittenTable[] = [];
  let writer: TableWriter | undefined;
  try {
    while (entries.top !== undefined) {
      await options.beforeSlice();
      writer ??= await TableWriter.create(env.fs, directory, options.nextNumber(), options);
      const isFull = fillSlice(entries, retention, writer, options);
      const bytes = writer.bufferedBytes;
      await writer.drain();
      await options.afterSlice?.(bytes);
      if (isFull) {
        finished.push(await writer.finish());
        writer = undefined;
      }
      await env.timers.yield();
    }
    if (writer !== undefined && writer.entries > 0) finished.push(await writer.finish());
    else await writer?.abandon();
    if (finished.length > 0) await syncDirectoryOrFail(env.fs, directory);
    return finished;
  } catch (error) {
    await writer?.abandon();
    await removeTables(finished, options);
    throw error;
  }
}

/** True when the table is full and the next entry is of another key. */
function fillSlice(
  entries: MergingCursor,
  retention: Retention,
  writer: TableWriter,
  { tableBytes, ownThread = false }: RunWriterOptions,
): boolean {
  const factor = ownThread ? OWN_THREAD_FACTOR : 1;
  const sliceEntries = SLICE_ENTRIES * factor;
  const sliceBytes = SLICE_BYTES * factor;
  for (let seen = 0; seen < sliceEntries; seen++) {
    const top = entries.top;
    if (top === undefined || writer.bufferedBytes >= sliceBytes) return false;
    if (writer.byteLength >= tableBytes && !writer.endsWithKeyOf(top)) return true;
    if (retention.keeps(top)) writer.add(top);
    entries.step();
  }
  return false;
}

/** Removes tables that no manifest names, as far as that is possible. */
export async function removeTables(tables: readonly WrittenTable[], { env, directory }: { env: Env; directory: string }): Promise<void> {
  for (const table of tables) await env.fs.removeFile(`${directory}/${tableName(table.number)}`).catch(() => {});
}
