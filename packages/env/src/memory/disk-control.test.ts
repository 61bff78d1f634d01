// What a simulator does to a disk from outside: calls that take time, bytes that rot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom, utf8 } from '@distrokv/base';
import { createMemoryEnv } from './env.ts';

test('a call that is delayed happens when the delay is over, and a sync covers what was written before it began', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const file = await env.fs.open('/f', 'create');
  await env.fs.syncDirectory('/');
  env.fs.delayBy((kind) => (kind === 'sync' ? env.timers.sleep(10) : undefined));
  file.writeSync(utf8('one'), 0);
  let isSynced = false;
  void file.sync().then(() => (isSynced = true));
  file.writeSync(utf8('two'), 3);
  await env.time.advance(9);
  assert.equal(isSynced, false);
  await env.time.advance(1);
  assert.equal(isSynced, true);
  const after = env.fs.crash('lost', seededRandom(1));
  assert.deepEqual(await after.readFile('/f', 100), utf8('one'));
});

test('damage at rest is there now and after a crash', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const file = await env.fs.open('/f', 'create');
  file.writeSync(utf8('abc'), 0);
  await file.sync();
  await env.fs.syncDirectory('/');
  assert.deepEqual(env.fs.files(), [{ path: '/f', bytes: 3 }]);
  env.fs.damage('/f', (bytes) => (bytes[1] = 0x78));
  assert.deepEqual(await env.fs.readFile('/f', 100), utf8('axc'));
  assert.deepEqual(await env.fs.crash('lost', seededRandom(1)).readFile('/f', 100), utf8('axc'));
});
