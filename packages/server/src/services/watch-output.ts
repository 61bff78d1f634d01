// What a stream of watchers sends, as the bytes of whole messages. Those of one moment leave in pieces as large as a DATA frame, and not one by one; what many
// watchers are given alike is made once (`WatchCopies`), and leaves as it is.
import { type MessageMemory, framed } from '@distrokv/grpc';
import { etcdserverpb as pb } from '@distrokv/proto';
import { type SameMessage, type WatchCopies, copyLength, writeCopies } from './watch-copies.ts';

/** What a DATA frame takes by default (RFC 9113 §4.2). */
const FRAME_BYTES = 16 << 10;
/** Fewer bytes of messages that are the same are put beside others. */
const SHARED_BYTES = 4 << 10;
const LARGE_BYTES = 64 << 10;
const MIN_PIECE_BYTES = 512;

/** A watcher, which has its id for a tag. */
interface Tagged {
  readonly tag: number;
}

export interface WatchOutputHost {
  /** Takes one or several whole messages, in memory that stays as it is until they are written. */
  emit(messages: Uint8Array): void;
  readonly memory: MessageMemory;
  /** What all streams share. */
  readonly copies: WatchCopies;
}

export class WatchOutput {
  readonly #host: WatchOutputHost;
  #piece: Uint8Array = NOTHING;
  #at = 0;
  /** Bytes of pieces that were emitted since the last flush, and in one go lately: pieces are about that large, so an idle stream holds little. */
  #emitted = 0;
  #lately = 0;
  /** Watchers that are to get one more message, which is the same for all of them. */
  #ids: number[] = [];
  #idsBytes = 0;
  #message: SameMessage = { header: NOTHING, events: NOTHING };

  constructor(host: WatchOutputHost) {
    this.#host = host;
  }

  /** What was added and not sent. */
  get pendingBytes(): number {
    return this.#at + this.#idsBytes;
  }

  /**
   * `header` and `events`: those fields of a WatchResponse as they are encoded; they stay as they are. They are for the watchers from `from` on, before `to`;
   * returns where it ended, since a connection that takes no more is to be noticed before very much has been made for it.
   */
  addEvents(message: SameMessage, watchers: readonly Tagged[], from: number, to: number): number {
    const { header, events } = message;
    if (header !== this.#message.header || events !== this.#message.events) {
      this.#putTogether();
      this.#message = { header, events };
    }
    let at = from;
    while (at < to && this.#idsBytes < LARGE_BYTES) {
      const { tag } = watchers[at++] as Tagged;
      this.#ids.push(tag);
      this.#idsBytes += copyLength(this.#message, tag);
    }
    if (this.#idsBytes >= LARGE_BYTES) this.#putTogether();
    return at;
  }

  add(response: pb.WatchResponse): void {
    this.#putTogether();
    const message = framed(pb.WatchResponse, response);
    this.#reserve(message.length);
    this.#piece.set(message, this.#at);
    this.#at += message.length;
  }

  /** Sends what was added, now that nothing more comes in this go. */
  flush(): void {
    this.#putTogether();
    this.#emit();
    this.#lately = Math.max(this.#lately >> 1, this.#emitted);
    this.#emitted = 0;
    this.#message = { header: NOTHING, events: NOTHING };
  }

  /** The messages for `#ids`. */
  #putTogether(): void {
    const bytes = this.#idsBytes;
    if (bytes === 0) return;
    this.#idsBytes = 0;
    const ids = this.#ids;
    if (bytes < SHARED_BYTES) {
      this.#reserve(bytes);
      writeCopies(this.#piece, this.#at, this.#message, ids);
      this.#at += bytes;
      ids.length = 0;
      return;
    }
    this.#ids = [];
    this.#emit();
    this.#host.emit(this.#host.copies.of(this.#message, ids, bytes, this.#host.memory));
  }

  #emit(): void {
    if (this.#at === 0) return;
    const piece = this.#piece.subarray(0, this.#at);
    this.#emitted += this.#at;
    this.#piece = NOTHING;
    this.#at = 0;
    this.#host.emit(piece);
  }

  /** Room for `bytes` in one piece. */
  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#piece.length) return;
    this.#emit();
    const wanted = Math.max(bytes, this.#lately - this.#emitted, this.#emitted);
    // Memory of so many bytes is dear: the collector looks after it only when there is much of it.
    const large = wanted > FRAME_BYTES ? this.#host.memory.allocate(Math.max(bytes, LARGE_BYTES)) : undefined;
    this.#piece = large ?? Buffer.allocUnsafeSlow(Math.max(bytes, MIN_PIECE_BYTES, Math.min(wanted + 64, FRAME_BYTES)));
  }
}

const NOTHING = new Uint8Array(0);
