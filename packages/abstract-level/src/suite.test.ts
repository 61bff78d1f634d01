// abstract-level's own test suite, whole, on a disk in memory (most of its hundreds of databases live for one assertion). It is written for tape; each assertion that fails fails here.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createMemoryEnv } from '@distrokv/env';
import { DistroLevel } from './index.ts';

/** What tape's stream says of each assertion. */
interface Row {
  readonly type: string;
  readonly name?: string;
  readonly ok?: boolean;
  readonly skip?: boolean | string;
}

interface Harness {
  createStream(options: { objectMode: true }): {
    on(event: 'data', listener: (row: Row) => void): void;
    on(event: 'end', listener: () => void): void;
  };
}

const load = createRequire(import.meta.url);
const { createHarness } = load('tape') as { createHarness: (options: { autoclose: boolean }) => Harness };
const suite = load('abstract-level/test') as (options: { test: Harness; factory: (options?: object) => DistroLevel }) => void;

test("abstract-level's suite passes whole", async (t) => {
  const harness = createHarness({ autoclose: true });
  const rows = harness.createStream({ objectMode: true });
  let databases = 0;
  const env = createMemoryEnv({ seed: 1 });
  suite({ test: harness, factory: (options) => new DistroLevel(`/${databases++}`, { env, memtableBytes: 64 << 10, ...options }) });
  const failed: string[] = [];
  let passed = 0;
  let within = '';
  rows.on('data', ({ type, name = '', ok, skip }) => {
    if (type === 'test') within = name;
    else if (type === 'assert' && ok === true && !skip) passed++;
    else if (type === 'assert') failed.push(`${within}: ${name}`);
  });
  await new Promise<void>((resolve) => rows.on('end', resolve));
  assert.deepEqual(failed, []);
  t.diagnostic(`${passed} assertions on ${databases} databases`);
  assert.ok(passed > 1000, `${passed} assertions`);
});
