// How far a command is, on a terminal: one line that is written over and over. Elsewhere nothing is said.
import type { Host } from '../host.ts';

const BAR = 40;

export class ProgressBar {
  readonly #host: Host;
  #shown = '';

  constructor(host: Host) {
    this.#host = host;
  }

  /** `share`: from 0 to 1. */
  show(share: number, what = ''): void {
    if (!this.#host.stderr.isTerminal) return;
    const percent = Math.floor(share * 100);
    const line = `[${'#'.repeat(Math.floor((percent * BAR) / 100)).padEnd(BAR)}] ${percent} %${what === '' ? '' : `  ${what}`}`;
    if (line === this.#shown) return;
    // What the line before has more.
    this.#host.stderr.write(`\r${line.padEnd(this.#shown.length)}`);
    this.#shown = line;
  }

  /** Leaves the line, if there is one. */
  end(): void {
    if (this.#shown !== '') this.#host.stderr.write('\n');
    this.#shown = '';
  }
}
