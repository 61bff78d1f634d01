// What runs cost reads. A read asks one after the other, and while nothing more is written no flush makes a merge due: a store would stay as its last
// writes left it, however much it is read. So reads count the runs that they asked in vain, as bytes that could have been merged in that time. When
// the sum reaches the bytes of the merge that spares them a run at the least price (`Version.shortcut`), that merge is due. It has then been paid for already, as by
// LevelDB's "allowed seeks": however reads and writes alternate, such merges take about as long as the detours that brought them, and never
// come from writes alone. What is read only comes to lie in one run at last: first the runs of level 0 are merged, then a small level goes down into
// a large one, table by table.
//
// It is a count, and not a clock: the same calls lead to the same merges.
import type { Version } from './version.ts';

/** A look at a filter costs 80 ns, and as much for its false alarms, for which a merge takes 22 bytes; it is counted three times, for it holds up the event loop and the merge does not. */
const QUESTION_BYTES = 64;
/** To place a cursor in a run takes 2.3 µs, and three times that where its block comes from the host's page cache. */
const SEEK_BYTES = 2048;
/** Less is not worth a merge. */
const LEAST_BYTES = 4 << 20;

export class Detours {
  /** Called when a merge has become due for the sake of reads. */
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
    // One has to be asked.
    const spared = version.runs.length - 1;
    if (spared > 0) this.#add(version, (runs < spared ? runs : spared) * QUESTION_BYTES);
  }

  /** Cursors were placed in so many runs of the current version. */
  noteSeek(version: Version, runs: number): void {
    if (runs > 1) this.#add(version, (runs - 1) * SEEK_BYTES);
  }

  /** What was due was done, or level 0 was merged without it. */
  clear(): void {
    this.#bytes = 0;
    this.#isDue = false;
  }

  #add({ shortcut }: Version, bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < LEAST_BYTES || this.#isDue || shortcut === undefined || this.#bytes < shortcut.bytes) return;
    this.#isDue = true;
    this.#onDue();
  }
}
