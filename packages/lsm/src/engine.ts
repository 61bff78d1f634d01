// What the engine promises to its users; the rooms behind it are listed in the package's README.
import type { Env, Logger } from '@distrokv/env';

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

export interface EngineOptions {
  readonly env: Env;
  /** The engine's own directory; created if missing. The caller holds the lock on it. */
  readonly directory: string;
  readonly keyspaces: readonly KeyspaceOptions[];
  readonly wal: WalMode;
  readonly logger?: Logger;
  /** A memtable is frozen at this size (default 32 MiB). */
  readonly memtableBytes?: number;
  /** Memory for blocks of tables (default 32 MiB). */
  readonly blockCacheBytes?: number;
  /** Target size of a block before its trailer (default 4 KiB). */
  readonly blockBytes?: number;
  /** Tables of one level are merged when there are more than this (default 4). */
  readonly mergeFanIn?: number;
  /** A background failure (a failed flush, sync or merge) after which the engine refuses writes. The owner should stop. */
  readonly onFatal?: (error: Error) => void;
}

/** One write of many keys, atomic; built, written once, and not used again. Keys and values are copied. */
export interface WriteBatch {
  /** `version` is required in a `caller` keyspace (a safe natural number), forbidden in a `latest` one. */
  put(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void;
  /** Writes a tombstone: reads at this version or later find nothing. */
  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void;
  readonly count: number;
  readonly byteLength: number;
}

/**
 * Writes straight into the memtable of an engine without a WAL. Each put is seen by reads at once. All writes up to
 * `commit` are one atomic unit on disk: a memtable is never frozen between them.
 */
export interface UnloggedWriter {
  put(keyspace: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void;
  delete(keyspace: Keyspace, key: Uint8Array, version?: number): void;
  /** Ends the unit. Returns a promise to wait for before the next unit when flushes lag behind; otherwise undefined. */
  commit(): Promise<void> | undefined;
}

export interface RangeOptions {
  /** First key (included); default: the first of the keyspace. */
  readonly gte?: Uint8Array;
  /** End (excluded); default: after the last. */
  readonly lt?: Uint8Array;
  /** In a `caller` keyspace: see each key as of this version; default: the newest. */
  readonly at?: number;
  /** From the last key to the first. */
  readonly reverse?: boolean;
}

/**
 * Walks the keys of a range in order, each once, with its newest version ≤ `at`; deleted keys are left out. It sees the
 * store as it was when the iterator was made (writes made later do not show). `key` and `value` are views that are good until
 * the next `next`, and may lie in shared memory: copy what is kept. Close it, or its tables stay open.
 */
export interface KeyIterator {
  /** Steps to the next key; false at the end. May read a block of a table, and block for it. */
  next(): boolean;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
  close(): void;
}

export interface KeyValue {
  readonly value: Uint8Array;
  readonly version: number;
}

export interface Keyspace {
  readonly name: string;
  readonly versions: VersionMode;
  /** The value (a copy) as of `at`, or undefined. Reads blocks that are not cached from the disk, and blocks for it. */
  getSync(key: Uint8Array, at?: number): Uint8Array | undefined;
  /** As `getSync`, with the version that was found. */
  getEntrySync(key: Uint8Array, at?: number): KeyValue | undefined;
  /** As `getSync`, without blocking the event loop on the disk. */
  get(key: Uint8Array, at?: number): Promise<Uint8Array | undefined>;
  iterator(range?: RangeOptions): KeyIterator;
  /** The value as of the last completed flush: what would be there after a crash without a WAL. */
  getFlushed(key: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface EngineStats {
  readonly memtableBytes: number;
  readonly memtableEntries: number;
  readonly frozenMemtables: number;
  readonly tables: number;
  readonly tableBytes: number;
  readonly walBytes: number;
  readonly blockCacheBytes: number;
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
  /** A keyspace that was named in the options. */
  keyspace(name: string): Keyspace;
  batch(): WriteBatch;
  /** Atomic. Resolves when the batch is as durable as the WAL mode says, and visible. Not with WAL mode `none`. */
  write(batch: WriteBatch): Promise<void>;
  /** The writer of an engine without a WAL; there is one. */
  unlogged(): UnloggedWriter;
  /** Freezes the memtable, if it holds anything, and resolves when everything written so far is in synced tables. */
  flush(): Promise<void>;
  /** Merges tables until no merge is due. */
  settle(): Promise<void>;
  /** Called after each flush that became durable. */
  onFlush(listener: () => void): void;
  stats(): EngineStats;
  /** Waits for background work, syncs the WAL and closes every file. Does not flush. */
  close(): Promise<void>;
}
