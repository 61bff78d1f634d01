// What only a process of its own can show of the real `Host`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';

/** Runs a module's text in a process with an ipc channel to this one; resolves with what it printed. */
function inChild(code: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve) => child.on('close', (status) => resolve(`${output}exit ${status}`)));
}

test('a parent that is gone is told nothing, and that is no failure', async () => {
  const host = new URL('./process-host.js', import.meta.url).href;
  const output = await inChild(`
    import { createProcessHost } from ${JSON.stringify(host)};
    const host = createProcessHost();
    process.disconnect();
    host.notifyParent('ready');
    setImmediate(() => console.log('survived'));
  `);
  assert.equal(output, 'survived\nexit 0');
});

test('V8 knows the flags that a server sets', async () => {
  const host = new URL('./process-host.js', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', `import { createProcessHost } from ${JSON.stringify(host)}; createProcessHost().becomeServer(() => {});`],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  // What it does not know it tells on standard output or standard error, and goes on.
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const status = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(said, '');
  assert.equal(status, 0);
});

test('who writes much waits for the reader, and ends when that goes away', async () => {
  const host = new URL('./process-host.js', import.meta.url).href;
  const writing = (chunks: number): string => `
    import { createProcessHost } from ${JSON.stringify(host)};
    const { stdout } = createProcessHost();
    let most = 0;
    for (let i = 0; i < ${chunks}; i++) {
      stdout.write('x'.repeat(1 << 18));
      await stdout.drain();
      most = Math.max(most, process.stdout.writableLength);
    }
    stdout.write(' ' + most + ' ');
  `;
  const [, most] = (await inChild(writing(40))).split(' ');
  assert.ok(Number(most) < 1 << 18, `${most} bytes wait behind a drain`);
  const child = spawn(process.execPath, ['--input-type=module', '-e', writing(1e9)], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => child.stdout.destroy());
  assert.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
});
