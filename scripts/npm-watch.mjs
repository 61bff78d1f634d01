// Notices that the npm which started us is gone. npm runs its scripts in a shell; ended by a signal, both can leave us behind: the
// shell passes no signal on, and nobody can when it is kill -9.
import { readFileSync } from 'node:fs';

const POLL_MS = 300;

/** Calls `gone` once, when npm or its shell has ended. Does nothing where npm did not start us: then a parent may go, as after `nohup`. */
export function whenNpmIsGone(gone) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const before = chain();
  const timer = setInterval(() => {
    if (chain() === before) return;
    clearInterval(timer);
    gone();
  }, POLL_MS);
  timer.unref();
}

/** Our parent, and, where the system tells that it is the shell between npm and us, its parent: npm. */
function chain() {
  const parent = process.ppid;
  try {
    const [, option] = readFileSync(`/proc/${parent}/cmdline`, 'utf8').split('\0');
    if (option !== '-c') return `${parent}`;
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8');
    return `${parent} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]}`;
  } catch {
    return `${parent}`;
  }
}
