// The host may do less than it was asked for: the engine on a real disk, whose calls read and write some bytes at a time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import type { EngineOptions } from './engine.ts';
import { openEngine } from './open.ts';
import { verifyStore } from './verify.ts';

const random = seededRandom(5);
const calls = { whole: 0, short: 0 };

/** The length that a call gets for the one it asked for. */
function shortened(length: number): number {
  const given = length <= 1 || random.chance(0.2) ? length : random.between(1, Math.min(length, 5000));
  calls[given < length ? 'short' : 'whole']++;
  return given;
}

type Call = (fd: number, bytes: Uint8Array, offset: number, length: number, position: number, ...rest: unknown[]) => unknown;

/** Before the host's file system is loaded: it keeps some of these. */
function shortenCalls(): void {
  const calls = fs as unknown as Record<string, Call>;
  for (const name of ['read', 'readSync', 'write', 'writeSync']) {
    const call = calls[name] as Call;
    calls[name] = (fd, bytes, offset, length, position, ...rest) => call(fd, bytes, offset, shortened(length), position, ...rest);
  }
}

test('calls that do less than they were asked for lose nothing and add nothing', async (t) => {
  shortenCalls();
  const { createNodeEnv } = await import('@distrokv/env');
  const directory = fs.mkdtempSync(join(tmpdir(), 'distrokv-short-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  const options: EngineOptions = {
    env: createNodeEnv(),
    directory,
    keyspaces: [{ name: 'data', versions: 'latest' }],
    wal: 'sync',
    memtableBytes: 64 << 10,
    blockCacheBytes: 0,
    mergeFanIn: 1,
    background: 'inline',
  };
  const valueOf = (i: number): Uint8Array => utf8(`${i}:`.padEnd(10 + ((i * 37) % 900), '.'));
  const keyOf = (i: number): Uint8Array => utf8(`k${(i * 7919) % 1009}`);
  let engine = await openEngine(options);
  for (let i = 0; i < 1000; i += 10) {
    const batch = engine.batch();
    for (let j = i; j < i + 10; j++) batch.put(engine.keyspace('data'), keyOf(j), valueOf(j));
    await engine.write(batch);
  }
  await engine.settle();
  for (const isAgain of [false, true]) {
    const data = engine.keyspace('data');
    for (let i = 0; i < 1000; i++) {
      const value = i % 2 === 0 ? data.getSync(keyOf(i)) : await data.get(keyOf(i));
      assert.deepEqual(value, valueOf(i), `key ${i}`);
    }
    assert.equal(data.count(), 1000);
    assert.ok(engine.stats().tables > 0);
    await engine.close();
    assert.deepEqual((await verifyStore(options.env, directory)).faults, []);
    if (!isAgain) engine = await openEngine(options);
  }
  assert.ok(calls.short > 1000, `${calls.short} short calls, ${calls.whole} whole ones`);
});
