// The numbers of RFC 9113: frame types and flags (§6), settings (§6.5.2), error codes (§7).

export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = {
  /** DATA, HEADERS. */
  endStream: 0x1,
  /** SETTINGS, PING. */
  ack: 0x1,
  /** HEADERS, PUSH_PROMISE, CONTINUATION. */
  endHeaders: 0x4,
  /** DATA, HEADERS, PUSH_PROMISE. */
  padded: 0x8,
  /** HEADERS. */
  priority: 0x20,
} as const;

export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const ErrorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

/** Any 32-bit number: peers may send codes that no RFC knows. */
export type ErrorCode = number;

const names = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** As the RFC writes it: `PROTOCOL_ERROR`; `0x12` for a code that it does not know. */
export function errorName(code: ErrorCode): string {
  return names[code] ?? `0x${code.toString(16)}`;
}

/** What a client's connection begins with (RFC 9113 §3.4): "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n". */
export const PREFACE: Uint8Array = Uint8Array.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (c) => c.charCodeAt(0));

/** Bytes in front of every frame. */
export const FRAME_HEADER_BYTES = 9;
/** The smallest and the initial SETTINGS_MAX_FRAME_SIZE, and the largest (§6.5.2). */
export const MIN_MAX_FRAME_SIZE = 16_384;
export const MAX_MAX_FRAME_SIZE = 0xff_ffff;
/** The window of the connection at first, and of each stream unless SETTINGS say otherwise (§6.9.2). */
export const INITIAL_WINDOW = 65_535;
export const MAX_WINDOW = 0x7fff_ffff;
export const MAX_STREAM_ID = 0x7fff_ffff;

/** Does a connection that began with `bytes` speak HTTP/2 to a server? `unsure` while too few bytes have come. */
export function startsLikeHttp2(bytes: Uint8Array): 'no' | 'unsure' | 'yes' {
  const n = Math.min(bytes.length, PREFACE.length);
  for (let i = 0; i < n; i++) if (bytes[i] !== PREFACE[i]) return 'no';
  return n === PREFACE.length ? 'yes' : 'unsure';
}
