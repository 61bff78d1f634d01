// Frames by hand, for tests: made and read without the code that is tested. What a test expects is written as lines: `RST_STREAM 1 PROTOCOL_ERROR`.
import { utf8 } from '@distrokv/base';
import type { HeaderList } from '../types.ts';

export const types = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
] as const;
export type FrameName = (typeof types)[number];

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

const codes = [
  ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED', 'FRAME_SIZE_ERROR'],
  ...['REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
];

export const PREFACE: Uint8Array = utf8('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function codeOf(name: string): number {
  return codes.indexOf(name);
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** Any frame; `type` may be a number that no RFC knows. */
export function frame(type: FrameName | number, flags: number, id: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const number = typeof type === 'number' ? type : types.indexOf(type);
  const length = payload.length;
  return join(Uint8Array.of(length >> 16, length >> 8, length, number, flags), uint32(id), payload);
}

/** A field block of literals that touch no table. */
export function literals(list: HeaderList): Uint8Array {
  const string = (text: string): Uint8Array => {
    const bytes = Uint8Array.from(Buffer.from(text, 'latin1'));
    if (bytes.length < 127) return join(Uint8Array.of(bytes.length), bytes);
    const length: number[] = [0x7f];
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
    return join(Uint8Array.of(...length, rest), bytes);
  };
  const parts: Uint8Array[] = [];
  for (let i = 0; i < list.length; i += 2) parts.push(Uint8Array.of(0), string(list[i] as string), string(list[i + 1] as string));
  return join(...parts);
}

export function headers(id: number, list: HeaderList, flags = 0): Uint8Array {
  return frame('HEADERS', flags | END_HEADERS, id, literals(list));
}

export function data(id: number, body: Uint8Array | number | string, flags = 0): Uint8Array {
  return frame('DATA', flags, id, typeof body === 'number' ? new Uint8Array(body) : typeof body === 'string' ? utf8(body) : body);
}

export function settings(...values: readonly (readonly [number, number])[]): Uint8Array {
  return frame('SETTINGS', 0, 0, join(...values.map(([id, value]) => join(Uint8Array.of(id >> 8, id), uint32(value)))));
}

export function rst(id: number, code: string): Uint8Array {
  return frame('RST_STREAM', 0, id, uint32(codeOf(code)));
}

export function ping(opaque = '12345678', flags = 0): Uint8Array {
  return frame('PING', flags, 0, utf8(opaque));
}

export function goaway(last: number, code: string, debug = ''): Uint8Array {
  return frame('GOAWAY', 0, 0, join(uint32(last), uint32(codeOf(code)), utf8(debug)));
}

export function windowUpdate(id: number, increment: number): Uint8Array {
  return frame('WINDOW_UPDATE', 0, id, uint32(increment));
}

export const settingsAck: Uint8Array = frame('SETTINGS', ACK, 0);

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Uint8Array;
}

/** Cuts what was sent into frames. Throws if there is a part of one. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at) >>> 8;
    if (at + 9 + length > bytes.length) throw new Error('part of a frame was sent');
    frames.push({
      type: view.getUint8(at + 3),
      flags: view.getUint8(at + 4),
      id: view.getUint32(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** A frame as a line: its name, its stream if it is on one, what it says, and its flags. */
export function lineOf({ type, flags, id, payload }: Frame): string {
  const number = (at: number): number => new DataView(payload.buffer, payload.byteOffset).getUint32(at);
  const name = types[type] ?? `frame ${type}`;
  const end = (flags & END_STREAM) !== 0 ? ' END_STREAM' : '';
  switch (name) {
    case 'DATA':
      return `DATA ${id} ${payload.length} bytes${end}`;
    case 'HEADERS':
      return `HEADERS ${id}${end}${(flags & END_HEADERS) !== 0 ? '' : ' unfinished'}`;
    case 'RST_STREAM':
      return `RST_STREAM ${id} ${codes[number(0)]}`;
    case 'SETTINGS':
      return (flags & ACK) !== 0 ? 'SETTINGS ACK' : 'SETTINGS';
    case 'PING':
      return `PING ${Buffer.from(payload).toString('latin1')}${(flags & ACK) !== 0 ? ' ACK' : ''}`;
    case 'GOAWAY':
      return `GOAWAY ${number(0)} ${codes[number(4)]}`;
    case 'WINDOW_UPDATE':
      return `WINDOW_UPDATE ${id} ${number(0)}`;
    default:
      return `${name} ${id}`;
  }
}
