// A connection from the outside: the bytes, the time and the wishes of its owner reach the parts that deal with them, and what a part
// throws ends the connection.
import { assert } from '@distrokv/base';
import { ErrorCode, errorName, INITIAL_WINDOW, MAX_STREAM_ID, MIN_MAX_FRAME_SIZE, PREFACE, Setting } from './codes.ts';
import { ControlFrames } from './control-frames.ts';
import { Core } from './core.ts';
import { Http2Error } from './errors.ts';
import { FrameReader } from './frame-reader.ts';
import { HeaderBlock } from './header-block.ts';
import { INITIAL_TABLE_BYTES } from './hpack-static.ts';
import { type ConnectionOptions, limitsOf } from './options.ts';
import { protocolError, Receiver } from './receiver.ts';
import type { ClientConnection, Connection, ConnectionHandler, HeaderList, PeerSettings, SharedNuisance, Stream } from './types.ts';
import { Watch } from './watch.ts';

/**
 * A connection that a client has opened to us. It has output at once, which `onOutput` does not tell of. `shared` is what it has in common with others of
 * the same peer. Throws Http2Error `bad-options`.
 */
export function createServerConnection<Context>(
  handler: ConnectionHandler<Context>,
  options: ConnectionOptions = {},
  shared?: SharedNuisance,
): Connection {
  return new Http2Connection<Context>(true, handler, options, shared);
}

/** A connection that we have opened to a server. It has output at once, which `onOutput` does not tell of. Throws Http2Error `bad-options`. */
export function createClientConnection<Context>(
  handler: ConnectionHandler<Context>,
  options: ConnectionOptions = {},
): ClientConnection<Context> {
  return new Http2Connection<Context>(false, handler, options);
}

class Http2Connection<Context> implements ClientConnection<Context> {
  readonly #core: Core<Context>;
  readonly #watch: Watch<Context>;
  readonly #control: ControlFrames<Context>;
  readonly #receiver: Receiver<Context>;
  readonly #reader: FrameReader;
  /** Bytes of the client's preface that have come. */
  #prefaceAt = 0;
  #isReceiving = false;
  #isShuttingDown = false;

  constructor(isServer: boolean, handler: ConnectionHandler<Context>, options: ConnectionOptions, shared?: SharedNuisance) {
    const limits = limitsOf(options);
    this.#core = new Core(isServer, handler, limits, shared);
    this.#watch = new Watch(this.#core, () => this.#sendLastGoaway());
    this.#control = new ControlFrames(this.#core, this.#watch);
    this.#receiver = new Receiver(this.#core, this.#control);
    this.#reader = new FrameReader(this.#receiver, limits.maxFrameSize);
    this.#sendPreface();
  }

  /** What each side begins with (RFC 9113 §3.4). */
  #sendPreface(): void {
    const { isServer, limits, sender } = this.#core;
    if (!isServer) sender.output.raw(PREFACE);
    const settings = [Setting.initialWindowSize, limits.streamWindowBytes, Setting.maxHeaderListSize, limits.maxHeaderListBytes];
    if (isServer) settings.push(Setting.maxConcurrentStreams, limits.maxConcurrentStreams);
    else settings.push(Setting.enablePush, 0);
    if (limits.headerTableBytes !== INITIAL_TABLE_BYTES) settings.push(Setting.headerTableSize, limits.headerTableBytes);
    if (limits.maxFrameSize !== MIN_MAX_FRAME_SIZE) settings.push(Setting.maxFrameSize, limits.maxFrameSize);
    sender.output.settings(settings);
    const more = limits.connectionWindowBytes - INITIAL_WINDOW;
    if (more > 0) sender.output.windowUpdate(0, more);
  }

  receive(bytes: Uint8Array): void {
    if (this.#core.closed) return;
    assert(!this.#isReceiving, 'receive is not called from within receive');
    this.#isReceiving = true;
    this.#watch.heard = true;
    try {
      const from = this.#core.isServer && this.#prefaceAt < PREFACE.length ? this.#readPreface(bytes) : 0;
      this.#reader.read(bytes, from);
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#isReceiving = false;
    }
    this.#core.announce();
  }

  #readPreface(bytes: Uint8Array): number {
    let at = 0;
    for (; at < bytes.length && this.#prefaceAt < PREFACE.length; at++) {
      if (bytes[at] !== PREFACE[this.#prefaceAt++]) throw protocolError("not the preface of HTTP/2's clients");
    }
    return at;
  }

  /** What a peer did, or failed to do, ends the connection; anything else is somebody's bug, and goes on its way. */
  #fail(thrown: unknown): void {
    if (!(thrown instanceof Http2Error) || (thrown.code !== 'protocol' && thrown.code !== 'timeout')) throw thrown;
    this.#core.fail(thrown);
  }

  takeOutput(): readonly Uint8Array[] {
    return this.#core.takeOutput();
  }

  get outputBytes(): number {
    return this.#core.sender.output.length;
  }

  get congested(): boolean {
    return this.#core.isServer && !this.#core.sender.hasRoom;
  }

  tick(nowMs: number): void {
    if (this.#core.closed) return;
    this.#core.ticks++;
    try {
      this.#watch.tick(nowMs, { sawSettings: this.#control.sawSettings, isInBlock: this.#receiver.isInBlock });
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#core.announce();
  }

  get openStreams(): number {
    return this.#core.streams.size;
  }

  get peerSettings(): PeerSettings {
    return this.#core.peer;
  }

  get closed(): boolean {
    return this.#core.closed;
  }

  ping(opaque: number): boolean {
    const sent = !this.#core.closed && this.#watch.ping(opaque);
    this.#core.announce();
    return sent;
  }

  shutdown(): void {
    const core = this.#core;
    if (core.closed || this.#isShuttingDown) return;
    this.#isShuttingDown = true;
    core.opensNoMore = true;
    if (core.isServer) {
      core.sendGoaway(MAX_STREAM_ID, ErrorCode.noError, 'shutting down');
      this.#watch.pingForShutdown();
    } else {
      core.endsWhenIdle = true;
      core.finishIfIdle();
    }
    core.announce();
  }

  /** One round trip after the first: the client knows, and what it had sent before has come. */
  #sendLastGoaway(): void {
    const core = this.#core;
    core.acceptedThrough = core.streams.lastOfPeer;
    core.sendGoaway(core.acceptedThrough, ErrorCode.noError, 'shutting down');
    core.endsWhenIdle = true;
    core.finishIfIdle();
  }

  close(code: ErrorCode, message: string): void {
    this.#core.fail(new Http2Error('closed', code, message));
  }

  disconnected(why: string | undefined): void {
    const core = this.#core;
    if (core.closed) return;
    const { goaway, goawayCode } = this.#watch;
    if (goaway !== undefined)
      core.finish(new Http2Error('goaway', goawayCode, `the peer ended the connection: ${errorName(goawayCode)} ${goaway}`));
    else if (why === undefined && core.streams.size === 0) core.finish(undefined);
    else core.finish(new Http2Error('disconnected', ErrorCode.cancel, why ?? 'the peer ended the connection'));
  }

  get availableStreams(): number {
    return this.#core.availableStreams;
  }

  openStream(headers: HeaderBlock | HeaderList, endStream: boolean, context: Context, extra?: HeaderList): Stream<Context> | undefined {
    const core = this.#core;
    if (core.availableStreams === 0) return undefined;
    core.checkSendable(headers, extra);
    const stream = core.newStream(core.streams.nextOwn);
    core.streams.nextOwn += 2;
    stream.context = context;
    stream.isHead = isHead(headers instanceof HeaderBlock ? headers.list : headers);
    core.sender.sendHeaders(stream, headers, endStream, extra);
    core.watchCapacity();
    if (core.streams.nextOwn > MAX_STREAM_ID) core.handler.onExhausted?.();
    core.announce();
    return stream;
  }
}

function isHead(list: HeaderList): boolean {
  for (let i = 0; i < list.length; i += 2) if (list[i] === ':method') return list[i + 1] === 'HEAD';
  return false;
}
