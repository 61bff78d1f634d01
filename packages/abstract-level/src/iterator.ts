// An iterator of the family on one of the engine.
import type { Env } from '@distrokv/env';
import type { KeyIterator, Keyspace, RangeOptions } from '@distrokv/lsm';
import { AbstractIterator, type AbstractIteratorOptions } from 'abstract-level';
import { type Range, isWithin, rangeOf } from './range.ts';

export interface IteratorOptions extends Range {
  readonly keys: boolean;
  readonly values: boolean;
  readonly limit: number;
}

/** Bytes read before other events get their turn. */
const SLICE_BYTES = 256 << 10;

type Row = [Uint8Array | undefined, Uint8Array | undefined];

export class DistroIterator<Database, K, V> extends AbstractIterator<Database, K, V> {
  readonly #keyspace: Keyspace;
  readonly #env: Env;
  readonly #options: IteratorOptions;
  readonly #range: RangeOptions;
  #opened: KeyIterator | undefined;
  /** Whether a seek led out of the range, where nothing comes any more. */
  #isOutside = false;

  constructor(database: Database, options: IteratorOptions, keyspace: Keyspace, env: Env) {
    super(database, options as unknown as AbstractIteratorOptions<K, V>);
    this.#keyspace = keyspace;
    this.#env = env;
    this.#options = options;
    this.#range = { ...rangeOf(options), keysOnly: !options.values };
    // An iterator shows the store as it is now; one of a snapshot has time, and abstract-level finds out only when the first row is
    // wanted whether the snapshot is still open.
    if (options.snapshot === undefined) this.#opened = keyspace.iterator(this.#range);
  }

  async _next(): Promise<Row | undefined> {
    return this.#take(1)[0];
  }

  async _nextv(size: number): Promise<Row[]> {
    const rows = this.#take(size);
    // No more than a slice at a time, whatever was asked for.
    for (let more = rows; rows.length < size && more.length > 0;) {
      await this.#env.timers.yield();
      more = this.#take(size - rows.length);
      for (const row of more) rows.push(row);
    }
    return rows;
  }

  _seek(target: Uint8Array): void {
    this.#isOutside = !isWithin(target, this.#range);
    if (!this.#isOutside) this.#rows.seek(target);
  }

  async _close(): Promise<void> {
    this.#opened?.close();
  }

  get #rows(): KeyIterator {
    return (this.#opened ??= this.#keyspace.iterator(this.#range));
  }

  #take(count: number): Row[] {
    if (this.#isOutside) return [];
    const { keys, values } = this.#options;
    return this.#rows.nextMany(count, SLICE_BYTES).map(({ key, value }) => [keys ? key : undefined, values ? value : undefined]);
  }
}
