// What a header list may contain: RFC 9113 §8.2 (fields), §8.3 (pseudo-headers), §8.1.1 (malformed messages). The same rules hold for what
// comes and for what is sent; a list that breaks them ends its stream with PROTOCOL_ERROR, or is not sent.
import { ErrorCode } from './codes.ts';
import { Http2Error } from './errors.ts';
import type { HeaderList } from './types.ts';

/** A checked list. `malformed` says which rule it breaks. */
export interface HeaderCheck {
  readonly malformed: string | undefined;
  /** A response's status; 0 otherwise. */
  readonly status: number;
  /** Value of content-length, or -1. */
  readonly contentLength: number;
  /** A request whose method is CONNECT, or HEAD: the body of the answer does not have the length that it names. */
  readonly bodiless: boolean;
}

export type HeaderKind = 'request' | 'response' | 'trailers';

const COLON = 0x3a;

/** What a name means to the rules. */
type NameKind = ':authority' | ':method' | ':path' | ':scheme' | ':status' | 'content-length' | 'forbidden' | 'host' | 'plain' | 'te';

/** Names that were looked at before, so that the characters of each are checked once, and not with every call. */
const nameKinds = new Map<string, NameKind>();
const MAX_KNOWN_NAMES = 1024;
for (const name of ['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']) nameKinds.set(name, 'forbidden');
for (const name of ['te', 'host', 'content-length', ':method', ':scheme', ':path', ':authority', ':status'] as const)
  nameKinds.set(name, name);

/** 1 for what a name may contain: a token of RFC 9110 §5.6.2 without upper case. */
const nameChars = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") nameChars[c.charCodeAt(0)] = 1;

/** Undefined for a name that is malformed; a pseudo-header that nobody knows is `plain`, as far as its name goes. */
function kindOf(name: string): NameKind | undefined {
  const known = nameKinds.get(name);
  if (known !== undefined || malformedName(name) !== undefined) return known;
  if (nameKinds.size < MAX_KNOWN_NAMES && name.length <= 64) nameKinds.set(name, 'plain');
  return 'plain';
}

export function checkHeaderList(list: HeaderList, kind: HeaderKind): HeaderCheck {
  let status = 0;
  let contentLength = -1;
  const fail = (malformed: string): HeaderCheck => ({ malformed, status, contentLength, bodiless: false });
  let regular = false;
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let host: string | undefined;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    const nameKind = kindOf(name);
    const wrong = nameKind === undefined ? malformedName(name) : malformedValue(value);
    if (wrong !== undefined) return fail(`${wrong} in field ${printable(name)}`);
    if (name.charCodeAt(0) === COLON) {
      if (regular) return fail(`${printable(name)} after a regular field`);
      if (kind === 'request' && nameKind === ':method' && method === undefined) method = value;
      else if (kind === 'request' && nameKind === ':scheme' && scheme === undefined) scheme = value;
      else if (kind === 'request' && nameKind === ':path' && path === undefined) path = value;
      else if (kind === 'request' && nameKind === ':authority' && authority === undefined) authority = value;
      else if (kind === 'response' && nameKind === ':status' && status === 0) {
        if (!/^[1-9][0-9][0-9]$/.test(value)) return fail(':status is no status');
        status = Number(value);
      } else return fail(`${printable(name)} is repeated or not for ${kind}`);
      continue;
    }
    regular = true;
    if (nameKind === 'plain') continue;
    if (nameKind === 'forbidden') return fail(`field ${name} belongs to a connection`);
    if (nameKind === 'te' && value !== 'trailers') return fail('te is not "trailers"');
    if (nameKind === 'host') host = value;
    if (nameKind === 'content-length') {
      if (!/^[0-9]{1,15}$/.test(value)) return fail('content-length is no number');
      const length = Number(value);
      if (contentLength >= 0 && contentLength !== length) return fail('two values of content-length');
      contentLength = length;
    }
  }
  if (kind === 'request') {
    const wrong = malformedRequest(method, scheme, path, authority, host);
    if (wrong !== undefined) return fail(wrong);
  }
  if (kind === 'response') {
    if (status === 0) return fail('no :status');
    if (status === 101) return fail(':status 101 is not for HTTP/2');
  }
  return { malformed: undefined, status, contentLength, bodiless: method === 'HEAD' || method === 'CONNECT' };
}

/** Throws Http2Error `bad-headers` if a field is malformed; pseudo-headers are checked where it is known what the list is for. */
export function checkHeaders(list: HeaderList): void {
  if (list.length % 2 !== 0) throw new Http2Error('bad-headers', ErrorCode.internalError, 'a header list has names without a value');
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i] as string;
    const value = list[i + 1] as string;
    const kind = kindOf(name);
    let wrong = kind === undefined ? malformedName(name) : malformedValue(value);
    if (kind === 'forbidden' || (kind === 'te' && value !== 'trailers')) wrong = 'what belongs to a connection';
    if (wrong !== undefined) throw new Http2Error('bad-headers', ErrorCode.internalError, `${wrong} in field ${printable(name)}`);
  }
}

function malformedRequest(method?: string, scheme?: string, path?: string, authority?: string, host?: string): string | undefined {
  if (method === undefined || method === '') return 'no :method';
  if (method === 'CONNECT') {
    if (scheme !== undefined || path !== undefined) return ':scheme or :path with CONNECT';
    return authority === undefined || authority === '' ? 'no :authority with CONNECT' : undefined;
  }
  if (scheme === undefined || scheme === '') return 'no :scheme';
  if (path === undefined || path === '') return 'no :path';
  const isHttp = scheme === 'http' || scheme === 'https';
  if (isHttp && path.charCodeAt(0) !== 0x2f && !(path === '*' && method === 'OPTIONS')) return ':path does not start with "/"';
  if (isHttp && authority?.includes('@') === true) return ':authority with user information';
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) return 'host is not :authority';
  return undefined;
}

function malformedName(name: string): string | undefined {
  const start = name.charCodeAt(0) === COLON ? 1 : 0;
  if (name.length === start) return 'an empty name';
  for (let i = start; i < name.length; i++) if (nameChars[name.charCodeAt(i)] !== 1) return 'a character that no name has';
  return undefined;
}

function malformedValue(value: string): string | undefined {
  const n = value.length;
  if (n === 0) return undefined;
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(n - 1))) return 'blanks at an end of the value';
  for (let i = 0; i < n; i++) {
    const c = value.charCodeAt(i);
    if (c === 0 || c === 0x0a || c === 0x0d || c > 0xff) return 'a character that no value has';
  }
  return undefined;
}

function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}

/** A name for a message: at most 40 characters, none that a log would choke on. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '?'));
}
