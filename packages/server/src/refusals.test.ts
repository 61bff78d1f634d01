// What the log says of connections that were turned away, and how seldom.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogFields, SimulatedTime, createMemoryEnv, silentLogger } from '@distrokv/env';
import { Refusals } from './refusals.ts';

function refusals(): { time: SimulatedTime; lines: LogFields[]; refused: Refusals } {
  const time = new SimulatedTime();
  const lines: LogFields[] = [];
  const logger = { ...silentLogger, warn: (_message: string, fields: LogFields = {}) => void lines.push(fields) };
  return { time, lines, refused: new Refusals(createMemoryEnv({ seed: 1, time }), logger, 'clients') };
}

test('a reason is told once a minute for each address, with how often it was met since', async () => {
  const { time, lines, refused } = refusals();
  for (let i = 0; i < 100; i++) refused.add(`10.0.0.1:${1000 + i}`, `TLS: no certificate for stream ${i}`);
  refused.add('10.0.0.2:1', 'TLS: no certificate for stream 1');
  refused.add('10.0.0.1:1', 'another reason');
  assert.deepEqual(lines, [
    { port: 'clients', from: '10.0.0.1:1000', reason: 'TLS: no certificate for stream 0' },
    { port: 'clients', from: '10.0.0.2:1', reason: 'TLS: no certificate for stream 1' },
    { port: 'clients', from: '10.0.0.1:1', reason: 'another reason' },
  ]);
  await time.advance(60_000);
  refused.add('10.0.0.1:7', 'TLS: no certificate for stream 7');
  assert.deepEqual(lines[3], { port: 'clients', from: '10.0.0.1:7', reason: 'TLS: no certificate for stream 7', more_since: 99 });
});

test('who has many addresses fills no log', async () => {
  const { time, lines, refused } = refusals();
  for (let i = 0; i < 10_000; i++) refused.add(`[2001:db8::${i.toString(16)}]:1`, 'TLS: no');
  assert.equal(lines.length, 100);
  await time.advance(60_000);
  for (let i = 0; i < 10_000; i++) refused.add(`[2001:db8::${i.toString(16)}]:1`, 'TLS: no');
  assert.equal(lines.length, 200);
});
