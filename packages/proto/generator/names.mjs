// How protobuf names become TypeScript names, and how the types of fields are found.
import { flatName } from './parse.mjs';

/** lowerCamelCase: prev_kv → prevKv, LeaseGrant → leaseGrant, remaining_TTL → remainingTTL; a name all in capitals goes small: ID → id. */
export function camel(name) {
  if (/^[A-Z]+$/.test(name)) return name.toLowerCase();
  const joined = name.replace(/_([A-Za-z])/g, (_, letter) => letter.toUpperCase());
  return joined[0].toLowerCase() + joined.slice(1);
}

/** The file that a generated module comes from: "rpc.proto" → "rpc". */
export const stem = (file) => file.name.replace(/\.proto$/, '');

/** Scalars: the TypeScript type, the default, the test that a value is not the default, the suffix of Reader's and Writer's methods, the wire type. */
const SCALARS = {
  bool: { ts: 'boolean', zero: 'false', isSet: (x) => x, read: 'bool', write: 'bool', wire: 0 },
  string: { ts: 'string', zero: "''", isSet: (x) => `${x} !== ''`, read: 'string', write: 'string', wire: 2 },
  bytes: { ts: 'Uint8Array', zero: 'EMPTY', isSet: (x) => `${x}.length > 0`, read: 'bytes', write: 'bytes', wire: 2 },
  int32: { ts: 'number', zero: '0', isSet: (x) => `${x} !== 0`, read: 'int32', write: 'int32', wire: 0 },
  uint32: { ts: 'number', zero: '0', isSet: (x) => `${x} !== 0`, read: 'uint32', write: 'uint32', wire: 0 },
  int64: { ts: 'bigint', zero: '0n', isSet: (x) => `${x} !== 0n`, read: 'int64', write: 'int64', wire: 0 },
  uint64: { ts: 'bigint', zero: '0n', isSet: (x) => `${x} !== 0n`, read: 'uint64', write: 'int64', wire: 0 },
};
const NUMBERS = { ts: 'number', zero: '0', isSet: (x) => `${x} !== 0`, write: 'int64Number', wire: 0 };

/** Finds what `type` in `file` means: { kind: 'scalar' | 'enum' | 'message', ... }, with the file it lives in. */
export function resolve(files, file, type, { jsNumber = false, scope = '' } = {}) {
  if (jsNumber) {
    if (type !== 'int64' && type !== 'uint64') throw new Error(`${file.name}: jstype on a field of type ${type}`);
    return { kind: 'scalar', ...NUMBERS, read: `${type}Number` };
  }
  if (type in SCALARS) return { kind: 'scalar', ...SCALARS[type] };
  const dot = type.lastIndexOf('.');
  const home = dot < 0 ? file : files.find((other) => other.package === type.slice(0, dot) && file.imports.includes(other.name));
  const name = flatName(scope, type.slice(dot + 1));
  if (home?.messages.some((message) => message.name === name)) return { kind: 'message', name, file: home, ts: name, wire: 2 };
  if (home?.enums.some((each) => each.name === name)) {
    return { kind: 'enum', name, file: home, ts: name, zero: '0', isSet: (x) => `${x} !== 0`, read: 'int32', write: 'int32', wire: 0 };
  }
  throw new Error(`${file.name}: no type ${type}`);
}
