// The door through which everything from outside comes to a process: timers, messages, answers of its disk. A paused process finds all of it
// when it goes on, a dead one never.
export class Gate {
  #state: 'open' | 'paused' | 'dead' = 'open';
  #backlog: (() => void)[] = [];
  readonly #onDeath: (() => void)[] = [];
  readonly #abort = new AbortController();

  /** Aborted at the process's death. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isPaused(): boolean {
    return this.#state === 'paused';
  }

  enter(run: () => void): void {
    if (this.#state === 'open') run();
    else if (this.#state === 'paused') this.#backlog.push(run);
  }

  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'open';
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const run of backlog) this.enter(run);
  }

  /** Nothing that the process began goes on after this. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#backlog = [];
    for (const run of this.#onDeath.splice(0)) run();
  }

  onDeath(run: () => void): void {
    this.#onDeath.push(run);
  }
}
