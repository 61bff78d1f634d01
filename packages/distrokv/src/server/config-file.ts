// Reads a YAML config file with etcd's keys. Its values become texts like those of flags, with "FILE:LINE: KEY" as their
// source; what a value may be is decided in one place, `config.ts`. Here: that the file is YAML, and that each key has a
// value of the right shape.
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '@distrokv/base';
import { isMap, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import { z } from 'zod';
import { usage } from '../errors.ts';
import { unservedFlags } from './etcd-flags.ts';
import { serverFlags } from './flags.ts';
import type { GivenValue } from './settings.ts';

/** No config is larger; a wrong path (a data file, a device) is told apart before it is read. */
const maxBytes = 1024 * 1024;

/** TLS settings, which etcd nests in the file; with these in front, their keys are flags. */
const sections: ReadonlyMap<string, string> = new Map([
  ['client-transport-security', ''],
  ['peer-transport-security', 'peer-'],
]);

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const whole = z.union([z.int(), z.string()], { error: 'is not a whole number' });
const text = z.union([z.string(), z.number()], { error: 'is not a text' });
const flagValue = z.union([z.boolean(), z.string()], { error: 'is not true or false' });
const unserved = z.union([scalar, z.array(scalar)], { error: 'is not a single value or a list' });
const section = z.record(z.string(), z.unknown(), { error: 'is not a section of keys' });

const schema = z.strictObject(
  Object.fromEntries([
    ...serverFlags.map((flag) => [flag.name, { boolean: flagValue, integer: whole, text }[flag.kind].nullish()] as const),
    ...[...unservedFlags.keys()].map((name) => [name, unserved.nullish()] as const),
    ...[...sections.keys()].map((name) => [name, section.nullish()] as const),
  ]),
);

/** Throws CommandError `usage` that names file, line and key. */
export async function readConfigFile(path: string): Promise<readonly GivenValue[]> {
  return parseConfig(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw usage(`it has ${size} bytes, a config file at most ${maxBytes}`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    throw usage(`--config-file ${path}: cannot be read: ${messageOf(error)}`);
  }
}

export function parseConfig(text: string, path: string): readonly GivenValue[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false });
  const [fault] = document.errors;
  if (fault) throw usage(`${path}:${lines.linePos(fault.pos[0]).line}: is not YAML: ${fault.message}`);
  const root = document.contents;
  if (root === null) return [];
  if (!isMap(root)) throw usage(`${path}: is not a list of "key: value" lines`);
  const places = new Map<string, string>();
  for (const pair of root.items) places.set(keyOf(pair), `${path}:${lineOf(pair, lines)}: ${keyOf(pair)}`);
  const checked = schema.safeParse(toPlain(document, path));
  if (!checked.success) throw faultOf(checked.error, places, path);
  return [...places].flatMap(([key, source]) => {
    const value = checked.data[key];
    if (value === null || value === undefined) return [];
    return sections.has(key) ? sectionValues(key, value, source) : [{ flag: key, value: textOf(value), source }];
  });
}

function keyOf(pair: Pair<unknown, unknown>): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function lineOf(pair: Pair<unknown, unknown>, lines: LineCounter): number {
  const at = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
  return lines.linePos(at ?? 0).line;
}

/** Throws on a file whose aliases would unfold into more than anyone wrote. */
function toPlain(document: ReturnType<typeof parseDocument>, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 });
  } catch (error) {
    throw usage(`${path}: is not YAML: ${messageOf(error)}`);
  }
}

function faultOf(error: z.ZodError, places: ReadonlyMap<string, string>, path: string): Error {
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    return usage(`${places.get(key) ?? `${path}: ${key}`}: there is no such setting`);
  }
  return usage(`${places.get(String(issue?.path[0])) ?? path}: ${issue?.message ?? 'makes no sense'}`);
}

/** The keys of a TLS section that are on, as flags: `auto-tls` of the members is `peer-auto-tls`. */
function sectionValues(section: string, value: unknown, source: string): GivenValue[] {
  const prefix = sections.get(section) ?? '';
  return Object.entries(value as Record<string, unknown>)
    .filter(([, entry]) => entry !== null && entry !== false && textOf(entry) !== '')
    .map(([key, entry]) => ({ flag: `${prefix}${key}`, value: textOf(entry), source: `${source}.${key}` }));
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.map(textOf).join() : String(value);
}
