// One signal for several.

/**
 * Aborted with the first of them, until it is disposed of. It is what AbortSignal.any is, without what that leaves behind on Node 20: a signal that lives
 * as long as a program would keep something of each that lived for a call.
 */
export class LinkedSignal implements Disposable {
  readonly signal: AbortSignal;
  readonly #sources: readonly AbortSignal[];
  readonly #controller = new AbortController();
  readonly #onAbort = (): void => {
    const source = this.#sources.find(({ aborted }) => aborted);
    this.#controller.abort(source?.reason);
  };

  constructor(...sources: readonly (AbortSignal | undefined)[]) {
    this.#sources = sources.filter((source) => source !== undefined);
    this.signal = this.#controller.signal;
    for (const source of this.#sources) source.addEventListener('abort', this.#onAbort);
    if (this.#sources.some(({ aborted }) => aborted)) this.#onAbort();
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort);
  }
}
