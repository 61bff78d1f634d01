// Who asked may use its buffers again at once: a read is of the keys as they were when it was called, however long it waits for the disk.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import { type Env, createMemoryEnv } from '@distrokv/env';
import type { Engine, KeyIterator, Keyspace } from './engine.ts';
import { openEngine } from './open.ts';
import { keyspaces, textOf } from './testing/model.ts';

const KEYS = 3000;

/** Of equal lengths, so that one buffer does for all of them. */
function nameOf(i: number): string {
  return `k${String(i).padStart(5, '0')}`;
}

/** A store of which nothing is in memory, on a disk that takes `readMs` for each read, by the clock. */
async function withTables(readMs: number, use: (keyspace: Keyspace, engine: Engine) => Promise<void>): Promise<void> {
  const memory = createMemoryEnv({ seed: 1 });
  let ms = 0;
  const env: Env = { ...memory, clock: { ...memory.clock, monotonicMs: () => (ms += readMs) } };
  const engine = await openEngine({ env, directory: '/db', keyspaces, wal: 'none', blockBytes: 128, blockCacheBytes: 0 });
  const keyspace = engine.keyspace('data');
  const writer = engine.unlogged();
  for (let i = 0; i < KEYS; i++) writer.put(keyspace, utf8(nameOf(i)), utf8(`value of ${nameOf(i)}`), i + 1);
  await writer.commit();
  await engine.flush();
  await use(keyspace, engine);
  await engine.close();
}

/** Two reads, one after the other: those after a slow one go to the thread pool, quick ones wait for the next turn when theirs has no more time. */
const DISKS = [
  ['slow', 1],
  ['quick', 0.04],
] as const;

for (const [disk, readMs] of DISKS) {
  test(`reads of a single key that wait for a ${disk} disk are of the key as it was`, () =>
    withTables(readMs, async (keyspace, engine) => {
      using snapshot = engine.snapshot();
      const ways: Readonly<Record<string, (key: Uint8Array) => unknown>> = {
        get: (key) => keyspace.get(key),
        'get of a snapshot': (key) => keyspace.get(key, KEYS, snapshot),
        getEntry: (key) => keyspace.getEntry(key),
        getFlushed: (key) => keyspace.getFlushed(key),
      };
      const buffer = utf8(nameOf(0));
      for (const [way, read] of Object.entries(ways)) {
        const pending: unknown[] = [];
        let waits = 0;
        for (let i = 0; i < KEYS; i += 7) {
          buffer.set(utf8(nameOf(i)));
          const found = read(buffer);
          if (found instanceof Promise) waits++;
          pending.push(found);
          buffer.fill(0xff);
        }
        // The others give promises of what they have, too.
        if (way === 'getEntry') assert.ok(waits > 100, `${waits} waits`);
        for (const [n, found] of (await Promise.all(pending)).entries()) {
          const value = found instanceof Uint8Array ? found : (found as { value: Uint8Array } | undefined)?.value;
          assert.equal(textOf(value), `value of ${nameOf(n * 7)}`, way);
        }
      }
    }));

  test(`getMany that waits for a ${disk} disk is of the keys as they were`, () =>
    withTables(readMs, async (keyspace) => {
      const names = Array.from({ length: 500 }, (_, i) => nameOf((i * 37) % KEYS));
      const keys = names.map(utf8);
      const pending = keyspace.getMany(keys);
      for (const key of keys) key.fill(0xff);
      keys.length = 1;
      assert.deepEqual(
        (await pending).map(textOf),
        names.map((name) => `value of ${name}`),
      );
    }));

  test(`an iterator keeps its bounds and where it was told to go, on a ${disk} disk`, () =>
    withTables(readMs, async (keyspace) => {
      for (const patient of [false, true]) {
        for (const reverse of [false, true]) {
          const [gte, lt] = [utf8(nameOf(100)), utf8(nameOf(2000))];
          const keys = keyspace.iterator({ gte, lt, patient, reverse });
          for (const bound of [gte, lt]) bound.fill(0xff);
          assert.deepEqual(await names(keys, 2), reverse ? [nameOf(1999), nameOf(1998)] : [nameOf(100), nameOf(101)]);
          const target = utf8(nameOf(777));
          keys.seek(target);
          target.fill(0xff);
          assert.deepEqual(await names(keys, 2), reverse ? [nameOf(777), nameOf(776)] : [nameOf(777), nameOf(778)]);
          keys.close();
          const [gt, lte, prefix] = [utf8(nameOf(1199)), utf8(nameOf(1250)), utf8('k012')];
          const others = keyspace.iterator({ gt, lte, prefix, patient, reverse });
          for (const bound of [gt, lte, prefix]) bound.fill(0xff);
          const expected = Array.from({ length: 51 }, (_, i) => nameOf(1200 + i));
          assert.deepEqual(await names(others, Infinity), reverse ? expected.reverse() : expected);
          others.close();
        }
      }
    }));
}

/** The next keys of an iterator, `most` of them at most. */
async function names(keys: KeyIterator, most: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < most) {
    const has = keys.advance();
    if (has === false) break;
    if (has === true) found.push(fromUtf8(keys.key));
    else await has;
  }
  return found;
}
