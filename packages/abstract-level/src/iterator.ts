// An iterator of the family on iterators of the engine: a seek begins a new one, on the same snapshot.
import { compareBytes } from '@distrokv/base';
import type { Env } from '@distrokv/env';
import type { Engine, KeyIterator, Keyspace, Snapshot } from '@distrokv/lsm';
import { AbstractIterator, type AbstractIteratorOptions } from 'abstract-level';
import { type Bounds, type Range, after, boundsOf } from './range.ts';
import type { DistroSnapshot } from './snapshot.ts';

export interface IteratorOptions extends Range {
  readonly keys: boolean;
  readonly values: boolean;
  readonly limit: number;
  readonly snapshot?: DistroSnapshot;
}

/** Bytes read before other events get their turn. */
const SLICE_BYTES = 256 << 10;

type Row = [Uint8Array | undefined, Uint8Array | undefined];

export class DistroIterator<Database, K, V> extends AbstractIterator<Database, K, V> {
  readonly #keyspace: Keyspace;
  readonly #env: Env;
  readonly #options: IteratorOptions;
  readonly #bounds: Bounds;
  readonly #snapshot: Snapshot;
  /** Whether the snapshot was made for this iterator alone. */
  readonly #ownsSnapshot: boolean;
  /** Begun when the first row is wanted: abstract-level finds out only then whether an explicit snapshot is still open. */
  #rows: KeyIterator | undefined;
  /** What is left of the range after a seek; undefined if that led out of it. */
  #left: Bounds | undefined;

  constructor(database: Database, options: IteratorOptions, keyspace: Keyspace, engine: Engine, env: Env) {
    super(database, options as unknown as AbstractIteratorOptions<K, V>);
    this.#keyspace = keyspace;
    this.#env = env;
    this.#options = options;
    this.#bounds = boundsOf(options);
    this.#left = this.#bounds;
    this.#ownsSnapshot = options.snapshot === undefined;
    this.#snapshot = options.snapshot?.snapshot ?? engine.snapshot();
  }

  async _next(): Promise<Row | undefined> {
    return this.#step() ? this.#row() : undefined;
  }

  async _nextv(size: number): Promise<Row[]> {
    const rows: Row[] = [];
    let bytes = 0;
    while (rows.length < size && this.#step()) {
      const row = this.#row();
      rows.push(row);
      bytes += (row[0]?.length ?? 0) + (row[1]?.length ?? 0);
      if (bytes < SLICE_BYTES) continue;
      await this.#env.timers.yield();
      bytes = 0;
    }
    return rows;
  }

  _seek(target: Uint8Array): void {
    const { gte, lt } = this.#bounds;
    this.#rows?.close();
    this.#rows = undefined;
    if ((gte !== undefined && compareBytes(target, gte) < 0) || (lt !== undefined && compareBytes(target, lt) >= 0)) this.#left = undefined;
    else this.#left = this.#options.reverse ? { ...this.#bounds, lt: after(target) } : { ...this.#bounds, gte: target };
  }

  async _close(): Promise<void> {
    this.#rows?.close();
    if (this.#ownsSnapshot) this.#snapshot.close();
  }

  #step(): boolean {
    if (this.#left === undefined) return false;
    this.#rows ??= this.#keyspace.iterator({ ...this.#left, reverse: this.#options.reverse, snapshot: this.#snapshot });
    return this.#rows.next();
  }

  #row(): Row {
    const { keys, values } = this.#options;
    const rows = this.#rows as KeyIterator;
    return [keys ? rows.key.slice() : undefined, values ? rows.value.slice() : undefined];
  }
}
