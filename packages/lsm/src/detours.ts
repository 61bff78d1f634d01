// What level 0 costs reads. Its runs overlap, so a read asks one after the other, and while nothing more is written no flush
// makes their merge due: a store would stay as its last writes left it, however much it is read. So reads count the runs of
// level 0 that they asked in vain, as bytes that could have been merged in that time. When the sum reaches the bytes of the merge,
// the merge is due. It has then been paid for already, as by LevelDB's "allowed seeks": however reads and writes alternate, such
// merges take about as long as the detours that brought them, and never come from writes alone.
//
// It is a count, and not a clock: the same calls lead to the same merges.
import type { Version } from './version.ts';

/** A look at a filter costs 80 ns, for which a merge takes 11 bytes; it is counted three times, for it holds up the event loop and the merge does not. */
const QUESTION_BYTES = 32;
/** To place a cursor in a run takes 2.3 µs. */
const SEEK_BYTES = 1024;
/** Less is not worth a merge. */
const LEAST_BYTES = 4 << 20;

export class Detours {
  /** Called when a merge of level 0 has become due for the sake of reads. */
  readonly #onDue: () => void;
  #bytes = 0;
  #isDue = false;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  /** A key was looked for in the first `runs` runs of the current version in vain. */
  noteSearch(version: Version, runs: number): void {
    const fresh = version.freshRuns;
    if (fresh > 0) this.#add(version, (runs < fresh ? runs : fresh) * QUESTION_BYTES);
  }

  /** Cursors were placed in so many runs of level 0 of the current version. */
  noteSeek(version: Version, runs: number): void {
    if (runs > 0) this.#add(version, runs * SEEK_BYTES);
  }

  /** Level 0 was merged. */
  clear(): void {
    this.#bytes = 0;
    this.#isDue = false;
  }

  #add(version: Version, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < LEAST_BYTES || this.#isDue || this.#bytes < version.freshMergeBytes) return;
    // A run that is alone cannot be made fewer.
    if (version.runs.length < 2) this.#bytes = 0;
    else {
      this.#isDue = true;
      this.#onDue();
    }
  }
}
