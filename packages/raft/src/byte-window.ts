// Bytes under way: pieces are added in the order of the log and released in the same order. It bounds what a leader has
// proposed and not committed, and what a member has handed out and not heard to be applied.
import { assert } from '@distrokv/base';
import type { LogIndex } from '@distrokv/base';

interface Piece {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
}

/**
 * Invariants:
 * 1. `lastIndex` grows from piece to piece.
 * 2. `bytes` is the sum over the pieces.
 */
export class ByteWindow {
  readonly #maxBytes: number;
  readonly #pieces: Piece[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many more bytes fit. A user lets one piece of any size pass when nothing is under way, so that a large one is never stuck. */
  get room(): number {
    return Math.max(0, this.#maxBytes - this.#bytes);
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  add(lastIndex: LogIndex, bytes: number): void {
    const before = this.#pieces.at(-1);
    assert(before === undefined || before.lastIndex < lastIndex, 'byte window 1: pieces come in the order of the log');
    this.#pieces.push({ lastIndex, bytes });
    this.#bytes += bytes;
  }

  /** Forgets every piece that ends at or before `index`. */
  release(index: LogIndex): void {
    let count = 0;
    for (const piece of this.#pieces) {
      if (piece.lastIndex > index) break;
      this.#bytes -= piece.bytes;
      count++;
    }
    if (count > 0) this.#pieces.splice(0, count);
    assert(this.#bytes >= 0 && (this.#pieces.length > 0 || this.#bytes === 0), 'byte window 2: the sum is that of the pieces');
  }
}
