// The example of the README runs as it stands there, and what it says comes out.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the example of the README does what it says', async (t) => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/^```ts\n([^`]*)^```/gm)].map(([, block]) => block as string);
  assert.equal(blocks.length, 1);
  // Beside what was compiled, from where the packages are found.
  const directory = mkdtempSync(fileURLToPath(new URL('./readme-', import.meta.url)));
  t.after(() => rmSync(directory, { recursive: true }));
  const code = (blocks[0] as string)
    .replaceAll(/^(.*); \/\/ => (.*)$/gm, 'same($1, $2);')
    .replace('console.log(key, value)', 'rows.push([key, value])')
    .replace('<string, object>', '')
    .replace("'./data'", JSON.stringify(join(directory, 'data')));
  const module = join(directory, 'readme.mjs');
  const prelude = `import assert from 'node:assert/strict';\nexport const rows = [];\nexport let checks = 0;
const same = (value, expected) => { checks++; assert.deepEqual(value, expected); };\n`;
  writeFileSync(module, prelude + code);
  const { rows, checks } = (await import(module)) as { rows: unknown[]; checks: number };
  assert.equal(checks, 2);
  assert.deepEqual(rows, []);
});
