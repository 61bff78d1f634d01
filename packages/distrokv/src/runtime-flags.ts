// Settings of V8 for a server that take effect only where a process begins. So `distrokv server` begins anew with them, in its own place: the same
// process, with the same streams. A runtime that cannot (before Node 22.15, and on Windows) goes on without. Members of `distrokv cluster` are started with them.
//
// They are for what a member is: one busy event loop, in the first minutes of whose life the compiler wants as much of the machine as the requests do.
// It imports nothing, since all of it is for nothing where the process begins anew.

export const SERVER_FLAGS: readonly string[] = [
  // One thread for the compiler and the collector beside the loop, not four: the work is the same, but it does not take the processors from other members, clients, and the disk's threads.
  '--v8-pool-size=1',
  // MiB that the heap may grow to before V8 begins to adapt its limit to what lives: buffers that pass through count, too, and a young server collects for them all the time.
  '--initial-old-space-size=128',
  // MiB of the young generation from the start: what a request needs is dead before it is full. V8 begins with one, and doubles.
  '--min-semi-space-size=16',
];

/** Those that whoever started the process has not set himself. */
export function missingFlags(given: readonly string[]): readonly string[] {
  const names = new Set(given.map((flag) => nameOf(flag)));
  return SERVER_FLAGS.filter((flag) => !names.has(nameOf(flag)));
}

type Execve = (file: string, args: readonly string[], env: NodeJS.ProcessEnv) => never;

/** Of Node 22.15 and later: another program takes the place of this one, in the same process. */
export const execve: Execve | undefined = (process as { readonly execve?: Execve }).execve?.bind(process);

/** Begins the process anew with the flags that it lacks; returns if it lacks none, or where that cannot be done. */
export function beginAnew(): void {
  const { channel, execPath, execArgv, argv, env } = process;
  // The parent's channel would be closed.
  if (execve === undefined || (channel !== undefined && channel !== null)) return;
  const flags = missingFlags([...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)]);
  if (flags.length > 0) execve(execPath, [argv[0] ?? execPath, ...flags, ...execArgv, ...argv.slice(1)], env);
}

/** Of `--v8-pool-size=1` and `--v8_pool_size=1`: both are the same to V8. */
function nameOf(flag: string): string {
  return (flag.split('=')[0] ?? '').replaceAll('_', '-');
}
