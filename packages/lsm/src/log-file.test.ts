import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, fromUtf8, utf8 } from '@distrokv/base';
import { type MemoryEnv, createMemoryEnv } from '@distrokv/env';
import { LsmError } from './errors.ts';
import { HEADER_BYTES, LogWriter, RECORD_HEADER_BYTES, readLog } from './log-file.ts';
import { seededTest } from './testing/seeds.ts';

const kind = { magic: 'TESTLOGS', format: 1 };

function record(text: string): Uint8Array {
  return concatBytes([new Uint8Array(RECORD_HEADER_BYTES), utf8(text)]);
}

/** A log of these records, synced after those whose text ends in '!'. */
async function write(texts: readonly string[], seed = 1): Promise<{ env: MemoryEnv; bytes: Uint8Array; log: LogWriter }> {
  const env = createMemoryEnv({ seed });
  const file = await env.fs.open('log', 'create');
  const log = await LogWriter.create(env, file, kind, new Uint8Array(8));
  for (const text of texts) {
    log.append(record(text));
    if (text.endsWith('!')) await log.sync();
  }
  return { env, log, bytes: await env.fs.readFile('log', 1 << 20) };
}

function read(bytes: Uint8Array): string[] | undefined {
  return readLog(bytes, kind, 'log')?.records.map(fromUtf8);
}

test('records come back in order', async () => {
  const { bytes } = await write(['a!', 'bb!', 'ccc']);
  assert.deepEqual(read(bytes), ['a!', 'bb!', 'ccc']);
});

test('a file cut off anywhere keeps its whole records', async () => {
  const texts = ['one!', 'two!', 'three'];
  const { bytes } = await write(texts);
  for (let length = 0; length <= bytes.length; length++) {
    let whole = 0;
    for (let end = HEADER_BYTES; ; whole++) {
      end += RECORD_HEADER_BYTES + (texts[whole]?.length ?? Infinity);
      if (end > length) break;
    }
    assert.deepEqual(read(bytes.subarray(0, length)), length < HEADER_BYTES ? undefined : texts.slice(0, whole), `${length} bytes`);
  }
});

seededTest('damage to what a later record proves to have been synced is reported, any other is a torn tail', 20, async (random, seed) => {
  const { bytes } = await write(['first!', 'second', 'third!', 'fourth', 'fifth'], seed);
  // 'fourth' and 'fifth' say that the file was synced up to the end of 'third!'.
  const provenEnd = HEADER_BYTES + 3 * RECORD_HEADER_BYTES + 'first!secondthird!'.length;
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] as number) ^ (1 + random.below(255));
    if (at < provenEnd) assert.throws(() => read(damaged), { code: 'corrupt' }, `byte ${at}`);
    else
      assert.ok(
        ['first!', 'second', 'third!'].every((text, i) => read(damaged)?.[i] === text),
        `byte ${at}`,
      );
  }
});

test('the mark that closing leaves proves all that was written', async () => {
  const { env, log } = await write(['only one!']);
  await log.close();
  const bytes = await env.fs.readFile('log', 1 << 20);
  assert.deepEqual(read(bytes), ['only one!']);
  bytes[HEADER_BYTES + RECORD_HEADER_BYTES] = 0;
  assert.throws(() => read(bytes), { code: 'corrupt' });
});

test('bytes that look like a record of another file are no proof', async () => {
  const other = await write(['aaaa!', 'bbbb!', 'cccc!'], 2);
  const { bytes } = await write([`${'x'.repeat(100)}`], 1);
  // A torn record whose payload is a piece of another log.
  bytes.set(other.bytes.subarray(HEADER_BYTES, HEADER_BYTES + 60), HEADER_BYTES + RECORD_HEADER_BYTES);
  assert.deepEqual(read(bytes), []);
});

test('a record with a length beyond the file is a torn tail, not a giant', async () => {
  const { bytes } = await write(['a!', 'b!']);
  assert.deepEqual(read(bytes.subarray(0, bytes.length - 1)), ['a!']);
});

test('a header of another format is told from damage', async () => {
  for (const format of [0, 2]) {
    const env = createMemoryEnv({ seed: 1 });
    await LogWriter.create(env, await env.fs.open('log', 'create'), { ...kind, format }, new Uint8Array(8));
    const bytes = await env.fs.readFile('log', 1 << 20);
    assert.throws(
      () => read(bytes),
      (error) =>
        error instanceof LsmError && error.code === 'newer-format' && /of format \d; this release reads format 1/.test(error.message),
    );
  }
});

test('zeros that make room are no records, and get into the way of none', async () => {
  const { env, log } = await write(['a!']);
  log.makeRoom(100);
  assert.equal(log.roomBytes, 100);
  assert.deepEqual(read(await env.fs.readFile('log', 1 << 20)), ['a!']);
  for (const text of ['bb', 'ccc']) log.append(record(text));
  assert.deepEqual(read(await env.fs.readFile('log', 1 << 20)), ['a!', 'bb', 'ccc']);
});

seededTest(
  'in a file that is used again, what earlier lives left is neither a record nor a proof, wherever a crash cuts',
  20,
  async (random, seed) => {
    const env = createMemoryEnv({ seed });
    const file = await env.fs.open('log', 'create');
    let salt: number | undefined;
    // The same texts at the same places, so that only the salts tell the lives apart; each life is shorter than the one before.
    const texts = Array.from({ length: 12 }, (_, i) => `${'x'.repeat(random.below(40))}${i}!`);
    for (let life = 0; life < 4; life++) {
      const before = file.size() > 0 ? await env.fs.readFile('log', 1 << 20) : new Uint8Array(0);
      const log = await LogWriter.create(env, file, kind, new Uint8Array(8), salt);
      salt = log.salt;
      assert.deepEqual(read(await env.fs.readFile('log', 1 << 20)), []);
      const count = texts.length - life * 3;
      for (const text of texts.slice(0, count)) {
        log.append(record(text));
        await log.sync();
      }
      const after = await env.fs.readFile('log', 1 << 20);
      assert.deepEqual(read(after), texts.slice(0, count));
      if (life === 0) continue;
      // A crash may have taken any end of what was written last, in sectors or bytes.
      for (let at = HEADER_BYTES; at <= log.byteLength; at++) {
        const torn = concatBytes([after.subarray(0, at), before.subarray(at)]);
        const whole = read(torn);
        assert.deepEqual(whole, texts.slice(0, whole?.length), `cut at ${at}`);
      }
    }
  },
);
