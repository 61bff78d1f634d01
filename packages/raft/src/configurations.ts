// Which configuration is in force: always the latest one in the log, committed or not (Raft §6, dissertation §4.1).
//
// etcd takes a configuration into force when it is applied, and must then forbid elections to whoever has one committed and
// not applied, which only works while nobody forgets what is committed. By the dissertation's rule the log alone decides: the
// same log gives the same configuration on every member and after every restart, and what a new leader truncates is undone.
// The price is that the core reads configurations itself, and must know those that may have to be gone back to.
import { assert, defined } from '@distrokv/base';
import type { LogIndex } from '@distrokv/base';
import { decodeConfiguration } from './configuration-codec.ts';
import type { Configuration } from './configuration.ts';
import type { Entry } from './messages.ts';

interface Point {
  /** Of the entry that brought it. */
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/**
 * Invariants:
 * 1. Indexes grow; the last one is in force.
 * 2. The first one is committed: it is never undone.
 */
export class Configurations {
  readonly #points: Point[];

  /** `configuration` came with the committed entry `index`; 0 when the cluster began with it. */
  constructor(index: LogIndex, configuration: Configuration) {
    this.#points = [{ index, configuration }];
  }

  get #last(): Point {
    return defined(this.#points.at(-1), 'a configuration');
  }

  get inForce(): Configuration {
    return this.#last.configuration;
  }

  /** The entry that brought the one in force. */
  get index(): LogIndex {
    return this.#last.index;
  }

  /** The ones that may come to count: the last that is known to be committed, and those after it. */
  get possible(): readonly Configuration[] {
    return this.#points.map(({ configuration }) => configuration);
  }

  /** Entries were appended, and replaced what the log had from the first of them on. Returns whether another one is in force now. */
  appended(entries: readonly Entry[]): boolean {
    const before = this.#last;
    const first = entries[0];
    if (first === undefined) return false;
    while (this.#last.index >= first.index) {
      assert(this.#points.length > 1, 'configurations 2: a committed one is never undone');
      this.#points.pop();
    }
    for (const entry of entries) {
      if (entry.kind !== 'config') continue;
      this.#points.push({ index: entry.index, configuration: defined(decodeConfiguration(entry.data), `configuration ${entry.index}`) });
    }
    return this.#last !== before;
  }

  /** Forgets what cannot come back. */
  committed(index: LogIndex): void {
    while (this.#points.length > 1 && (this.#points[1] as Point).index <= index) this.#points.shift();
  }
}
