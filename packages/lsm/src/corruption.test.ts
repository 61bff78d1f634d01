// Every byte of every file of a small store is changed in turn, and every file is cut off, removed, or takes the place of
// another. Each time the damage is reported or does no harm: wrong data is never returned.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import { openEngine } from './open.ts';
import { LsmError } from './errors.ts';
import { RECORD_HEADER_BYTES } from './log-file.ts';
import { assertEqual, textOf } from './testing/model.ts';
import { DIRECTORY, UNITS, filesOf, makeStore, modelAfter, replace, storeOptions } from './testing/store.ts';

/** Opens a damaged store and reads all of it, which must be one of its states from `fewest` units on. True if the damage was reported. */
async function isReported(fs: MemoryFileSystem, what: string, fewest = UNITS): Promise<boolean> {
  const env = createMemoryEnv({ seed: 1, fs });
  try {
    const engine = await openEngine({ env, ...storeOptions });
    try {
      const units = Number(textOf(await engine.keyspace('meta').get(utf8('unit'))));
      assert.ok(units >= fewest, `${units} units are there`);
      await assertEqual(engine, modelAfter(units), units, seededRandom(7));
    } finally {
      await engine.close();
    }
    return false;
  } catch (error) {
    if (error instanceof LsmError && (error.code === 'corrupt' || error.code === 'newer-format')) return true;
    throw new Error(`${what}: neither reported nor harmless`, { cause: error });
  }
}

for (const codec of ['none', 'lz4'] as const) {
  test(`a byte that changed is reported or harmless, in any file at any place; codec ${codec}`, async (t) => {
    const store = await makeStore(codec);
    const random = seededRandom(3);
    for (const [name, bytes] of await filesOf(store())) {
      let reported = 0;
      for (let at = 0; at < bytes.length; at++) {
        const fs = store();
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
        await replace(fs, name, damaged);
        if (await isReported(fs, `byte ${at} of ${name}`)) reported++;
      }
      t.diagnostic(`${name}: ${reported} of ${bytes.length} changed bytes reported`);
      // Only the mark that closing left at the end of a log says nothing that is missed.
      assert.equal(bytes.length - reported, name.endsWith('.sst') ? 0 : RECORD_HEADER_BYTES, name);
    }
  });
}

test('a table or a manifest that was cut off is reported; of a log whole records may be gone, as if they had not been written', async () => {
  const store = await makeStore();
  for (const [name, bytes] of await filesOf(store())) {
    for (let length = 0; length < bytes.length; length += 5) {
      const fs = store();
      await replace(fs, name, bytes.subarray(0, length));
      const what = `${name} cut to ${length} of ${bytes.length} bytes`;
      if (name.endsWith('.wal')) await isReported(fs, what, 16);
      // The last record of a manifest is the mark that closing left.
      else assert.ok((await isReported(fs, what)) || (name === 'manifest' && length >= bytes.length - RECORD_HEADER_BYTES), what);
    }
  }
});

test('a file that is missing, or under the name of another, is reported', async () => {
  const store = await makeStore();
  const files = await filesOf(store());
  const tables = [...files.keys()].filter((name) => name.endsWith('.sst'));
  assert.equal(tables.length, 2);
  for (const name of [...tables, 'manifest']) {
    const fs = store();
    await fs.removeFile(`${DIRECTORY}/${name}`);
    assert.ok(await isReported(fs, `${name} removed`));
  }
  for (const [name, bytes] of files) {
    for (const [other, otherBytes] of files) {
      if (name === other) continue;
      const fs = store();
      await replace(fs, name, otherBytes);
      assert.ok(bytes.length > 0 && (await isReported(fs, `${other} in the place of ${name}`)));
    }
  }
});

test('a gap in the log is reported, and nothing is touched', async () => {
  const env = createMemoryEnv({ seed: 1 });
  for (let i = 0; i < 3; i++) {
    const engine = await openEngine({ env, ...storeOptions });
    const batch = engine.batch();
    batch.put(engine.keyspace('meta'), utf8(`k${i}`), utf8('v'));
    await engine.write(batch);
    await engine.close();
  }
  await env.fs.removeFile(`${DIRECTORY}/000002.wal`);
  const before = env.fs.dump();
  await assert.rejects(openEngine({ env, ...storeOptions }), { code: 'corrupt' });
  assert.equal(env.fs.dump(), before);
});

test('a segment that was cut off before the next one is reported, wherever it was cut, and nothing is touched', async () => {
  const env = createMemoryEnv({ seed: 1 });
  for (let i = 0; i < 2; i++) {
    const engine = await openEngine({ env, ...storeOptions });
    for (const key of ['a', 'b', 'c']) {
      const batch = engine.batch();
      batch.put(engine.keyspace('meta'), utf8(`${key}${i}`), utf8('v'));
      await engine.write(batch);
    }
    await engine.close();
  }
  const bytes = await env.fs.readFile(`${DIRECTORY}/000001.wal`, 1 << 20);
  for (let length = 0; length < bytes.length; length++) {
    await replace(env.fs, '000001.wal', bytes.subarray(0, length));
    const before = env.fs.dump();
    await assert.rejects(openEngine({ env, ...storeOptions }), { code: 'corrupt' }, `cut to ${length} bytes`);
    assert.equal(env.fs.dump(), before);
  }
  await replace(env.fs, '000001.wal', bytes);
  await (await openEngine({ env, ...storeOptions })).close();
});

test('files of others in the directory are left alone', async () => {
  const fs = (await makeStore())();
  await replace(fs, 'notes.txt', utf8('mine'));
  assert.equal(await isReported(fs, 'a foreign file'), false);
  assert.equal(await fs.sizeOf(`${DIRECTORY}/notes.txt`), 4);
});
