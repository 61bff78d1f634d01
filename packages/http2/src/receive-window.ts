// A flow-control window of ours (RFC 9113 §5.2, §6.9.1): how much the peer may send. It is given back as the data is consumed, half a window at a
// time, and doubles while the reader keeps up, so that a fast stream over a long line is not held back.

/** Invariant: `#available` (what the peer may send) + unread bytes + `#consumed` = `#size` (+ `slack`). */
export class ReceiveWindow {
  #size: number;
  readonly #maxSize: number;
  #available: number;
  /** Consumed and not yet given back. */
  #consumed = 0;
  #unread = 0;
  /** Given back since the window last grew. */
  #sinceGrowth = 0;

  /** `slack`: what the peer may think that it may send beyond `size`, because it has not seen our SETTINGS yet. */
  constructor(size: number, maxSize: number, slack = 0) {
    this.#size = size;
    this.#maxSize = maxSize;
    this.#available = size + slack;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that came and are not consumed. */
  get unread(): number {
    return this.#unread;
  }

  /** False if the peer had no right to send so much. */
  take(bytes: number): boolean {
    if (bytes > this.#available) return false;
    this.#available -= bytes;
    this.#unread += bytes;
    return true;
  }

  /** Returns the increment to tell the peer, or 0 while it is too small to be worth a frame. More than was taken cannot be consumed. */
  consume(bytes: number): number {
    const n = bytes < this.#unread ? bytes : this.#unread;
    this.#unread -= n;
    this.#consumed += n;
    if (this.#consumed * 2 < this.#size || this.#consumed === 0) return 0;
    let increment = this.#consumed;
    this.#consumed = 0;
    this.#sinceGrowth += increment;
    if (this.#sinceGrowth >= this.#size && this.#size < this.#maxSize && this.#unread * 4 <= this.#size) {
      const growth = Math.min(this.#size, this.#maxSize - this.#size);
      this.#size += growth;
      increment += growth;
      this.#sinceGrowth = 0;
    }
    this.#available += increment;
    return increment;
  }
}
