// What a store should hold, kept in plain maps, and the comparison of an engine with it through every way of reading.
import assert from 'node:assert/strict';
import { type Random, defined, fromUtf8, utf8 } from '@distrokv/base';
import type { Engine, EngineOptions, KeyIterator, Keyspace, RangeOptions, Snapshot, VersionMode, WriteBatch } from '../engine.ts';

/** The keyspaces of every test. */
export const keyspaces: EngineOptions['keyspaces'] = [
  { name: 'data', versions: 'caller' },
  { name: 'meta', versions: 'latest' },
];

/** One of `keyspaces`, or one that was made since. */
export type KeyspaceName = string;

export interface Operation {
  readonly keyspace: KeyspaceName;
  /** Of a range delete its start. */
  readonly key: string;
  /** Undefined deletes. */
  readonly value: string | undefined;
  /** In `caller` keyspaces only. */
  readonly version: number | undefined;
  /** A range delete: where it ends; undefined at the end of the keyspace. */
  readonly range?: { readonly to: string | undefined };
}

interface Written {
  readonly version: number;
  readonly value: string | undefined;
}

export type Row = readonly [key: string, value: string];

export class Model {
  /** Of a key in a `latest` keyspace there is one version, 0. */
  readonly #keyspaces = new Map<KeyspaceName, { readonly versions: VersionMode; readonly keys: Map<string, Written[]> }>();
  /** No older version of `data` may be read. */
  retention = 0;

  constructor() {
    for (const { name, versions } of keyspaces) this.create(name, versions);
  }

  create(name: KeyspaceName, versions: VersionMode): void {
    assert(!this.#keyspaces.has(name), 'a keyspace is made once');
    this.#keyspaces.set(name, { versions, keys: new Map() });
  }

  drop(name: KeyspaceName): void {
    this.#keyspaces.delete(name);
  }

  get names(): KeyspaceName[] {
    return [...this.#keyspaces.keys()];
  }

  get modes(): ReadonlyMap<KeyspaceName, VersionMode> {
    return new Map([...this.#keyspaces].map(([name, { versions }]) => [name, versions]));
  }

  versionsOf(name: KeyspaceName): VersionMode | undefined {
    return this.#keyspaces.get(name)?.versions;
  }

  /** All operations of one batch, or of one unit. */
  apply(operations: readonly Operation[]): void {
    for (const operation of operations) if (operation.range !== undefined && operation.version !== undefined) this.#deleteRange(operation);
    // Where keyspaces number their writes, they count in their order; else a write at the version of a range delete stays.
    for (const operation of operations) {
      if (operation.range === undefined) this.#write(operation);
      else if (operation.version === undefined) this.#deleteRange(operation);
    }
  }

  /** The same store, which goes its own way from here. */
  copy(): Model {
    const copy = new Model();
    copy.#keyspaces.clear();
    for (const [name, { versions, keys }] of this.#keyspaces)
      copy.#keyspaces.set(name, { versions, keys: new Map([...keys].map(([key, written]) => [key, [...written]])) });
    return copy;
  }

  get(keyspace: KeyspaceName, key: string, at: number = Infinity): string | undefined {
    return this.#keyspaces
      .get(keyspace)
      ?.keys.get(key)
      ?.findLast((written) => written.version <= at)?.value;
  }

  /** Without heed to a limit. Keys are ASCII, so they have the same order as strings. */
  rows(keyspace: KeyspaceName, range: RangeOptions): Row[] {
    const { at = Infinity, reverse = false } = range;
    const bounds = textBounds(range);
    const rows: Row[] = [];
    for (const [key, written] of this.#keyspaces.get(keyspace)?.keys ?? []) {
      const value = isIn(key, bounds) ? written.findLast(({ version }) => version <= at)?.value : undefined;
      if (value !== undefined) rows.push([key, value]);
    }
    rows.sort(([a], [b]) => (a < b ? -1 : 1));
    return reverse ? rows.reverse() : rows;
  }

  /** All keys that were ever written. */
  keysOf(keyspace: KeyspaceName): string[] {
    return [...(this.#keyspaces.get(keyspace)?.keys.keys() ?? [])];
  }

  #write({ keyspace, key, value, version = 0 }: Operation): void {
    const { versions, keys } = defined(this.#keyspaces.get(keyspace), keyspace);
    const written = versions === 'caller' ? (keys.get(key) ?? []) : [];
    written.push({ version, value });
    keys.set(key, written);
  }

  #deleteRange({ keyspace, key: from, version, range }: Operation): void {
    for (const key of this.keysOf(keyspace)) {
      if (key >= from && (range?.to === undefined || key < range.to)) this.#write({ keyspace, key, value: undefined, version });
    }
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

/** The bounds of a range as texts. */
type TextBounds = { readonly [Bound in 'gte' | 'gt' | 'lt' | 'lte' | 'prefix']: string | undefined };

function textBounds({ gte, gt, lt, lte, prefix }: RangeOptions): TextBounds {
  return { gte: textOf(gte), gt: textOf(gt), lt: textOf(lt), lte: textOf(lte), prefix: textOf(prefix) };
}

function isIn(key: string, { gte, gt, lt, lte, prefix }: TextBounds): boolean {
  if ((gte !== undefined && key < gte) || (gt !== undefined && key <= gt)) return false;
  if ((lt !== undefined && key >= lt) || (lte !== undefined && key > lte)) return false;
  return prefix === undefined || key.startsWith(prefix);
}

/** As `assert.deepEqual`, which looks closer and says more, but takes longer. */
export function assertRows(found: readonly Row[], expected: readonly Row[], what: string): void {
  const isSame = found.length === expected.length && found.every(([key, value], i) => key === expected[i]?.[0] && value === expected[i][1]);
  if (!isSame) assert.deepEqual(found, expected, what);
}

/** Compares everything, as of the newest version and of two others up to `lastVersion`; of a snapshot, if there is one; or of some keyspaces alone. */
export async function assertEqual(
  engine: Engine,
  model: Model,
  lastVersion: number,
  random: Random,
  only?: Snapshot | readonly KeyspaceName[],
): Promise<void> {
  const snapshot = only === undefined || !('close' in only) ? undefined : only;
  if (only === undefined)
    assert.deepEqual(
      engine
        .keyspaces()
        .map(({ name }) => name)
        .sort(),
      model.names.sort(),
    );
  for (const name of model.names) {
    const keyspace = engine.keyspace(name);
    const oldest = name === 'data' ? Math.min(model.retention, lastVersion) : 0;
    const at = (): number => random.between(oldest, lastVersion);
    const ats = model.versionsOf(name) === 'caller' ? [undefined, at(), at()] : [undefined];
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
  const { snapshot: _, limit, ...told } = range;
  const what = `${name} ${JSON.stringify({ ...told, limit })}`;
  const all = model.rows(name, range);
  const rows = all.slice(0, limit);
  assertRows(drain(keyspace.iterator(range)), rows, what);
  const keys = rows.map(([key]): Row => [key, '']);
  assertRows(drain(keyspace.iterator({ ...range, keysOnly: true })), keys, what);
  assert.equal(keyspace.count(range), rows.length, what);
  assertSeeks(keyspace, name, all, range, random);
}

/** Seeks to and fro, and looks at one or two keys each time; a limit counts keys, not seeks, and is left out. */
function assertSeeks(keyspace: Keyspace, name: KeyspaceName, rows: readonly Row[], range: RangeOptions, random: Random): void {
  const { limit: _, ...rest } = range;
  const { reverse = false } = rest;
  const iterator = keyspace.iterator(rest);
  for (let i = 0; i < 4; i++) {
    const target = keyName(random);
    iterator.seek(utf8(target));
    const from = rows.findIndex(([key]) => (reverse ? key <= target : key >= target));
    for (let step = 0; step < 2; step++) {
      const expected = from < 0 ? undefined : rows[from + step];
      const isThere = iterator.next();
      assert.equal(isThere ? fromUtf8(iterator.key) : undefined, expected?.[0], `${name} seek ${target}`);
      if (isThere) assert.equal(fromUtf8(iterator.value), expected?.[1], `${name} seek ${target}`);
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
  const keys = [...model.keysOf(name), 'missing'];
  const expected = keys.map((key) => model.get(name, key, at));
  const bytes = keys.map((key) => utf8(key));
  for (const [i, key] of bytes.entries())
    assert.equal(textOf(keyspace.getSync(key, at, snapshot)), expected[i], `${name}/${keys[i]} at ${at}`);
  const many = await keyspace.getMany(bytes, at, snapshot);
  assert.equal(many.length, keys.length);
  for (const [i, value] of many.entries()) assert.equal(textOf(value), expected[i], `${name}/${keys[i]} at ${at}, many`);
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
export function randomOperations(
  random: Random,
  version: number,
  maxValueBytes: number = 40,
  modes: ReadonlyMap<KeyspaceName, VersionMode> = bothModes,
  most: number = 4,
): Operation[] {
  const operations = new Map<string, Operation>();
  const names = [...modes.keys()];
  for (let i = random.between(1, most); i > 0; i--) {
    const keyspace = random.chance(0.6) ? 'data' : (names[random.between(1, names.length - 1)] as string);
    const key = keyName(random);
    const value = random.chance(0.25) ? undefined : `${version}:${'x'.repeat(random.below(maxValueBytes))}`;
    const at = modes.get(keyspace) === 'caller' ? version : undefined;
    if (random.chance(0.03)) operations.set(`range ${i}`, { keyspace, ...randomRange(random), value: undefined, version: at });
    else operations.set(`${keyspace}/${key}`, { keyspace, key, value, version: at });
  }
  return [...operations.values()];
}

const bothModes: ReadonlyMap<KeyspaceName, VersionMode> = new Map(keyspaces.map(({ name, versions }) => [name, versions]));

function randomRange(random: Random): Pick<Operation, 'key' | 'range'> {
  const [from, to] = [keyName(random), keyName(random)].sort() as [string, string];
  return { key: from, range: { to: from === to ? undefined : to } };
}

/** Writes operations to anything that takes them: a batch, or the unlogged writer. */
export function writeTo(
  target: Pick<WriteBatch, 'put' | 'delete' | 'deleteRange'>,
  engine: Pick<Engine, 'keyspace'>,
  operations: readonly Operation[],
): void {
  for (const { keyspace: name, key, value, version, range } of operations) {
    const keyspace = engine.keyspace(name);
    if (range !== undefined) target.deleteRange(keyspace, utf8(key), range.to === undefined ? undefined : utf8(range.to), version);
    else if (value === undefined) target.delete(keyspace, utf8(key), version);
    else target.put(keyspace, utf8(key), utf8(value), version);
  }
}
