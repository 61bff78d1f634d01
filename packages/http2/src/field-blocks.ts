// Field blocks as they come: HEADERS and the CONTINUATIONs after it, put together, bounded, decoded, and checked. A block that came before, with the
// table unchanged since, is neither decoded nor checked again: most calls of a client differ in nothing.
import { ErrorCode } from './codes.ts';
import { Http2Error } from './errors.ts';
import { checkHeaderList, type HeaderCheck, type HeaderKind } from './header-rules.ts';
import { HpackDecoder } from './hpack-decoder.ts';
import type { Limits } from './options.ts';
import type { HeaderList } from './types.ts';

/** A decoded block. */
export interface FieldBlock {
  readonly list: HeaderList;
  /** Beyond our limits: the list is not all of it. */
  readonly tooLarge: boolean;
  readonly check: HeaderCheck;
}

interface Remembered {
  readonly version: number;
  readonly kind: HeaderKind;
  readonly bytes: Uint8Array;
  readonly block: FieldBlock;
}

const REMEMBERED_BLOCKS = 8;
const REMEMBERED_BYTES = 256;

export class FieldBlocks {
  readonly decoder: HpackDecoder;
  readonly #maxBytes: number;
  /** What has come of a block in several frames. */
  #gathered: Uint8Array | undefined;
  #length = 0;
  readonly #remembered: Remembered[] = [];
  #next = 0;
  /** Hashes of blocks that came once: what comes a second time is worth remembering. */
  readonly #seen: number[] = [];
  #nextSeen = 0;

  constructor(limits: Limits) {
    this.decoder = new HpackDecoder(limits.headerTableBytes, limits);
    this.#maxBytes = limits.maxHeaderListBytes * 4;
  }

  /** Bytes held for a block that has not ended. */
  get heldBytes(): number {
    return this.#gathered?.length ?? 0;
  }

  /** A fragment that is not the last. */
  gather(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#maxBytes) throw Http2Error.protocol(ErrorCode.enhanceYourCalm, `a field block of more than ${this.#maxBytes} bytes`);
    if (this.#gathered === undefined || this.#gathered.length < length) {
      const larger = new Uint8Array(Math.min(Math.max(length * 2, 512), this.#maxBytes));
      if (this.#gathered !== undefined) larger.set(this.#gathered.subarray(0, this.#length));
      this.#gathered = larger;
    }
    this.#gathered.set(bytes.subarray(from, to), this.#length);
    this.#length = length;
  }

  /** The last fragment. Throws COMPRESSION_ERROR, and ENHANCE_YOUR_CALM for what is beyond four times our limit. */
  finish(bytes: Uint8Array, from: number, to: number, kind: HeaderKind): FieldBlock {
    if (this.#gathered === undefined) return this.#read(bytes, from, to, kind);
    this.gather(bytes, from, to);
    const whole = this.#gathered;
    const length = this.#length;
    this.#gathered = undefined;
    this.#length = 0;
    return this.#read(whole, 0, length, kind);
  }

  #read(bytes: Uint8Array, from: number, to: number, kind: HeaderKind): FieldBlock {
    const version = this.decoder.version;
    for (const known of this.#remembered) {
      if (known.version === version && known.kind === kind && matches(known.bytes, bytes, from, to)) return known.block;
    }
    const list = this.decoder.decode(bytes, from, to);
    const { tooLarge, listBytes } = this.decoder;
    if (listBytes > this.#maxBytes) throw Http2Error.protocol(ErrorCode.enhanceYourCalm, `a header list of ${listBytes} bytes`);
    const block = { list, tooLarge, check: checkHeaderList(list, kind) };
    if (this.decoder.version === version && to - from <= REMEMBERED_BYTES && this.#cameBefore(hashOf(bytes, from, to))) {
      this.#remembered[this.#next] = { version, kind, bytes: bytes.slice(from, to), block };
      this.#next = (this.#next + 1) % REMEMBERED_BLOCKS;
    }
    return block;
  }

  #cameBefore(hash: number): boolean {
    if (this.#seen.includes(hash)) return true;
    this.#seen[this.#nextSeen] = hash;
    this.#nextSeen = (this.#nextSeen + 1) % REMEMBERED_BLOCKS;
    return false;
  }
}

function matches(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  // From the end: what differs between calls mostly stands there.
  for (let i = known.length - 1; i >= 0; i--) if (known[i] !== bytes[from + i]) return false;
  return true;
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}
