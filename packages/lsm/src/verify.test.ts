// Verifying finds every change of a byte that opening or reading would find, and changes nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { type MemoryFileSystem, createMemoryEnv } from '@distrokv/env';
import { CODEC_NONE } from './codec.ts';
import { RECORD_HEADER_BYTES } from './log-file.ts';
import { openEngine } from './open.ts';
import { FOOTER_BYTES, TRAILER_BYTES, decodeFooter, sealBlock } from './table-format.ts';
import { DIRECTORY, filesOf, makeStore, replace, storeOptions } from './testing/store.ts';
import { type VerifyOptions, type VerifyReport, verifyStore } from './verify.ts';

function verify(fs: MemoryFileSystem, options?: VerifyOptions): Promise<VerifyReport> {
  return verifyStore(createMemoryEnv({ seed: 1, fs }), DIRECTORY, options);
}

test('a sound store has no faults, and is left as it is', async () => {
  const fs = (await makeStore())();
  const before = fs.dump();
  let [done, total] = [0, 0];
  const report = await verify(fs, { onProgress: ({ doneBytes, totalBytes }) => ([done, total] = [doneBytes, totalBytes]) });
  assert.deepEqual(report.faults, []);
  assert.equal(report.tables, 2);
  assert.equal(report.segments, 1);
  assert.equal(total, report.tableBytes);
  assert.ok(done > 0 && done <= total);
  assert.equal(fs.dump(), before);
});

test('a byte that changed is found, in any file at any place', async () => {
  const store = await makeStore();
  const random = seededRandom(3);
  for (const [name, bytes] of await filesOf(store())) {
    const missed: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const fs = store();
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
      await replace(fs, name, damaged);
      const { faults } = await verify(fs);
      if (faults.length === 0) missed.push(at);
      for (const { file, offset, advice } of faults) {
        assert.equal(file, `${DIRECTORY}/${name}`, `byte ${at} of ${name}`);
        assert.ok(offset <= bytes.length && advice.length > 0);
      }
    }
    // The mark that closing left says nothing that is missed.
    assert.deepEqual(missed.length, name.endsWith('.sst') ? 0 : RECORD_HEADER_BYTES, name);
  }
});

test('several faults are found at once, each in its place', async () => {
  const fs = (await makeStore())();
  const files = await filesOf(fs);
  const [first, second] = [...files.keys()].filter((name) => name.endsWith('.sst')) as [string, string];
  const damaged = (files.get(first) as Uint8Array).slice();
  damaged[10] = 0xff;
  damaged[300] = 0xff;
  await replace(fs, first, damaged);
  await fs.removeFile(`${DIRECTORY}/${second}`);
  const { faults } = await verify(fs);
  assert.deepEqual(
    faults.map(({ file, what }) => `${file}: ${what}`),
    [
      `${DIRECTORY}/${first}: a block whose checksum does not match`,
      `${DIRECTORY}/${first}: a block whose checksum does not match`,
      `${DIRECTORY}/${second}: it is missing, though the manifest names it`,
    ],
  );
});

test('a filter that lies is found, though its checksum is right', async () => {
  const fs = (await makeStore())();
  const [name, bytes] = [...(await filesOf(fs))].find(([each]) => each.endsWith('.sst')) as [string, Uint8Array];
  const { dataBytes, indexBytes, filterBytes } = decodeFooter(bytes.subarray(bytes.length - FOOTER_BYTES), name, bytes.length);
  const filter = bytes.slice(dataBytes + indexBytes, dataBytes + indexBytes + filterBytes).fill(0);
  sealBlock(filter, filterBytes - TRAILER_BYTES, CODEC_NONE);
  const forged = bytes.slice();
  forged.set(filter, dataBytes + indexBytes);
  await replace(fs, name, forged);
  const { faults } = await verify(fs);
  assert.ok(faults.length > 0 && faults.every(({ what }) => what === 'an entry whose key the filter does not know'));
});

test('an engine that works is verified too, and a check can be stopped', async () => {
  const env = createMemoryEnv({ seed: 1, fs: (await makeStore())() });
  const engine = await openEngine({ env, ...storeOptions });
  assert.deepEqual((await engine.verify()).faults, []);
  const stopped = new AbortController();
  stopped.abort(new Error('enough'));
  await assert.rejects(engine.verify({ signal: stopped.signal }), /enough/);
  const batch = engine.batch();
  batch.put(engine.keyspace('meta'), utf8('k'), utf8('v'));
  const [name] = [...(await filesOf(env.fs)).keys()].filter((each) => each.endsWith('.sst'));
  const file = await env.fs.open(`${DIRECTORY}/${name}`, 'write');
  file.writeSync(Uint8Array.of(0xff), 20);
  const [{ faults }] = await Promise.all([engine.verify(), engine.write(batch)]);
  assert.deepEqual(
    faults.map((fault) => [fault.kind, fault.file, fault.offset]),
    [['corrupt', `${DIRECTORY}/${name}`, 0]],
  );
  await file.close();
  await engine.close();
});

test('a directory without a store is no sound one', async () => {
  const env = createMemoryEnv({ seed: 1 });
  await env.fs.makeDirectory(DIRECTORY);
  await assert.rejects(verifyStore(env, DIRECTORY), { code: 'invalid' });
});
