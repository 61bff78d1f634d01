// What a store should hold, kept in plain maps, and the comparison of an engine with it through every way of reading.
import assert from 'node:assert/strict';
import { type Random, compareBytes, fromUtf8, utf8 } from '@distrokv/base';
import type { Engine, EngineOptions, KeyIterator, Keyspace, RangeOptions, Snapshot } from '../engine.ts';

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

  /** The same store, which goes its own way from here. */
  copy(): Model {
    const copy = new Model();
    for (const key of this.#keys) copy.#keys.add(key);
    for (const [key, value] of this.#meta) copy.#meta.set(key, value);
    for (const [key, written] of this.#data) copy.#data.set(key, [...written]);
    return copy;
  }

  get(keyspace: KeyspaceName, key: string, at: number = Infinity): string | undefined {
    if (keyspace === 'meta') return this.#meta.get(key);
    return this.#data.get(key)?.findLast((written) => written.version <= at)?.value;
  }

  rows(keyspace: KeyspaceName, range: RangeOptions): Row[] {
    const { at, reverse = false, limit } = range;
    const rows: Row[] = [];
    for (const key of this.#keys) {
      const value = isIn(utf8(key), range) ? this.get(keyspace, key, at) : undefined;
      if (value !== undefined) rows.push([key, value]);
    }
    rows.sort(([a], [b]) => compareBytes(utf8(a), utf8(b)));
    return (reverse ? rows.reverse() : rows).slice(0, limit);
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

function isIn(key: Uint8Array, { gte, gt, lt, lte, prefix }: RangeOptions): boolean {
  if ((gte !== undefined && compareBytes(key, gte) < 0) || (gt !== undefined && compareBytes(key, gt) <= 0)) return false;
  if ((lt !== undefined && compareBytes(key, lt) >= 0) || (lte !== undefined && compareBytes(key, lte) > 0)) return false;
  return prefix === undefined || compareBytes(key.subarray(0, prefix.length), prefix) === 0;
}

/** Compares everything, as of the newest version and of two others up to `lastVersion`; of a snapshot, if there is one. */
export async function assertEqual(engine: Engine, model: Model, lastVersion: number, random: Random, snapshot?: Snapshot): Promise<void> {
  for (const name of ['data', 'meta'] as const) {
    const keyspace = engine.keyspace(name);
    const at = (): number => random.between(Math.min(model.retention, lastVersion), lastVersion);
    const ats = name === 'data' ? [undefined, at(), at()] : [undefined];
    for (const at of ats) {
      for (const reverse of [false, true]) {
        const range = { reverse, ...(at === undefined ? {} : { at }), ...(snapshot === undefined ? {} : { snapshot }), ...bounds(random) };
        assertRange(keyspace, name, model, range, random);
      }
      await assertGets(keyspace, name, model, at, snapshot);
    }
  }
}

function assertRange(keyspace: Keyspace, name: KeyspaceName, model: Model, range: RangeOptions, random: Random): void {
  const { snapshot: _, ...told } = range;
  const what = `${name} ${JSON.stringify(told)}`;
  const rows = model.rows(name, range);
  assert.deepEqual(drain(keyspace.iterator(range)), rows, what);
  assert.deepEqual(
    drain(keyspace.iterator({ ...range, keysOnly: true })),
    rows.map(([key]) => [key, '']),
    what,
  );
  assert.equal(keyspace.count(range), rows.length, what);
  assertSeeks(keyspace, name, model, range, random);
}

/** Seeks to and fro, and looks at one or two keys each time. */
function assertSeeks(keyspace: Keyspace, name: KeyspaceName, model: Model, range: RangeOptions, random: Random): void {
  const { limit: _, ...rest } = range;
  const { reverse = false } = rest;
  const rows = model.rows(name, rest);
  const iterator = keyspace.iterator(rest);
  for (let i = 0; i < 4; i++) {
    const target = utf8(keyName(random));
    iterator.seek(target);
    const from = rows.findIndex(([key]) => (reverse ? compareBytes(utf8(key), target) <= 0 : compareBytes(utf8(key), target) >= 0));
    for (let step = 0; step < 2; step++) {
      const expected = from < 0 ? undefined : rows[from + step];
      const found = iterator.next() ? [fromUtf8(iterator.key), fromUtf8(iterator.value)] : undefined;
      assert.deepEqual(found, expected, `${name} seek ${fromUtf8(target)}`);
    }
  }
  iterator.close();
}

async function assertGets(
  keyspace: Keyspace,
  name: KeyspaceName,
  model: Model,
  at: number | undefined,
  snapshot: Snapshot | undefined,
): Promise<void> {
  const keys = [...model.keys, 'missing'];
  const expected = keys.map((key) => model.get(name, key, at));
  const bytes = keys.map((key) => utf8(key));
  assert.deepEqual(
    bytes.map((key) => textOf(keyspace.getSync(key, at, snapshot))),
    expected,
    `${name} at ${at}`,
  );
  assert.deepEqual((await keyspace.getMany(bytes, at, snapshot)).map(textOf), expected, `${name} at ${at}, many`);
  const [some = 'missing'] = keys;
  assert.equal(textOf(await keyspace.get(utf8(some), at, snapshot)), model.get(name, some, at), `${name}/${some} at ${at}, async`);
}

/** Bounds of a range, each there or not. */
function bounds(random: Random): RangeOptions {
  const range: { gte?: Uint8Array; gt?: Uint8Array; lt?: Uint8Array; lte?: Uint8Array; prefix?: Uint8Array; limit?: number } = {};
  if (random.chance(0.4)) range[random.chance(0.5) ? 'gte' : 'gt'] = utf8(keyName(random));
  if (random.chance(0.4)) range[random.chance(0.5) ? 'lt' : 'lte'] = utf8(keyName(random));
  if (random.chance(0.2)) range.prefix = utf8(keyName(random).slice(0, 3));
  if (random.chance(0.2)) range.limit = random.below(10);
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
