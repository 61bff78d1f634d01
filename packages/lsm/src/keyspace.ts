// A keyspace as its users see it: reads, with the keyspace's id put before each key.
import { NEWEST } from './cursor.ts';
import type { KeyIterator, KeyValue, Keyspace, RangeOptions } from './engine.ts';
import { LsmError } from './errors.ts';
import { KeyspaceState } from './keyspace-state.ts';
import { grown } from './ranges.ts';
import type { Reader } from './reader.ts';

export class EngineKeyspace extends KeyspaceState implements Keyspace {
  #reader: Reader | undefined;
  /** The internal key of a read that finishes within the turn. */
  #target: Uint8Array = new Uint8Array(64);

  /** Once, before the first read. */
  attach(reader: Reader): void {
    this.#reader = reader;
  }

  getSync(key: Uint8Array, at?: number): Uint8Array | undefined {
    return this.getEntrySync(key, at)?.value;
  }

  getEntrySync(key: Uint8Array, at?: number): KeyValue | undefined {
    const length = key.length + 1;
    this.#target = grown(this.#target, 0, length);
    this.#target[0] = this.id;
    this.#target.set(key, 1);
    return this.#source.getSync(this.#target, length, this.#checkedAt(at));
  }

  async get(key: Uint8Array, at?: number): Promise<Uint8Array | undefined> {
    return (await this.#source.get(this.#internalKey(key), this.#checkedAt(at)))?.value;
  }

  async getFlushed(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.#source.getFlushed(this.#internalKey(key), NEWEST))?.value;
  }

  iterator(range: RangeOptions = {}): KeyIterator {
    const { gte, lt, at, reverse = false } = range;
    return this.#source.iterator({
      start: gte === undefined ? Uint8Array.of(this.id) : this.#internalKey(gte),
      end: lt === undefined ? Uint8Array.of(this.id + 1) : this.#internalKey(lt),
      at: this.#checkedAt(at),
      reverse,
    });
  }

  setRetention(version: number): void {
    if (this.versions === 'latest') throw new LsmError('invalid', `keyspace ${this.name} keeps only the latest version of a key`);
    if (!Number.isSafeInteger(version) || version < 0) throw new LsmError('invalid', `a version is a safe natural number, not ${version}`);
    if (version > this.retention) this.retention = version;
  }

  get #source(): Reader {
    if (this.#reader === undefined) throw new LsmError('closed', 'the engine is not open yet');
    return this.#reader;
  }

  #internalKey(key: Uint8Array): Uint8Array {
    const out = new Uint8Array(key.length + 1);
    out[0] = this.id;
    out.set(key, 1);
    return out;
  }

  #checkedAt(at: number | undefined): number {
    if (at === undefined) return NEWEST;
    if (this.versions === 'latest') throw new LsmError('invalid', `keyspace ${this.name} keeps only the latest version of a key`);
    if (!Number.isSafeInteger(at) || at < 0) throw new LsmError('invalid', `a version is a safe natural number, not ${at}`);
    if (at < this.retention) throw new LsmError('compacted', `keyspace ${this.name} is kept from version ${this.retention} on, not ${at}`);
    return at;
  }
}
