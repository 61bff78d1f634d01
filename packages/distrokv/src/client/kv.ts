// put, get and del: etcdctl's verbs on keys.
import { utf8 } from '@distrokv/base';
import type { KeySelection, Sort } from '@distrokv/client';
import { usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { type Globals, withClient } from './globals.ts';
import { parseLease } from './lease-id.ts';

/** No server takes a value of more, whatever its limit is set to. */
const maxValueBytes = 512 * 1024 * 1024;

export interface PutFlags {
  readonly prevKv?: true;
  /** Hexadecimal. */
  readonly lease?: string;
  readonly ignoreValue?: true;
  readonly ignoreLease?: true;
}

export async function runPut(host: Host, globals: Globals, key: string, value: string | undefined, flags: PutFlags): Promise<void> {
  const { ignoreValue = false, ignoreLease = false, prevKv = false } = flags;
  if (ignoreValue && value !== undefined) throw usage('--ignore-value keeps the value that is there: leave VALUE out');
  const bytes = ignoreValue ? new Uint8Array(0) : value === undefined || value === '-' ? await readValue(host, value) : utf8(value);
  const lease = parseLease(flags.lease ?? '0');
  await withClient(globals, 'simple', async (client, format) => {
    host.stdout.write(format.put(await client.put(key, bytes, { prevKv, lease, ignoreValue, ignoreLease })));
  });
}

async function readValue(host: Host, given: '-' | undefined): Promise<Uint8Array> {
  if (given === undefined && host.stdin.isTerminal) throw usage('put needs a value: distrokv put KEY VALUE, or pipe it in');
  return host.stdin.readAll(maxValueBytes);
}

export interface GetFlags {
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly limit?: string;
  readonly rev?: string;
  readonly keysOnly?: true;
  readonly countOnly?: true;
  readonly printValueOnly?: true;
  readonly consistency?: string;
  readonly order?: string;
  readonly sortBy?: string;
  readonly minModRev?: string;
  readonly maxModRev?: string;
  readonly minCreateRev?: string;
  readonly maxCreateRev?: string;
}

export async function runGet(host: Host, globals: Globals, key: string, rangeEnd: string | undefined, flags: GetFlags): Promise<void> {
  const valueOnly = flags.printValueOnly ?? false;
  const countOnly = flags.countOnly ?? false;
  if (valueOnly && (globals.format ?? 'simple') !== 'simple') throw usage('--print-value-only goes with -w simple only');
  if (flags.keysOnly && valueOnly) throw usage('--keys-only and --print-value-only exclude each other');
  const consistency = flags.consistency ?? 'l';
  if (consistency !== 'l' && consistency !== 's')
    throw usage(`--consistency: ${JSON.stringify(consistency)} is neither l (linearizable) nor s (serializable)`);
  const options = {
    ...selection('get', rangeEnd, flags),
    limit: wholeNumber(flags.limit ?? '0', '--limit'),
    revision: wholeNumber(flags.rev ?? '0', '--rev'),
    serializable: consistency === 's',
    keysOnly: flags.keysOnly ?? false,
    countOnly,
    ...sorted(flags),
    minModRevision: wholeNumber(flags.minModRev ?? '0', '--min-mod-rev'),
    maxModRevision: wholeNumber(flags.maxModRev ?? '0', '--max-mod-rev'),
    minCreateRevision: wholeNumber(flags.minCreateRev ?? '0', '--min-create-rev'),
    maxCreateRevision: wholeNumber(flags.maxCreateRev ?? '0', '--max-create-rev'),
  };
  await withClient(globals, 'simple', async (client, format) => {
    host.stdout.write(format.get(await client.get(key, options), { valueOnly, countOnly }));
  });
}

/** etcdctl's words, in either case. */
const sortWords: Readonly<Record<string, Sort['by']>> = { CREATE: 'create', KEY: 'key', MODIFY: 'mod', VALUE: 'value', VERSION: 'version' };

function sorted({ order, sortBy }: GetFlags): { readonly sort?: Sort } {
  if (order === undefined && sortBy === undefined) return {};
  const by = sortWords[(sortBy ?? 'KEY').toUpperCase()];
  if (by === undefined) throw usage(`--sort-by: ${JSON.stringify(sortBy)} is none of ${Object.keys(sortWords).join(', ')}`);
  const direction = (order ?? 'ASCEND').toUpperCase();
  if (direction !== 'ASCEND' && direction !== 'DESCEND') throw usage(`--order: ${JSON.stringify(order)} is neither ASCEND nor DESCEND`);
  return { sort: { by, descending: direction === 'DESCEND' } };
}

export interface DeleteFlags {
  readonly prefix?: true;
  readonly fromKey?: true;
  readonly prevKv?: true;
}

export async function runDelete(
  host: Host,
  globals: Globals,
  key: string,
  rangeEnd: string | undefined,
  flags: DeleteFlags,
): Promise<void> {
  const options = { ...selection('del', rangeEnd, flags), prevKv: flags.prevKv ?? false };
  await withClient(globals, 'simple', async (client, format) => {
    host.stdout.write(format.delete(await client.delete(key, options)));
  });
}

export function selection(verb: string, rangeEnd: string | undefined, flags: { prefix?: true; fromKey?: true }): KeySelection {
  if (flags.prefix && flags.fromKey) throw usage('--prefix and --from-key exclude each other');
  if (rangeEnd === undefined) return { prefix: flags.prefix ?? false, fromKey: flags.fromKey ?? false };
  if (flags.prefix || flags.fromKey) throw usage(`${verb} takes one key with --prefix or --from-key, not a key and a range end`);
  return { rangeEnd };
}

export function wholeNumber(text: string, flag: string): number {
  const n = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(n)) throw usage(`${flag}: ${JSON.stringify(text)} is not a whole number`);
  return n;
}
