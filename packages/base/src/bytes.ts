// Byte strings. Keys order as unsigned bytes, shorter first on a tie: the order of etcd and of every LSM tree.
// This package is pure (no Node types), so the two text codecs, which every JavaScript host has, are declared here.

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label: string, options: { fatal: boolean; ignoreBOM: boolean });
  decode(bytes: Uint8Array): string;
}

const encoder = new TextEncoder();
const lenient = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const EMPTY: Uint8Array = new Uint8Array(0);

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8; bytes that are none become U+FFFD. */
export function fromUtf8(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/** Decodes UTF-8; throws TypeError on bytes that are none. */
export function fromUtf8Strict(bytes: Uint8Array): string {
  return strict.decode(bytes);
}

/** <0, 0, >0: `a` before, equal to, after `b`, as unsigned bytes. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const n = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < n; i++) {
    const d = (a[i] as number) - (b[i] as number);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * The first key after every key that starts with `prefix`, or undefined if there is none (an empty prefix, or
 * one of 0xff alone): the exclusive end of a prefix range.
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] as number;
    if (byte < 0xff) {
      const end = prefix.slice(0, i + 1);
      end[i] = byte + 1;
      return end;
    }
  }
  return undefined;
}

export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += (byte < 16 ? '0' : '') + byte.toString(16);
  return out;
}

const printable = /^[\x20-\x21\x23-\x5b\x5d-\x7e]$/;

/** A key or value for a message: quoted, unprintable bytes as \xNN, cut after `max` bytes. */
export function quote(bytes: Uint8Array, max = 64): string {
  let out = '"';
  for (const byte of bytes.subarray(0, max)) {
    const c = String.fromCharCode(byte);
    out += printable.test(c) ? c : c === '"' || c === '\\' ? `\\${c}` : `\\x${hex(Uint8Array.of(byte))}`;
  }
  return `${out}"${bytes.length > max ? `… (${bytes.length} bytes)` : ''}`;
}
