// Bytes for people: UTF-8 that can be read stays, everything else is escaped as Go's %q does, so that no key or value can play
// tricks with a terminal.
import { fromUtf8Strict, hex } from '@distrokv/base';

/** What Go calls printable: letters, marks, numbers, punctuation, symbols, and the plain space. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const named: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A readable form without quotes; where bytes are escaped it looks like Go's. */
export function readable(bytes: Uint8Array): string {
  let out = '';
  for (const part of characters(bytes)) out += typeof part === 'number' ? `\\x${hex(Uint8Array.of(part))}` : escapeCharacter(part);
  return out;
}

/** As Go's strconv.Quote: what etcdctl's `fields` format prints. */
export function goQuote(bytes: Uint8Array): string {
  let out = '"';
  for (const part of characters(bytes)) {
    if (typeof part === 'number') out += `\\x${hex(Uint8Array.of(part))}`;
    else out += part === '"' || part === '\\' ? `\\${part}` : escapeCharacter(part);
  }
  return `${out}"`;
}

/** Every byte as \xNN: what `--hex` asks for. */
export function hexBytes(bytes: Uint8Array): string {
  return hex(bytes).replace(/../g, (digits) => `\\x${digits}`);
}

function escapeCharacter(character: string): string {
  if (printable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return named[character] ?? `\\x${code.toString(16).padStart(2, '0')}`;
  return code < 0x1_0000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}

/** The characters of UTF-8 text; a byte that belongs to none comes as its number. */
function* characters(bytes: Uint8Array): Generator<string | number> {
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] as number;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = decode(bytes.subarray(at, at + length));
    yield character ?? lead;
    at += character === undefined ? 1 : length;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8Strict(bytes);
  } catch {
    return undefined;
  }
}
