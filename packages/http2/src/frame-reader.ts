// From bytes, however they are cut, to frames (RFC 9113 §4.1). DATA is handed on as it comes; every other frame is handed on whole, straight out of the
// bytes off the socket if it lies in them in one piece. What is held of a frame that has not ended is never more than has come of it.
import { ErrorCode, FRAME_HEADER_BYTES, FrameType } from './codes.ts';
import { Http2Error } from './errors.ts';

export interface FrameSink {
  /** A whole frame that is not DATA; its payload is [from, to).. */
  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void;
  /** A DATA frame begins; its payload, of `length` bytes, padding included, comes in parts. */
  onDataFrame(flags: number, id: number, length: number): void;
  /** The next part of the payload is [from, to). `last`: the frame ends with it. */
  onDataPart(bytes: Uint8Array, from: number, to: number, last: boolean): void;
  /** Nothing more is to be read. */
  readonly closed: boolean;
}

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxFrameSize: number;
  /** Of the current DATA frame, what has not come. */
  #dataLeft = 0;
  /** The beginning of a frame that has not ended, header included. */
  #held: Uint8Array = new Uint8Array(64);
  #heldLength = 0;

  constructor(sink: FrameSink, maxFrameSize: number) {
    this.#sink = sink;
    this.#maxFrameSize = maxFrameSize;
  }

  get heldBytes(): number {
    return this.#held.length;
  }

  /** Throws Http2Error FRAME_SIZE_ERROR, and what the sink throws. */
  read(bytes: Uint8Array, from: number): void {
    const end = bytes.length;
    let at = this.#heldLength > 0 ? this.#resume(bytes, from) : from;
    while (at < end && !this.#sink.closed) {
      if (this.#dataLeft > 0) {
        at = this.#dataPart(bytes, at);
        continue;
      }
      const rest = end - at;
      if (rest < FRAME_HEADER_BYTES) {
        this.#hold(bytes, at, end);
        return;
      }
      const length = this.#lengthOf(bytes, at);
      const type = bytes[at + 3] as number;
      if (type !== FrameType.data && rest < FRAME_HEADER_BYTES + length) {
        this.#hold(bytes, at, end);
        return;
      }
      at = this.#frame(type, length, bytes, at);
    }
  }

  /** Hands on the frame whose header is at `at`, or the start of one if it is DATA. Returns where to go on. */
  #frame(type: number, length: number, bytes: Uint8Array, at: number): number {
    const flags = bytes[at + 4] as number;
    const id =
      (((bytes[at + 5] as number) & 0x7f) << 24) |
      ((bytes[at + 6] as number) << 16) |
      ((bytes[at + 7] as number) << 8) |
      (bytes[at + 8] as number);
    const from = at + FRAME_HEADER_BYTES;
    if (type !== FrameType.data) {
      this.#sink.onFrame(type, flags, id, bytes, from, from + length);
      return from + length;
    }
    this.#sink.onDataFrame(flags, id, length);
    this.#dataLeft = length;
    if (length === 0 && !this.#sink.closed) this.#sink.onDataPart(bytes, from, from, true);
    return from;
  }

  #dataPart(bytes: Uint8Array, at: number): number {
    const to = Math.min(at + this.#dataLeft, bytes.length);
    this.#dataLeft -= to - at;
    this.#sink.onDataPart(bytes, at, to, this.#dataLeft === 0);
    return to;
  }

  /** Goes on with a frame of which the beginning is held. Returns where the next frame begins in `bytes`. */
  #resume(bytes: Uint8Array, from: number): number {
    let at = this.#holdUpTo(FRAME_HEADER_BYTES, bytes, from);
    if (this.#heldLength < FRAME_HEADER_BYTES) return at;
    const length = this.#lengthOf(this.#held, 0);
    const type = this.#held[3] as number;
    if (type !== FrameType.data) {
      at = this.#holdUpTo(FRAME_HEADER_BYTES + length, bytes, at);
      if (this.#heldLength < FRAME_HEADER_BYTES + length) return at;
    }
    this.#heldLength = 0;
    const held = this.#held;
    if (held.length > 1024) this.#held = new Uint8Array(64);
    this.#frame(type, length, held, 0);
    return at;
  }

  #holdUpTo(length: number, bytes: Uint8Array, from: number): number {
    const to = Math.min(bytes.length, from + Math.max(0, length - this.#heldLength));
    this.#hold(bytes, from, to);
    return to;
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#heldLength + to - from;
    if (length > this.#held.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(from, to), this.#heldLength);
    this.#heldLength = length;
  }

  #lengthOf(bytes: Uint8Array, at: number): number {
    const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    if (length > this.#maxFrameSize) {
      throw Http2Error.protocol(ErrorCode.frameSizeError, `a frame of ${length} bytes, beyond our limit of ${this.#maxFrameSize}`);
    }
    return length;
  }
}
