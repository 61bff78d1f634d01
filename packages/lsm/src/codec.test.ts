// Every codec: blocks come back, hostile bytes are refused within bounds, and tables of one codec are read under any other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_VARINT_BYTES, concatBytes, seededRandom, utf8, writeVarint } from '@distrokv/base';
import { createMemoryEnv } from '@distrokv/env';
import { CODEC_NONE, isAvailable, squeeze, unsqueeze } from './codec.ts';
import type { Codec } from './engine.ts';
import { LsmError } from './errors.ts';
import { openEngine } from './open.ts';
import { Model, assertEqual, keyspaces, randomOperations, writeTo } from './testing/model.ts';
import { seededTest } from './testing/seeds.ts';

const codecs = (['none', 'lz4', 'deflate', 'zstd'] as const).filter(isAvailable);

const wordy = (words: number): Uint8Array =>
  utf8(Array.from({ length: words }, (_, i) => ['alpha', 'beta', 'gamma'][(i * i) % 3]).join(' '));

test('a payload comes back, and one that does not shrink is left alone', () => {
  const random = seededRandom(1);
  for (const codec of codecs) {
    for (const payload of [wordy(500), wordy(40_000), random.bytes(4096), Uint8Array.of(1, 2, 3, 4)]) {
      const { codec: byte, bytes } = squeeze(codec, payload);
      assert.deepEqual(unsqueeze(byte, bytes.slice(), 'file', 0), payload);
      assert.ok(byte === CODEC_NONE ? bytes === payload : bytes.length < payload.length);
      if (payload.length > 2500 && payload[0] === 0x61) assert.equal(byte, codecs.indexOf(codec), `${codec} shrinks words`);
    }
  }
});

seededTest('bytes that are no block are refused, and none unpacks to more than it says', 300, (random) => {
  for (const codec of codecs.filter((each) => each !== 'none')) {
    const { codec: byte, bytes } = squeeze(codec, wordy(300));
    const damaged = random.chance(0.3) ? random.bytes(random.below(60)) : bytes.slice(0, random.between(1, bytes.length));
    for (let i = random.below(4); i > 0 && damaged.length > 0; i--) damaged[random.below(damaged.length)] = random.below(256);
    try {
      assert.ok(unsqueeze(byte, damaged, 'file', 7).length < 1 << 20);
    } catch (error) {
      assert.ok(error instanceof LsmError && error.code === 'corrupt' && error.message.startsWith('file is corrupt at byte 7'));
    }
  }
});

test('a length that lies is found out before memory is spent, and a bomb is cut short', () => {
  for (const codec of codecs.filter((each) => each !== 'none')) {
    const payload = new Uint8Array(1 << 20);
    const { codec: byte, bytes } = squeeze(codec, payload);
    for (const length of [0, 1, payload.length - 1, payload.length + 1, 2 ** 40]) {
      const prefix = new Uint8Array(MAX_VARINT_BYTES);
      const lying = concatBytes([prefix.subarray(0, writeVarint(prefix, 0, length)), bytes.subarray(3)]);
      assert.throws(() => unsqueeze(byte, lying, 'file', 0), { code: 'corrupt' }, `${codec}, ${length}`);
    }
  }
});

test('a codec that is not known is one of a later release', () => {
  assert.throws(() => unsqueeze(9, Uint8Array.of(1), 'file', 0), { code: 'newer-format' });
});

test('levels have codecs of their own, and tables of all of them are read', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const model = new Model();
  const sizes = new Map<Codec, number>();
  let version = 0;
  for (const codec of codecs) {
    const options = { env, directory: '/db', keyspaces, wal: 'none', memtableBytes: 16 << 10, mergeFanIn: 1 } as const;
    const engine = await openEngine({ ...options, codecs: ['none', codec] });
    for (const end = version + 60; version < end;) {
      const operations = randomOperations(seededRandom(++version), version, 400);
      model.apply(operations);
      writeTo(engine.unlogged(), engine, operations);
      await engine.unlogged().commit();
    }
    await engine.flush();
    await engine.settle();
    await assertEqual(engine, model, version, seededRandom(version));
    sizes.set(codec, engine.stats().tableBytes / version);
    await engine.close();
  }
  for (const codec of codecs) {
    if (codec !== 'none') assert.ok((sizes.get(codec) as number) < (sizes.get('none') as number) / 2, codec);
  }
  const bad = { env, directory: '/db', keyspaces, wal: 'none', codecs: [] } as const;
  await assert.rejects(openEngine(bad), { code: 'invalid' });
});
