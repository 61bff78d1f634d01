// A bound on open files, however many tables there are: those that were not read for the longest time are closed, and opened
// again when they are read. Files are never changed, and not removed before they are closed for good, so nobody notices.
import { type File, type FileSystem, fsError } from '@distrokv/env';

export class FilePool {
  readonly #fs: FileSystem;
  readonly #maxOpen: number;
  /** Files that hold a handle, the one that was not used for the longest time since there is no room for more first. */
  readonly #open = new Set<PooledFile>();

  /** More than `maxOpen` are open only while as many are being read. */
  constructor(fs: FileSystem, maxOpen: number) {
    this.#fs = fs;
    this.#maxOpen = maxOpen;
  }

  get openFiles(): number {
    return this.#open.size;
  }

  /** Throws FsError. */
  async open(path: string): Promise<PooledFile> {
    const file = await this.#fs.open(path, 'read');
    const pooled = new PooledFile(this, this.#fs, path, file);
    this.used(pooled);
    return pooled;
  }

  /** `file` holds a handle, and was just used; others may lose theirs for it. */
  used(file: PooledFile): void {
    // While there is room for more the order is nobody's business, and to keep it costs each read some.
    if (this.#open.size < this.#maxOpen && this.#open.has(file)) return;
    this.#open.delete(file);
    this.#open.add(file);
    if (this.#open.size <= this.#maxOpen) return;
    for (const oldest of this.#open) {
      if (oldest === file || !oldest.rest()) continue;
      this.#open.delete(oldest);
      if (this.#open.size <= this.#maxOpen) return;
    }
  }

  forget(file: PooledFile): void {
    this.#open.delete(file);
  }
}

export class PooledFile {
  readonly path: string;
  readonly byteLength: number;
  readonly #pool: FilePool;
  readonly #fs: FileSystem;
  #file: File | undefined;
  /** Reads under way. */
  #reading = 0;
  #closing: Promise<void> | undefined;

  constructor(pool: FilePool, fs: FileSystem, path: string, file: File) {
    this.#pool = pool;
    this.#fs = fs;
    this.path = path;
    this.#file = file;
    this.byteLength = file.size();
  }

  readSync(into: Uint8Array, position: number): number {
    this.#checkOpen();
    this.#file ??= this.#fs.openSync(this.path);
    this.#pool.used(this);
    return this.#file.readSync(into, position);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#checkOpen();
    this.#reading++;
    try {
      const file = this.#file ?? (await this.#reopen());
      this.#pool.used(this);
      return await file.read(into, position);
    } finally {
      this.#reading--;
    }
  }

  /** Gives the handle back unless the file is being read; the pool's alone to call. */
  rest(): boolean {
    if (this.#reading > 0) return false;
    // Nothing was written: a close that fails leaves nothing undone.
    void this.#file?.close().catch(() => {});
    this.#file = undefined;
    return true;
  }

  /** For good. */
  close(): Promise<void> {
    this.#pool.forget(this);
    const file = this.#file;
    this.#file = undefined;
    this.#closing ??= file === undefined ? Promise.resolve() : file.close();
    return this.#closing;
  }

  async #reopen(): Promise<File> {
    const opened = await this.#fs.open(this.path, 'read');
    // Another read was faster, or the file was closed for good meanwhile.
    if (this.#file === undefined && this.#closing === undefined) this.#file = opened;
    else await opened.close();
    this.#checkOpen();
    return this.#file ?? opened;
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw fsError('closed', 'read', this.path);
  }
}
