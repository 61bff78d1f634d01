// Who a process is, beyond a number that the system gives out again: its pid, when it started, in which boot of the machine
// and in which container (pid namespace). Linux tells all four under /proc; elsewhere only the pid is known.
import { readFile, readdir, readlink } from 'node:fs/promises';
import { isErrno } from './errors.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to the start of the process; '' where the system does not say. */
  readonly start: string;
  /** The boot of this machine; '' where the system does not say. */
  readonly boot: string;
  /** The namespace in which `pid` means anything; '' where the system does not say. */
  readonly namespace: string;
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  const [stat, boot, namespace] = await Promise.all([
    processStat(process.pid),
    readFile('/proc/sys/kernel/random/boot_id', 'latin1').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ]);
  return { pid: process.pid, start: stat?.start ?? '', boot: boot.trim(), namespace: namespace.replace(/\D/g, '') };
}

/** Does a process of this machine's present boot and of our own namespace still run? */
export async function runs(other: ProcessIdentity): Promise<boolean> {
  if (other.start === '') return answersSignals(other.pid);
  const stat = await processStat(other.pid);
  if (stat === undefined || stat.start !== other.start) return false;
  if (stat.state !== 'Z' && stat.state !== 'X') return true;
  // Killed and not yet reaped by its parent: gone, unless one of its threads is still inside a system call.
  const threads = await readdir(`/proc/${other.pid}/task`).catch(() => []);
  return threads.length > 1;
}

/** The command line of a process, for a message; '' where it cannot be known. */
export async function commandOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const line = text.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

async function processStat(pid: number): Promise<{ state: string; start: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The second field, the name, stands in parentheses and may hold anything, so count from the last one (proc_pid_stat(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, start] = [fields[0], fields[19]];
  return state !== undefined && start !== undefined ? { state, start } : undefined;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return isErrno(thrown, 'EPERM'); // There is one, and it is somebody else's.
  }
}
