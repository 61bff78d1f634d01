// Which failures the engine outlives. A full disk gets room again, and a process gets file handles back: such work is
// tried again. Everything else that fails in the background is final. A failed sync above all: the kernel may have
// dropped the pages and forgotten about it, so the next sync that succeeds proves nothing (Rebello et al., ATC 2020).
import { messageOf } from '@distrokv/base';
import { type File, FsError, type FileSystem } from '@distrokv/env';
import { LsmError } from './errors.ts';

/** Syncs; a failure, whatever its kind, becomes LsmError `failed`. */
export async function syncOrFail(file: File): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    throw new LsmError('failed', `a sync of ${file.path} failed, so nothing is known of what it holds: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

export async function syncDirectoryOrFail(fs: FileSystem, directory: string): Promise<void> {
  try {
    await fs.syncDirectory(directory);
  } catch (error) {
    throw new LsmError('failed', `a sync of ${directory} failed, so nothing is known of its entries: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Whether the same work may succeed later. */
export function isTransient(error: unknown): boolean {
  return error instanceof FsError && (error.code === 'no-space' || error.code === 'too-many-files');
}

/** Whether the engine works, was closed, or met a final failure: the first one is remembered, and told to all who ask. */
export class Health {
  readonly #onFatal: (error: Error) => void;
  readonly #onEnd: (() => void)[] = [];
  #failure: Error | undefined;
  #closed = false;

  constructor(onFatal: (error: Error) => void) {
    this.#onFatal = onFatal;
  }

  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error instanceof Error ? error : new Error(messageOf(error));
    this.#end();
    this.#onFatal(this.#failure);
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }

  /** Calls `listener` when writes come to their end, by a failure or a close. */
  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  get isWritable(): boolean {
    return !this.#closed && this.#failure === undefined;
  }

  /** Throws LsmError `failed` or `closed`. */
  checkWritable(): void {
    if (!this.isWritable) throw this.refusal();
  }

  checkOpen(): void {
    if (this.#closed) throw new LsmError('closed', 'the engine is closed');
  }

  /** What those are told who wait for something that will not happen any more. */
  refusal(): LsmError {
    if (this.#failure === undefined) return new LsmError('closed', 'the engine is closed');
    return new LsmError('failed', `the engine takes no more writes: ${this.#failure.message}`, { cause: this.#failure });
  }

  #end(): void {
    for (const listener of this.#onEnd) listener();
  }
}
