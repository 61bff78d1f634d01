// What waits to be written to the socket. Frames are encoded straight into a slab; the bodies of large DATA frames go between as they are.
import { type ErrorCode, Flag, FRAME_HEADER_BYTES, FrameType } from './codes.ts';

/** Bodies up to this many bytes are copied: one more buffer in a vectored write costs more. */
const COPIED_BYTES = 4096;
const MIN_SLAB_BYTES = 1 << 10;
const MAX_SLAB_BYTES = 64 << 10;
const NOTHING: readonly Uint8Array[] = [];

export class Output {
  #slab: Uint8Array = new Uint8Array(0);
  /** What lies between in the slab is not yet among the chunks. */
  #from = 0;
  #at = 0;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  /** Bytes that were taken lately; the next slab is about that large, so an idle connection holds little. */
  #lately = 0;

  get length(): number {
    return this.#chunkBytes + this.#at - this.#from;
  }

  /** Everything, in order; the bytes are not touched again. */
  take(): readonly Uint8Array[] {
    this.#lately = Math.max(this.#lately >> 1, this.length);
    if (this.#chunks.length === 0 && this.#at === this.#from) return NOTHING;
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#chunkBytes = 0;
    return chunks;
  }

  /** An idle connection need not hold a slab. */
  shrink(): void {
    if (this.#at !== this.#from) return;
    this.#slab = new Uint8Array(0);
    this.#from = 0;
    this.#at = 0;
    this.#lately = 0;
  }

  /** The header of a DATA frame; `body`, once or more often, gives its payload. */
  dataHeader(id: number, length: number, endStream: boolean): void {
    this.#header(0, length, FrameType.data, endStream ? Flag.endStream : 0, id);
  }

  body(bytes: Uint8Array): void {
    if (bytes.length <= COPIED_BYTES) {
      this.raw(bytes);
      return;
    }
    this.#seal();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
  }

  /** HEADERS, and CONTINUATION for what does not fit into one frame (§6.10). */
  headers(id: number, block: Uint8Array, endStream: boolean, maxFrameSize: number): void {
    let flags = endStream ? Flag.endStream : 0;
    let type: number = FrameType.headers;
    let from = 0;
    do {
      const to = Math.min(from + maxFrameSize, block.length);
      if (to === block.length) flags |= Flag.endHeaders;
      this.#header(to - from, to - from, type, flags, id);
      this.#copy(block, from, to);
      type = FrameType.continuation;
      flags = 0;
      from = to;
    } while (from < block.length);
  }

  reset(id: number, code: ErrorCode): void {
    this.#header(4, 4, FrameType.rstStream, 0, id);
    this.#uint32(code);
  }

  /** `values`: identifiers and values in turn. */
  settings(values: readonly number[]): void {
    const bytes = values.length * 3;
    this.#header(bytes, bytes, FrameType.settings, 0, 0);
    for (let i = 0; i < values.length; i += 2) {
      this.#slab[this.#at++] = (values[i] as number) >>> 8;
      this.#slab[this.#at++] = values[i] as number;
      this.#uint32(values[i + 1] as number);
    }
  }

  settingsAck(): void {
    this.#header(0, 0, FrameType.settings, Flag.ack, 0);
  }

  ping(opaque: Uint8Array, from: number, ack: boolean): void {
    this.#header(8, 8, FrameType.ping, ack ? Flag.ack : 0, 0);
    this.#copy(opaque, from, from + 8);
  }

  goaway(lastStreamId: number, code: ErrorCode, debug: Uint8Array): void {
    this.#header(8 + debug.length, 8 + debug.length, FrameType.goaway, 0, 0);
    this.#uint32(lastStreamId);
    this.#uint32(code);
    this.#copy(debug, 0, debug.length);
  }

  windowUpdate(id: number, increment: number): void {
    this.#header(4, 4, FrameType.windowUpdate, 0, id);
    this.#uint32(increment);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  /** Makes room for the header and `room` bytes after it, and writes the header. */
  #header(room: number, length: number, type: number, flags: number, id: number): void {
    this.#reserve(FRAME_HEADER_BYTES + room);
    const slab = this.#slab;
    const at = this.#at;
    slab[at] = length >>> 16;
    slab[at + 1] = length >>> 8;
    slab[at + 2] = length;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = id >>> 24;
    slab[at + 6] = id >>> 16;
    slab[at + 7] = id >>> 8;
    slab[at + 8] = id;
    this.#at = at + FRAME_HEADER_BYTES;
  }

  #uint32(value: number): void {
    const slab = this.#slab;
    slab[this.#at++] = value >>> 24;
    slab[this.#at++] = value >>> 16;
    slab[this.#at++] = value >>> 8;
    slab[this.#at++] = value;
  }

  #copy(bytes: Uint8Array, from: number, to: number): void {
    const slab = this.#slab;
    let at = this.#at;
    // Below some 64 bytes a loop is faster than the call.
    if (to - from <= 64) for (let i = from; i < to; i++) slab[at++] = bytes[i] as number;
    else {
      slab.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
      at += to - from;
    }
    this.#at = at;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return;
    this.#seal();
    let size = MIN_SLAB_BYTES;
    const wanted = Math.max(bytes, Math.min(MAX_SLAB_BYTES, Math.max(this.#lately, this.#slab.length) * 2));
    while (size < wanted) size *= 2;
    this.#slab = new Uint8Array(size);
    this.#from = 0;
    this.#at = 0;
  }

  /** What was encoded so far becomes a chunk. */
  #seal(): void {
    if (this.#at === this.#from) return;
    this.#chunks.push(this.#slab.subarray(this.#from, this.#at));
    this.#chunkBytes += this.#at - this.#from;
    this.#from = this.#at;
  }
}
