// The incoming half of a stream, on either side: the other side's messages, decoded when they are asked for. What waits here is
// not given back to the flow-control window, so a reader who is behind makes the sender wait.
import { GrpcError } from './status.ts';
import type { MessageBuffer } from './wire/framing.ts';

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

export interface InboxOptions<T> {
  readonly buffer: MessageBuffer;
  /** Throws GrpcError. */
  readonly decode: (bytes: Uint8Array) => T;
  /** So many bytes need no room any more. */
  readonly consume: (bytes: number) => void;
  /** The other side sent what no message can be; reading fails with it, too. */
  readonly onBroken: (error: GrpcError) => void;
}

/** Leaving a loop over it early leaves the call as it is; a later loop goes on where the first stopped. */
export class Inbox<T> implements AsyncIterable<T>, AsyncIterator<T, undefined> {
  readonly #options: InboxOptions<T>;
  #readers: Reader<T>[] = [];
  #ended = false;
  #error: GrpcError | undefined;
  /** Bytes that wait and were not consumed. */
  #held = 0;

  constructor(options: InboxOptions<T>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#readers.length === 0) {
      try {
        const result = this.#read();
        if (result !== undefined) return Promise.resolve(result);
      } catch (error) {
        return Promise.reject(error as GrpcError);
      }
    }
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Bytes came in; they are copied. */
  push(bytes: Uint8Array): void {
    if (this.#ended) {
      this.#options.consume(bytes.length);
      return;
    }
    this.#options.buffer.push(bytes);
    this.#held += bytes.length;
    if (this.#readers.length > 0) this.#serve();
    if (!this.#ended) this.#letGo();
  }

  /** After the messages that are already here, reading ends, or fails with `error`. The first call counts. */
  close(error: GrpcError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#serve();
  }

  /** As `close`, and what is already here is dropped. */
  abort(error: GrpcError): void {
    this.#options.buffer.clear();
    this.close(error);
  }

  #serve(): void {
    while (this.#readers.length > 0) {
      try {
        const result = this.#read();
        if (result === undefined) return;
        this.#readers.shift()?.resolve(result);
      } catch (error) {
        this.#readers.shift()?.reject(error);
      }
    }
  }

  /** The next message, the end, or undefined when it is not here yet. Throws what reading fails with. */
  #read(): IteratorResult<T, undefined> | undefined {
    const { buffer, decode } = this.#options;
    let bytes: Uint8Array | undefined;
    let value: T | undefined;
    try {
      bytes = buffer.next();
      if (bytes !== undefined) value = decode(bytes);
    } catch (error) {
      this.#break(error as GrpcError);
      throw error;
    }
    if (bytes !== undefined) {
      this.#letGo();
      return { done: false, value: value as T };
    }
    if (!this.#ended) return undefined;
    if (this.#error !== undefined) throw this.#error;
    if (buffer.isWithinMessage) throw new GrpcError('internal', 'the stream ended within a message');
    return { done: true, value: undefined };
  }

  /** Gives back room: what was read, and what is a part of a message that cannot be read before the rest has come. */
  #letGo(): void {
    const { buffer, consume } = this.#options;
    let keep = 0;
    try {
      if (this.#held > 0 && buffer.hasMessage) keep = Math.min(this.#held, buffer.bytes);
    } catch {
      // Whoever reads it will be told.
    }
    const free = this.#held - keep;
    this.#held = keep;
    if (free > 0) consume(free);
  }

  #break(error: GrpcError): void {
    const { buffer, onBroken } = this.#options;
    buffer.clear();
    this.#ended = true;
    this.#error = error;
    onBroken(error);
  }
}
