// docs/scenarios.md names a test for each accident of others: here is whether these tests exist.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from './support/cluster.ts';

const SCENARIOS = 39;
const ROW = /^\| (\d+) +\| .+? +\| \[([^\]]+)\]\(\.\.\/\2\) +\| (.+?) +\|$/;

test('every scenario has a test, which is where the page says', () => {
  const [accidents = ''] = readFileSync(join(repository, 'docs/scenarios.md'), 'utf8').split('\n## What proves');
  const lines = accidents.split('\n');
  const rows = lines.filter((line) => /^\| +\d/.test(line)).map((line) => ROW.exec(line) ?? assert.fail(`not a row: ${line}`));
  const numbers = new Set(rows.map(([, number]) => Number(number)));
  assert.deepEqual(
    [...numbers],
    Array.from({ length: SCENARIOS }, (_, i) => i + 1),
  );
  for (const [, number, file = '', name = ''] of rows)
    assert.ok(
      beginsATest(readFileSync(join(repository, file), 'utf8'), name),
      `${number}: ${file} has no test that begins ${JSON.stringify(name)}`,
    );
});

const PLANTED = ['planted-bugs.ts', 'planted-api-bugs.ts'];
const PLANTED_ROW = /^\| (\w+) +\| (.+?) +\|$/;

test('every check of what watchers are given has a planted bug, and so have the scenarios that the simulator looks for', () => {
  const page = readFileSync(join(repository, 'docs/scenarios.md'), 'utf8');
  const section = page.slice(page.indexOf('## What proves'), page.indexOf('## Where a line'));
  const rows = section
    .split('\n')
    .flatMap((line) => (/^\| (\w+) +\| [^-]/.test(line) ? [PLANTED_ROW.exec(line) ?? assert.fail(line)] : []));
  const code = PLANTED.map((file) => readFileSync(join(repository, 'packages/sim/src/host', file), 'utf8')).join('');
  for (const [, what, name = ''] of rows.slice(1))
    assert.ok(code.includes(`name: '${name}'`), `${what}: no bug is planted that is called ${name}`);
  assert.deepEqual(
    rows.slice(1).map(([, what]) => what),
    [
      'filter',
      'ordered',
      'unique',
      'atomic',
      'reliable',
      'resumable',
      'bookmarkable',
      'isCreate',
      'prevKV',
      ...[31, 32, 33, 34, 35, 36, 37, 38, 39].map(String),
    ],
  );
});

/** With `test`, or with a helper of that name; what comes after `name` in the title is left out in the page. */
function beginsATest(code: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => new RegExp(`[tT]est\\(\\s*${quote}${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(code));
}
