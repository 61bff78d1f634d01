// `node scripts/run.mjs`: what it starts lives and ends with it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { freePorts, repository, temporaryDirectory } from './support/cluster.ts';

const door = join(repository, 'scripts/run.mjs');

interface Started {
  readonly child: ChildProcess;
  /** Everything that the command and the server behind it print; resolves when both are gone. */
  readonly output: Promise<string>;
}

/** `npm start` on free ports; resolves when the server is ready. */
async function start(t: TestContext): Promise<Started> {
  const [client, peer] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
  const directory = temporaryDirectory();
  const flags = [
    ...['--data-dir', join(directory, 'data'), '--initial-cluster', `default=${peer}`],
    ...['--listen-client-urls', `${client}`, '--advertise-client-urls', `${client}`],
    ...['--listen-peer-urls', `${peer}`, '--initial-advertise-peer-urls', `${peer}`],
  ];
  const child = spawn(process.execPath, [door, 'start', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  let text = '';
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (data: string) => {
        text += data;
        if (text.includes('ready to serve client requests')) resolve();
      });
    }
    child.once('exit', () => reject(new Error(`it ended before it was ready:\n${text}`)));
  });
  // The server has the other end of these pipes too: they end when the last of both processes does.
  const output = Promise.all([once(child.stdout, 'end'), once(child.stderr, 'end')]).then(() => text);
  await ready;
  return { child, output };
}

test('a signal reaches the server, and its end is passed on', async (t) => {
  const { child, output } = await start(t);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.match(await output, /stopped/);
});

test('the server stops when the command is killed with -9', async (t) => {
  const { child, output } = await start(t);
  child.kill('SIGKILL');
  assert.match(await output, /the parent process is gone[^]*stopped/);
});

test('the exit code is passed on; a command that is not there is an error that lists those that are', () => {
  const refused = spawnSync(process.execPath, [door, 'start', '--nonsense'], { encoding: 'utf8' });
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, /unknown option '--nonsense'/);
  const unknown = spawnSync(process.execPath, [door, 'sart'], { encoding: 'utf8' });
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /^error: there is no command "sart":\n {2}start /);
});

test('commands take turns to install and build, and are not held up by one that was killed', async (t) => {
  const root = temporaryDirectory();
  t.after(() => rmSync(root, { recursive: true }));
  const lock = join(root, '.cache/setup.lock');
  mkdirSync(lock, { recursive: true });
  writeFileSync(join(lock, 'pid'), String(2 ** 22 + 1));
  // Each goes on only when all have started, so that two would be seen inside at once if the lock let them.
  const program = `
    import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
    import { withSetupLock } from ${JSON.stringify(pathToFileURL(join(repository, 'scripts/setup-lock.mjs')))};
    const root = process.argv[1];
    writeFileSync(root + '/started.' + process.pid, '');
    await withSetupLock(root, async () => {
      appendFileSync(root + '/events', 'in ');
      while (readdirSync(root).filter((name) => name.startsWith('started.')).length < 3) await new Promise(setImmediate);
      appendFileSync(root + '/events', 'out ');
    });`;
  const commands = [1, 2, 3].map(() => spawn(process.execPath, ['--input-type=module', '-e', program, root], { stdio: 'inherit' }));
  for (const [code] of await Promise.all(commands.map((command) => once(command, 'exit')))) assert.equal(code, 0);
  assert.equal(readFileSync(join(root, 'events'), 'utf8'), 'in out '.repeat(3));
  assert.ok(!existsSync(lock));
});
