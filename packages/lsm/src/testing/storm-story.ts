// What the storm (storm-runs.ts) may find in its store: units in their order, each of them there or refused; and, of keys that are written and ingested
// at the same time, the values that nothing has replaced for certain.
import type { Engine } from '../engine.ts';
import { Model, type Operation, drain } from './model.ts';

interface Unit {
  readonly operations: readonly Operation[];
  /** Told to be undone: it never shows. */
  isRefused: boolean;
}

/** A value of a key in `bulk`, and when it was written, by a clock that counts events. */
export interface BulkWrite {
  readonly key: string;
  readonly value: string;
  readonly begun: number;
  /** Infinity until it is acknowledged. */
  ended: number;
  /** Whether a crash cannot take it any more. */
  isKept: boolean;
}

/** What is remembered over all lives of a store. */
export class Story {
  readonly #units: (Unit | undefined)[] = [];
  #last = 0;
  readonly bulk: BulkWrite[] = [];
  /** Units that are acknowledged, and those that no crash can take. */
  acknowledged = 0;
  promised = 0;
  retention = 0;
  /** Counts events. */
  now = 0;
  /** Counts files that are ingested: a crash may bring one of before back. */
  files = 0;

  get issued(): number {
    return this.#last;
  }

  add(operations: readonly Operation[]): Unit {
    const unit: Unit = { operations, isRefused: false };
    this.#units[++this.#last] = unit;
    return unit;
  }

  /** A store was opened, and has so many units: what it has is kept from now on, and what was lost was never there. */
  begin(engine: Engine, unit: number): void {
    this.#units.length = unit + 1;
    this.#last = unit;
    this.acknowledged = unit;
    this.promised = unit;
    const there = new Map(drain(engine.keyspace('bulk').iterator()));
    this.bulk.length = 0;
    for (const [key, value] of there) this.bulk.push({ key, value, begun: this.now++, ended: this.now++, isKept: true });
  }

  modelAfter(unit: number): Model {
    const model = new Model();
    for (let i = 1; i <= unit; i++) {
      const each = this.#units[i];
      if (each !== undefined && !each.isRefused) model.apply(each.operations);
    }
    return model;
  }

  /** Of the values of a key in `bulk`, those that nothing has replaced for certain; after a crash: nothing that no crash can take. */
  possible(key: string, isCrashed: boolean): Set<string | undefined> {
    const writes = this.bulk.filter((write) => write.key === key);
    const sure = writes.filter(({ ended, isKept }) => ended < Infinity && (isKept || !isCrashed));
    const open = writes.filter((write) => !sure.some(({ begun }) => begun > write.ended));
    return new Set([...open.map(({ value }) => value), ...(sure.length > 0 ? [] : [undefined])]);
  }

  /** All that is acknowledged is kept, or all of it up to a unit and a moment. */
  keep(unit: number = this.acknowledged, until: number = Infinity): void {
    this.promised = Math.max(this.promised, unit);
    for (const write of this.bulk) if (write.ended < until) write.isKept = true;
  }
}
