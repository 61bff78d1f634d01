// How entries are measured: by the bytes of their data.
import type { Entry } from './messages.ts';

/** How many of `entries`, from position `start` and before `end`, fit in `maxBytes` of data; at least one, if there is one. */
export function countThatFits(entries: readonly Entry[], start: number, end: number, maxBytes: number): number {
  let bytes = 0;
  let at = start;
  for (; at < end; at++) {
    bytes += (entries[at] as Entry).data.length;
    if (bytes > maxBytes && at > start) break;
  }
  return at - start;
}

export function dataBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  return bytes;
}
