// Every limit of a connection, with defaults that are safe against hostile peers and roomy for honest ones.
import { ErrorCode, MAX_MAX_FRAME_SIZE, MAX_STREAM_ID, MAX_WINDOW, MIN_MAX_FRAME_SIZE } from './codes.ts';
import { Http2Error } from './errors.ts';

export interface ConnectionOptions {
  // What we tell the peer in SETTINGS.
  /** Streams that the peer may have open at once (default 1000 for a server; a client takes none). More are refused. */
  readonly maxConcurrentStreams?: number;
  /** Largest frame that we take, in bytes (default 16,384, the smallest allowed). DATA is handed on as it comes, so larger frames cost no memory, but nothing is won either. */
  readonly maxFrameSize?: number;
  /** Bytes of a decoded header list, 32 more for each field (RFC 9113 §6.5.2) (default 16 KiB). A larger one ends the stream, four times as much the connection. */
  readonly maxHeaderListBytes?: number;
  /** Fields of a header list (default 256). */
  readonly maxHeaderFields?: number;
  /** Bytes of our decoder's dynamic table (default 4096). */
  readonly headerTableBytes?: number;

  // Flow control of what we receive.
  /** Window of a new stream in bytes (default 256 KiB). */
  readonly streamWindowBytes?: number;
  /** How far the window of a stream grows, doubling while its reader keeps up (default 4 MiB). */
  readonly maxStreamWindowBytes?: number;
  /** Window of the connection at first (default 1 MiB); bounds what unread streams hold. */
  readonly connectionWindowBytes?: number;
  /** How far the window of the connection grows (default 16 MiB). */
  readonly maxConnectionWindowBytes?: number;

  // What we send.
  /** Bytes of a stream that may be queued before `sendData` says false (default 1 MiB). */
  readonly streamQueueBytes?: number;
  /** Bytes of output that wait to be taken before DATA stays in its queue and `congested` is true (default 256 KiB). */
  readonly outputBytes?: number;
  /** Servers: while more than this is queued over all streams, new ones are refused (default 64 MiB). */
  readonly connectionQueueBytes?: number;
  /** Largest dynamic table of our encoder in bytes, however much the peer allows (default 4096). */
  readonly encoderTableBytes?: number;

  /** Clients: id of the first stream, odd (default 1). Ids only grow, to 2^31 - 1: `onExhausted` tells of the last. */
  readonly firstStreamId?: number;

  // Time, in milliseconds.
  /** How long the peer may take for its preface and SETTINGS, and to acknowledge ours (default 10,000). */
  readonly handshakeTimeoutMs?: number;
  /** PING a peer that has been silent for so long (default Infinity: never). */
  readonly keepaliveMs?: number;
  /** Give up when nothing at all came for so long after that PING (default 20,000). */
  readonly keepaliveTimeoutMs?: number;
  /** Keepalive also while no stream is open (default true). */
  readonly keepaliveWithoutStreams?: boolean;

  // What a peer may do before it is told to calm down.
  /** Servers: PINGs that come faster than this, between which we sent no headers or data, are strikes (default 0: none is). */
  readonly minPingIntervalMs?: number;
  /** Servers: while no stream is open, PINGs faster than every two hours are strikes (default false). */
  readonly strictPingsWithoutStreams?: boolean;
  /** More strikes than this end the connection with ENHANCE_YOUR_CALM, "too_many_pings" (default 2). */
  readonly maxPingStrikes?: number;
  /** Frames that cost us work and bring the peer nothing (resets, pings, settings, empty frames, …) that it may send at once (default 1000). */
  readonly nuisanceBurst?: number;
  /** How many more of them it may send each second (default 200); two streams that end in order earn one, too. */
  readonly nuisancePerSecond?: number;
}

export type Limits = Readonly<Required<ConnectionOptions>>;

const defaults: Limits = {
  maxConcurrentStreams: 1000,
  maxFrameSize: MIN_MAX_FRAME_SIZE,
  maxHeaderListBytes: 16 << 10,
  maxHeaderFields: 256,
  headerTableBytes: 4096,
  streamWindowBytes: 256 << 10,
  maxStreamWindowBytes: 4 << 20,
  connectionWindowBytes: 1 << 20,
  maxConnectionWindowBytes: 16 << 20,
  streamQueueBytes: 1 << 20,
  outputBytes: 256 << 10,
  connectionQueueBytes: 64 << 20,
  encoderTableBytes: 4096,
  firstStreamId: 1,
  handshakeTimeoutMs: 10_000,
  keepaliveMs: Infinity,
  keepaliveTimeoutMs: 20_000,
  keepaliveWithoutStreams: true,
  minPingIntervalMs: 0,
  strictPingsWithoutStreams: false,
  maxPingStrikes: 2,
  nuisanceBurst: 1000,
  nuisancePerSecond: 200,
};

type NumericLimit = { [K in keyof Limits]: Limits[K] extends number ? K : never }[keyof Limits];

/** Least and greatest value of what must be a whole number. */
const ranges: Partial<Record<NumericLimit, readonly [number, number]>> = {
  maxConcurrentStreams: [0, 0x7fff_ffff],
  maxFrameSize: [MIN_MAX_FRAME_SIZE, MAX_MAX_FRAME_SIZE],
  maxHeaderListBytes: [256, 1 << 24],
  maxHeaderFields: [8, 1 << 16],
  headerTableBytes: [0, 1 << 20],
  streamWindowBytes: [0, MAX_WINDOW],
  maxStreamWindowBytes: [0, MAX_WINDOW],
  connectionWindowBytes: [65_535, MAX_WINDOW],
  maxConnectionWindowBytes: [65_535, MAX_WINDOW],
  streamQueueBytes: [1, Number.MAX_SAFE_INTEGER],
  outputBytes: [1, Number.MAX_SAFE_INTEGER],
  connectionQueueBytes: [1, Number.MAX_SAFE_INTEGER],
  encoderTableBytes: [0, 1 << 20],
  firstStreamId: [1, MAX_STREAM_ID],
  maxPingStrikes: [0, 1 << 20],
  nuisanceBurst: [1, Number.MAX_SAFE_INTEGER],
};

/** The options with defaults filled in. Throws Http2Error `bad-options`. */
export function limitsOf(options: ConnectionOptions): Limits {
  const limits = { ...defaults, ...options };
  for (const [name, [least, most]] of Object.entries(ranges) as [NumericLimit, readonly [number, number]][]) {
    const value = limits[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new Http2Error('bad-options', ErrorCode.noError, `${name} is ${value}, not a whole number from ${least} to ${most}`);
    }
  }
  if (limits.firstStreamId % 2 === 0)
    throw new Http2Error('bad-options', ErrorCode.noError, 'firstStreamId is even, and clients have odd ids');
  return {
    ...limits,
    maxStreamWindowBytes: Math.max(limits.maxStreamWindowBytes, limits.streamWindowBytes),
    maxConnectionWindowBytes: Math.max(limits.maxConnectionWindowBytes, limits.connectionWindowBytes),
  };
}
