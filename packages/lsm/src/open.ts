// The engine put together: recovery, then the rooms that work while it is open.
import { BackgroundThread } from './background-thread.ts';
import type { Writing } from './background-work.ts';
import { BlockCache } from './block-cache.ts';
import { Batch, BatchBuffers } from './batch.ts';
import { Detours } from './detours.ts';
import { DiskWaits } from './disk-waits.ts';
import type {
  Engine,
  EngineOptions,
  EngineStats,
  IngestReport,
  Keyspace,
  KeyspaceOptions,
  Snapshot,
  UnloggedWriter,
  WriteBatch,
} from './engine.ts';
import { LsmError } from './errors.ts';
import { Health } from './fail-stop.ts';
import { FilePool } from './file-pool.ts';
import { flushJobOf, writeFlush } from './flush-work.ts';
import { Flusher, type FlusherOptions } from './flusher.ts';
import type { Generations } from './generations.ts';
import { GroupCommit } from './group-commit.ts';
import { Ingester } from './ingester.ts';
import type { Keyspaces } from './keyspaces.ts';
import type { Manifest } from './manifest.ts';
import { mergeJobOf, writeMerge } from './merge-work.ts';
import { Merger, type MergerOptions } from './merger.ts';
import { Pacer } from './pacer.ts';
import { type Settings, settingsOf } from './options.ts';
import { Reader } from './reader.ts';
import { type Recovered, recover } from './recovery.ts';
import { Tree } from './tree.ts';
import { Unlogged } from './unlogged.ts';
import { type VerifyOptions, type VerifyReport, verifyOpen } from './verify.ts';
import type { SealedSegments, Wal } from './wal.ts';
import { WritePace } from './write-pace.ts';

/**
 * Opens the engine in `options.directory`, and makes it there if the directory is empty. Throws LsmError `corrupt` or
 * `newer-format`, with nothing touched; `invalid` if a keyspace was made with another mode; FsError.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const settings = settingsOf(options);
  const cache = new BlockCache(settings.blockCacheBytes);
  const owner = {};
  const files = new FilePool(settings.env.fs, settings.maxOpenFiles);
  return new OpenEngine(settings, files, cache, owner, await recover(settings, files, cache, owner));
}

interface Background {
  readonly prepare: FlusherOptions['prepare'];
  readonly writeFlush: FlusherOptions['write'];
  readonly writeMerge: MergerOptions['write'];
}

class OpenEngine implements Engine {
  readonly #settings: Settings;
  readonly #files: FilePool;
  readonly #cache: BlockCache;
  readonly #owner: object;
  readonly #health: Health;
  readonly #keyspaces: Keyspaces;
  readonly #generations: Generations;
  readonly #manifest: Manifest;
  readonly #sealed: SealedSegments;
  readonly #wal: Wal | undefined;
  readonly #tree: Tree;
  readonly #reader: Reader;
  readonly #merger: Merger;
  readonly #flusher: Flusher;
  readonly #ingester: Ingester;
  readonly #pace: WritePace;
  readonly #buffers = new BatchBuffers();
  /** The way of writes: one of the two, as the WAL mode says. */
  readonly #commit: GroupCommit | undefined;
  readonly #unlogged: Unlogged | undefined;
  #thread: BackgroundThread | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: Settings, files: FilePool, cache: BlockCache, owner: object, recovered: Recovered) {
    const { manifest, generations, sealed, wal, keyspaces } = recovered;
    const health = new Health(settings.onFatal);
    const tree = new Tree(settings, manifest, files, cache, keyspaces, recovered.runs);
    const detours = new Detours(() => merger.wake());
    const { clock, timers } = settings.env;
    const reader = new Reader(generations, tree, health, detours, new DiskWaits(clock, timers, () => settings.env.fs.diskReads()));
    keyspaces.attach(reader);
    this.#keyspaces = keyspaces;
    const writing: Writing = {
      env: settings.env,
      directory: settings.directory,
      blockBytes: settings.blockBytes,
      tableBytes: Math.ceil(settings.memtableBytes / 2),
      nextNumber: () => tree.nextNumber(),
      beforeSlice: async () => health.checkWritable(),
    };
    const { tableBytes } = writing;
    const { memtableBytes } = settings;
    const pace = new WritePace({ clock, timers, generations, memtableBytes, mergeDebt: () => merger.debt });
    const { writeMerge: write, writeFlush, prepare } = this.#background(settings, health, tree, writing);
    const merger: Merger = new Merger({ settings, health, tree, keyspaces, detours, tableBytes, write, pace });
    const flusher = new Flusher({ settings, health, generations, tree, merger, sealed, keyspaces, write: writeFlush, prepare, pace });
    this.#settings = settings;
    this.#files = files;
    this.#cache = cache;
    this.#owner = owner;
    this.#health = health;
    this.#generations = generations;
    this.#manifest = manifest;
    this.#sealed = sealed;
    this.#wal = wal;
    this.#tree = tree;
    this.#reader = reader;
    this.#merger = merger;
    this.#flusher = flusher;
    this.#pace = pace;
    if (wal === undefined) this.#unlogged = new Unlogged({ owner, health, generations, flusher, pace, walFrom: recovered.nextSegment });
    else
      this.#commit = new GroupCommit({
        settings,
        health,
        wal,
        generations,
        flusher,
        pace,
        keyspaces: keyspaces.byId,
        reads: () => reader.reads,
      });
    this.#ingester = new Ingester({
      owner,
      settings,
      health,
      generations,
      tree,
      flusher,
      merger,
      writing,
      freeze: async (then) => (this.#commit ?? this.#unlogged)?.freeze(then),
      isAwaited: (one) => this.#commit?.isAwaited(one) === true,
    });
    flusher.wake();
    merger.wake();
  }

  /** How the work of flushes and merges is done: here, or on a thread. */
  #background(settings: Settings, health: Health, tree: Tree, writing: Writing): Background {
    const { env, mergeBytesPerSecond: bytesPerSecond } = settings;
    if (settings.background === 'inline') {
      const pacer = new Pacer(env, bytesPerSecond);
      return {
        prepare: () => {},
        writeFlush: (work) => writeFlush(work, writing),
        writeMerge: (work) => writeMerge(work, { ...writing, afterSlice: (bytes) => pacer.spend(bytes) }),
      };
    }
    const thread = new BackgroundThread();
    this.#thread = thread;
    health.onEnd(() => thread.cancel());
    const { directory, blockBytes, tableBytes } = writing;
    const plain = { directory, blockBytes, tableBytes };
    const reserve = (count: number): number => tree.reserve(count);
    return {
      prepare: () => void thread.start(),
      writeFlush: (work) => thread.run(flushJobOf(work, plain, reserve)),
      writeMerge: (work) => thread.run(mergeJobOf(work, { ...plain, bytesPerSecond }, reserve)),
    };
  }

  keyspace(name: string): Keyspace {
    return this.#keyspaces.get(name);
  }

  keyspaces(): Keyspace[] {
    return this.#keyspaces.all;
  }

  async createKeyspace(options: KeyspaceOptions): Promise<Keyspace> {
    this.#checkAccepting();
    return this.#keyspaces.create(options, (edit) => this.#manifest.append(edit), this.#health);
  }

  async dropKeyspace(name: string): Promise<void> {
    this.#checkAccepting();
    await this.#keyspaces.drop(name, (edit) => this.#manifest.append(edit), this.#health);
    this.#merger.wake();
  }

  batch(): WriteBatch {
    return new Batch(this.#owner, this.#buffers);
  }

  /** Not an async function: the writers of a group share its promise, and need none of their own. */
  write(batch: WriteBatch): Promise<void> {
    try {
      this.#checkAccepting();
      if (this.#commit === undefined) throw new LsmError('invalid', 'an engine without a log is written through its unlogged writer');
      if (!(batch instanceof Batch) || !batch.isOf(this.#owner)) throw new LsmError('invalid', 'the batch belongs to another engine');
      return this.#commit.write(batch);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  unlogged(): UnloggedWriter {
    if (this.#unlogged === undefined) throw new LsmError('invalid', 'an engine with a log is written by batches');
    return this.#unlogged;
  }

  async flush(): Promise<void> {
    this.#checkAccepting();
    await (this.#commit ?? this.#unlogged)?.freeze();
    await this.#flusher.flushed(this.#generations.generation);
  }

  async settle(): Promise<void> {
    this.#checkAccepting();
    await this.#merger.settle();
    this.#health.checkWritable();
  }

  snapshot(): Snapshot {
    return this.#reader.snapshot();
  }

  async ingest(keyspace: Keyspace, files: readonly string[]): Promise<IngestReport> {
    this.#checkAccepting();
    return this.#ingester.ingest(keyspace, files);
  }

  async checkpoint(directory: string): Promise<void> {
    await this.flush();
    this.#checkAccepting();
    await this.#tree.checkpoint(directory);
  }

  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#checkAccepting();
    const { env, directory } = this.#settings;
    const version = this.#tree.version.hold();
    try {
      return await verifyOpen(env, directory, [...version.tables()], options);
    } finally {
      version.letGo();
    }
  }

  onFlush(listener: () => void): void {
    this.#flusher.onFlush(listener);
  }

  get byteLength(): number {
    const { active, frozen } = this.#generations;
    let bytes = active.byteLength + this.#tree.version.byteLength;
    for (const { memtable } of frozen) bytes += memtable.byteLength;
    return bytes;
  }

  stats(): EngineStats {
    const { active, frozen } = this.#generations;
    const memtables = this.#generations.newestFirst();
    const tables = [...this.#tree.version.tables()];
    const walBytes = this.#sealed.byteLength + (this.#wal?.byteLength ?? 0);
    const memtableBytes = memtables.reduce((sum, memtable) => sum + memtable.byteLength, 0);
    const { heldBytes: heldMemtableBytes } = this.#generations;
    const { dataBytes: blockCacheBytes, metadataBytes: tableIndexBytes } = this.#cache;
    return {
      memtableBytes,
      memtableEntries: active.entries + frozen.reduce((sum, { memtable }) => sum + memtable.entries, 0),
      frozenMemtables: frozen.length,
      rangeDeletes: memtables.reduce((sum, { ranges }) => sum + ranges.length, this.#tree.version.rangeDeletes?.ranges.length ?? 0),
      tables: tables.length,
      tableBytes: this.#tree.version.byteLength,
      openFiles: this.#files.openFiles,
      walBytes,
      blockCacheBytes,
      tableIndexBytes,
      heldMemtableBytes,
      memoryBytes: memtableBytes + heldMemtableBytes + blockCacheBytes + tableIndexBytes,
      memoryLimitBytes: this.#settings.memoryLimitBytes,
      flushes: this.#flusher.flushes,
      merges: this.#merger.merges,
      writeDelays: this.#pace.delays,
      writeDelayMs: this.#pace.delayedMs,
      writeStalls: this.#flusher.stalls,
      bytesWritten:
        this.#flusher.bytesWritten + this.#merger.bytesWritten + this.#ingester.bytesWritten + (this.#commit?.bytesWritten ?? 0),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #checkAccepting(): void {
    if (this.#closing !== undefined) throw new LsmError('closed', 'the engine is closed');
    this.#health.checkWritable();
  }

  async #close(): Promise<void> {
    await this.#commit?.idle();
    this.#health.close();
    await this.#flusher.stop();
    await this.#merger.stop();
    await this.#ingester.idle();
    await this.#thread?.stop();
    // After a final failure nothing may be added to files of which nothing is known.
    const { hasFailed } = this.#health;
    try {
      await (hasFailed ? this.#wal?.drop() : this.#wal?.close());
    } finally {
      try {
        await (hasFailed ? this.#manifest.drop() : this.#manifest.close());
      } finally {
        await this.#tree.close();
      }
    }
    this.#settings.logger.info('closed the storage engine', { directory: this.#settings.directory });
  }
}
