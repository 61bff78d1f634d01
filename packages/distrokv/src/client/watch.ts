// watch: prints events until it is stopped, or runs a program for each; -i reads watches from standard input.
import { messageOf } from '@distrokv/base';
import { type Client, ClientError, type etcdserverpb } from '@distrokv/client';
import { usage } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Format } from '../output/format.ts';
import { explain } from './explain.ts';
import { type Globals, withClient } from './globals.ts';
import { selection, wholeNumber } from './kv.ts';
import { stopSignal } from './stopping.ts';
import { splitWords } from './words.ts';

export interface WatchFlags {
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly rev?: string;
  readonly prevKv?: true;
  readonly progressNotify?: true;
  readonly interactive?: true;
}

export async function runWatch(host: Host, globals: Globals, words: readonly string[], flags: WatchFlags): Promise<void> {
  const signal = stopSignal(host);
  await withClient(globals, 'simple', async (client, format) => {
    if (flags.interactive) await watchLines(host, client, format, signal);
    else await watchOne(host, client, format, { ...parseWords(words), flags, signal });
  });
}

interface One {
  readonly key: string;
  readonly rangeEnd: string | undefined;
  readonly program: readonly string[];
  readonly flags: WatchFlags;
  readonly signal: AbortSignal;
}

/** KEY [RANGE_END] [-- PROGRAM ARGUMENTS…]; commander has taken the first "--" away, so a program comes after the second word or after another. */
function parseWords(words: readonly string[]): Pick<One, 'key' | 'rangeEnd' | 'program'> {
  const at = words.indexOf('--');
  const [key, rangeEnd, ...rest] = at < 0 ? words : words.slice(0, at);
  if (key === undefined) throw usage('watch needs a key, or -i');
  const program = at < 0 ? rest : words.slice(at + 1);
  return { key, rangeEnd, program };
}

async function watchOne(host: Host, client: Client, format: Format, { key, rangeEnd, program, flags, signal }: One): Promise<void> {
  const options = {
    ...selection('watch', rangeEnd, flags),
    startRevision: wholeNumber(flags.rev ?? '0', '--rev'),
    prevKv: flags.prevKv ?? false,
    progressNotify: flags.progressNotify ?? false,
    signal,
  };
  for await (const response of client.watch(key, options)) {
    if (response.events.length === 0) host.stdout.write(`progress notify: ${response.header?.revision ?? 0}\n`);
    else host.stdout.write(format.watch(response));
    const [name, ...args] = program;
    if (name !== undefined) for (const event of response.events) await host.run([name, ...args], variablesOf(event, response));
  }
}

/** What a program is told of an event, as by etcdctl: texts are quoted. */
function variablesOf(
  { type, kv }: { type: number; kv: KeyAndValue | undefined },
  { header }: etcdserverpb.WatchResponse,
): Record<string, string> {
  const quoted = (bytes: Uint8Array | undefined): string => JSON.stringify(Buffer.from(bytes ?? new Uint8Array(0)).toString());
  return {
    ETCD_WATCH_REVISION: String(header?.revision ?? 0),
    ETCD_WATCH_EVENT_TYPE: JSON.stringify(type === 1 ? 'DELETE' : 'PUT'),
    ETCD_WATCH_KEY: quoted(kv?.key),
    ETCD_WATCH_VALUE: quoted(kv?.value),
  };
}

interface KeyAndValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** "watch [FLAGS] KEY [RANGE_END]" on each line; what does not make sense is told, and the others go on. Ends with the input. */
async function watchLines(host: Host, client: Client, format: Format, signal: AbortSignal): Promise<void> {
  const watches: Promise<void>[] = [];
  const tell = (error: unknown): void => host.stderr.write(`Error: ${error instanceof ClientError ? explain(error) : messageOf(error)}\n`);
  for await (const line of host.stdin.lines()) {
    if (signal.aborted) break;
    const words = splitWords(line);
    if (words.length === 0) continue;
    try {
      watches.push(watchOne(host, client, format, { ...parseLine(words), signal }).catch(tell));
    } catch (error) {
      tell(error);
    }
  }
  await Promise.all(watches);
}

function parseLine([verb, ...words]: readonly string[]): Omit<One, 'signal'> {
  if (verb !== 'watch') throw usage(`a line begins with "watch", not with ${JSON.stringify(verb)}`);
  const flags: Record<string, true | string> = {};
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const [, name, value] = /^--(prefix|from-key|prev-kv|progress-notify|rev)(?:=(.*))?$/.exec(word) ?? [];
    if (word === '--') {
      rest.push(...words.slice(i));
      break;
    }
    if (name === undefined && word.startsWith('--')) throw usage(`watch has no flag ${word}`);
    if (name === undefined) rest.push(word);
    else if (name === 'rev') flags['rev'] = value ?? words[++i] ?? '';
    else flags[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] = true;
  }
  return { ...parseWords(rest), flags };
}
