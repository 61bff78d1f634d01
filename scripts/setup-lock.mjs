// `npm start` and `npm test` may run at once: only one of them installs and builds, the other waits.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './processes.mjs';

const POLL_MS = 100;

export async function withSetupLock(root, work) {
  const lock = `${root}/.cache/setup.lock`;
  const mine = `${root}/.cache/setup.${process.pid}`;
  rmSync(mine, { recursive: true, force: true });
  mkdirSync(mine, { recursive: true });
  writeFileSync(`${mine}/pid`, String(process.pid));
  const release = () => {
    if (holderOf(lock) === process.pid) rmSync(lock, { recursive: true, force: true });
    rmSync(mine, { recursive: true, force: true });
  };
  process.on('exit', release);
  try {
    for (let told = false; !take(lock, mine); await sleep(POLL_MS)) {
      if (!told) say('another command installs or builds here; waiting for it');
      told = true;
    }
    await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/**
 * True if the lock is ours now. A directory moves over another only if that is empty or not there, so one wins. The lock of a process
 * that was killed is removed; should two waiters do so at the same moment, both may build, which is slow but harms nothing.
 */
function take(lock, mine) {
  const holder = holderOf(lock);
  if (holder !== undefined && !isAlive(holder)) rmSync(lock, { recursive: true, force: true });
  try {
    renameSync(mine, lock);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) return false;
    throw error;
  }
}

function holderOf(lock) {
  try {
    return Number(readFileSync(`${lock}/pid`, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
