// Memory for large messages, used again and again. A message of a MiB has memory outside of V8's heap, and the collector lets some 64 MiB of that become
// garbage before it looks; so a stream of such messages would make the process as much larger. What was written to the socket is used for the next message instead.
import type { Allocate } from '@distrokv/proto';
import type { MessageMemory } from '../types.ts';

/** Smaller messages are left to the collector. */
const LARGE_BYTES = 64 << 10;
/** Memory comes in multiples of this, so that it fits messages of about that length, too. */
const STEP_BYTES = 64 << 10;
/** More than this is not kept while nobody uses it. */
const MAX_FREE_BYTES = 32 << 20;

export class Buffers implements MessageMemory {
  /** What nobody refers to; the last is the one that was used last. */
  #free: Uint8Array[] = [];
  #freeBytes = 0;
  /** The fewest of them since the last tick: so many are not needed. */
  #idle = 0;
  /** Memory that came from here and is not free, and how many will give it back. Never given back is no harm: the collector takes it. */
  readonly #lent = new WeakMap<ArrayBufferLike, number>();

  readonly allocate: Allocate = (bytes) => (bytes < LARGE_BYTES ? undefined : this.#take(bytes));

  /** Bytes that are kept for later. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  share(bytes: Uint8Array): void {
    const users = this.#lent.get(bytes.buffer);
    if (users !== undefined) this.#lent.set(bytes.buffer, users + 1);
  }

  giveBack(bytes: Uint8Array): void {
    const users = this.#lent.get(bytes.buffer);
    if (users === undefined) return;
    if (users > 1) {
      this.#lent.set(bytes.buffer, users - 1);
      return;
    }
    this.#lent.delete(bytes.buffer);
    const whole = new Uint8Array(bytes.buffer);
    if (this.#freeBytes + whole.length > MAX_FREE_BYTES) return;
    this.#free.push(whole);
    this.#freeBytes += whole.length;
  }

  /** To be called about once a second: what was not needed since the last time goes. */
  tick(): void {
    for (const buffer of this.#free.splice(0, this.#idle)) this.#freeBytes -= buffer.length;
    this.#idle = this.#free.length;
  }

  /** Nobody will need any for a while. */
  clear(): void {
    this.#free = [];
    this.#freeBytes = 0;
    this.#idle = 0;
  }

  #take(bytes: number): Uint8Array {
    const at = this.#free.findLastIndex(({ length }) => length >= bytes && length <= 2 * bytes);
    let whole: Uint8Array;
    if (at < 0) whole = new Uint8Array(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    else {
      whole = this.#free.splice(at, 1)[0] as Uint8Array;
      this.#freeBytes -= whole.length;
      this.#idle = Math.min(this.#idle, this.#free.length);
    }
    this.#lent.set(whole.buffer, 1);
    return whole.subarray(0, bytes);
  }
}
