// A line as words: separated by blanks, with single or double quotes around those that hold some. In double quotes a backslash takes the next
// character as it is, or as in JSON (\n, \t, \x41).
import { usage } from '../errors.ts';

const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"']+))/gy;

/** Throws CommandError `usage` on a quote that does not end. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  let end = 0;
  for (const match of line.matchAll(pattern)) {
    const [whole, double, single, bare] = match;
    words.push(double === undefined ? (single ?? bare ?? '') : unescape(double));
    end = match.index + whole.length;
  }
  if (line.slice(end).trim() !== '') throw usage(`a quote does not end: ${line.slice(end).trim()}`);
  return words;
}

export function unescape(text: string): string {
  const named: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/g, (_, code: string | undefined, letter: string) =>
    code === undefined ? (named[letter] ?? letter) : String.fromCharCode(parseInt(code, 16)),
  );
}
