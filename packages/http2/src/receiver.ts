// What each frame of the peer does (RFC 9113 §6), and what is answered to one that is not allowed. A connection error is thrown, as Http2Error `protocol`;
// a stream error ends its stream.
import { ErrorCode, Flag, FrameType } from './codes.ts';
import type { Core } from './core.ts';
import { Http2Error } from './errors.ts';
import { FieldBlocks } from './field-blocks.ts';
import type { FrameSink } from './frame-reader.ts';
import type { ControlFrames } from './control-frames.ts';
import type { Http2Stream } from './stream.ts';

export class Receiver<Context> implements FrameSink {
  readonly #core: Core<Context>;
  readonly #control: ControlFrames<Context>;
  readonly blocks: FieldBlocks;

  // A field block whose CONTINUATIONs are due; 0 for none.
  #blockStream = 0;
  #blockEndsStream = false;

  // The current DATA frame.
  #dataStream: Http2Stream<Context> | undefined;
  #dataEndsStream = false;
  /** Bytes of body in the frame; -1 while the length of the padding has not come. */
  #bodyLeft = 0;
  #payloadLeft = 0;
  #isBodyDone = false;

  constructor(core: Core<Context>, control: ControlFrames<Context>) {
    this.#core = core;
    this.#control = control;
    this.blocks = new FieldBlocks(core.limits);
  }

  get closed(): boolean {
    return this.#core.closed;
  }

  /** A field block has begun and not ended. */
  get isInBlock(): boolean {
    return this.#blockStream !== 0;
  }

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#blockStream !== 0 && (type !== FrameType.continuation || id !== this.#blockStream)) {
      throw protocolError('another frame within a field block');
    }
    if (!this.#control.sawSettings && (type !== FrameType.settings || (flags & Flag.ack) !== 0)) {
      throw protocolError('the first frame is not SETTINGS');
    }
    switch (type) {
      case FrameType.headers:
        this.#onHeaders(flags, id, bytes, from, to);
        break;
      case FrameType.continuation:
        this.#onContinuation(flags, bytes, from, to);
        break;
      case FrameType.pushPromise:
        throw protocolError(this.#core.isServer ? 'a client pushes' : 'PUSH_PROMISE, which we have disabled');
      case FrameType.settings:
        this.#control.onSettings(flags, id, bytes, from, to, this.blocks.decoder);
        break;
      default:
        this.#control.onFrame(type, flags, id, bytes, from, to);
    }
  }

  // HEADERS and CONTINUATION (§6.2, §6.10)

  #onHeaders(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id === 0) throw protocolError('HEADERS on stream 0');
    let padding = 0;
    if ((flags & Flag.padded) !== 0) {
      if (from === to) throw frameSizeError('HEADERS without the length of its padding');
      padding = bytes[from++] as number;
    }
    if ((flags & Flag.priority) !== 0) from += 5; // Deprecated (§5.3.2), and read over.
    if (from > to && padding === 0) throw frameSizeError('HEADERS without its priority');
    if (from + padding > to) throw protocolError('padding longer than its frame');
    to -= padding;
    if (this.#core.isServer ? id % 2 === 0 : this.#core.streams.isIdle(id)) throw protocolError(`HEADERS on idle stream ${id}`);
    this.#blockEndsStream = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) this.#finishBlock(id, bytes, from, to);
    else {
      this.#blockStream = id;
      this.blocks.gather(bytes, from, to);
    }
  }

  #onContinuation(flags: number, bytes: Uint8Array, from: number, to: number): void {
    const id = this.#blockStream;
    if (id === 0) throw protocolError('CONTINUATION without HEADERS');
    this.#core.chargeFor('CONTINUATION frames');
    if ((flags & Flag.endHeaders) === 0) {
      this.blocks.gather(bytes, from, to);
      return;
    }
    this.#blockStream = 0;
    this.#finishBlock(id, bytes, from, to);
  }

  #finishBlock(id: number, bytes: Uint8Array, from: number, to: number): void {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (stream !== undefined) this.#onMoreHeaders(stream, bytes, from, to);
    else if (core.isServer && id > core.streams.lastOfPeer) this.#onRequest(id, bytes, from, to);
    else {
      // Gone: the block still counts for the table (§4.3).
      this.blocks.finish(bytes, from, to, 'trailers');
      if (core.isLateOn(id)) return;
      throw protocolError(`HEADERS on closed stream ${id}`);
    }
  }

  #onRequest(id: number, bytes: Uint8Array, from: number, to: number): void {
    const core = this.#core;
    const endsStream = this.#blockEndsStream;
    const { list, tooLarge, check } = this.blocks.finish(bytes, from, to, 'request');
    core.streams.lastOfPeer = id;
    if (id > core.acceptedThrough) return; // After GOAWAY (§6.8).
    const isFull = core.streams.size >= core.limits.maxConcurrentStreams || core.sender.queuedBytes > core.limits.connectionQueueBytes;
    if (isFull) core.refuse(id, ErrorCode.refusedStream);
    else if (tooLarge) core.refuse(id, ErrorCode.enhanceYourCalm);
    else if (check.malformed !== undefined || (endsStream && check.contentLength > 0)) core.refuse(id, ErrorCode.protocolError);
    else {
      const stream = core.newStream(id);
      stream.headersCame = true;
      stream.expectedBytes = check.contentLength;
      stream.remoteEnded = endsStream;
      core.handler.onHeaders(stream, list, endsStream);
      if (endsStream) core.remoteEnded(stream);
    }
  }

  /** A response, or trailers. */
  #onMoreHeaders(stream: Http2Stream<Context>, bytes: Uint8Array, from: number, to: number): void {
    const core = this.#core;
    const endsStream = this.#blockEndsStream;
    const areTrailers = stream.headersCame;
    const { list, tooLarge, check } = this.blocks.finish(bytes, from, to, areTrailers ? 'trailers' : 'response');
    if (stream.remoteEnded) core.streamError(stream, ErrorCode.streamClosed, 'HEADERS after the end of the stream');
    else if (tooLarge) core.streamError(stream, ErrorCode.enhanceYourCalm, 'a header list beyond our limits');
    else if (check.malformed !== undefined) core.streamError(stream, ErrorCode.protocolError, `malformed: ${check.malformed}`);
    else if (areTrailers) {
      if (!endsStream) core.streamError(stream, ErrorCode.protocolError, 'malformed: trailers that do not end the stream');
      else if (this.#hasRightLength(stream)) {
        stream.remoteEnded = true;
        core.handler.onTrailers(stream, list);
        core.remoteEnded(stream);
      }
    } else if (check.status < 200) {
      if (endsStream) core.streamError(stream, ErrorCode.protocolError, `malformed: status ${check.status} ends the stream`);
      else {
        core.handler.onInformational?.(stream, list);
        core.chargeFor('informational responses');
      }
    } else {
      stream.headersCame = true;
      const hasBody = !stream.isHead && check.status !== 204 && check.status !== 304;
      if (hasBody) stream.expectedBytes = check.contentLength;
      if (endsStream && !this.#hasRightLength(stream)) return;
      stream.remoteEnded = endsStream;
      core.handler.onHeaders(stream, list, endsStream);
      if (endsStream) core.remoteEnded(stream);
    }
  }

  /** At the end of a body: is it as long as content-length said (§8.1.1)? */
  #hasRightLength(stream: Http2Stream<Context>): boolean {
    if (stream.expectedBytes < 0 || stream.receivedBytes === stream.expectedBytes) return true;
    const message = `malformed: ${stream.receivedBytes} bytes of data, content-length ${stream.expectedBytes}`;
    this.#core.streamError(stream, ErrorCode.protocolError, message);
    return false;
  }

  // DATA (§6.1)

  onDataFrame(flags: number, id: number, length: number): void {
    const core = this.#core;
    if (this.#blockStream !== 0) throw protocolError('another frame within a field block');
    if (!this.#control.sawSettings) throw protocolError('the first frame is not SETTINGS');
    if (id === 0) throw protocolError('DATA on stream 0');
    if (!core.window.take(length)) throw Http2Error.protocol(ErrorCode.flowControlError, 'more data than the window of the connection');
    const padded = (flags & Flag.padded) !== 0;
    if (padded && length === 0) throw frameSizeError('DATA without the length of its padding');
    this.#dataEndsStream = (flags & Flag.endStream) !== 0;
    this.#payloadLeft = length;
    this.#bodyLeft = padded ? -1 : length;
    this.#isBodyDone = false;
    this.#dataStream = this.#streamForData(id, length);
    if (length === 0 && !this.#dataEndsStream) core.chargeFor('empty DATA frames');
  }

  /** The stream that takes the data; undefined if it is to be thrown away. */
  #streamForData(id: number, length: number): Http2Stream<Context> | undefined {
    const core = this.#core;
    const stream = core.streams.get(id);
    if (stream === undefined) {
      if (core.streams.isIdle(id)) throw protocolError(`DATA on idle stream ${id}`);
      if (!core.isLateOn(id)) core.refuse(id, ErrorCode.streamClosed);
      return undefined;
    }
    if (stream.remoteEnded) core.streamError(stream, ErrorCode.streamClosed, 'DATA after the end of the stream');
    else if (!stream.headersCame) core.streamError(stream, ErrorCode.protocolError, 'malformed: DATA before HEADERS');
    else if (!stream.window.take(length)) core.streamError(stream, ErrorCode.flowControlError, 'more data than the window of the stream');
    else return stream;
    return undefined;
  }

  onDataPart(bytes: Uint8Array, from: number, to: number, last: boolean): void {
    this.#payloadLeft -= to - from;
    let overhead = 0;
    if (this.#bodyLeft < 0) {
      const padding = bytes[from++] as number;
      overhead = 1 + padding;
      this.#bodyLeft = this.#payloadLeft + (to - from) - padding;
      if (this.#bodyLeft < 0) throw protocolError('padding longer than its frame');
      if (this.#bodyLeft === 0 && !this.#dataEndsStream) this.#core.chargeFor('empty DATA frames');
    }
    const n = Math.min(to - from, this.#bodyLeft);
    this.#bodyLeft -= n;
    const stream = this.#dataStream;
    if (stream === undefined) this.#core.consumeConnection(n + overhead);
    else if (!stream.closed) {
      // A stream that was closed within the frame has given all of it back.
      if (overhead > 0) stream.consume(overhead);
      if (n > 0 || !this.#isBodyDone) this.#deliver(stream, bytes, from, from + n);
    }
    if (last) this.#dataStream = undefined;
  }

  #deliver(stream: Http2Stream<Context>, bytes: Uint8Array, from: number, to: number): void {
    const core = this.#core;
    this.#isBodyDone = this.#bodyLeft === 0;
    const endsStream = this.#isBodyDone && this.#dataEndsStream;
    stream.receivedBytes += to - from;
    if (stream.expectedBytes >= 0 && stream.receivedBytes > stream.expectedBytes) {
      this.#hasRightLength(stream);
      return;
    }
    if (endsStream && !this.#hasRightLength(stream)) return;
    if (from === to && !endsStream) return;
    stream.remoteEnded = endsStream;
    core.handler.onData(stream, bytes.subarray(from, to), endsStream);
    if (endsStream) core.remoteEnded(stream);
  }
}

export function protocolError(message: string): Http2Error {
  return Http2Error.protocol(ErrorCode.protocolError, message);
}

export function frameSizeError(message: string): Http2Error {
  return Http2Error.protocol(ErrorCode.frameSizeError, message);
}
