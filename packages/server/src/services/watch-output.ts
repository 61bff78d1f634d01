// What a stream of watchers sends, as the bytes of whole messages. Events go to many watchers at a time, so their bytes are made once
// (`EventBatch`), and the message around them once for all watchers of the stream that are given the same: a header, the watcher's id, the events.
// It is copied as often as there are watchers, twice as many at a time as before, and then each copy gets its id. Messages of one moment leave in
// pieces as large as a DATA frame, and not one by one.
import { varintLength, writeVarint } from '@distrokv/base';
import { framed } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';

/** What a DATA frame takes by default (RFC 9113 §4.2). */
const FRAME_BYTES = 16 << 10;
const LARGE_BYTES = 64 << 10;
const MIN_PIECE_BYTES = 512;
/** The flag and the length of a message, as in gRPC over HTTP/2. */
const PREFIX_BYTES = 5;
/** Field 2 of WatchResponse as a varint. */
const WATCH_ID_TAG = 0x10;

export interface WatchOutputHost {
  /** Takes one or several whole messages, which nobody else touches any more. */
  emit(messages: Uint8Array): void;
  /** Memory that is used again once what was emitted is written; undefined where there is none for so few bytes. */
  allocate(bytes: number): Uint8Array | undefined;
}

export class WatchOutput {
  readonly #host: WatchOutputHost;
  #piece: Uint8Array = NOTHING;
  #at = 0;
  /** Bytes that were emitted since the last flush, and that were in one go lately: pieces are about that large, so an idle stream holds little. */
  #emitted = 0;
  #lately = 0;
  /** Watchers that are to get one more message, which is the same for all of them. */
  #ids: number[] = [];
  #idsBytes = 0;
  #header: Uint8Array = NOTHING;
  #events: Uint8Array = NOTHING;

  constructor(host: WatchOutputHost) {
    this.#host = host;
  }

  /** What was added and not sent. */
  get pendingBytes(): number {
    return this.#at + this.#idsBytes;
  }

  /** `header` and `events`: those fields of a WatchResponse as they are encoded; they stay as they are. */
  addEvents(header: Uint8Array, watchId: number, events: Uint8Array): void {
    if (header !== this.#header || events !== this.#events) {
      this.#putTogether();
      this.#header = header;
      this.#events = events;
    }
    this.#ids.push(watchId);
    this.#idsBytes += PREFIX_BYTES + header.length + idLength(watchId) + events.length;
    // A connection that takes no more is to be noticed before very much has been made for it.
    if (this.#idsBytes >= LARGE_BYTES) this.#putTogether();
  }

  add(response: pb.WatchResponse): void {
    this.#putTogether();
    const message = framed(pb.WatchResponse, response);
    this.#reserve(message.length, message.length);
    this.#piece.set(message, this.#at);
    this.#at += message.length;
  }

  /** Sends what was added, now that nothing more comes in this go. */
  flush(): void {
    this.#putTogether();
    this.#emit();
    this.#lately = Math.max(this.#lately >> 1, this.#emitted);
    this.#emitted = 0;
    this.#header = NOTHING;
    this.#events = NOTHING;
  }

  /** The messages for `#ids`. */
  #putTogether(): void {
    const ids = this.#ids;
    for (let from = 0; from < ids.length;) {
      const bytesOfId = idLength(ids[from] as number);
      let to = from + 1;
      while (to < ids.length && idLength(ids[to] as number) === bytesOfId) to++;
      while (from < to) from = this.#copies(ids, from, to, bytesOfId);
    }
    ids.length = 0;
    this.#idsBytes = 0;
  }

  /** Messages of one length, for `ids[from, to)`, as many as the piece takes; returns for whom the next one is. */
  #copies(ids: readonly number[], from: number, to: number, bytesOfId: number): number {
    const header = this.#header;
    const events = this.#events;
    const length = PREFIX_BYTES + header.length + bytesOfId + events.length;
    this.#reserve(length, (to - from) * length);
    const piece = this.#piece;
    const start = this.#at;
    const count = Math.min(to - from, Math.floor((piece.length - start) / length));
    const body = length - PREFIX_BYTES;
    piece[start] = 0;
    piece[start + 1] = body >>> 24;
    piece[start + 2] = body >>> 16;
    piece[start + 3] = body >>> 8;
    piece[start + 4] = body;
    const atId = PREFIX_BYTES + header.length;
    piece.set(header, start + PREFIX_BYTES);
    piece.set(events, start + atId + bytesOfId);
    for (let made = 1; made < count; made *= 2)
      piece.copyWithin(start + made * length, start, start + Math.min(made, count - made) * length);
    if (bytesOfId > 0) for (let i = 0; i < count; i++) writeId(piece, start + i * length + atId, ids[from + i] as number);
    this.#at = start + count * length;
    return from + count;
  }

  #emit(): void {
    if (this.#at === 0) return;
    const piece = this.#piece.subarray(0, this.#at);
    this.#emitted += this.#at;
    this.#piece = NOTHING;
    this.#at = 0;
    this.#host.emit(piece);
  }

  /** Room for `bytes` in one piece; `more`: what is known to come. */
  #reserve(bytes: number, more: number): void {
    if (this.#at + bytes <= this.#piece.length) return;
    this.#emit();
    const wanted = Math.max(more, this.#lately - this.#emitted, this.#emitted);
    // Memory of so many bytes is dear: the collector looks after it only when there is much of it.
    const large = wanted > FRAME_BYTES ? this.#host.allocate(Math.max(bytes, LARGE_BYTES)) : undefined;
    this.#piece = large ?? Buffer.allocUnsafeSlow(Math.max(bytes, MIN_PIECE_BYTES, Math.min(wanted + 64, FRAME_BYTES)));
  }
}

/** Of the field with a watcher's id; as any field of proto3 it is left out where it is 0. */
function idLength(id: number): number {
  if (id === 0) return 0;
  return id > 0 ? 1 + varintLength(id) : 11;
}

/** The field with an id that is not 0. Clients may choose ids below, which are 64 bits in two's complement on the wire. */
function writeId(into: Uint8Array, at: number, id: number): void {
  into[at] = WATCH_ID_TAG;
  if (id > 0) {
    writeVarint(into, at + 1, id);
    return;
  }
  let rest = BigInt.asUintN(64, BigInt(id));
  for (let i = 1; i < 10; i++, rest >>= 7n) into[at + i] = Number(rest & 0x7fn) | 0x80;
  into[at + 10] = Number(rest);
}

const NOTHING = new Uint8Array(0);
