// The frames about the connection, and about the windows and the ends of streams: SETTINGS, PING, GOAWAY, WINDOW_UPDATE, RST_STREAM, PRIORITY (RFC 9113 §6.3 to
// §6.9), and those that no RFC knows (§5.5).
import { ErrorCode, Flag, FrameType, MAX_MAX_FRAME_SIZE, MAX_WINDOW, MIN_MAX_FRAME_SIZE, Setting } from './codes.ts';
import type { Core } from './core.ts';
import { Http2Error } from './errors.ts';
import type { HpackDecoder } from './hpack-decoder.ts';
import type { PeerSettings } from './types.ts';
import type { Watch } from './watch.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class ControlFrames<Context> {
  readonly #core: Core<Context>;
  readonly #watch: Watch<Context>;
  /** The peer's first frame has come; nothing may come before. */
  sawSettings = false;

  constructor(core: Core<Context>, watch: Watch<Context>) {
    this.#core = core;
    this.#watch = watch;
  }

  onFrame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    switch (type) {
      case FrameType.windowUpdate:
        this.#onWindowUpdate(id, bytes, from, to);
        break;
      case FrameType.rstStream:
        this.#onReset(id, bytes, from, to);
        break;
      case FrameType.ping:
        this.#onPing(flags, id, bytes, from, to);
        break;
      case FrameType.goaway:
        this.#onGoaway(id, bytes, from, to);
        break;
      case FrameType.priority:
        this.#onPriority(id, to - from);
        break;
      default:
        this.#core.chargeFor('frames of unknown type');
    }
  }

  // SETTINGS (§6.5)

  onSettings(flags: number, id: number, bytes: Uint8Array, from: number, to: number, decoder: HpackDecoder): void {
    if (id !== 0) throw connectionError(ErrorCode.protocolError, 'SETTINGS on a stream');
    if ((flags & Flag.ack) !== 0) {
      if (to > from) throw connectionError(ErrorCode.frameSizeError, 'an acknowledgement of SETTINGS with a payload');
      if (this.#core.settingsAcked) this.#core.chargeFor('acknowledgements of SETTINGS');
      this.#core.settingsAcked = true;
      decoder.setLimit(this.#core.limits.headerTableBytes);
      return;
    }
    if ((to - from) % 6 !== 0) throw connectionError(ErrorCode.frameSizeError, `SETTINGS of ${to - from} bytes`);
    this.#core.chargeFor('SETTINGS frames');
    this.#apply(bytes, from, to);
    this.sawSettings = true;
    this.#core.sender.output.settingsAck();
    this.#core.handler.onSettings?.(this.#core.peer);
    this.#core.watchCapacity();
  }

  #apply(bytes: Uint8Array, from: number, to: number): void {
    const core = this.#core;
    const before = core.peer;
    const peer: Mutable<PeerSettings> = { ...before };
    // A client that has not heard otherwise may open as many streams as it likes, once there are SETTINGS (§6.5.2).
    if (!this.sawSettings) peer.maxConcurrentStreams = Infinity;
    for (let at = from; at < to; at += 6) this.#set(peer, uint32(bytes, at) >>> 16, uint32(bytes, at + 2), core.isServer);
    core.peer = peer;
    core.sender.maxFrameSize = peer.maxFrameSize;
    core.sender.encoder.setLimit(peer.headerTableSize);
    if (peer.initialWindowSize === before.initialWindowSize) return;
    core.sender.initialWindow = peer.initialWindowSize;
    core.adjustSendWindows(peer.initialWindowSize - before.initialWindowSize);
  }

  #set(peer: Mutable<PeerSettings>, setting: number, value: number, isServer: boolean): void {
    switch (setting) {
      case Setting.headerTableSize:
        // Whatever comes last holds, but an encoder has to notice that it was smaller in between (RFC 7541 §4.2).
        this.#core.sender.encoder.setLimit(value);
        peer.headerTableSize = value;
        break;
      case Setting.enablePush:
        if (value > 1 || (value === 1 && !isServer)) throw connectionError(ErrorCode.protocolError, `ENABLE_PUSH is ${value}`);
        peer.enablePush = value === 1;
        break;
      case Setting.maxConcurrentStreams:
        peer.maxConcurrentStreams = value;
        break;
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW) throw connectionError(ErrorCode.flowControlError, `INITIAL_WINDOW_SIZE is ${value}`);
        peer.initialWindowSize = value;
        break;
      case Setting.maxFrameSize:
        if (value < MIN_MAX_FRAME_SIZE || value > MAX_MAX_FRAME_SIZE) {
          throw connectionError(ErrorCode.protocolError, `MAX_FRAME_SIZE is ${value}`);
        }
        peer.maxFrameSize = value;
        break;
      case Setting.maxHeaderListSize:
        peer.maxHeaderListSize = value;
        break;
      default: // Unknown ones are for others (§6.5.2).
    }
  }

  // WINDOW_UPDATE (§6.9)

  #onWindowUpdate(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) throw connectionError(ErrorCode.frameSizeError, `WINDOW_UPDATE of ${to - from} bytes`);
    const core = this.#core;
    const increment = uint32(bytes, from) & MAX_WINDOW;
    core.chargeFor('WINDOW_UPDATE frames');
    if (id === 0) {
      if (increment === 0) throw connectionError(ErrorCode.protocolError, 'WINDOW_UPDATE by 0');
      core.sender.window += increment;
      if (core.sender.window > MAX_WINDOW) throw connectionError(ErrorCode.flowControlError, 'a window larger than 2^31 - 1');
      core.sender.pump();
      return;
    }
    const stream = core.streams.get(id);
    if (stream === undefined) {
      if (core.streams.isIdle(id)) throw connectionError(ErrorCode.protocolError, `WINDOW_UPDATE on idle stream ${id}`);
      return; // The peer may not know yet that it is closed.
    }
    if (increment === 0) core.streamError(stream, ErrorCode.protocolError, 'WINDOW_UPDATE by 0');
    else if (stream.sendWindow + increment > MAX_WINDOW) {
      core.streamError(stream, ErrorCode.flowControlError, 'a window larger than 2^31 - 1');
    } else {
      stream.sendWindow += increment;
      core.sender.resume(stream);
      core.sender.pump();
    }
  }

  // RST_STREAM (§6.4)

  #onReset(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) throw connectionError(ErrorCode.frameSizeError, `RST_STREAM of ${to - from} bytes`);
    const core = this.#core;
    if (id === 0 || core.streams.isIdle(id)) throw connectionError(ErrorCode.protocolError, `RST_STREAM on idle stream ${id}`);
    const stream = core.streams.get(id);
    if (stream !== undefined) core.peerReset(stream, uint32(bytes, from));
    // A server's resets are as many as our requests. A client's cost us what it had asked for; but a call that it has waited for from one tick to
    // the next was meant, and there are only so many of them at a time.
    if (core.isServer && (stream === undefined || stream.bornAt === core.ticks)) core.chargeFor('RST_STREAM frames');
  }

  // PING (§6.7)

  #onPing(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw connectionError(ErrorCode.protocolError, 'PING on a stream');
    if (to - from !== 8) throw connectionError(ErrorCode.frameSizeError, `PING of ${to - from} bytes`);
    if ((flags & Flag.ack) !== 0) {
      if (!this.#watch.onPong(bytes, from)) this.#core.chargeFor('answers to no PING');
      return;
    }
    this.#core.sender.output.ping(bytes, from, true);
    this.#core.chargeFor('PING frames');
    this.#watch.onPing();
  }

  // GOAWAY (§6.8)

  #onGoaway(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw connectionError(ErrorCode.protocolError, 'GOAWAY on a stream');
    if (to - from < 8) throw connectionError(ErrorCode.frameSizeError, `GOAWAY of ${to - from} bytes`);
    const core = this.#core;
    const last = uint32(bytes, from) & MAX_WINDOW;
    const code = uint32(bytes, from + 4);
    if (last > core.peerAccepts) throw connectionError(ErrorCode.protocolError, 'GOAWAY takes more streams than the one before');
    core.chargeFor('GOAWAY frames');
    const debug = bytes.slice(from + 8, to);
    this.#watch.onGoaway(code, debug);
    core.handler.onGoaway?.(code, debug);
    core.dropUnprocessed(last, code);
    if (core.isServer) return;
    core.endsWhenIdle = true;
    core.finishIfIdle();
  }

  // PRIORITY (§6.3): deprecated, read over.

  #onPriority(id: number, length: number): void {
    if (id === 0) throw connectionError(ErrorCode.protocolError, 'PRIORITY on stream 0');
    this.#core.chargeFor('PRIORITY frames');
    if (length === 5) return;
    const stream = this.#core.streams.get(id);
    if (stream === undefined) throw connectionError(ErrorCode.frameSizeError, `PRIORITY of ${length} bytes`);
    this.#core.streamError(stream, ErrorCode.frameSizeError, `PRIORITY of ${length} bytes`);
  }
}

function connectionError(code: ErrorCode, message: string): Http2Error {
  return Http2Error.protocol(code, message);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0
  );
}
