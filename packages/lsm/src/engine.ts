// What the engine promises to its users; the rooms behind it are listed in the package's README.
import type { Env, Logger } from '@distrokv/env';
import type { VerifyOptions, VerifyReport } from './verify.ts';

/**
 * How a keyspace numbers the writes of one key:
 * - `caller`: each write carries a version; a key may have many, and `at` reads the newest one ≤ `at`. Versions written to a
 *   keyspace never decrease, and a key is written at most once at a version.
 * - `latest`: only the last write of a key counts; versions are the engine's own and not seen.
 */
export type VersionMode = 'caller' | 'latest';

export interface KeyspaceOptions {
  readonly name: string;
  readonly versions: VersionMode;
}

/**
 * How writes become durable:
 * - `sync`: a write resolves when its WAL record is on disk; concurrent writes share one sync.
 * - `nosync`: the WAL is written but not synced at each commit.
 * - `none`: no WAL. Only a flush makes writes durable; for an owner with a log of its own (Raft), which replays what was not flushed.
 */
export type WalMode = 'sync' | 'nosync' | 'none';

/** How blocks of tables are squeezed. `zstd` only where the runtime has it. */
export type Codec = 'none' | 'lz4' | 'deflate' | 'zstd';

export interface EngineOptions {
  readonly env: Env;
  /** The engine's own directory; created if missing. The caller holds the lock on it. */
  readonly directory: string;
  /** Those of them that are not there are made. Others that the store has are there too. */
  readonly keyspaces: readonly KeyspaceOptions[];
  readonly wal: WalMode;
  readonly logger?: Logger;
  /**
   * Memory for memtables and tables together (default 256 MiB, or what the next two come to, if that is more); those divide it, and need not be
   * given. Parts that come to more are refused.
   */
  readonly memoryLimitBytes?: number;
  /** A memtable is frozen at this size; there are up to three, each of which may take a quarter more (default: an eighth of the memory, 32 MiB at most). */
  readonly memtableBytes?: number;
  /** Memory for tables: their indexes and filters first, blocks in what is left (default: what memtables leave of the memory). */
  readonly blockCacheBytes?: number;
  /** Target size of a block before its trailer (default 4 KiB). */
  readonly blockBytes?: number;
  /** Flushed runs are merged into the levels when there are more than this (default 4), or when reads have asked them in vain for long. */
  readonly mergeFanIn?: number;
  /** Tables that are kept open (default 2048); others are opened when they are read. The background thread opens 32 more. */
  readonly maxOpenFiles?: number;
  /** The codecs of levels 0, 1 and so on; the last one holds for all that follow (default: `['none']`). It may change from one opening to the next. */
  readonly codecs?: readonly Codec[];
  /**
   * Where flushes and merges are done: on a `thread` of their own, which opens the directory by the host's file system (the default where
   * `env` has the host's, too), or `inline` on this thread, in slices of about a millisecond.
   */
  readonly background?: 'inline' | 'thread';
  /** Merges write no faster than this on average (default: no bound). Too slow for what is written, they hold up the writers. */
  readonly mergeBytesPerSecond?: number;
  /** A background failure (a failed flush, sync or merge) after which the engine refuses writes. The owner should stop. */
  readonly onFatal?: (error: Error) => void;
}

/** One write of many keys, atomic; built, written once, and not used again. Keys and values are copied. */
export interface WriteBatch {
  /** `version` is required in a `caller` keyspace (a safe natural number), forbidden in a `latest` one. */
  put(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void;
  /** Writes a tombstone: reads at this version or later find nothing. */
  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void;
  /**
   * Deletes the keys from `from` up to, not including, `to` (undefined: to the end of the keyspace), as of `version`, with one small record however
   * many there are. It hides what was written before it; in a `caller` keyspace what has a lower version: a key that is written at the same
   * version stays, before or after in the batch. Throws LsmError `invalid` unless `from` < `to`, and for the 1001st in a batch.
   */
  deleteRange(keyspace: Keyspace, from: Uint8Array, to: Uint8Array | undefined, version?: number): void;
  readonly count: number;
  readonly byteLength: number;
}

/**
 * Writes straight into the memtable of an engine without a WAL. Each put is seen by reads at once. All writes up to
 * `commit` are one atomic unit on disk: a memtable is never frozen between them.
 */
export interface UnloggedWriter {
  put(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void;
  /**
   * As `put`, of the key `key[keyStart, keyEnd)`, and of a value that lies in two pieces: `head[0, headEnd)` and then `rest[restStart, restEnd)`. Who
   * has them inside of something larger need not make a view of each.
   */
  putParts(
    keyspace: Keyspace,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    head: Uint8Array,
    headEnd: number,
    rest: Uint8Array,
    restStart: number,
    restEnd: number,
    version?: number,
  ): void;
  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void;
  /** As a batch's. */
  deleteRange(keyspace: Keyspace, from: Uint8Array, to: Uint8Array | undefined, version?: number): void;
  /** Ends the unit. Returns a promise to wait for before the next unit when flushes lag behind; otherwise undefined. */
  commit(): Promise<void> | undefined;
}

export interface RangeOptions {
  // Of several bounds of a side the tightest counts; default: all of the keyspace.
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly lte?: Uint8Array;
  /** Only keys that begin with these bytes. */
  readonly prefix?: Uint8Array;
  /** In a `caller` keyspace: see each key as of this version; default: the newest. */
  readonly at?: number;
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** At most so many keys; default: all. */
  readonly limit?: number;
  /** Values are not wanted: they read as empty. */
  readonly keysOnly?: boolean;
  /** See the store as it was then; default: as it is now. */
  readonly snapshot?: Snapshot;
  /** The event loop must not wait for a disk that is slow: the iterator goes by `advance` alone, which then gives promises, too. */
  readonly patient?: boolean;
}

/**
 * The store as it was when the snapshot was made, for as many reads as one likes: later writes do not show. Close it (or declare it by
 * `using`), or what it shows stays in memory and on disk. An iterator that was made from it goes on without it.
 */
export interface Snapshot {
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Walks the keys of a range in order, each once, with its newest version ≤ `at`; deleted keys are left out. It sees the
 * store as it was when the iterator was made (writes made later do not show). `key` and `value` are views that are good until
 * the next `next`, `seek` or `close`, and may lie in shared memory: copy what is kept. Close it, or its tables stay open.
 */
export interface KeyIterator {
  /** Steps to the next key; false at the end. May read a block of a table, and block for it. After one that threw, only `seek` goes on. */
  next(): boolean;
  /**
   * As `next`, in steps that are short. Undefined: it has passed many entries that do not show, and is to be called again. A promise: a patient
   * iterator waits for the disk, and is to be called again when it has resolved; it never rejects.
   */
  advance(): boolean | undefined | Promise<void>;
  /**
   * The next keys with their values, which are the caller's: `count` of them, or fewer once they have `bytes` bytes (default: no
   * bound). None at the end.
   */
  nextMany(count: number, bytes?: number): Entry[];
  /** Goes elsewhere in the range: the next key is the first one at or after `key`; in reverse, at or before it. */
  seek(key: Uint8Array): void;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
  close(): void;
}

/** Of an iterator. */
export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
}

export interface KeyValue {
  readonly value: Uint8Array;
  readonly version: number;
}

/**
 * Where a value lies that was found, `bytes[start, end)`; maybe in shared memory. Good until the engine is asked, or written to, again: copy
 * what is kept.
 */
export interface Peek {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly version: number;
}

export interface Keyspace {
  readonly name: string;
  readonly versions: VersionMode;
  /** The value (a copy) as of `at`, or undefined. Reads blocks that are not cached from the disk, and blocks for it. */
  getSync(key: Uint8Array, at?: number, snapshot?: Snapshot): Uint8Array | undefined;
  /** As `getSync`, with the version that was found. */
  getEntrySync(key: Uint8Array, at?: number, snapshot?: Snapshot): KeyValue | undefined;
  /** As `getEntrySync`, of the newest version, without a copy. */
  peekSync(key: Uint8Array): Peek | undefined;
  /** As `getSync`, but the event loop does not wait for a disk that is slow; what memory has, or the host's page cache, is there at once. */
  get(key: Uint8Array, at?: number, snapshot?: Snapshot): Promise<Uint8Array | undefined>;
  /** As `get`, with the version that was found, and a promise only if there is something to wait for. Throws what `getSync` does. */
  getEntry(key: Uint8Array, at?: number, snapshot?: Snapshot): KeyValue | undefined | Promise<KeyValue | undefined>;
  /** The values of many keys, all as of the moment of the call; blocks that are not cached are read at the same time. */
  getMany(keys: readonly Uint8Array[], at?: number, snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]>;
  iterator(range?: RangeOptions): KeyIterator;
  /** How many keys an iterator over the range would find. Blocks as an iterator does. */
  count(range?: RangeOptions): number;
  /**
   * In a `caller` keyspace: nobody will read as of a version below this one, and a read that does is refused with `compacted`.
   * Of the versions of a key at or below it only the newest is kept, and not even that if it is a tombstone: the rest goes as
   * tables are merged. It never falls, and becomes durable together with the writes made before it, with their flush.
   */
  setRetention(version: number): void;
  /** The value as of the last completed flush: what would be there after a crash without a WAL. */
  getFlushed(key: Uint8Array): Promise<Uint8Array | undefined>;
}

/** What became of the files that were ingested. */
export interface IngestReport {
  readonly entries: number;
  readonly tables: number;
  readonly bytes: number;
  /** Where the tables went. */
  readonly level: number;
}

export interface EngineStats {
  readonly memtableBytes: number;
  readonly memtableEntries: number;
  readonly frozenMemtables: number;
  /** Range deletes in memtables, and those that hide something in tables. */
  readonly rangeDeletes: number;
  readonly tables: number;
  readonly tableBytes: number;
  /** Tables that are open at the moment. */
  readonly openFiles: number;
  readonly walBytes: number;
  /** Blocks of tables in memory. */
  readonly blockCacheBytes: number;
  /** Indexes and filters of tables, those that only snapshots or iterators hold among them. */
  readonly tableIndexBytes: number;
  /** Memtables that were flushed, and that stay because snapshots or iterators show them. */
  readonly heldMemtableBytes: number;
  /** All of these. `memoryLimitBytes` bounds it but for what is held. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly flushes: number;
  readonly merges: number;
  /** How often writers were slowed down because flushes or merges lagged behind, and for how long in all. */
  readonly writeDelays: number;
  readonly writeDelayMs: number;
  /** How often writers had to stop until a memtable was flushed. */
  readonly writeStalls: number;
  readonly bytesWritten: number;
}

export interface Engine {
  /** Throws LsmError `invalid` if there is none of this name. */
  keyspace(name: string): Keyspace;
  /** All there are, in the order in which they were made. */
  keyspaces(): Keyspace[];
  /**
   * Makes a keyspace, which is durable when this resolves. Throws LsmError `invalid` if there is one of this name, or if 127 were made in
   * this store already, dropped ones included; `no-space`.
   */
  createKeyspace(options: KeyspaceOptions): Promise<Keyspace>;
  /**
   * Drops a keyspace with all that is in it, at once and durably: when this resolves nothing of it can be read or written any more, only iterators
   * that are open go on. What a batch that is being written holds for it is left out. Its space comes back as tables are merged; those that
   * hold nothing else go right away. Its name may be given again. Throws LsmError `invalid` if there is none of this name; `no-space`.
   */
  dropKeyspace(name: string): Promise<void>;
  batch(): WriteBatch;
  /** Atomic. Resolves when the batch is as durable as the WAL mode says, and visible. Not with WAL mode `none`. */
  write(batch: WriteBatch): Promise<void>;
  /** The writer of an engine without a WAL; there is one. */
  unlogged(): UnloggedWriter;
  /** Freezes the memtable, if it holds anything, and resolves when everything written so far is in synced tables. */
  flush(): Promise<void>;
  /** Merges tables until no merge is due. */
  settle(): Promise<void>;
  /**
   * Adds tables that were made by `TableFileWriter`, all at once, as if their entries were written in one batch when this resolves: none
   * shows before, and after a crash all are there or none. Not a byte of them goes through the log or the memtable. The files are read and checked
   * whole, and copied; they stay as they are, and nobody needs them afterwards. In a `caller` keyspace no version among them may be lower than
   * one that was written. What others write to a `latest` keyspace meanwhile may count as earlier or later. Throws LsmError `invalid` for files that
   * overlap or do not suit the keyspace, `corrupt`, `newer-format`, `no-space`; FsError. Then nothing was ingested.
   */
  ingest(keyspace: Keyspace, files: readonly string[]): Promise<IngestReport>;
  /** The store as it is now, for reads that are made later. */
  snapshot(): Snapshot;
  /**
   * Flushes, and makes `directory` (empty, or not there yet, on the same file system) a store of its own that holds everything
   * written so far, by links to the tables: it costs neither time nor space, until the tables here are merged away. Durable when
   * it resolves. What a crash before that leaves in it are tables without a manifest: it does not open, and may be removed. Throws LsmError
   * `invalid` if the directory is not empty; FsError.
   */
  checkpoint(directory: string): Promise<void>;
  /** Reads every file and checks all that can be checked, while the engine works on. */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /** Called after each flush that became durable. */
  onFlush(listener: () => void): void;
  stats(): EngineStats;
  /** `memtableBytes` and `tableBytes` of `stats`, for who asks with every write. */
  readonly byteLength: number;
  /** Waits for background work, syncs the WAL and closes every file. Does not flush. */
  close(): Promise<void>;
}
