// The incoming half of a stream, on either side: the other side's messages, read when they are asked for. A reader who
// is behind makes the connection wait, and in the end the sender.
import type { Readable } from 'node:stream';
import type { GrpcError } from './status.ts';

/** Leaving a loop over it early leaves the call as it is; a later loop goes on where the first stopped. */
export class Inbox<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  readonly #stream: Readable;
  readonly #decode: (bytes: Uint8Array) => T;
  #readers: (() => void)[] = [];
  #ended = false;
  #error: GrpcError | undefined;

  constructor(stream: Readable, decode: (bytes: Uint8Array) => T) {
    this.#stream = stream;
    this.#decode = decode;
    stream.on('readable', () => this.#wake());
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    for (;;) {
      const bytes = this.#stream.read() as Uint8Array | null;
      if (bytes !== null) return { done: false, value: this.#decode(bytes) };
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => this.#readers.push(resolve));
    }
  }

  /** After the messages that are already here, reading ends, or fails with `error`. The first call counts. */
  close(error: GrpcError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#readers.splice(0)) resolve();
  }
}
