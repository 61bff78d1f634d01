import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createProgram } from './program.ts';
import { FakeHost } from './testing/fake-host.ts';
import { withCurrentParts } from './testing/flag-tables.ts';

const page = new URL('../../../docs/commands.md', import.meta.url);

test('docs/commands.md has the flags as they are (rewrite them with UPDATE_DOCS=1)', async () => {
  const text = await readFile(page, 'utf8');
  const current = withCurrentParts(text);
  if (process.env['UPDATE_DOCS']) await writeFile(page, current);
  else assert.equal(text, current);
});

test('docs/commands.md names every command and every flag of the client commands', async () => {
  const text = await readFile(page, 'utf8');
  const program = createProgram(new FakeHost());
  const commands = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]));
  for (const command of commands) {
    const words = command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`;
    assert.ok(text.includes(`distrokv ${words}`), `distrokv ${words} is missing`);
    if (words === 'server') continue;
    for (const option of command.options) assert.ok(text.includes(option.long ?? ''), `${words} ${option.long} is missing`);
  }
});
