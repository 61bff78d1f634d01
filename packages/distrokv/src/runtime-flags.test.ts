import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { SERVER_FLAGS, execve, missingFlags } from './runtime-flags.ts';

const [pool, oldSpace, young] = SERVER_FLAGS as readonly [string, string, string];

test('flags that were set by whoever started the process stay as they are', () => {
  assert.deepEqual(missingFlags([]), SERVER_FLAGS);
  assert.deepEqual(missingFlags(['--inspect', '--v8-pool-size=4']), [oldSpace, young]);
  assert.deepEqual(missingFlags(['--v8_pool_size=4', ...SERVER_FLAGS]), []);
});

/** Runs a module's text, which finds its arguments behind it. */
function run(code: string, flags: readonly string[], env: Readonly<Record<string, string>> = {}): { output: string; errors: string } {
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', code, 'one', 'two words'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    input: 'input',
  });
  return { output: stdout, errors: stderr };
}

test('a process begins anew with the flags, its arguments and its input, and V8 knows them', () => {
  const code = `
    import { readFileSync } from 'node:fs';
    import { beginAnew } from ${JSON.stringify(new URL('./runtime-flags.js', import.meta.url).href)};
    beginAnew();
    console.log(JSON.stringify([process.execArgv.filter((flag) => /^--.*size/.test(flag)), process.argv.slice(-2), readFileSync(0, 'utf8')]));`;
  const args = ['one', 'two words'];
  const canBegin = execve !== undefined;
  assert.deepEqual(run(code, []), { output: `${JSON.stringify([canBegin ? SERVER_FLAGS : [], args, 'input'])}\n`, errors: '' });
  // As members of a cluster are started.
  assert.deepEqual(run(code, SERVER_FLAGS), { output: `${JSON.stringify([SERVER_FLAGS, args, 'input'])}\n`, errors: '' });
  const set = { NODE_OPTIONS: '--v8-pool-size=2' };
  assert.equal(run(code, [], set).output, `${JSON.stringify([canBegin ? [oldSpace, young] : [], args, 'input'])}\n`, pool);
});
