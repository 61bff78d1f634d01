// Long answers, encoded in slices: a million keys take a fifth of a second, for which the event loop must not stand still. Protobuf makes it easy: the
// encodings of parts of a message, one after the other, are an encoding of the message, and with the fields in order the usual one.
import type { Steps } from '@distrokv/mvcc';
import { type MessageType, etcdserverpb as pb, type mvccpb } from '@distrokv/proto';

/** Room in front, for whoever sends it. */
const HEADROOM_BYTES = 16;
/** An answer with no more than that is encoded in one go, in a millisecond or two. */
const SMALL = { items: 4096, bytes: 4 << 20 } as const;
const PART = { items: 512, bytes: 1 << 20 } as const;

/** A message that is encoded already. */
export class Encoded {
  readonly #bytes: Uint8Array;

  /** Behind `HEADROOM_BYTES`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  behind(headroom: number): Uint8Array {
    return this.#bytes.subarray(HEADROOM_BYTES - headroom);
  }
}

export function mayBeEncoded<T>(type: MessageType<T>): MessageType<T | Encoded> {
  return {
    ...type,
    create: (fields) => type.create(fields as Partial<T>),
    encode: (message, headroom = 0, allocate) =>
      message instanceof Encoded ? message.behind(headroom) : type.encode(message, headroom, allocate),
  };
}

export function* encodedRange(response: pb.RangeResponse): Steps<pb.RangeResponse | Encoded> {
  const { header, kvs, more, count } = response;
  if (isSmall(kvs)) return response;
  const part = (fields: Partial<pb.RangeResponse>): Uint8Array => pb.RangeResponse.encode(pb.RangeResponse.create(fields));
  const parts = [part({ header })];
  for (let from = 0; from < kvs.length;) {
    let to = from;
    for (let bytes = 0; to < kvs.length && to - from < PART.items && bytes < PART.bytes; to++) bytes += bytesOf(kvs[to]);
    parts.push(part({ kvs: kvs.slice(from, to) }));
    from = to;
    yield;
  }
  parts.push(part({ more, count }));
  return yield* joined(parts);
}

export function* encodedLeases(header: pb.ResponseHeader, ids: readonly bigint[]): Steps<pb.LeaseLeasesResponse | Encoded> {
  if (ids.length <= SMALL.items) return { header, leases: ids.map((id) => ({ id })) };
  const part = (fields: Partial<pb.LeaseLeasesResponse>): Uint8Array =>
    pb.LeaseLeasesResponse.encode(pb.LeaseLeasesResponse.create(fields));
  const parts = [part({ header })];
  for (let from = 0; from < ids.length; from += PART.items) {
    parts.push(part({ leases: ids.slice(from, from + PART.items).map((id) => ({ id })) }));
    yield;
  }
  return yield* joined(parts);
}

function* joined(parts: readonly Uint8Array[]): Steps<Encoded> {
  const length = parts.reduce((sum, part) => sum + part.length, HEADROOM_BYTES);
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = HEADROOM_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
    yield;
  }
  return new Encoded(bytes);
}

function isSmall(kvs: readonly mvccpb.KeyValue[]): boolean {
  if (kvs.length > SMALL.items) return false;
  let bytes = 0;
  for (const kv of kvs) bytes += bytesOf(kv);
  return bytes <= SMALL.bytes;
}

function bytesOf(kv: mvccpb.KeyValue | undefined): number {
  return kv === undefined ? 0 : kv.key.length + kv.value.length;
}
