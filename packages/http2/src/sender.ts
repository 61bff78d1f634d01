// What goes out: headers at once, data as far as the peer's windows (RFC 9113 §6.9.1) and the room in the output allow. What must wait lies in the queue of
// its stream; streams that could send take turns of one frame each.
import { INITIAL_WINDOW, MIN_MAX_FRAME_SIZE } from './codes.ts';
import type { HeaderBlock } from './header-block.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import type { Limits } from './options.ts';
import { Output } from './output.ts';
import type { Http2Stream } from './stream.ts';
import type { HeaderList } from './types.ts';

export interface SenderEvents<Context> {
  /** END_STREAM of this side is in the output. */
  onLocalEnd(stream: Http2Stream<Context>): void;
  /** A stream that was told to wait has room again. */
  onRoom(stream: Http2Stream<Context>): void;
  /** A DATA frame is in the output. */
  onDataSent(): void;
  /** All of `bytes`, which did not fit into one frame, is in the output. */
  onDataMoved(bytes: Uint8Array): void;
}

export class Sender<Context> {
  readonly output: Output = new Output();
  readonly encoder: HpackEncoder;
  readonly #events: SenderEvents<Context>;
  readonly #limits: Limits;
  /** The connection's window, the size of new streams' windows, and the largest frame: what the peer allows. */
  window: number = INITIAL_WINDOW;
  initialWindow: number = INITIAL_WINDOW;
  maxFrameSize: number = MIN_MAX_FRAME_SIZE;
  /** Over all streams. */
  queuedBytes = 0;
  /** Streams with queued data and a window, in turn. */
  readonly #ready = new Set<Http2Stream<Context>>();
  #isPumping = false;

  constructor(limits: Limits, events: SenderEvents<Context>) {
    this.#limits = limits;
    this.#events = events;
    this.encoder = new HpackEncoder(limits.encoderTableBytes);
  }

  sendHeaders(stream: Http2Stream<Context>, headers: HeaderBlock | HeaderList, endStream: boolean, extra: HeaderList | undefined): void {
    if (endStream) {
      stream.localEnded = true;
      if (stream.queuedBytes > 0) {
        stream.trailers = { headers, extra };
        return;
      }
    }
    this.output.headers(stream.id, this.encoder.encode(headers, extra), endStream, this.maxFrameSize);
    if (endStream) this.#ended(stream);
  }

  sendData(stream: Http2Stream<Context>, bytes: Uint8Array, endStream: boolean): boolean {
    if (endStream) stream.localEnded = true;
    const n = bytes.length;
    if (stream.queuedBytes === 0) {
      const fits = n <= this.maxFrameSize && n <= this.window && n <= stream.sendWindow && this.hasRoom && this.#ready.size === 0;
      if (n === 0 || fits) {
        if (n > 0 || endStream) this.#frame(stream, n, endStream, bytes);
        return true;
      }
    }
    if (n > 0) {
      stream.queue.push(bytes);
      stream.queuedBytes += n;
      this.queuedBytes += n;
    }
    this.resume(stream);
    this.pump();
    if (stream.queuedBytes < this.#limits.streamQueueBytes) return true;
    stream.mustHearOfRoom = true;
    return false;
  }

  get hasRoom(): boolean {
    return this.output.length < this.#limits.outputBytes;
  }

  /** The stream may have something to send now: it gets in line. */
  resume(stream: Http2Stream<Context>): void {
    if (stream.queuedBytes > 0 && stream.sendWindow > 0) this.#ready.add(stream);
  }

  /** Sends what the windows and the output take. Returns when it is called by what it calls: the outer one goes on. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    // A stream that has more to send goes to the end of the line, where this loop comes to it again.
    for (const stream of this.#ready) {
      if (this.window <= 0 || !this.hasRoom) break;
      this.#ready.delete(stream);
      if (stream.sendWindow > 0) this.#sendSome(stream);
    }
    this.#isPumping = false;
  }

  /** The stream is closed: what it had queued is dropped. */
  drop(stream: Http2Stream<Context>): void {
    if (stream.queuedBytes === 0) return;
    this.#ready.delete(stream);
    this.queuedBytes -= stream.queuedBytes;
    stream.queuedBytes = 0;
    stream.queue = [];
    stream.trailers = undefined;
  }

  /** One DATA frame from the queue, which may hold many small pieces. */
  #sendSome(stream: Http2Stream<Context>): void {
    const n = Math.min(stream.queuedBytes, this.maxFrameSize, this.window, stream.sendWindow);
    const isLast = n === stream.queuedBytes;
    this.#account(stream, n);
    this.output.dataHeader(stream.id, n, isLast && stream.localEnded && stream.trailers === undefined);
    this.#moveBody(stream, n);
    stream.queuedBytes -= n;
    this.queuedBytes -= n;
    this.resume(stream);
    this.#events.onDataSent();
    if (isLast && stream.localEnded) {
      const { trailers } = stream;
      if (trailers !== undefined) {
        this.output.headers(stream.id, this.encoder.encode(trailers.headers, trailers.extra), true, this.maxFrameSize);
      }
      this.#ended(stream);
    } else if (stream.mustHearOfRoom && stream.queuedBytes * 2 <= this.#limits.streamQueueBytes) {
      stream.mustHearOfRoom = false;
      this.#events.onRoom(stream);
    }
  }

  #moveBody(stream: Http2Stream<Context>, n: number): void {
    let pieces = 0;
    for (let left = n; left > 0;) {
      const piece = stream.queue[pieces] as Uint8Array;
      const size = Math.min(piece.length - stream.headSent, left);
      this.output.body(size === piece.length ? piece : piece.subarray(stream.headSent, stream.headSent + size));
      left -= size;
      stream.headSent += size;
      if (stream.headSent === piece.length) {
        stream.headSent = 0;
        pieces++;
        if (piece.length > MIN_MAX_FRAME_SIZE) this.#events.onDataMoved(piece);
      }
    }
    if (pieces > 0) stream.queue.splice(0, pieces);
  }

  #frame(stream: Http2Stream<Context>, n: number, endStream: boolean, bytes: Uint8Array): void {
    this.#account(stream, n);
    this.output.dataHeader(stream.id, n, endStream);
    this.output.body(bytes);
    this.#events.onDataSent();
    if (endStream) this.#ended(stream);
  }

  #account(stream: Http2Stream<Context>, n: number): void {
    this.window -= n;
    stream.sendWindow -= n;
  }

  #ended(stream: Http2Stream<Context>): void {
    stream.localFlushed = true;
    this.#events.onLocalEnd(stream);
  }
}
