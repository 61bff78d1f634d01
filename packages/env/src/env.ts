// The seam to the outside world. Every package under `server` takes files, time, chance and connections from an `Env` that it is
// handed, and from nowhere else; so a whole cluster can run on a simulated world, and any failure can be replayed.
// Two bindings: `createNodeEnv` (the real one) and `createMemoryEnv` (crashable, seeded). One contract suite runs on both.
import type { Random } from '@distrokv/base';
import type { Network } from './net.ts';

export interface Env {
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly net: Network;
}

/** Time. Safety never depends on it: only time-outs, expiry and logs do. */
export interface Clock {
  /** Milliseconds of a clock that never goes back, from an arbitrary start; with fractions. */
  monotonicMs(): number;
  /** Milliseconds since 1970, which may jump; for people's eyes only. */
  wallMs(): number;
}

export interface Timer {
  /** After this the callback does not run. Harmless when it already ran. */
  cancel(): void;
}

export interface Timers {
  /** Runs `callback` once, at least `delayMs` from now (0 to 2^31-1). */
  after(delayMs: number, callback: () => void): Timer;
  /** Runs `callback` every `periodMs` until cancelled; late calls are not made up for. */
  every(periodMs: number, callback: () => void): Timer;
  /** Runs `callback` when this turn of the event loop has handled what arrived: where a batch is closed. */
  defer(callback: () => void): void;
  /** Resolves after at least `delayMs`. */
  sleep(delayMs: number): Promise<void>;
  /** Lets other events run before going on: what a long piece of work awaits between its slices. */
  yield(): Promise<void>;
}

/** What kind of failure a file operation met; `os` stands for every other code of the operating system. */
export type FsErrorCode =
  | 'not-found'
  | 'exists'
  | 'no-space'
  | 'io'
  | 'too-many-files'
  | 'permission'
  | 'not-a-directory'
  | 'not-empty'
  | 'locked'
  | 'closed'
  | 'os';

/**
 * - `read`: must exist; read only.
 * - `write`: created if missing, contents kept; read and write.
 * - `create`: must not exist (`exists`); read and write.
 */
export type OpenMode = 'read' | 'write' | 'create';

/**
 * Files and directories. Paths are absolute or relative as the host has them, joined with '/'. Every failure is an
 * `FsError` that names the path. What a crash keeps:
 * - of a file's contents, what was written before the last `sync` that succeeded; later writes may be kept, lost or torn in any mix;
 * - of a directory's entries (create, rename, link, remove), what happened before the last successful `syncDirectory` of it; later ones may be kept or lost.
 */
export interface FileSystem {
  /** It is the host's own: a thread of this process that has a binding of its own sees the same files. */
  readonly isHost: boolean;
  open(path: string, mode: OpenMode): Promise<File>;
  /** As `open` with mode `read`; blocks the event loop, as the `…Sync` calls of `File` do. */
  openSync(path: string): File;
  /** Reads a whole file; `maxBytes` guards against a file larger than it can be (FsError `io`). */
  readFile(path: string, maxBytes: number): Promise<Uint8Array>;
  /** The names in a directory, sorted by code unit. */
  readDirectory(path: string): Promise<string[]>;
  /** Creates a directory and its parents, open to the owner only (0700), and makes the entries it created durable; no error if it is there. */
  makeDirectory(path: string): Promise<void>;
  /** Makes the entries of a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Moves a file over another, atomically. */
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name; `exists` if the name is taken. */
  link(existing: string, path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Removes a directory that is empty. */
  removeDirectory(path: string): Promise<void>;
  /**
   * Grows when a read of this process goes to a disk, and not when the host's page cache has the answer; undefined where the host does not say, and
   * maybe 0. Not for every read: asking takes longer than one.
   */
  diskReads(): number | undefined;
  /** The size of a file in bytes, or undefined if there is none. */
  sizeOf(path: string): Promise<number | undefined>;
  /**
   * Takes the lock `path` (which becomes a directory, in one that exists) for this process, for good or until `release`.
   * A lock whose holder no longer runs is taken over. Held by a live process, this one included: FsError `locked`, whose
   * message names the process.
   */
  lock(path: string): Promise<FileLock>;
}

export interface FileLock {
  release(): Promise<void>;
}

/**
 * An open file; positions are bytes from its start. The `…Sync` calls block the event loop: they are for the page cache
 * (an append of a log, a block that is likely cached), never for work without a bound. A read is short only at the end of the file.
 */
export interface File {
  readonly path: string;
  /** Bytes in the file, as written so far. */
  size(): number;
  /** Fills `into` from `position`; returns the bytes read, fewer than asked only at the end of the file. */
  readSync(into: Uint8Array, position: number): number;
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `bytes` at `position` (at most the file's size: no holes), or throws; after a throw any part may have been written. */
  writeSync(bytes: Uint8Array, position: number): void;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts the file to `size` (at most its size: no holes). */
  truncate(size: number): Promise<void>;
  /** Makes contents and size durable (fdatasync). After a failure nothing is known of any write since the last success: the owner must stop. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
