// A keyspace as its users see it: reads, with the keyspace's id put before each key.
import { NEWEST } from './cursor.ts';
import type { KeyIterator, KeyValue, Keyspace, Peek, RangeOptions, Snapshot } from './engine.ts';
import { LsmError } from './errors.ts';
import { KeyspaceState } from './keyspace-state.ts';
import { keyRange } from './key-range.ts';
import { copyRange, grown } from './ranges.ts';
import type { Reader, Wanted } from './reader.ts';

export class EngineKeyspace extends KeyspaceState implements Keyspace {
  #reader: Reader | undefined;
  readonly #target: Wanted = { key: new Uint8Array(64), keyEnd: 0, at: NEWEST, snapshot: undefined };

  /** Once, before the first read. */
  attach(reader: Reader): void {
    this.#reader = reader;
  }

  getSync(key: Uint8Array, at?: number, snapshot?: Snapshot): Uint8Array | undefined {
    return this.#source.getSync(this.#wanted(key, at, snapshot));
  }

  getEntrySync(key: Uint8Array, at?: number, snapshot?: Snapshot): KeyValue | undefined {
    return this.#source.getEntrySync(this.#wanted(key, at, snapshot));
  }

  peekSync(key: Uint8Array): Peek | undefined {
    return this.#source.peekSync(this.#wanted(key, undefined, undefined));
  }

  get(key: Uint8Array, at?: number, snapshot?: Snapshot): Promise<Uint8Array | undefined> {
    // Not an async function: a promise that is there at once costs half of one that a function has to settle.
    try {
      return Promise.resolve(this.#source.get(this.#wanted(key, at, snapshot)));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  getEntry(key: Uint8Array, at?: number, snapshot?: Snapshot): KeyValue | undefined | Promise<KeyValue | undefined> {
    return this.#source.getEntry(this.#wanted(key, at, snapshot));
  }

  async getMany(keys: readonly Uint8Array[], at?: number, snapshot?: Snapshot): Promise<(Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = [];
    const missing: Promise<void>[] = [];
    for (const [i, key] of keys.entries()) {
      const value = this.#source.get(this.#wanted(key, at, snapshot));
      if (value instanceof Promise) missing.push(value.then((read) => void (values[i] = read)));
      values.push(value instanceof Promise ? undefined : value);
    }
    if (missing.length > 0) await Promise.all(missing);
    return values;
  }

  getFlushed(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#source.getFlushed(this.#wanted(key, undefined, undefined));
  }

  iterator(range: RangeOptions = {}): KeyIterator {
    const source = this.#source;
    return source.iterator(keyRange(this.id, this.#checkedAt(range.at), range), source.checkOwn(range.snapshot));
  }

  count(range: RangeOptions = {}): number {
    const keys = this.iterator({ ...range, keysOnly: true });
    let count = 0;
    try {
      while (keys.next()) count++;
    } finally {
      keys.close();
    }
    return count;
  }

  setRetention(version: number): void {
    this.checkThere();
    if (this.versions === 'latest') throw new LsmError('invalid', `keyspace ${this.name} keeps only the latest version of a key`);
    if (!Number.isSafeInteger(version) || version < 0) throw new LsmError('invalid', `a version is a safe natural number, not ${version}`);
    if (version > this.retention) this.retention = version;
  }

  get #source(): Reader {
    if (this.#reader === undefined) throw new LsmError('closed', 'the engine is not open yet');
    if (this.isDropped) this.checkThere();
    return this.#reader;
  }

  /** What the reader is asked for; good until the next call. */
  #wanted(key: Uint8Array, at: number | undefined, snapshot: Snapshot | undefined): Wanted {
    const wanted = this.#target;
    const keyEnd = key.length + 1;
    wanted.key = grown(wanted.key, 0, keyEnd);
    wanted.key[0] = this.id;
    copyRange(key, 0, key.length, wanted.key, 1);
    wanted.keyEnd = keyEnd;
    wanted.at = this.#checkedAt(at);
    wanted.snapshot = this.#source.checkOwn(snapshot);
    return wanted;
  }

  #checkedAt(at: number | undefined): number {
    if (at === undefined) return NEWEST;
    if (this.versions === 'latest') throw new LsmError('invalid', `keyspace ${this.name} keeps only the latest version of a key`);
    if (!Number.isSafeInteger(at) || at < 0) throw new LsmError('invalid', `a version is a safe natural number, not ${at}`);
    if (at < this.retention) throw new LsmError('compacted', `keyspace ${this.name} is kept from version ${this.retention} on, not ${at}`);
    return at;
  }
}
