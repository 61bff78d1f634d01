// The scripts in testdata/; see testing/script.ts. UPDATE_GOLDEN=1 writes them anew: read the difference before you commit it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runScript } from './testing/script.ts';

const directory = new URL('../testdata/', import.meta.url);

for (const name of readdirSync(directory).filter((file) => file.endsWith('.txt'))) {
  test(`script ${name}`, () => {
    const file = new URL(name, directory);
    const text = readFileSync(file, 'utf8');
    const actual = runScript(text);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, actual);
    else assert.equal(actual, text);
  });
}
