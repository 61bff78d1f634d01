// An open file of the operating system, by its descriptor: the synchronous calls go straight to the page cache, the others
// run on Node's thread pool. A kernel may do less than it was asked, so reads and writes loop until all is done.
import fs from 'node:fs';
import { promisify } from 'node:util';
import { assert } from '@distrokv/base';
import type { File } from '../env.ts';
import { FsError, fsError } from '../errors.ts';
import { fromNode, translated } from './errors.ts';

const close = promisify(fs.close);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const write = promisify(fs.write);

/** Of one call: Node takes a length for a 32-bit number. */
const MAX_CALL_BYTES = 1 << 30;

export class NodeFile implements File {
  readonly path: string;
  readonly #fd: number;
  #size: number;
  #closed = false;
  // How many calls on the thread pool use the descriptor: closing waits for them, since the kernel gives a closed
  // descriptor's number to the next file that is opened.
  #calls = 0;
  #onIdle: (() => void) | undefined;

  constructor(path: string, fd: number, size: number) {
    this.path = path;
    this.#fd = fd;
    this.#size = size;
  }

  size(): number {
    return this.#size;
  }

  readSync(into: Uint8Array, position: number): number {
    this.#mustBeOpen('read');
    let done = 0;
    try {
      while (done < into.length) {
        const n = fs.readSync(this.#fd, into, done, lengthOfCall(into, done), position + done);
        if (n === 0) break;
        done += n;
      }
    } catch (thrown) {
      throw fromNode(thrown, 'read', this.path);
    }
    return done;
  }

  // One promise and no more: with a block of a table for each, reads are the calls that come by the ten thousand.
  read(into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#mustBeOpen('read');
      const from = (done: number): void =>
        fs.read(this.#fd, into, done, lengthOfCall(into, done), position + done, (error, n) => {
          if (error === null && n > 0 && done + n < into.length) return from(done + n);
          this.#ended();
          if (error === null) resolve(done + n);
          else reject(fromNode(error, 'read', this.path));
        });
      from(0);
      this.#calls++;
    });
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#mustBeOpen('write');
    assert(position >= 0 && position <= this.#size, 'a write leaves no hole in a file');
    let done = 0;
    while (done < bytes.length) {
      let n: number;
      try {
        n = fs.writeSync(this.#fd, bytes, done, lengthOfCall(bytes, done), position + done);
      } catch (thrown) {
        throw fromNode(thrown, 'write', this.path);
      }
      done = this.#wrote(n, done, position);
    }
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    assert(position >= 0 && position <= this.#size, 'a write leaves no hole in a file');
    return this.#call('write', async () => {
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await write(this.#fd, bytes, done, lengthOfCall(bytes, done), position + done);
        done = this.#wrote(bytesWritten, done, position);
      }
    });
  }

  truncate(size: number): Promise<void> {
    assert(size >= 0 && size <= this.#size, 'truncating only shortens a file');
    return this.#call('truncate', async () => {
      await ftruncate(this.#fd, size);
      this.#size = size;
    });
  }

  sync(): Promise<void> {
    return this.#call('sync', () => fdatasync(this.#fd));
  }

  async close(): Promise<void> {
    this.#mustBeOpen('close');
    this.#closed = true;
    if (this.#calls > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    await translated(close(this.#fd), 'close', this.path);
  }

  /** Counts `n` more bytes of a write at `position`; returns how many are done. */
  #wrote(n: number, done: number, position: number): number {
    if (n === 0) throw fsError('io', 'write', this.path, 'the system wrote nothing');
    this.#size = Math.max(this.#size, position + done + n);
    return done + n;
  }

  async #call<T>(verb: string, work: () => Promise<T>): Promise<T> {
    this.#mustBeOpen(verb);
    this.#calls++;
    try {
      return await work();
    } catch (thrown) {
      throw thrown instanceof FsError ? thrown : fromNode(thrown, verb, this.path);
    } finally {
      this.#ended();
    }
  }

  #ended(): void {
    if (--this.#calls === 0) this.#onIdle?.();
  }

  #mustBeOpen(verb: string): void {
    if (this.#closed) throw fsError('closed', verb, this.path);
  }
}

function lengthOfCall({ length }: Uint8Array, done: number): number {
  return Math.min(length - done, MAX_CALL_BYTES);
}
