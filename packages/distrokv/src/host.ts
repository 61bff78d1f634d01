// The process that a command runs in, as the command sees it: tests hand in one made of strings.

export interface Output {
  readonly isTerminal: boolean;
  /** Writes in order; a reader that has gone away ends a client command and is nothing to a server. */
  write(data: string | Uint8Array): void;
  /** For who writes much: resolves when the reader has taken most of it, and other events have had their turn. */
  drain(): Promise<void>;
}

export interface Input {
  readonly isTerminal: boolean;
  /** Everything until its end. Throws CommandError `usage` when there is more than `maxBytes`. */
  readAll(maxBytes: number): Promise<Uint8Array>;
  /** Line after line, without its end. */
  lines(): AsyncIterable<string>;
}

/** Somebody asks this process to stop, politely first. */
export type StopListener = (why: string) => void;

export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs for hours from here on: a reader of its output that goes away no longer ends it, and a thrown error that nobody caught goes to `onCrash`, once, before exit code 1. */
  becomeServer(onCrash: (error: unknown) => void): void;
  /** Calls `listener` for the first SIGINT or SIGTERM, or when the parent that holds the other end of the ipc channel is gone; a second signal ends the process at once. */
  onStopRequest(listener: StopListener): void;
  /** Runs a program with these variables beside its own, on the same standard streams; its exit code. Throws CommandError when it cannot be started. */
  run(program: readonly [string, ...string[]], variables: Readonly<Record<string, string>>): Promise<number>;
  /** Tells the parent process, if it listens. */
  notifyParent(message: 'ready'): void;
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number;
}

/** Colours only where they are seen: on a terminal, unless NO_COLOR says no (no-color.org) or FORCE_COLOR says yes. */
export function usesColour(output: Output, env: Host['env']): boolean {
  if (env['NO_COLOR']) return false;
  return output.isTerminal || Boolean(env['FORCE_COLOR']);
}
