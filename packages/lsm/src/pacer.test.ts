import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryEnv } from '@distrokv/env';
import { Pacer } from './pacer.ts';

test('what is spent takes its time, and idle time is not saved up', async () => {
  const env = createMemoryEnv({ seed: 1 });
  const pacer = new Pacer(env, 1000);
  let spent = 0;
  const spend = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      await pacer.spend(100);
      spent += 100;
    }
  };
  await env.time.advance(60_000);
  const spending = spend();
  await env.time.advance(450);
  assert.equal(spent, 400);
  await env.time.advance(600);
  await spending;
  assert.equal(spent, 1000);
});
