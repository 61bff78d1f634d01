// The streams of a connection, and what is known of those that are gone (RFC 9113 §5.1, §5.1.1): ids only grow, so one number for each side tells
// "idle" from "closed"; of the streams that a server has cut off, the last ones are remembered, since their frames may still be on the way.
import type { Http2Stream } from './stream.ts';

const REMEMBERED_RESETS = 1024;

export class Streams<Context> {
  readonly #isServer: boolean;
  readonly #open = new Map<number, Http2Stream<Context>>();
  readonly #cutOff = new Set<number>();
  /** The stream of the last look-up: frames of one stream mostly come together. */
  #recent: Http2Stream<Context> | undefined;
  /** Highest id that the peer has opened, and that a client opens next. */
  lastOfPeer = 0;
  nextOwn: number;

  constructor(isServer: boolean, firstOwn: number) {
    this.#isServer = isServer;
    this.nextOwn = firstOwn;
  }

  get size(): number {
    return this.#open.size;
  }

  values(): IterableIterator<Http2Stream<Context>> {
    return this.#open.values();
  }

  get(id: number): Http2Stream<Context> | undefined {
    if (this.#recent?.id === id) return this.#recent;
    const stream = this.#open.get(id);
    if (stream !== undefined) this.#recent = stream;
    return stream;
  }

  add(stream: Http2Stream<Context>): void {
    this.#open.set(stream.id, stream);
    this.#recent = stream;
  }

  remove(stream: Http2Stream<Context>): void {
    this.#open.delete(stream.id);
    if (this.#recent === stream) this.#recent = undefined;
  }

  /** This side has reset the stream: what still comes on it is nobody's fault. */
  cutOff(id: number): void {
    if (!this.#isServer) return; // Clients never ask.
    this.#cutOff.add(id);
    if (this.#cutOff.size <= REMEMBERED_RESETS) return;
    for (const oldest of this.#cutOff) {
      this.#cutOff.delete(oldest);
      break;
    }
  }

  wasCutOff(id: number): boolean {
    return this.#cutOff.has(id);
  }

  /** Nobody has opened it: no frame but HEADERS and PRIORITY may come on it. */
  isIdle(id: number): boolean {
    const isClients = id % 2 === 1;
    if (this.#isServer) return !isClients || id > this.lastOfPeer;
    return !isClients || id >= this.nextOwn;
  }
}
