// What both directions of a connection share: its streams and their ends, its windows, and how it ends itself (RFC 9113 §5.1, §5.4, §6.8).
import { fromUtf8, utf8 } from '@distrokv/base';
import { ErrorCode, errorName, INITIAL_WINDOW, MAX_STREAM_ID, MAX_WINDOW, MIN_MAX_FRAME_SIZE } from './codes.ts';
import { Http2Error } from './errors.ts';
import { HeaderBlock } from './header-block.ts';
import { checkHeaders } from './header-rules.ts';
import { FIELD_OVERHEAD, INITIAL_TABLE_BYTES } from './hpack-static.ts';
import { Nuisance } from './nuisance.ts';
import type { Limits } from './options.ts';
import { ReceiveWindow } from './receive-window.ts';
import { Sender, type SenderEvents } from './sender.ts';
import { Http2Stream, type StreamOwner } from './stream.ts';
import { Streams } from './streams.ts';
import type { ConnectionHandler, HeaderList, PeerSettings, SharedNuisance, StreamReset } from './types.ts';

/** Tokens of nuisance that honest work earns. */
const EARNED_BY_DATA_FRAME = 3; // The peer may answer it with two window updates and a ping.
const EARNED_BY_STREAM = 0.5; // Less than it costs to reset a stream that has ended already.
/** So many frames of a peer that asks and does not read are answered, however slowly they come. */
const MAX_UNREAD_ANSWERS = 10_000;
/** Longest text that goes with GOAWAY. */
const MAX_DEBUG_BYTES = 512;

export class Core<Context> implements StreamOwner<Context>, SenderEvents<Context> {
  readonly isServer: boolean;
  readonly limits: Limits;
  readonly handler: ConnectionHandler<Context>;
  readonly streams: Streams<Context>;
  readonly sender: Sender<Context>;
  readonly window: ReceiveWindow;
  readonly nuisance: Nuisance;
  peer: PeerSettings;
  /** The peer has acknowledged our SETTINGS. */
  settingsAcked: boolean = false;
  closed: boolean = false;
  /** How often `tick` was called. */
  ticks: number = 0;
  /** Highest stream of the peer that we still take; undefined while there is no end in sight. */
  acceptedThrough: number = MAX_STREAM_ID;
  /** No new streams from this side: the peer said GOAWAY, or `shutdown` was called. */
  opensNoMore = false;
  /** The connection ends with its last stream. */
  endsWhenIdle = false;
  /** Highest id that GOAWAY of the peer left to be processed. */
  peerAccepts: number = MAX_STREAM_ID;
  /** `availableStreams` was 0 when it was last looked at. */
  #isFull = false;
  /** We have sent headers or data since this was last set to false. */
  hasSpoken = false;
  /** Streams of ours below this id were in output that was taken. */
  takenThrough = 0;
  /** Frames that are a nuisance, and may have been answered, since output was last taken. */
  #unreadAnswers = 0;
  #told = true; // A new connection has output, and whoever made it knows.

  constructor(isServer: boolean, handler: ConnectionHandler<Context>, limits: Limits, shared: SharedNuisance | undefined) {
    this.isServer = isServer;
    this.handler = handler;
    this.limits = limits;
    this.streams = new Streams(isServer, limits.firstStreamId);
    this.sender = new Sender(limits, this);
    this.window = new ReceiveWindow(limits.connectionWindowBytes, limits.maxConnectionWindowBytes);
    this.nuisance = new Nuisance(limits.nuisanceBurst, limits.nuisancePerSecond, shared);
    this.peer = {
      headerTableSize: INITIAL_TABLE_BYTES,
      enablePush: isServer,
      // No peer has fewer in practice; it says what it has before it answers anything.
      maxConcurrentStreams: 100,
      initialWindowSize: INITIAL_WINDOW,
      maxFrameSize: MIN_MAX_FRAME_SIZE,
      maxHeaderListSize: Infinity,
    };
  }

  newStream(id: number): Http2Stream<Context> {
    const { streamWindowBytes, maxStreamWindowBytes } = this.limits;
    const slack = this.settingsAcked ? 0 : Math.max(0, INITIAL_WINDOW - streamWindowBytes);
    const window = new ReceiveWindow(streamWindowBytes, maxStreamWindowBytes, slack);
    const stream = new Http2Stream<Context>(this, id, this.sender.initialWindow, window, this.ticks);
    this.streams.add(stream);
    return stream;
  }

  // What the owner does with a stream.

  sendHeaders(stream: Http2Stream<Context>, headers: HeaderBlock | HeaderList, endStream: boolean, extra?: HeaderList): boolean {
    if (stream.closed || stream.localEnded) return false;
    this.checkSendable(headers, extra);
    this.hasSpoken = true;
    this.sender.sendHeaders(stream, headers, endStream, extra);
    this.announce();
    return true;
  }

  sendData(stream: Http2Stream<Context>, bytes: Uint8Array, endStream: boolean): boolean {
    if (stream.closed || stream.localEnded) return false;
    const goOn = this.sender.sendData(stream, bytes, endStream);
    this.announce();
    return goOn;
  }

  consume(stream: Http2Stream<Context>, bytes: number): void {
    if (stream.closed) return;
    const n = Math.min(bytes, stream.window.unread);
    const increment = stream.window.consume(n);
    if (increment > 0 && !stream.remoteEnded) this.sender.output.windowUpdate(stream.id, increment);
    this.consumeConnection(n);
  }

  resetStream(stream: Http2Stream<Context>, code: ErrorCode): void {
    if (stream.closed) return;
    this.#cutOff(stream, code);
    this.#afterRemoval();
    this.announce();
  }

  /** Throws Http2Error `bad-headers` for what is malformed, or larger than the peer takes. */
  checkSendable(headers: HeaderBlock | HeaderList, extra: HeaderList | undefined): void {
    const isBlock = headers instanceof HeaderBlock;
    if (!isBlock) checkHeaders(headers);
    if (extra !== undefined && extra.length > 0) checkHeaders(extra);
    const most = this.peer.maxHeaderListSize;
    if (most === Infinity) return;
    let bytes = isBlock ? headers.listBytes : listBytes(headers);
    if (extra !== undefined) bytes += listBytes(extra);
    if (bytes <= most) return;
    throw new Http2Error('bad-headers', ErrorCode.internalError, `a header list of ${bytes} bytes; the peer takes ${most}`);
  }

  // What the peer does.

  /** The peer broke the protocol on this stream (§5.4.2). */
  streamError(stream: Http2Stream<Context>, code: ErrorCode, message: string): void {
    this.#cutOff(stream, code);
    this.handler.onReset(stream, { code, by: 'local', unprocessed: false, message: `${errorName(code)}: ${message}` });
    this.#afterRemoval();
    this.chargeFor('streams in error');
  }

  /** A stream that gets no object: RST_STREAM and nothing else. */
  refuse(id: number, code: ErrorCode): void {
    this.streams.cutOff(id);
    this.sender.output.reset(id, code);
    this.chargeFor('refused streams');
  }

  /**
   * May frames still come on a closed stream, sent before the peer knew? A client may have cancelled any number of calls at once, so it never minds an
   * answer that comes late; a server minds, unless it has cut the stream off itself, lately, or takes no more streams.
   */
  isLateOn(id: number): boolean {
    return !this.isServer || this.streams.wasCutOff(id) || id > this.acceptedThrough;
  }

  peerReset(stream: Http2Stream<Context>, code: ErrorCode): void {
    const inOrder = stream.remoteEnded && code === ErrorCode.noError; // "I have answered, do not send the rest" (§8.1).
    this.#remove(stream);
    if (inOrder) this.handler.onStreamEnd?.(stream);
    else {
      const unprocessed = !this.isServer && code === ErrorCode.refusedStream;
      this.handler.onReset(stream, { code, by: 'peer', unprocessed, message: `the peer reset the stream: ${errorName(code)}` });
    }
    this.#afterRemoval();
  }

  /** The stream's owner has been told that the peer has ended it. */
  remoteEnded(stream: Http2Stream<Context>): void {
    if (stream.localFlushed && !stream.closed) this.#end(stream);
  }

  /** A frame that costs us and brings the peer nothing. Throws ENHANCE_YOUR_CALM when there were too many. */
  chargeFor(what: string): void {
    const areRead = ++this.#unreadAnswers <= MAX_UNREAD_ANSWERS;
    if (this.nuisance.take() && areRead) return;
    throw Http2Error.protocol(ErrorCode.enhanceYourCalm, areRead ? `too many ${what}` : `too many ${what}, and the answers are not read`);
  }

  /** Gives `bytes` of the connection's window back. */
  consumeConnection(bytes: number): void {
    if (this.closed) return;
    const increment = this.window.consume(bytes);
    if (increment > 0) this.sender.output.windowUpdate(0, increment);
    this.announce();
  }

  // SenderEvents

  onLocalEnd(stream: Http2Stream<Context>): void {
    if (stream.remoteEnded) {
      this.#end(stream);
      return;
    }
    if (!this.isServer) return;
    // The answer is complete; what the client still has to say is not wanted (§8.1).
    this.#cutOff(stream, ErrorCode.noError);
    this.handler.onStreamEnd?.(stream);
    this.#afterRemoval();
  }

  onRoom(stream: Http2Stream<Context>): void {
    this.handler.onWritable?.(stream);
  }

  onDataSent(): void {
    this.hasSpoken = true;
    this.nuisance.earn(EARNED_BY_DATA_FRAME);
  }

  onDataMoved(bytes: Uint8Array): void {
    this.handler.onDataMoved?.(bytes);
  }

  // The connection.

  /** Tells the owner, once until it takes it, that there is output. */
  announce(): void {
    if (this.#told || this.sender.output.length === 0) return;
    this.#told = true;
    this.handler.onOutput();
  }

  takeOutput(): readonly Uint8Array[] {
    this.#told = false;
    this.#unreadAnswers = 0;
    this.takenThrough = this.streams.nextOwn;
    const chunks = this.sender.output.take();
    if (!this.closed) this.sender.pump();
    this.announce();
    return chunks;
  }

  /** How many streams a client may open now. */
  get availableStreams(): number {
    if (this.opensNoMore || this.closed || this.streams.nextOwn > MAX_STREAM_ID) return 0;
    return Math.max(0, this.peer.maxConcurrentStreams - this.streams.size);
  }

  /** To be called whenever `availableStreams` may have changed: tells a client that it has risen from 0. */
  watchCapacity(): void {
    if (this.isServer) return;
    const wasFull = this.#isFull;
    this.#isFull = this.availableStreams === 0;
    if (wasFull && !this.#isFull) this.handler.onCapacity?.();
  }

  /** The peer's windows for all streams change by `delta` (§6.9.2). */
  adjustSendWindows(delta: number): void {
    for (const stream of this.streams.values()) {
      stream.sendWindow += delta;
      if (stream.sendWindow > MAX_WINDOW)
        throw Http2Error.protocol(ErrorCode.flowControlError, 'SETTINGS make a window larger than 2^31 - 1');
      this.sender.resume(stream);
    }
    this.sender.pump();
  }

  /** GOAWAY of the peer: streams beyond `last` were not looked at. */
  dropUnprocessed(last: number, code: ErrorCode): void {
    this.opensNoMore = true;
    this.peerAccepts = last;
    if (this.isServer) return;
    for (const stream of [...this.streams.values()]) {
      if (stream.id <= last || stream.closed) continue;
      this.#remove(stream);
      this.handler.onReset(stream, {
        code,
        by: 'connection',
        unprocessed: true,
        message: `the peer ends the connection: ${errorName(code)}`,
      });
    }
  }

  sendGoaway(lastStreamId: number, code: ErrorCode, message: string): void {
    this.sender.output.goaway(lastStreamId, code, utf8(message).subarray(0, MAX_DEBUG_BYTES));
  }

  /** Something is wrong with the connection (§5.4.1): GOAWAY, and the end. */
  fail(error: Http2Error, debug: string = error.message): void {
    if (this.closed) return;
    this.sendGoaway(Math.min(this.streams.lastOfPeer, this.acceptedThrough), error.wire, debug);
    this.finish(error);
  }

  finish(error: Http2Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    const reset: Omit<StreamReset, 'unprocessed'> = {
      code: error?.wire ?? ErrorCode.cancel,
      by: 'connection',
      message: error?.message ?? 'the connection has ended',
    };
    for (const stream of [...this.streams.values()]) {
      this.#remove(stream);
      this.handler.onReset(stream, { ...reset, unprocessed: !this.isServer && stream.id >= this.takenThrough });
    }
    this.announce();
    this.handler.onClose(error);
  }

  /** A graceful end comes when the last stream is gone. */
  finishIfIdle(): void {
    if (!this.endsWhenIdle || this.streams.size > 0 || this.closed) return;
    if (!this.isServer) this.sendGoaway(0, ErrorCode.noError, '');
    this.finish(undefined);
  }

  // Ends of streams.

  /** Both sides are through. */
  #end(stream: Http2Stream<Context>): void {
    this.#remove(stream);
    this.nuisance.earn(EARNED_BY_STREAM);
    this.handler.onStreamEnd?.(stream);
    this.#afterRemoval();
  }

  #cutOff(stream: Http2Stream<Context>, code: ErrorCode): void {
    this.#remove(stream);
    this.streams.cutOff(stream.id);
    this.sender.output.reset(stream.id, code);
  }

  #remove(stream: Http2Stream<Context>): void {
    stream.closed = true;
    this.streams.remove(stream);
    this.sender.drop(stream);
    if (stream.window.unread > 0) this.consumeConnection(stream.window.unread);
  }

  #afterRemoval(): void {
    this.watchCapacity();
    if (this.endsWhenIdle) this.finishIfIdle();
  }
}

/** As RFC 9113 §6.5.2 counts it. */
function listBytes(list: HeaderList): number {
  let bytes = 0;
  for (let i = 0; i < list.length; i += 2) bytes += (list[i] as string).length + (list[i + 1] as string).length + FIELD_OVERHEAD;
  return bytes;
}

/** What a peer said in words, for a message: at most 100 bytes. */
export function debugText(debug: Uint8Array): string {
  return JSON.stringify(fromUtf8(debug.subarray(0, 100)));
}
