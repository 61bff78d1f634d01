// What a store should hold, kept in plain maps, and the comparison of an engine with it through every way of reading.
import assert from 'node:assert/strict';
import { type Random, compareBytes, fromUtf8, utf8 } from '@distrokv/base';
import type { Engine, EngineOptions, KeyIterator, Keyspace, RangeOptions } from '../engine.ts';

/** The keyspaces of every test. */
export const keyspaces: EngineOptions['keyspaces'] = [
  { name: 'data', versions: 'caller' },
  { name: 'meta', versions: 'latest' },
];

export type KeyspaceName = 'data' | 'meta';

export interface Operation {
  readonly keyspace: KeyspaceName;
  readonly key: string;
  /** Undefined deletes. */
  readonly value: string | undefined;
  /** In `data` only. */
  readonly version: number | undefined;
}

interface Written {
  readonly version: number;
  readonly value: string | undefined;
}

type Row = readonly [key: string, value: string];

export class Model {
  readonly #data = new Map<string, Written[]>();
  readonly #meta = new Map<string, string>();
  readonly #keys = new Set<string>();
  /** No older version of `data` may be read. */
  retention = 0;

  apply(operations: readonly Operation[]): void {
    for (const { keyspace, key, value, version } of operations) {
      this.#keys.add(key);
      if (keyspace === 'data') {
        const written = this.#data.get(key) ?? [];
        this.#data.set(key, written);
        written.push({ version: version as number, value });
      } else if (value === undefined) this.#meta.delete(key);
      else this.#meta.set(key, value);
    }
  }

  get(keyspace: KeyspaceName, key: string, at: number = Infinity): string | undefined {
    if (keyspace === 'meta') return this.#meta.get(key);
    return this.#data.get(key)?.findLast((written) => written.version <= at)?.value;
  }

  rows(keyspace: KeyspaceName, { gte, lt, at, reverse = false }: RangeOptions): Row[] {
    const rows: Row[] = [];
    for (const key of this.#keys) {
      const bytes = utf8(key);
      if ((gte !== undefined && compareBytes(bytes, gte) < 0) || (lt !== undefined && compareBytes(bytes, lt) >= 0)) continue;
      const value = this.get(keyspace, key, at);
      if (value !== undefined) rows.push([key, value]);
    }
    rows.sort(([a], [b]) => compareBytes(utf8(a), utf8(b)));
    return reverse ? rows.reverse() : rows;
  }

  get keys(): readonly string[] {
    return [...this.#keys];
  }
}

/** What is left of an iterator; closes it. */
export function drain(iterator: KeyIterator): Row[] {
  const rows: Row[] = [];
  while (iterator.next()) rows.push([fromUtf8(iterator.key), fromUtf8(iterator.value)]);
  iterator.close();
  return rows;
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : fromUtf8(bytes);
}

/** Compares everything, as of the newest version and of two others up to `lastVersion`. */
export async function assertEqual(engine: Engine, model: Model, lastVersion: number, random: Random): Promise<void> {
  for (const name of ['data', 'meta'] as const) {
    const keyspace = engine.keyspace(name);
    const at = (): number => random.between(Math.min(model.retention, lastVersion), lastVersion);
    const ats = name === 'data' ? [undefined, at(), at()] : [undefined];
    for (const at of ats) {
      for (const reverse of [false, true]) {
        const range = { reverse, ...(at === undefined ? {} : { at }), ...bounds(random) };
        assert.deepEqual(drain(keyspace.iterator(range)), model.rows(name, range), `${name} ${JSON.stringify({ at, reverse })}`);
      }
      await assertGets(keyspace, name, model, at);
    }
  }
}

async function assertGets(keyspace: Keyspace, name: KeyspaceName, model: Model, at: number | undefined): Promise<void> {
  for (const key of [...model.keys, 'missing']) {
    const expected = model.get(name, key, at);
    assert.equal(textOf(keyspace.getSync(utf8(key), at)), expected, `${name}/${key} at ${at}`);
  }
  const [some = 'missing'] = model.keys;
  assert.equal(textOf(await keyspace.get(utf8(some), at)), model.get(name, some, at), `${name}/${some} at ${at}, async`);
}

/** Bounds of a range, each there or not. */
function bounds(random: Random): RangeOptions {
  const range: { gte?: Uint8Array; lt?: Uint8Array } = {};
  if (random.chance(0.5)) range.gte = utf8(keyName(random));
  if (random.chance(0.5)) range.lt = utf8(keyName(random));
  return range;
}

/** One of 40 keys, of different lengths and with shared beginnings. */
export function keyName(random: Random): string {
  const n = random.below(40);
  return n === 0 ? '' : `${'k'.repeat((n % 3) + 1)}/${'long-directory-name/'.repeat(n % 2)}${n}`;
}

/** A few operations at `version`. Each key of a keyspace is written once. */
export function randomOperations(random: Random, version: number, maxValueBytes: number = 40): Operation[] {
  const operations = new Map<string, Operation>();
  for (let i = random.between(1, 4); i > 0; i--) {
    const keyspace = random.chance(0.6) ? 'data' : 'meta';
    const key = keyName(random);
    const value = random.chance(0.25) ? undefined : `${version}:${'x'.repeat(random.below(maxValueBytes))}`;
    operations.set(`${keyspace}/${key}`, { keyspace, key, value, version: keyspace === 'data' ? version : undefined });
  }
  return [...operations.values()];
}

/** Writes operations to anything that takes them: a batch, or the unlogged writer. */
export function writeTo(
  target: {
    put(k: Keyspace, key: Uint8Array, value: Uint8Array, version?: number): void;
    delete(k: Keyspace, key: Uint8Array, version?: number): void;
  },
  engine: Engine,
  operations: readonly Operation[],
): void {
  for (const { keyspace, key, value, version } of operations) {
    if (value === undefined) target.delete(engine.keyspace(keyspace), utf8(key), version);
    else target.put(engine.keyspace(keyspace), utf8(key), utf8(value), version);
  }
}
