// The outgoing half of a stream, on either side: messages wait here for the connection to take them. The queue has a
// bound, but it is the sender who keeps to it: `send` says when it is reached, and `writable` when there is room again.
import type { Writable } from 'node:stream';
import type { GrpcError } from './status.ts';

const MAX_QUEUED_BYTES = 1 << 20;
const MAX_QUEUED_MESSAGES = 64;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: GrpcError) => void;
}

export class Outbox {
  readonly #stream: Writable;
  #queuedBytes = 0;
  #queuedMessages = 0;
  #waiters: Waiter[] = [];
  #finished = false;
  /** Why the call is over. */
  #over: GrpcError | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  /** Queues a message; false when the queue is full, and when the message is dropped because no more can be sent. */
  send(bytes: Uint8Array): boolean {
    if (this.#over !== undefined || this.#finished) return false;
    this.#queuedBytes += bytes.length;
    this.#queuedMessages++;
    this.#stream.write(bytes, () => this.#sent(bytes.length));
    return this.#hasRoom();
  }

  /** Resolves when the queue has room; rejects when the call is over. A rejection may be ignored. */
  writable(): Promise<void> {
    if (this.#over === undefined && this.#hasRoom()) return Promise.resolve();
    const room = new Promise<void>((resolve, reject) => {
      if (this.#over === undefined) this.#waiters.push({ resolve, reject });
      else reject(this.#over);
    });
    room.catch(() => undefined);
    return room;
  }

  /** No more messages: the queue empties, then this half of the stream ends. */
  finish(): void {
    if (this.#over !== undefined || this.#finished) return;
    this.#finished = true;
    this.#stream.end();
  }

  /** The call is over: whoever waits learns why. */
  close(why: GrpcError): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(why);
  }

  #sent(bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#queuedMessages--;
    if (this.#hasRoom()) for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #hasRoom(): boolean {
    return this.#queuedBytes < MAX_QUEUED_BYTES && this.#queuedMessages < MAX_QUEUED_MESSAGES;
  }
}
