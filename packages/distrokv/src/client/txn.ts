// txn: reads compares, what to do if they hold, and what to do if not, from standard input; three groups of lines with an empty line after each.
import { utf8 } from '@distrokv/base';
import { type etcdserverpb, etcdserverpb as pb, keyRange } from '@distrokv/client';
import { usage } from '../errors.ts';
import type { Host } from '../host.ts';
import { type Globals, withClient } from './globals.ts';
import { parseLease } from './lease-id.ts';
import { splitWords, unescape } from './words.ts';

export async function runTxn(host: Host, globals: Globals, flags: { interactive?: true }): Promise<void> {
  const groups = await readGroups(host, flags.interactive ?? false);
  const request = {
    compare: groups[0].map(parseCompare),
    success: groups[1].map(parseOperation),
    failure: groups[2].map(parseOperation),
  };
  await withClient(globals, 'simple', async (client, format) => host.stdout.write(format.txn(await client.txn(request))));
}

const prompts = ['compares:', 'success requests (get, put, del):', 'failure requests (get, put, del):'] as const;

async function readGroups(host: Host, prompting: boolean): Promise<[string[], string[], string[]]> {
  const groups: [string[], string[], string[]] = [[], [], []];
  let group = 0;
  const prompt = (): void => {
    if (prompting && group < groups.length) host.stdout.write(`${prompts[group]}\n`);
  };
  prompt();
  for await (const line of host.stdin.lines()) {
    if (line.trim() !== '') (groups[group] as string[]).push(line);
    else {
      group++;
      prompt();
    }
    if (group === groups.length) break;
  }
  return groups;
}

const compareForm =
  /^\s*(c|create|m|mod|val|value|ver|version|lease)\s*\(\s*"((?:[^"\\]|\\.)*)"\s*\)\s*(=|!=|<|>)\s*"?((?:[^"\\]|\\.)*)"?\s*$/;
const results = {
  '=': pb.CompareResult.EQUAL,
  '!=': pb.CompareResult.NOT_EQUAL,
  '<': pb.CompareResult.LESS,
  '>': pb.CompareResult.GREATER,
} as const;

/** `mod("key") > "0"`, as etcdctl has it. Throws CommandError `usage`. */
export function parseCompare(line: string): etcdserverpb.Compare {
  const [, target, key, sign, given] = compareForm.exec(line) ?? [];
  if (target === undefined || key === undefined || given === undefined)
    throw usage(`${JSON.stringify(line)} is no compare such as value("key") = "v", or mod, create, version or lease, with =, !=, < or >`);
  const base = { result: results[sign as keyof typeof results], key: utf8(unescape(key)), rangeEnd: new Uint8Array(0) };
  const whole = (): number => {
    const n = /^-?\d+$/.test(given) ? Number(given) : NaN;
    if (!Number.isSafeInteger(n)) throw usage(`${JSON.stringify(line)} compares with ${JSON.stringify(given)}, which is no whole number`);
    return n;
  };
  switch (target) {
    case 'c':
    case 'create':
      return { ...base, target: pb.CompareTarget.CREATE, targetUnion: { case: 'createRevision', value: whole() } };
    case 'm':
    case 'mod':
      return { ...base, target: pb.CompareTarget.MOD, targetUnion: { case: 'modRevision', value: whole() } };
    case 'ver':
    case 'version':
      return { ...base, target: pb.CompareTarget.VERSION, targetUnion: { case: 'version', value: whole() } };
    case 'lease':
      return { ...base, target: pb.CompareTarget.LEASE, targetUnion: { case: 'lease', value: parseLease(given) } };
    default:
      return { ...base, target: pb.CompareTarget.VALUE, targetUnion: { case: 'value', value: utf8(unescape(given)) } };
  }
}

/** "put KEY VALUE", "get KEY [RANGE_END] [--prefix]" or "del KEY [RANGE_END] [--prefix]". Throws CommandError `usage`. */
export function parseOperation(line: string): etcdserverpb.RequestOp {
  const [verb, ...rest] = splitWords(line);
  const flags = new Set(rest.filter((word) => word.startsWith('--')));
  const [key, second, ...more] = rest.filter((word) => !word.startsWith('--'));
  const unknown = [...flags].find((flag) => flag !== '--prefix' && flag !== '--from-key');
  if (key === undefined || more.length > 0 || unknown !== undefined)
    throw usage(`${JSON.stringify(line)} is none of: put KEY VALUE, get KEY [RANGE_END], del KEY [RANGE_END]`);
  const range = keyRange(key, {
    prefix: flags.has('--prefix'),
    fromKey: flags.has('--from-key'),
    ...(second !== undefined && { rangeEnd: second }),
  });
  switch (verb) {
    case 'put':
      if (second === undefined) throw usage(`${JSON.stringify(line)} has no value`);
      return { request: { case: 'requestPut', value: pb.PutRequest.create({ key: utf8(key), value: utf8(second) }) } };
    case 'get':
      return { request: { case: 'requestRange', value: pb.RangeRequest.create(range) } };
    case 'del':
      return { request: { case: 'requestDeleteRange', value: pb.DeleteRangeRequest.create(range) } };
    default:
      throw usage(`${JSON.stringify(line)} begins with none of put, get, del`);
  }
}
