// A Host made of strings: what a command reads is given, what it says is kept.
import { concatBytes, fromUtf8, utf8 } from '@distrokv/base';
import type { Host, Output, StopListener } from '../host.ts';

export interface FakeHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; without it, a terminal at which nobody types. */
  readonly stdin?: string | Uint8Array;
  readonly terminal?: boolean;
}

export class FakeHost implements Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Host['stdin'];
  readonly env: Host['env'];
  readonly notified: string[] = [];
  /** Asks the command to stop, as a signal would. */
  requestStop: StopListener = () => {};
  readonly #out: Uint8Array[] = [];
  readonly #err: Uint8Array[] = [];
  readonly #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  constructor(options: FakeHostOptions = {}) {
    const { stdin, terminal = false } = options;
    const drain = async (): Promise<void> => {};
    this.stdout = { isTerminal: terminal, write: (data) => this.#take(this.#out, data), drain };
    this.stderr = { isTerminal: terminal, write: (data) => this.#take(this.#err, data), drain };
    this.stdin = {
      isTerminal: stdin === undefined,
      lines: () => linesOf(typeof stdin === 'string' ? stdin : ''),
      readAll: async () => (typeof stdin === 'string' ? utf8(stdin) : (stdin ?? new Uint8Array(0))),
    };
    this.env = options.env ?? {};
  }

  becomeServer(): void {}

  onStopRequest(listener: StopListener): void {
    this.requestStop = listener;
  }

  /** What was run, and with which variables; each ends with `exitCode`. */
  readonly ran: { readonly program: readonly string[]; readonly variables: Readonly<Record<string, string>> }[] = [];
  exitCode = 0;

  async run(program: readonly [string, ...string[]], variables: Readonly<Record<string, string>>): Promise<number> {
    this.ran.push({ program, variables });
    return this.exitCode;
  }

  notifyParent(message: 'ready'): void {
    this.notified.push(message);
  }

  nowMs(): number {
    return 0;
  }

  get out(): string {
    return fromUtf8(this.outBytes);
  }

  get outBytes(): Uint8Array {
    return concatBytes(this.#out);
  }

  get err(): string {
    return fromUtf8(concatBytes(this.#err));
  }

  /** Resolves once standard output holds `text`. */
  async saw(text: string): Promise<void> {
    if (this.out.includes(text)) return;
    await new Promise<void>((resolve) => this.#waiting.push({ text, resolve }));
  }

  #take(into: Uint8Array[], data: string | Uint8Array): void {
    into.push(typeof data === 'string' ? utf8(data) : data);
    for (const { text, resolve } of this.#waiting) if (this.out.includes(text)) resolve();
  }
}

async function* linesOf(text: string): AsyncGenerator<string> {
  for (const line of text.split('\n')) yield line;
}
