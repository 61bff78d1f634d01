// docs/scenarios.md names a test for each accident of others: here is whether these tests exist.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from './support/cluster.ts';

const SCENARIOS = 39;
const ROW = /^\| (\d+) +\| .+? +\| \[([^\]]+)\]\(\.\.\/\2\) +\| (.+?) +\|$/;

test('every scenario has a test, which is where the page says', () => {
  const lines = readFileSync(join(repository, 'docs/scenarios.md'), 'utf8').split('\n');
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

/** With `test`, or with a helper of that name; what comes after `name` in the title is left out in the page. */
function beginsATest(code: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => new RegExp(`[tT]est\\(\\s*${quote}${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(code));
}
