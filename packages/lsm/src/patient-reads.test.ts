// Reads whose user may not wait for a slow disk find what all others find, whatever is written meanwhile, and never wait for it themselves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, utf8 } from '@distrokv/base';
import { type Env, createMemoryEnv } from '@distrokv/env';
import type { Engine, KeyIterator, RangeOptions } from './engine.ts';
import { openEngine } from './open.ts';
import { Model, keyName, keyspaces, randomOperations, textOf, writeTo } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

/** Memory as a disk on which each read takes a millisecond, by the clock. */
function slowEnv(seed: number): Env {
  const env = createMemoryEnv({ seed });
  let ms = 0;
  return { ...env, clock: { ...env.clock, monotonicMs: () => ++ms } };
}

/** What is left of a patient iterator, and for how much of it there was to wait; closes it. `meanwhile` is done before each wait. */
async function drain(keys: KeyIterator, meanwhile: () => Promise<void>): Promise<{ rows: (readonly [string, string])[]; waits: number }> {
  const rows: (readonly [string, string])[] = [];
  let waits = 0;
  for (let has = keys.advance(); has !== false; has = keys.advance()) {
    if (has === true) rows.push([fromUtf8(keys.key), fromUtf8(keys.value)]);
    else if (has !== undefined) {
      waits++;
      await meanwhile();
      await has;
    }
  }
  keys.close();
  return { rows, waits };
}

seededTest('patient reads find what the model has, while more is written, flushed and merged', 25, async (random, seed) => {
  const engine = await openEngine({
    env: slowEnv(seed),
    directory: '/db',
    keyspaces,
    wal: 'none',
    blockBytes: [64, 256, 4096][random.below(3)] as number,
    blockCacheBytes: [0, 2000, 1 << 20][random.below(3)] as number,
    mergeFanIn: random.between(1, 4),
  });
  const model = new Model();
  const writer = engine.unlogged();
  let version = 0;
  const write = async (units: number): Promise<void> => {
    for (; units > 0; units--) {
      const operations = randomOperations(random, ++version);
      writeTo(writer, engine, operations);
      model.apply(operations);
      await writer.commit();
      if (random.chance(0.02)) await engine.flush();
    }
  };
  let waits = 0;
  for (let round = 0; round < 20; round++) {
    await write(random.between(1, 60));
    if (random.chance(0.3)) await engine.settle();
    for (const name of ['data', 'meta']) {
      const keyspace = engine.keyspace(name);
      const range: RangeOptions = {
        reverse: random.chance(0.4),
        ...(name === 'data' && random.chance(0.6) ? { at: random.between(0, version) } : {}),
        ...(random.chance(0.3) ? { gte: utf8(keyName(random)) } : {}),
        ...(random.chance(0.3) ? { lt: utf8(keyName(random)) } : {}),
        ...(random.chance(0.2) ? { limit: random.below(10) } : {}),
      };
      const rows = model.rows(name, range).slice(0, range.limit);
      const found = await drain(keyspace.iterator({ ...range, patient: true }), () => write(random.below(2)));
      assert.deepEqual(found.rows, rows, `${name} ${JSON.stringify(range)}`);
      waits += found.waits;
      for (let i = 0; i < 5; i++) {
        const key = keyName(random);
        const { at } = range;
        const value = model.get(name, key, at);
        const version = name === 'data' ? keyspace.getEntrySync(utf8(key), at)?.version : undefined;
        const pending = keyspace.getEntry(utf8(key), at);
        if (pending instanceof Promise) {
          waits++;
          await write(1);
        }
        const entry = await pending;
        assert.equal(textOf(entry?.value), value, `${name} ${key} at ${at}`);
        if (name === 'data') assert.equal(entry?.version, version);
      }
    }
  }
  assert.ok(waits > 0, 'nothing was waited for');
  await engine.close();
});

async function withKeys(count: number, use: (engine: Engine) => Promise<void> | void): Promise<void> {
  const env = slowEnv(1);
  const engine = await openEngine({ env, directory: '/db', keyspaces, wal: 'none', blockBytes: 256, blockCacheBytes: 4000 });
  const writer = engine.unlogged();
  for (let i = 0; i < count; i++) writer.put(engine.keyspace('data'), utf8(String(i).padStart(6, '0')), new Uint8Array(50), 1);
  await writer.commit();
  await engine.flush();
  await use(engine);
  await engine.close();
}

test('who reads on waits seldom: each time for twice as much', () =>
  withKeys(20_000, async (engine) => {
    const keyspace = engine.keyspace('data');
    for (let i = 0; i < 10; i++) keyspace.getSync(utf8(String(i * 1999).padStart(6, '0')));
    for (const reverse of [false, true]) {
      const { rows, waits } = await drain(keyspace.iterator({ patient: true, reverse }), async () => {});
      assert.equal(rows.length, 20_000);
      assert.ok(waits > 2 && waits < 60, `${waits} waits, ${reverse ? 'backward' : 'forward'}`);
    }
  }));

test('a step over entries that do not show is short', () =>
  withKeys(5000, async (engine) => {
    const keyspace = engine.keyspace('data');
    for (const [range, patient] of [
      [{ at: 0 }, false],
      [{ at: 0 }, true],
      [{ at: 0, reverse: true }, false],
    ] as const) {
      const keys = keyspace.iterator({ ...range, patient });
      let steps = 0;
      for (let has = keys.advance(); has !== false; has = keys.advance()) {
        assert.notEqual(has, true);
        await has;
        steps++;
      }
      keys.close();
      assert.ok(steps >= 9, `${steps} steps`);
    }
    const keys = keyspace.iterator({ at: 0 });
    assert.equal(keys.next(), false, 'who asks for the next key alone waits for all of them');
    keys.close();
    const patient = keyspace.iterator({ patient: true });
    assert.throws(() => patient.next(), { code: 'invalid' });
    patient.close();
  }));
