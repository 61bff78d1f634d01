// The outgoing half of a stream, on either side. Messages wait in the stream of HTTP/2 for its windows and its connection;
// that queue has a bound, but it is the sender who keeps to it: `send` says when it is reached, `writable` when there is room.
import type { GrpcError } from './status.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: GrpcError) => void;
}

export class Outbox {
  #hasRoom = true;
  #waiters: Waiter[] = [];
  /** Why the call is over. */
  #over: GrpcError | undefined;

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** What the stream said to a message: is there room for more? */
  sent(hasRoom: boolean): boolean {
    this.#hasRoom = hasRoom;
    return hasRoom;
  }

  /** The stream has room again. */
  drained(): void {
    this.#hasRoom = true;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  /** Resolves when there is room; rejects when the call is over. A rejection may be ignored. */
  writable(): Promise<void> {
    if (this.#over === undefined && this.#hasRoom) return Promise.resolve();
    const room = new Promise<void>((resolve, reject) => {
      if (this.#over === undefined) this.#waiters.push({ resolve, reject });
      else reject(this.#over);
    });
    room.catch(() => undefined);
    return room;
  }

  /** The call is over: whoever waits learns why. */
  close(why: GrpcError): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(why);
  }
}
