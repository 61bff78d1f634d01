import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, type Random, compareBytes, fromUtf8, utf8 } from '@distrokv/base';
import { NEWEST } from './cursor.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { MemtableView } from './memtable-view.ts';
import { Memtable } from './memtable.ts';
import { seededTest } from './testing/seeds.ts';

interface Entry {
  readonly key: Uint8Array;
  readonly version: number;
  readonly value: string | undefined;
}

function insert(memtable: Memtable, { key, version, value }: Entry): void {
  const bytes = value === undefined ? EMPTY : utf8(value);
  memtable.insert(1, key, 0, key.length, version, value === undefined, bytes, 0, bytes.length);
  memtable.publish();
}

const order = (a: Entry, b: Entry): number => compareBytes(a.key, b.key) || b.version - a.version;

function internal(key: Uint8Array): Uint8Array {
  return Uint8Array.of(1, ...key);
}

function seen(cursor: MemtableCursor): Entry {
  const { keyBytes, keyStart, keyEnd, version, tombstone, valueBytes, valueStart, valueEnd } = cursor;
  return {
    key: keyBytes.slice(keyStart + 1, keyEnd),
    version,
    value: tombstone ? undefined : fromUtf8(valueBytes.subarray(valueStart, valueEnd)),
  };
}

function walk(cursor: MemtableCursor, step: 'next' | 'prev'): Entry[] {
  const entries: Entry[] = [];
  for (; cursor.valid; cursor[step]()) entries.push(seen(cursor));
  return entries;
}

/** Keys of several shapes: rising, falling, random, of one directory, with zeros at the end, hardly any at all. */
function makeKey(shape: number, i: number, random: Random): Uint8Array {
  switch (shape) {
    case 0:
      return utf8(String(i).padStart(8, '0'));
    case 1:
      return utf8(String(100_000 - i).padStart(8, '0'));
    case 2:
      return random.bytes(random.below(12));
    case 3:
      return utf8(`a/common/directory/${random.below(1_000_000)}`);
    case 4:
      return new Uint8Array(random.below(20));
    default:
      return random.bytes(random.below(2));
  }
}

seededTest('entries come out sorted, both ways, from anywhere', 12, (random, seed) => {
  const memtable = new Memtable(seed % 2 === 0 ? 1024 : 1 << 20);
  const model: Entry[] = [];
  const entries = seed <= 6 ? 3000 : 20_000;
  for (let i = 0; i < entries; i++) {
    const entry = { key: makeKey(seed % 6, i, random), version: i * 300_000, value: random.chance(0.1) ? undefined : `v${i}` };
    // Who writes a key has often read it just before, as of now or of an earlier version; or another one since.
    for (let reads = random.below(3); reads > 0; reads--) {
      const key = random.chance(0.8) ? entry.key : makeKey(seed % 6, i, random);
      const at = random.chance(0.8) ? NEWEST : random.below(i + 1) * 300_000;
      memtable.find(internal(key), key.length + 1, at);
    }
    insert(memtable, entry);
    model.push(entry);
  }
  model.sort(order);
  const cursor = new MemtableCursor(memtable);
  cursor.seek(EMPTY, NEWEST);
  assert.deepEqual(walk(cursor, 'next'), model);
  cursor.seekBefore(Uint8Array.of(2), NEWEST);
  assert.deepEqual(walk(cursor, 'prev'), model.toReversed());
  for (let i = 0; i < (seed <= 6 ? 200 : 30); i++) {
    const key = random.chance(0.5) ? makeKey(seed % 6, i, random) : (model[random.below(model.length)] as Entry).key;
    const version = random.below(entries) * 300_000;
    const at = model.findIndex((entry) => order(entry, { key, version, value: '' }) >= 0);
    cursor.seek(internal(key), version);
    assert.deepEqual(cursor.valid ? seen(cursor) : undefined, model[at]);
    cursor.seekBefore(internal(key), version);
    assert.deepEqual(cursor.valid ? seen(cursor) : undefined, at < 0 ? model.at(-1) : model[at - 1]);
    const ref = memtable.find(internal(key), key.length + 1, version);
    const expected = model[at];
    const isThere = expected !== undefined && compareBytes(expected.key, key) === 0;
    assert.equal(ref >= 0 ? memtable.version(ref) : undefined, isThere ? expected.version : undefined);
  }
});

seededTest('a cursor sees what was there when it was made, while writes go on', 5, (random) => {
  const memtable = new Memtable(1024);
  const model: Entry[] = [];
  for (let i = 0; i < 500; i++) model.push({ key: utf8(`k${random.below(200)}`), version: i, value: `v${i}` });
  for (const entry of model) insert(memtable, entry);
  const forward = new MemtableCursor(memtable);
  const backward = new MemtableCursor(memtable);
  forward.seek(EMPTY, NEWEST);
  backward.seekBefore(Uint8Array.of(2), NEWEST);
  const [rising, falling]: [Entry[], Entry[]] = [[], []];
  for (let i = 0; forward.valid || backward.valid; i++) {
    if (forward.valid) {
      rising.push(seen(forward));
      forward.next();
    }
    if (backward.valid) {
      falling.push(seen(backward));
      backward.prev();
    }
    for (let j = 0; j < 3; j++) insert(memtable, { key: utf8(`k${random.below(200)}`), version: 1000 + i * 3 + j, value: 'later' });
  }
  model.sort(order);
  assert.deepEqual(rising, model);
  assert.deepEqual(falling, model.toReversed());
});

test('of two equal entries the later one is found first', () => {
  const memtable = new Memtable(1024);
  for (const value of ['first', 'second', 'third']) {
    insert(memtable, { key: utf8('k'), version: 7, value });
    memtable.find(internal(utf8('k')), 2, NEWEST);
  }
  const cursor = new MemtableCursor(memtable);
  cursor.seek(internal(utf8('k')), 7);
  assert.equal(seen(cursor).value, 'third');
});

seededTest('the trees of many keyspaces are one list, which another view of the same memory reads', 5, (random) => {
  const memtable = new Memtable(1024);
  const model: { id: number; entry: Entry }[] = [];
  for (let i = 0; i < 3000; i++) {
    const id = random.between(1, 6) * 21;
    const entry = { key: makeKey(id % 4, i, random), version: i, value: `v${i}` };
    const bytes = utf8(entry.value);
    memtable.insert(id, entry.key, 0, entry.key.length, entry.version, false, bytes, 0, bytes.length);
    model.push({ id, entry });
  }
  memtable.publish();
  model.sort((a, b) => a.id - b.id || order(a.entry, b.entry));
  const shared = memtable.share();
  assert.ok(shared.arena instanceof SharedArrayBuffer && shared.nodes instanceof SharedArrayBuffer);
  const cursor = new MemtableCursor(new MemtableView(shared));
  const entries = model.map(({ entry }) => entry);
  cursor.seek(EMPTY, NEWEST);
  assert.deepEqual(walk(cursor, 'next'), entries);
  cursor.seekBefore(Uint8Array.of(255), NEWEST);
  assert.deepEqual(walk(cursor, 'prev'), entries.toReversed());
  for (let id = 0; id < 256; id++) {
    const at = model.findIndex((other) => other.id >= id);
    cursor.seek(Uint8Array.of(id), NEWEST);
    assert.deepEqual(cursor.valid ? seen(cursor) : undefined, entries[at], `keyspace ${id}`);
    cursor.seekBefore(Uint8Array.of(id), NEWEST);
    assert.deepEqual(cursor.valid ? seen(cursor) : undefined, at < 0 ? entries.at(-1) : entries[at - 1], `before keyspace ${id}`);
  }
});

test('what is not published is not seen, and what it will replace is', () => {
  const memtable = new Memtable(1024);
  const key = Uint8Array.of(1, 107);
  const add = (version: number): void => memtable.insert(1, key, 1, 2, version, false, EMPTY, 0, 0);
  add(1);
  assert.equal(memtable.find(key, 2, NEWEST), -1);
  memtable.publish();
  add(2);
  assert.equal(memtable.version(memtable.find(key, 2, NEWEST)), 1);
  assert.equal(memtable.find(key, 2, 0), -1);
  const cursor = new MemtableCursor(memtable);
  memtable.publish();
  assert.equal(memtable.version(memtable.find(key, 2, NEWEST)), 2);
  cursor.seek(key, NEWEST);
  assert.deepEqual([cursor.version, walk(cursor, 'next').length], [1, 1]);
});
