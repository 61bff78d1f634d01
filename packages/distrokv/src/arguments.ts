// Lets people type flags as Go's programs take them, etcd and etcdctl among them: `-name n1`, `-name=n1`, `--prefix=false`,
// `-w=json`. Rewrites them into the one form that commander reads; what it does not know it leaves as it is.
import type { Command, Option } from 'commander';
import { usage } from './errors.ts';

const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text): [string, boolean] => [text, true]),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text): [string, boolean] => [text, false]),
]);

/** Rewrites `argv` for `program`. Throws CommandError `usage` on a boolean that is none. */
export function normalizeArguments(argv: readonly string[], program: Command): string[] {
  const out: string[] = [];
  let command = program;
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i] as string;
    if (token === '--') return [...out, ...argv.slice(i)];
    const flag = readFlag(token, command);
    if (!flag) {
      command = command.commands.find((one) => one.name() === token) ?? command;
      out.push(token);
      continue;
    }
    const { option, name, value } = flag;
    if (option.isBoolean()) {
      if (value === undefined || isTrue(value, name)) out.push(name);
    } else if (option.optional) {
      out.push(`${name}=${value ?? 'true'}`);
    } else if (value === undefined) {
      // The next token is the value, whatever it looks like.
      const next = argv[++i];
      out.push(...(next === undefined ? [name] : [name, next]));
    } else {
      out.push(name, value);
    }
  }
  return out;
}

interface Flag {
  readonly option: Option;
  /** With its dashes, as commander knows it. */
  readonly name: string;
  /** What stood after "=". */
  readonly value: string | undefined;
}

/** The flag of `command`, or of a command above it, that a token is; undefined for anything else. */
function readFlag(token: string, command: Command): Flag | undefined {
  const match = /^(--?)([^=]+)(?:=(.*))?$/s.exec(token);
  if (!match) return undefined;
  const [, dashes, word, value] = match as unknown as [string, string, string, string | undefined];
  for (let at: Command | null = command; at; at = at.parent) {
    for (const option of at.options) {
      if (option.long === `--${word}`) return { option, name: option.long, value };
      if (dashes === '-' && option.short === `-${word}`) return { option, name: option.short, value };
    }
  }
  return undefined;
}

function isTrue(text: string, name: string): boolean {
  const truth = truths.get(text);
  if (truth === undefined) throw usage(`${name}: ${JSON.stringify(text)} is neither true nor false`);
  return truth;
}
