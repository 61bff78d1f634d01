// An abstract-level database on the storage engine. The base class does what all databases of the family have in common
// (encodings, sublevels, hooks, events, deferred opening); what is left are the calls with an underscore, all of them in bytes.
import { compareBytes } from '@distrokv/base';
import { type Env, type FileLock, createNodeEnv } from '@distrokv/env';
import { type Engine, type EngineOptions, type Keyspace, LsmError, openEngine } from '@distrokv/lsm';
import { type AbstractDatabaseOptions, AbstractLevel } from 'abstract-level';
import { DistroIterator, type IteratorOptions } from './iterator.ts';
import { type Range, boundsOf, rangeOf } from './range.ts';
import { DistroSnapshot, type SnapshotOptions } from './snapshot.ts';

export interface DistroLevelOptions<K, V> extends AbstractDatabaseOptions<K, V> {
  /**
   * Whether a write resolves only when it is on the disk (default true; writes that come together share one sync). Without it the
   * operating system decides when: the end of the process loses nothing, the loss of power may lose the last writes.
   */
  readonly sync?: boolean;
  /** Memory for the whole database, in bytes (the engine's default: 256 MiB). */
  readonly memoryLimitBytes?: number;
  /** The share of it that writes may fill before they are flushed, in bytes (the engine's default: an eighth). */
  readonly memtableBytes?: number;
  /** The outside world; default: this machine. */
  readonly env?: Env;
}

interface OpenOptions {
  readonly createIfMissing: boolean;
  readonly errorIfExists: boolean;
}

interface ReadOptions {
  readonly snapshot?: DistroSnapshot;
}

type Operation =
  { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array } | { readonly type: 'del'; readonly key: Uint8Array };

interface ClearOptions extends Range {
  readonly limit: number;
}

/** So many keys of a range, or a range as of a snapshot, is cleared in batches of this many, with other events between them. */
const CLEAR_KEYS = 1000;

/** What the database can do. */
const MANIFEST = {
  encodings: { view: true },
  implicitSnapshots: true,
  explicitSnapshots: true,
  has: true,
  getSync: true,
  seek: true,
  permanence: true,
  createIfMissing: true,
  errorIfExists: true,
};

/** What is there while the database is open. */
interface Opened {
  readonly engine: Engine;
  readonly keyspace: Keyspace;
  readonly lock: FileLock;
}

export class DistroLevel<K = string, V = string> extends AbstractLevel<Uint8Array, K, V> {
  readonly location: string;
  readonly #env: Env;
  readonly #settings: Pick<EngineOptions, 'wal' | 'memoryLimitBytes' | 'memtableBytes'>;
  #opened: Opened | undefined;

  /** The database in the directory `location`, which belongs to it alone. */
  constructor(location: string, options: DistroLevelOptions<K, V> = {}) {
    // What is the engine's is none of the base class's, which hands its options on to hooks.
    const { env = createNodeEnv(), sync = true, memoryLimitBytes, memtableBytes, ...shared } = options;
    super(MANIFEST, shared);
    this.location = location;
    this.#env = env;
    this.#settings = {
      wal: sync ? 'sync' : 'nosync',
      ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
      ...(memtableBytes === undefined ? {} : { memtableBytes }),
    };
  }

  async _open({ createIfMissing, errorIfExists }: OpenOptions): Promise<void> {
    const { fs } = this.#env;
    const exists = (await fs.sizeOf(`${this.location}/manifest`)) !== undefined;
    if (!exists && !createIfMissing)
      throw new LsmError('invalid', `the database ${this.location} does not exist (createIfMissing is false)`);
    if (exists && errorIfExists) throw new LsmError('invalid', `the database ${this.location} exists already (errorIfExists is true)`);
    await fs.makeDirectory(this.location);
    const lock = await fs.lock(`${this.location}/LOCK`);
    try {
      const keyspaces = [{ name: 'level', versions: 'latest' }] as const;
      const engine = await openEngine({ env: this.#env, directory: this.location, keyspaces, ...this.#settings });
      this.#opened = { engine, keyspace: engine.keyspace('level'), lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async _close(): Promise<void> {
    const { engine, lock } = this.#open;
    this.#opened = undefined;
    try {
      await engine.close();
    } finally {
      await lock.release();
    }
  }

  async _put(key: Uint8Array, value: Uint8Array): Promise<void> {
    await this._batch([{ type: 'put', key, value }]);
  }

  async _del(key: Uint8Array): Promise<void> {
    await this._batch([{ type: 'del', key }]);
  }

  async _batch(operations: readonly Operation[]): Promise<void> {
    const { engine, keyspace } = this.#open;
    const batch = engine.batch();
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(keyspace, operation.key, operation.value);
      else batch.delete(keyspace, operation.key);
    }
    await engine.write(batch);
  }

  async _get(key: Uint8Array, { snapshot }: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#open.keyspace.get(key, undefined, snapshot?.snapshot);
  }

  _getSync(key: Uint8Array, { snapshot }: ReadOptions): Uint8Array | undefined {
    return this.#open.keyspace.getSync(key, undefined, snapshot?.snapshot);
  }

  async _getMany(keys: readonly Uint8Array[], { snapshot }: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return this.#open.keyspace.getMany(keys, undefined, snapshot?.snapshot);
  }

  async _has(key: Uint8Array, options: ReadOptions): Promise<boolean> {
    return (await this._get(key, options)) !== undefined;
  }

  async _hasMany(keys: readonly Uint8Array[], options: ReadOptions): Promise<boolean[]> {
    return (await this._getMany(keys, options)).map((value) => value !== undefined);
  }

  async _clear(options: ClearOptions): Promise<void> {
    const { engine, keyspace } = this.#open;
    if (options.limit < 0 && options.snapshot === undefined) {
      const { from, to } = boundsOf(options);
      if (to !== undefined && compareBytes(from, to) >= 0) return;
      const batch = engine.batch();
      batch.deleteRange(keyspace, from, to);
      return engine.write(batch);
    }
    const iterator = keyspace.iterator({ ...rangeOf(options), limit: options.limit < 0 ? Infinity : options.limit, keysOnly: true });
    try {
      for (let more = true; more;) {
        const batch = engine.batch();
        while (batch.count < CLEAR_KEYS && (more = iterator.next())) batch.delete(keyspace, iterator.key);
        await engine.write(batch);
      }
    } finally {
      iterator.close();
    }
  }

  _iterator(options: IteratorOptions): DistroIterator<this, K, V> {
    return new DistroIterator(this, options, this.#open.keyspace, this.#env);
  }

  _snapshot(options: SnapshotOptions): DistroSnapshot {
    return new DistroSnapshot(this.#open.engine.snapshot(), options);
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new LsmError('closed', `the database ${this.location} is not open`);
    return this.#opened;
  }
}
