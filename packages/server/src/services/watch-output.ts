// What a stream of watchers sends, as the bytes of whole messages. Events go to many watchers at a time, so their bytes are made once
// (`EventBatch`), and a message is put together by copying: a header that all share, the watcher's id, the events. Messages of one moment leave in
// pieces as large as a DATA frame, and not one by one.
import { writeVarint } from '@distrokv/base';
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
/** The id's tag and the id at their longest. */
const MAX_ID_BYTES = 11;

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

  constructor(host: WatchOutputHost) {
    this.#host = host;
  }

  /** What was added and not sent. */
  get pendingBytes(): number {
    return this.#at;
  }

  /** `header` and `events`: those fields of a WatchResponse as they are encoded. */
  addEvents(header: Uint8Array, watchId: number, events: Uint8Array): void {
    this.#reserve(PREFIX_BYTES + header.length + MAX_ID_BYTES + events.length);
    const piece = this.#piece;
    const start = this.#at;
    let at = start + PREFIX_BYTES;
    for (let i = 0; i < header.length; i++) piece[at++] = header[i] as number;
    if (watchId !== 0) {
      piece[at++] = WATCH_ID_TAG;
      at = writeVarint(piece, at, watchId);
    }
    piece.set(events, at);
    at += events.length;
    const length = at - start - PREFIX_BYTES;
    piece[start] = 0;
    piece[start + 1] = length >>> 24;
    piece[start + 2] = length >>> 16;
    piece[start + 3] = length >>> 8;
    piece[start + 4] = length;
    this.#at = at;
  }

  add(response: pb.WatchResponse): void {
    const message = framed(pb.WatchResponse, response);
    this.#reserve(message.length);
    this.#piece.set(message, this.#at);
    this.#at += message.length;
  }

  /** Sends what was added, now that nothing more comes in this go. */
  flush(): void {
    this.#emit();
    this.#lately = Math.max(this.#lately >> 1, this.#emitted);
    this.#emitted = 0;
  }

  #emit(): void {
    if (this.#at === 0) return;
    const piece = this.#piece.subarray(0, this.#at);
    this.#emitted += this.#at;
    this.#piece = NOTHING;
    this.#at = 0;
    this.#host.emit(piece);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#piece.length) return;
    this.#emit();
    const wanted = Math.max(bytes, this.#lately - this.#emitted, this.#emitted);
    // Memory of so many bytes is dear: the collector looks after it only when there is much of it.
    const large = wanted > FRAME_BYTES ? this.#host.allocate(Math.max(bytes, LARGE_BYTES)) : undefined;
    this.#piece = large ?? Buffer.allocUnsafeSlow(Math.max(bytes, MIN_PIECE_BYTES, Math.min(wanted + 64, FRAME_BYTES)));
  }
}

const NOTHING = new Uint8Array(0);
