// A repair keeps what is sound, invents nothing, deletes nothing, and may be cut off at any point.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, seededRandom, utf8 } from '@distrokv/base';
import { type CrashMode, type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import type { Engine } from './engine.ts';
import { salvageHeadless } from './log-file.ts';
import { openEngine } from './open.ts';
import { type RepairOptions, type RepairReport, repairStore } from './repair.ts';
import { assertEqual, keyspaces } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';
import { DIRECTORY, UNITS, filesOf, makeStore, modelAfter, replace, storeOptions, unitOperations } from './testing/store.ts';
import { verifyStore } from './verify.ts';
import { WAL_KIND } from './wal.ts';

function repair(fs: MemoryFileSystem, options?: RepairOptions): Promise<RepairReport> {
  return repairStore(createMemoryEnv({ seed: 1, fs }), DIRECTORY, options);
}

/** Everything that was ever written, as `keyspace/key=value`. */
const written = new Set<string>();
for (let unit = 1; unit <= UNITS; unit++)
  for (const { keyspace, key, value } of unitOperations(unit)) if (value !== undefined) written.add(`${keyspace}/${key}=${value}`);

function rowsOf(engine: Engine): string[] {
  const rows: string[] = [];
  for (const name of ['data', 'meta']) {
    const iterator = engine.keyspace(name).iterator();
    while (iterator.next()) rows.push(`${name}/${fromUtf8(iterator.key)}=${fromUtf8(iterator.value)}`);
    iterator.close();
  }
  return rows;
}

/** The store opens, holds nothing that was not written, and works on. Returns its rows. */
async function assertWorks(fs: MemoryFileSystem): Promise<string[]> {
  const env = createMemoryEnv({ seed: 2, fs });
  assert.deepEqual((await verifyStore(env, DIRECTORY)).faults, []);
  const engine = await openEngine({ env, ...storeOptions });
  const rows = rowsOf(engine);
  for (const row of rows) assert.ok(written.has(row), row);
  const batch = engine.batch();
  batch.put(engine.keyspace('data'), utf8('new'), utf8('v'), UNITS + 1);
  batch.put(engine.keyspace('meta'), utf8('unit'), utf8('v'));
  await engine.write(batch);
  await engine.flush();
  assert.equal(engine.keyspace('meta').getSync(utf8('unit'))?.length, 1, 'the sequence went on from where it was');
  await engine.close();
  return rows;
}

async function assertWhole(fs: MemoryFileSystem): Promise<void> {
  const engine = await openEngine({ env: createMemoryEnv({ seed: 2, fs }), ...storeOptions });
  await assertEqual(engine, modelAfter(UNITS), UNITS, seededRandom(1));
  await engine.close();
}

test('a sound store is left as it is', async () => {
  const fs = (await makeStore())();
  const before = fs.dump();
  assert.deepEqual((await repair(fs)).faults, []);
  assert.equal(fs.dump(), before);
});

test('whatever byte is damaged, the store works again, and what was there before is kept aside', async () => {
  const store = await makeStore();
  const random = seededRandom(5);
  for (const [name, bytes] of await filesOf(store())) {
    for (let at = random.below(7); at < bytes.length; at += 7) {
      const fs = store();
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
      await replace(fs, name, damaged);
      const before = await filesOf(fs);
      const report = await repair(fs, { keyspaces });
      if (report.faults.length === 0) continue;
      const { lostDirectory, entries } = report;
      assert.ok(lostDirectory !== undefined && entries > 0, `byte ${at} of ${name}`);
      assert.deepEqual(await filesOf(fs, lostDirectory), before);
      assert.ok((await assertWorks(fs)).length > 0);
    }
  }
});

test('without a manifest everything is still there, if somebody knows the keyspaces', async () => {
  const fs = (await makeStore())();
  await fs.removeFile(`${DIRECTORY}/manifest`);
  const before = fs.dump();
  await assert.rejects(repair(fs), { code: 'invalid' });
  assert.equal(fs.dump(), before);
  const report = await repair(fs, { keyspaces });
  assert.equal(report.lostBlocks + report.lostTables + report.lostLogBytes, 0);
  await assertWhole(fs);
});

test('a damaged block costs the entries of that block alone', async () => {
  const fs = (await makeStore())();
  const sound = await openEngine({ env: createMemoryEnv({ seed: 3, fs: (await makeStore())() }), ...storeOptions });
  const all = rowsOf(sound);
  await sound.close();
  const [name, bytes] = [...(await filesOf(fs))].find(([each]) => each.endsWith('.sst')) as [string, Uint8Array];
  const damaged = bytes.slice();
  damaged[3] = 0xff;
  await replace(fs, name, damaged);
  const report = await repair(fs);
  assert.deepEqual([report.lostBlocks, report.lostTables, report.lostLogBytes], [1, 0, 0]);
  const rows = await assertWorks(fs);
  assert.ok(rows.length > all.length / 2, `${rows.length} of ${all.length} rows`);
});

test('what follows damage in the log is not replayed, and said to be lost', async () => {
  const fs = (await makeStore())();
  const [name, bytes] = [...(await filesOf(fs))].find(([each]) => each.endsWith('.wal')) as [string, Uint8Array];
  const damaged = bytes.slice();
  damaged[60] = (damaged[60] as number) ^ 1;
  await replace(fs, name, damaged);
  const report = await repair(fs);
  assert.equal(report.lostLogBytes, bytes.length - 28);
  assert.ok((await assertWorks(fs)).includes('meta/unit=16'));
});

test('a store of a later release is not touched', async () => {
  const fs = (await makeStore())();
  const [name, bytes] = [...(await filesOf(fs))].find(([each]) => each.endsWith('.sst')) as [string, Uint8Array];
  const newer = bytes.slice();
  // Its format and its checksum are others.
  newer[bytes.length - 12] = 99;
  newer[bytes.length - 16] = 99;
  await replace(fs, name, newer);
  const before = fs.dump();
  await assert.rejects(repair(fs), { code: 'newer-format' });
  assert.equal(fs.dump(), before);
});

test('a repair that a crash cuts off is done by the next one, without loss', async () => {
  const store = await makeStore();
  const modes: readonly CrashMode[] = ['lost', 'kept', 'torn', 'reordered'];
  for (let n = 0, isDone = false; !isDone; n++) {
    for (const mode of modes) {
      const fs = store();
      await fs.removeFile(`${DIRECTORY}/manifest`);
      const start = fs.mutations;
      fs.onOperation = ({ mutation }) => (mutation === start + n ? 'crash' : undefined);
      isDone = await repair(fs, { keyspaces }).then(
        () => true,
        () => false,
      );
      const after = fs.crash(mode, seededRandom(n));
      await repair(after, { keyspaces });
      await assertWhole(after);
    }
  }
});

test('range deletes and dropped keyspaces stay what they are in a repair, while the manifest tells of them', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await openEngine({ env, ...storeOptions });
  const [data, gone] = [engine.keyspace('data'), await engine.createKeyspace({ name: 'gone', versions: 'latest' })];
  const batch = engine.batch();
  for (let key = 0; key < 50; key++) batch.put(data, utf8(`k${String(key).padStart(2, '0')}`), utf8('v'.repeat(50)), 1);
  batch.put(gone, utf8('k'), utf8('v'));
  await engine.write(batch);
  await engine.flush();
  for (const [from, to, version] of [
    ['k10', 'k20', 2],
    ['k30', 'k40', 3],
  ] as const) {
    const deleting = engine.batch();
    deleting.deleteRange(data, utf8(from), utf8(to), version);
    await engine.write(deleting);
    if (version === 2) await engine.flush();
  }
  await engine.dropKeyspace('gone');
  await engine.close();
  const table = [...(await filesOf(env.fs)).keys()].find((name) => name.endsWith('.sst')) as string;
  const bytes = (await filesOf(env.fs)).get(table) as Uint8Array;
  const damaged = bytes.slice();
  damaged[3] = (damaged[3] as number) ^ 1;
  await replace(env.fs, table, damaged);
  assert.ok((await repair(env.fs)).lostBlocks > 0);
  const repaired = await openEngine({ env: createMemoryEnv({ seed: 2, fs: env.fs }), ...storeOptions });
  assert.deepEqual(
    repaired.keyspaces().map(({ name }) => name),
    ['data', 'meta'],
  );
  const there = repaired.keyspace('data');
  assert.ok(there.count() > 10);
  assert.equal(there.count({ gte: utf8('k10'), lt: utf8('k20') }) + there.count({ gte: utf8('k30'), lt: utf8('k40') }), 0);
  assert.equal(there.count({ gte: utf8('k10'), lt: utf8('k20'), at: 1 }), 10, 'the past is there');
  await repaired.close();
});

test('what belongs to a keyspace that nothing tells of any more gets a name, and its id to no other', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const engine = await openEngine({ env, ...storeOptions });
  const third = await engine.createKeyspace({ name: 'third', versions: 'latest' });
  const batch = engine.batch();
  batch.put(third, utf8('k'), utf8('v'));
  await engine.write(batch);
  await engine.flush();
  await engine.close();
  await env.fs.removeFile(`${DIRECTORY}/manifest`);
  await repair(env.fs, { keyspaces });
  const repaired = await openEngine({ env: createMemoryEnv({ seed: 2, fs: env.fs }), ...storeOptions });
  const made = await repaired.createKeyspace({ name: 'fourth', versions: 'latest' });
  assert.equal(made.count(), 0);
  assert.equal(repaired.keyspace('lost-3').count(), 1);
  await repaired.close();
});

seededTest(
  'without a manifest nothing of the log is lost, whatever segments lie about that are not needed any more',
  40,
  async (random, seed) => {
    const env = createMemoryEnv({ seed });
    const options = { directory: DIRECTORY, keyspaces, wal: 'sync', memtableBytes: 4096 } as const;
    const engine = await openEngine({ env, ...options });
    const until = random.between(100, 700);
    env.fs.onOperation = ({ mutation }) => (mutation === until ? 'crash' : undefined);
    let acknowledged = 0;
    await assert.rejects(async () => {
      for (;;) {
        const batch = engine.batch();
        batch.put(engine.keyspace('meta'), utf8(`k${acknowledged}`), new Uint8Array(random.below(1000)));
        await engine.write(batch);
        acknowledged++;
      }
    });
    const fs = env.fs.crash('kept', random);
    await fs.removeFile(`${DIRECTORY}/manifest`);
    const segments = (await fs.readDirectory(DIRECTORY)).filter((name) => name.endsWith('.wal')).join();
    const report = await repair(fs, { keyspaces });
    assert.equal(report.lostLogBytes, 0, segments);
    const repaired = await openEngine({ env: createMemoryEnv({ seed, fs }), ...options });
    const there = repaired.keyspace('meta').count();
    assert.ok(there >= acknowledged, `${there} of ${acknowledged} writes are there, of ${segments}`);
    await repaired.close();
  },
);

/** A store whose first segment is a spare, on a disk that stopped before the header that makes it the next segment was synced. */
async function stoppedAtSpare(seed: number): Promise<{ fs: MemoryFileSystem; acknowledged: number }> {
  const env = createMemoryEnv({ seed });
  const engine = await openEngine({ env, directory: DIRECTORY, keyspaces, wal: 'sync', memtableBytes: 4096 });
  let opened: string | undefined;
  env.fs.onOperation = ({ kind, path }) => {
    if (!path.endsWith('.wal')) return undefined;
    if (kind === 'open') opened = firstSegment(env.fs) === path ? path : undefined;
    return kind === 'sync' && path === opened ? 'crash' : undefined;
  };
  let acknowledged = 0;
  await assert.rejects(async () => {
    for (; ; acknowledged++) {
      const batch = engine.batch();
      batch.put(engine.keyspace('meta'), utf8(`k${acknowledged}`), new Uint8Array(500));
      await engine.write(batch);
    }
  });
  return { fs: env.fs, acknowledged };
}

function firstSegment(fs: MemoryFileSystem): string | undefined {
  return fs
    .files()
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.wal'))
    .sort()[0];
}

test('a spare segment whose new header a crash tore costs nothing, without a manifest', async () => {
  let torn = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const { fs: stopped, acknowledged } = await stoppedAtSpare(seed);
    const fs = stopped.crash('torn', seededRandom(seed));
    await fs.removeFile(`${DIRECTORY}/manifest`);
    const [spare, next] = [...(await filesOf(fs))].filter(([name]) => name.endsWith('.wal')) as [
      [string, Uint8Array],
      [string, Uint8Array],
    ];
    if (parseInt(next[0], 10) !== parseInt(spare[0], 10) + 1) continue;
    if (isDamaged(spare[1])) torn++;
    assert.equal((await repair(fs, { keyspaces })).lostLogBytes, 0, `seed ${seed}`);
    const repaired = await openEngine({ env: createMemoryEnv({ seed, fs }), ...storeOptions });
    assert.ok(repaired.keyspace('meta').count() >= acknowledged, `seed ${seed}`);
    await repaired.close();
  }
  assert.ok(torn >= 5, `${torn} headers were torn`);
});

/** Whether the header of a segment is neither the one that was nor the one that was to be. */
function isDamaged(segment: Uint8Array): boolean {
  return salvageHeadless(segment, WAL_KIND, new Uint8Array(8)) !== undefined;
}

test('a header that is damaged costs the first segment nothing while its records can be read', async () => {
  const store = await makeStore();
  const [name, bytes] = [...(await filesOf(store()))].find(([each]) => each.endsWith('.wal')) as [string, Uint8Array];
  for (let at = 0; at < 28; at++) {
    const fs = store();
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] as number) ^ 0x40;
    await replace(fs, name, damaged);
    const { faults, lostLogBytes } = await repair(fs);
    assert.equal(faults.length, 1);
    // The salt lies there: without it the records are only bytes.
    if (at >= 12 && at < 16) assert.equal(lostLogBytes, bytes.length, `byte ${at}`);
    else {
      assert.equal(lostLogBytes, 0, `byte ${at}`);
      await assertWhole(fs);
    }
  }
});
