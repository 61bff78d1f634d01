// The examples of the README run as they stand there, one behind the other, and what they say comes out.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** A line `expression; // => value` says what the expression is, bytes being text. */
function asserting(line: string): string {
  const match = /^(\s*)(.*); \/\/ => (.*)$/.exec(line);
  if (match === null) return line;
  const [, indent, expression, value] = match;
  return `${indent}same(await (${expression}), ${value}, ${JSON.stringify(expression)});`;
}

const PRELUDE = `
import assert from 'node:assert/strict';
let checks = 0;
const plain = (value) => value instanceof Uint8Array ? new TextDecoder().decode(value) : Array.isArray(value) ? value.map(plain) : value;
const same = (value, expected, what) => { checks++; assert.deepEqual(plain(value), expected, what); };
`;

test('the examples of the README do what they say', async (t) => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/^```ts\n([^`]*(?:`[^`\n]*`[^`]*)*)^```/gm)].map(([, block]) => block as string);
  assert.equal(blocks.length, [...readme.matchAll(/^```ts/gm)].length, 'all of them');
  // Beside what was compiled, from where the packages are found; and with its directory as the current one.
  const directory = mkdtempSync(fileURLToPath(new URL('./readme-', import.meta.url)));
  t.after(() => rmSync(directory, { recursive: true }));
  const code = blocks
    .join('\n')
    .split('\n')
    .map(asserting)
    .join('\n')
    // The only types that they have.
    .replaceAll(/\((\w+): string\): Uint8Array/g, '($1)')
    .replaceAll(/'(\w+\.db)/g, `'${directory}/$1`);
  const module = join(directory, 'readme.mjs');
  writeFileSync(module, `${PRELUDE}${code}\nexport { checks };\n`);
  const { checks } = (await import(module)) as { checks: number };
  assert.ok(checks >= 15, `${checks} results were compared`);
});
