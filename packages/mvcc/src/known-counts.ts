// How many keys a range had as of a revision: once counted, it stays so, since the past does not change. Who reads a large range page by page asks for
// the count of what is left with every page; the page before knows it.
import type { Revision } from '@distrokv/base';
import type { KeyRange } from './key-range.ts';

/** Fewer keys are counted again as quickly as they are remembered. */
const MIN_COUNT = 1000;
const MAX_KNOWN = 256;
/** Of both keys of a range together. */
const MAX_KEY_BYTES = 4096;

export class KnownCounts {
  /** The one that was used last is the last. */
  readonly #counts = new Map<string, number>();

  /** The keys of the range as of `at`, which is applied; undefined if that is not known. */
  get({ from, to }: KeyRange, at: Revision): number | undefined {
    const name = nameOf(from, to, at);
    const count = this.#counts.get(name);
    if (count !== undefined) {
      this.#counts.delete(name);
      this.#counts.set(name, count);
    }
    return count;
  }

  note({ from, to }: KeyRange, at: Revision, count: number): void {
    if (count < MIN_COUNT || from.length + (to?.length ?? 0) > MAX_KEY_BYTES) return;
    const name = nameOf(from, to, at);
    this.#counts.delete(name);
    this.#counts.set(name, count);
    if (this.#counts.size <= MAX_KNOWN) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      return;
    }
  }
}

function nameOf(from: Uint8Array, to: Uint8Array | undefined, at: Revision): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return `${at}:${from.length}:${text(from)}${to === undefined ? '' : `:${text(to)}`}`;
}
