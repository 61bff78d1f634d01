// Reads a block: the other half of block-builder.ts. A block has passed its checksum when it comes here, but its bytes
// still come from a disk: every length is checked before it is used, and what does not add up is reported, not read.
//
// This is the innermost loop of every read, hence the plain integers: nothing is allocated on the way to an entry, and a
// search builds no key but that of the entry where it ends.
import { type Block, MAX_HEADED_BYTES } from './block.ts';
import type { Cursor } from './cursor.ts';
import { commonPrefix, compareRanges, copyRange, grown } from './ranges.ts';

type EntryFields = Omit<Cursor, 'seek' | 'seekBefore' | 'next' | 'prev'>;

/** No slot: the cursor did not come from behind. */
const FORWARD = -1;
/** Of an entry that was not read, but found by its head; no key is longer. */
const ANY_LENGTH = 0x3fff_ffff;
/** Numbers that a slot of a stretch takes: key start, key end, version, value start, value end × 2 + tombstone. */
const SLOT_NUMBERS = 5;

/** Walks one block. Table cursors build on it and carry it from block to block. */
export class BlockCursor implements EntryFields {
  valid = false;
  keyBytes: Uint8Array = new Uint8Array(64);
  keyStart = 0;
  keyEnd = 0;
  version = 0;
  tombstone = false;
  valueBytes: Uint8Array = this.keyBytes;
  valueStart = 0;
  valueEnd = 0;
  #block: Block | undefined;
  /** Where the current entry begins. */
  #entryAt = 0;
  /** The key, while the walk goes forward: each entry changes the end of it. */
  #ownKey: Uint8Array = this.keyBytes;
  // The header that was read last.
  #shared = 0;
  #unshared = 0;
  #keyAt = 0;
  #varintEnd = 0;
  // Entries can only be read forward from a restart. So who walks back gets a whole *stretch* (from one restart to the next)
  // read at once, and then takes one slot after the other: the keys lie in a row in `#stretchKeys`.
  #restart = 0;
  #slot = FORWARD;
  #stretch: number[] | undefined;
  #stretchKeys: Uint8Array | undefined;

  /**
   * To the first entry of `block` at or after (key, version); not valid if there is none. Returns whether it is one of this key.
   *
   * Within a stretch no key is compared twice: when the entry before differs from the target behind `matched` bytes, one
   * that shares more than that with the entry before differs in the same place.
   */
  seekInBlock(block: Block, key: Uint8Array, keyEnd: number, version: number): boolean {
    this.#enter(block);
    const bytes = block.bytes;
    const end = block.restartsAt;
    let at = end;
    let matched = 0;
    let length = 0;
    if (!block.hasHeads && block.isSearched) this.#noteHeads(block);
    const place = block.placeOf(key, keyEnd);
    if (place < 0) {
      block.isSearched = true;
      at = this.#stretchOf(block, key, keyEnd, version);
    } else if (place < block.entries) {
      at = block.entryAt(place);
      // What the entry shares with the one before, which lies before the target, it shares with the target.
      if (place > 0) matched = length = ANY_LENGTH;
    }
    while (at < end) {
      // Most entries are passed over: of those only the lengths are read, and here, where they are one byte or two each.
      let keyAt = at + 2;
      let shared = bytes[at] as number;
      let unshared = bytes[at + 1] as number;
      while ((bytes[keyAt++] as number) >= 0x80);
      let valueAndKind = bytes[keyAt++] as number;
      if (valueAndKind >= 0x80) valueAndKind = (valueAndKind & 0x7f) | ((bytes[keyAt++] as number) << 7);
      let next = keyAt + unshared + (valueAndKind >>> 1);
      if ((shared | unshared) >= 0x80 || valueAndKind >= 0x4000 || shared > length || next > end || (shared | unshared) === 0) {
        this.#readHeader(block, at, length);
        shared = this.#shared;
        unshared = this.#unshared;
        keyAt = this.#keyAt;
        next = this.valueEnd;
      }
      const lengthBefore = length;
      length = shared + unshared;
      if (shared <= matched) {
        const restAt = keyAt - shared;
        const common = length < keyEnd ? length : keyEnd;
        let i = shared;
        while (i < common && bytes[restAt + i] === key[i]) i++;
        matched = i;
        const c = i === common ? length - keyEnd : (bytes[restAt + i] as number) - (key[i] as number);
        if (c >= 0) {
          this.#readHeader(block, at, lengthBefore);
          if (c > 0 || this.version <= version) {
            this.#landAt(at, bytes, key);
            return c === 0;
          }
        }
      }
      at = next;
    }
    this.valid = false;
    return false;
  }

  firstInBlock(block: Block): void {
    this.#enter(block);
    this.#readAt(block, 0);
  }

  lastInBlock(block: Block): void {
    this.#enter(block);
    this.#readStretch(block, block.restartCount - 1, block.restartsAt);
  }

  nextInBlock(): void {
    if (this.#slot !== FORWARD) this.#leaveStretch();
    this.#readAt(this.#block as Block, this.valueEnd);
  }

  prevInBlock(): void {
    const block = this.#block as Block;
    if (this.#slot > 0) this.#show(this.#slot - 1);
    else if (this.#slot === 0) {
      this.valid = this.#restart > 0;
      if (this.valid) this.#readStretch(block, this.#restart - 1, block.restart(this.#restart));
    } else {
      this.valid = this.#entryAt > 0;
      if (this.valid) this.#readStretch(block, block.restartBefore(this.#entryAt), this.#entryAt);
    }
  }

  #enter(block: Block): void {
    this.#block = block;
    this.valueBytes = block.bytes;
    this.keyBytes = this.#ownKey;
    this.keyStart = 0;
    this.keyEnd = 0;
    this.#slot = FORWARD;
  }

  /** The offset of the last restart before the target; the target, if it is here, lies in its stretch, or is the next restart. */
  #stretchOf(block: Block, key: Uint8Array, keyEnd: number, version: number): number {
    let low = 0;
    let high = block.restartCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      this.#readHeader(block, block.restart(middle), 0);
      const c = compareRanges(block.bytes, this.#keyAt, this.#keyAt + this.#unshared, key, 0, keyEnd);
      if (c < 0 || (c === 0 && this.version > version)) low = middle;
      else high = middle - 1;
    }
    return block.restart(low);
  }

  /** Reads all of the block for its heads. */
  #noteHeads(block: Block): void {
    if (block.restartsAt > MAX_HEADED_BYTES) return;
    this.firstInBlock(block);
    const first = this.keyBytes.slice(0, this.keyEnd);
    let entries = 1;
    let prefix = first.length;
    for (this.nextInBlock(); this.valid; this.nextInBlock()) {
      entries++;
      prefix = commonPrefix(first, 0, prefix, this.keyBytes, 0, this.keyEnd);
    }
    block.startHeads(first, prefix, entries);
    this.firstInBlock(block);
    for (let i = 0; i < entries; i++) {
      block.setHead(i, this.keyBytes, this.keyEnd, this.#entryAt);
      this.nextInBlock();
    }
    this.#enter(block);
  }

  /** Stops at the entry whose header was read; what it shares with the entry before it shares with `key`. */
  #landAt(at: number, bytes: Uint8Array, key: Uint8Array): void {
    const shared = this.#shared;
    this.keyEnd = shared + this.#unshared;
    this.#ownKey = grown(this.#ownKey, 0, this.keyEnd);
    this.keyBytes = this.#ownKey;
    copyRange(key, 0, shared, this.keyBytes, 0);
    copyRange(bytes, this.#keyAt, this.#keyAt + this.#unshared, this.keyBytes, shared);
    this.#entryAt = at;
    this.valid = true;
  }

  /** Reads the entry at `at`, behind the current one or at a restart. */
  #readAt(block: Block, at: number): void {
    this.valid = at < block.restartsAt;
    if (!this.valid) return;
    this.#readHeader(block, at, this.keyEnd);
    this.#entryAt = at;
    const shared = this.#shared;
    this.keyEnd = shared + this.#unshared;
    this.#ownKey = grown(this.#ownKey, shared, this.keyEnd);
    this.keyBytes = this.#ownKey;
    copyRange(block.bytes, this.#keyAt, this.#keyAt + this.#unshared, this.keyBytes, shared);
  }

  /** Reads the entries from a restart to `end`, where an entry ends, and stops at the last one. */
  #readStretch(block: Block, restart: number, end: number): void {
    this.#enter(block);
    const stretch = (this.#stretch ??= []);
    let keys = this.#stretchKeys ?? new Uint8Array(512);
    let used = 0;
    let slots = 0;
    for (let at = block.restart(restart); at < end; at = this.valueEnd) {
      this.#readAt(block, at);
      const keyEnd = used + this.keyEnd;
      keys = grown(keys, used, keyEnd);
      copyRange(this.keyBytes, 0, this.keyEnd, keys, used);
      const first = slots * SLOT_NUMBERS;
      stretch[first] = used;
      stretch[first + 1] = keyEnd;
      stretch[first + 2] = this.version;
      stretch[first + 3] = this.valueStart;
      stretch[first + 4] = this.valueEnd * 2 + (this.tombstone ? 1 : 0);
      used = keyEnd;
      slots++;
    }
    this.#stretchKeys = keys;
    this.#restart = restart;
    this.#show(slots - 1);
  }

  #show(slot: number): void {
    const stretch = this.#stretch as number[];
    const first = slot * SLOT_NUMBERS;
    const valueAndKind = stretch[first + 4] as number;
    this.#slot = slot;
    this.keyBytes = this.#stretchKeys as Uint8Array;
    this.keyStart = stretch[first] as number;
    this.keyEnd = stretch[first + 1] as number;
    this.version = stretch[first + 2] as number;
    this.valueStart = stretch[first + 3] as number;
    this.valueEnd = Math.floor(valueAndKind / 2);
    this.tombstone = valueAndKind % 2 === 1;
  }

  /** Goes on forward: the next entry shares its beginning with this one. */
  #leaveStretch(): void {
    const length = this.keyEnd - this.keyStart;
    this.#ownKey = grown(this.#ownKey, 0, length);
    copyRange(this.keyBytes, this.keyStart, this.keyEnd, this.#ownKey, 0);
    this.keyStart = 0;
    this.keyEnd = length;
    this.#slot = FORWARD;
  }

  /**
   * Reads all of an entry but its key; the key of the entry before it has `lengthBefore` bytes, 0 at a restart. Most of the
   * four numbers take one byte, so that case stands here, four times.
   */
  #readHeader(block: Block, entryAt: number, lengthBefore: number): void {
    const bytes = block.bytes;
    let at = entryAt;
    let shared = bytes[at++] as number;
    if (!(shared < 0x80)) {
      shared = this.#longVarint(block, at, shared);
      at = this.#varintEnd;
    }
    let unshared = bytes[at++] as number;
    if (!(unshared < 0x80)) {
      unshared = this.#longVarint(block, at, unshared);
      at = this.#varintEnd;
    }
    let version = bytes[at++] as number;
    if (!(version < 0x80)) {
      version = this.#longVarint(block, at, version);
      at = this.#varintEnd;
    }
    let valueAndKind = bytes[at++] as number;
    if (!(valueAndKind < 0x80)) {
      const second = bytes[at] as number;
      if (second < 0x80) {
        valueAndKind = (valueAndKind & 0x7f) | (second << 7);
        at++;
      } else {
        valueAndKind = this.#longVarint(block, at, valueAndKind);
        at = this.#varintEnd;
      }
    }
    const tombstone = valueAndKind % 2 === 1;
    const valueLength = (valueAndKind - (tombstone ? 1 : 0)) / 2;
    const room = block.restartsAt - at;
    if (shared > lengthBefore || unshared > room || valueLength > room - unshared || shared + unshared === 0) {
      this.valid = false;
      throw block.corruptAt(entryAt, 'an entry that does not fit its block');
    }
    this.#shared = shared;
    this.#unshared = unshared;
    this.#keyAt = at;
    this.version = version;
    this.tombstone = tombstone;
    this.valueStart = at + unshared;
    this.valueEnd = this.valueStart + valueLength;
  }

  /** A number of more bytes than one, `first` and those from `at` on; notes where it ends. */
  #longVarint(block: Block, at: number, first: number): number {
    const bytes = block.bytes;
    let next = at;
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = bytes[next++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#varintEnd = next;
        return value;
      }
    }
    for (let scale = 2 ** 28, i = 4; i < 8; i++, scale *= 0x80) {
      const byte = bytes[next++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        this.#varintEnd = next;
        return value;
      }
    }
    this.valid = false;
    throw block.corruptAt(next, 'a number without an end, or beyond 2^53');
  }
}
