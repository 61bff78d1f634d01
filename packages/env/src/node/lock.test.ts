// The lock between processes, with real ones.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rejectsWith } from '../testing/contract.ts';
import { createNodeEnv } from './env.ts';
import { ownIdentity } from './process-identity.ts';

const holderProgram = fileURLToPath(new URL('../testing/lock-holder.js', import.meta.url));
const { fs } = createNodeEnv();
const onLinux = { skip: process.platform === 'linux' ? false : 'only Linux tells when a process started' };

async function lockPath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'distrokv-lock-'));
  t.after(() => rm(directory, { recursive: true }));
  return `${directory}/LOCK`;
}

async function startHolder(t: TestContext, path: string): Promise<ChildProcess> {
  const holder = fork(holderProgram, [path]);
  t.after(() => holder.kill('SIGKILL'));
  await once(holder, 'message');
  return holder;
}

/** Plants the claim of some other process, as `takeLock` would write it. */
async function plantClaim(path: string, claim: Partial<Awaited<ReturnType<typeof ownIdentity>>>): Promise<string> {
  const { pid, start, boot, namespace } = { ...(await ownIdentity()), ...claim };
  await mkdir(path, { recursive: true });
  const file = `${path}/${pid}.${start}.${boot}.${namespace}.00ff`;
  await writeFile(file, '');
  return file;
}

test('a living holder is named, a killed one is succeeded', async (t) => {
  const path = await lockPath(t);
  const holder = await startHolder(t, path);
  await rejectsWith(fs.lock(path), 'locked', path);
  await assert.rejects(fs.lock(path), (error) => {
    assert.ok(error instanceof Error && error.message.includes(`is locked by process ${holder.pid} `), String(error));
    return true;
  });
  const exited = once(holder, 'exit');
  holder.kill('SIGKILL');
  await exited;
  const lock = await fs.lock(path);
  assert.equal((await readdir(path)).length, 1, 'the claim of the dead is gone');
  await lock.release();
  assert.deepEqual(await readdir(path), []);
});

test('a stopped process still holds its lock', onLinux, async (t) => {
  const path = await lockPath(t);
  const holder = await startHolder(t, path);
  holder.kill('SIGSTOP');
  await rejectsWith(fs.lock(path), 'locked', path);
});

test('a pid that was given out again is no holder: not a later process, not this one, not one of another boot', onLinux, async (t) => {
  const path = await lockPath(t);
  for (const claim of [{ start: '1' }, { pid: process.ppid, start: '1' }, { pid: 2 ** 22 + 1 }, { boot: 'another-boot' }]) {
    await plantClaim(path, claim);
    await (await fs.lock(path)).release();
    assert.deepEqual(await readdir(path), [], JSON.stringify(claim));
  }
});

test('where no start is told, a claim with our own pid is ours only if we made it', async (t) => {
  const path = await lockPath(t);
  const own = await ownIdentity();
  await plantClaim(path, { start: '' });
  await (await fs.lock(path)).release();
  await plantClaim(path, { start: '', pid: process.ppid });
  await rejectsWith(fs.lock(path), 'locked', path);
  assert.equal(own.pid, process.pid);
});

test('a claim from another container counts while it is fresh', async (t) => {
  const path = await lockPath(t);
  const file = await plantClaim(path, { namespace: '1', pid: 7 });
  await assert.rejects(fs.lock(path), { code: 'locked', message: /by process 7 of another container/ });
  const old = new Date(Date.now() - 60_000);
  await utimes(file, old, old);
  await (await fs.lock(path)).release();
});

test('a file that is no claim is left alone', async (t) => {
  const path = await lockPath(t);
  await mkdir(path);
  await writeFile(`${path}/README`, 'hello');
  await (await fs.lock(path)).release();
  assert.deepEqual(await readdir(path), ['README']);
});
