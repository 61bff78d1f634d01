// What `iterator` returns: of the entries that pass by, sorted by key and version, each key once with its newest version
// ≤ `at`, without those that are deleted. The sources were picked when the iterator was made, and none of them changes.
import { EMPTY } from '@distrokv/base';
import type { CachePiece } from './block-cache.ts';
import { copyOut, smallRoom } from './copy-out.ts';
import type { Entry, KeyIterator } from './engine.ts';
import type { Cursor } from './cursor.ts';
import { NEWEST } from './cursor.ts';
import { LsmError } from './errors.ts';
import { type KeyRange, internalKey, keyAfter } from './key-range.ts';
import type { MergingCursor } from './merging-cursor.ts';
import type { PatientBlocks } from './patient-blocks.ts';
import type { WrittenRanges } from './range-deletes.ts';
import { compareRanges, copyRange, equalRanges, grown } from './ranges.ts';

/** Range deletes of one source, those of refs below `limit`. */
export interface HidingRanges {
  readonly ranges: Pick<WrittenRanges, 'newest'>;
  readonly limit: number;
}

/** Entries that `advance` passes at most. */
const PASSED_AT_ONCE = 512;
/** For the key that is shown; longer ones get more. */
const KEY_ROOM_BYTES = 64;
/** For who wants no end of it: as many as a small integer counts. */
const ANY_NUMBER = 2 ** 30 - 1;

export class RangeIterator implements KeyIterator {
  readonly #entries: MergingCursor;
  readonly #hiding: readonly HidingRanges[];
  readonly #range: KeyRange;
  readonly #check: () => void;
  readonly #onClose: () => void;
  /** Where the way out comes from, if the iterator is patient. */
  readonly #patient: PatientBlocks | undefined;
  /**
   * `away`: the entries are to go to `#from` first; `placed`: they stand where the next key is looked for; `on`: they still stand on the key that
   * was returned; `lost`: a read failed, and to go on from where it left them could pass over entries.
   */
  #state: 'away' | 'placed' | 'on' | 'lost' | 'ended' | 'closed' = 'away';
  /** In reverse: what lies before it. */
  #from: Uint8Array;
  /** On the way forward: `#from` lies behind the last key that was returned, and nothing in between shows. */
  #isFromBehind = false;
  /** How many keys may still come. */
  #left: number;
  /** The internal key of the last entry that counted. */
  #key: Uint8Array = smallRoom(KEY_ROOM_BYTES);
  #keyLength = 0;
  /** The view that `key` returned last: keys of one length share it, since they lie in the same place. */
  #keyView: Uint8Array = EMPTY;
  #valueBytes: Uint8Array = EMPTY;
  /** Held: where the value lies. The entries may already have left it. */
  #valuePiece: CachePiece | undefined;
  #valueBuffer: ArrayBufferLike = EMPTY.buffer;
  /** Within the buffer. */
  #valueStart = 0;
  #valueEnd = 0;
  #version = 0;

  /** `patient`: the source of its blocks, if that is one. `check` throws when the engine is closed; `onClose` lets go of the sources. */
  constructor(
    entries: MergingCursor,
    hiding: readonly HidingRanges[],
    range: KeyRange,
    patient: PatientBlocks | undefined,
    check: () => void,
    onClose: () => void,
  ) {
    this.#entries = entries;
    this.#hiding = hiding;
    this.#range = range;
    this.#patient = patient;
    this.#from = range.reverse ? range.end : range.start;
    this.#left = range.limit;
    this.#check = check;
    this.#onClose = onClose;
  }

  get key(): Uint8Array {
    const length = Math.max(0, this.#keyLength - 1);
    if (this.#keyView.length !== length || this.#keyView.buffer !== this.#key.buffer) this.#keyView = this.#key.subarray(1, 1 + length);
    return this.#keyView;
  }

  get value(): Uint8Array {
    // Not `subarray`, which looks for a species of array first.
    return this.#range.keysOnly ? EMPTY : new Uint8Array(this.#valueBuffer, this.#valueStart, this.#valueEnd - this.#valueStart);
  }

  get version(): number {
    return this.#version;
  }

  next(): boolean {
    if (this.#patient !== undefined) throw new LsmError('invalid', 'a patient iterator advances');
    for (;;) {
      const found = this.#step(ANY_NUMBER);
      if (found !== undefined) return found;
    }
  }

  advance(): boolean | undefined | Promise<void> {
    const patient = this.#patient;
    if (patient === undefined) return this.#step(PASSED_AT_ONCE);
    try {
      const found = this.#step(PASSED_AT_ONCE);
      patient.noteProgress();
      return found;
    } catch (error) {
      if (!patient.isMissing(error)) throw error;
      this.#goAgain();
      return patient.arrival();
    }
  }

  /** Whether there is one more key, which is then taken; undefined if it passed `most` entries and knows not yet. */
  #step(most: number): boolean | undefined {
    this.#checkOpen();
    if (this.#state === 'ended' || this.#left === 0) return false;
    if (this.#state === 'lost') throw new LsmError('invalid', 'an iterator that could not read on goes on after a seek only');
    const { reverse } = this.#range;
    const found = this.#find(reverse, most);
    if (found === true) {
      this.#left--;
      this.#isFromBehind = false;
      // To know the newest version of a key, the way back has already stepped past it.
      this.#state = reverse ? 'placed' : 'on';
    } else if (found === undefined) {
      this.#state = 'placed';
      if (!reverse) this.#notePassed();
    } else this.#state = 'ended';
    return found;
  }

  #find(reverse: boolean, most: number): boolean | undefined {
    try {
      if (this.#state === 'away') this.#entries.seek(this.#from, NEWEST);
      else if (this.#state === 'on') this.#entries.step();
      return reverse ? this.#backward(most) : this.#forward(most);
    } catch (error) {
      this.#state = 'lost';
      throw error;
    }
  }

  /** What was passed in vain need not be passed once more when the iterator is stopped. */
  #notePassed(): void {
    const { top } = this.#entries;
    if (top === undefined) return;
    this.#from = top.keyBytes.slice(top.keyStart, top.keyEnd);
    this.#isFromBehind = true;
  }

  /**
   * Goes on where it was stopped. The last key that was taken: on the way forward that is done with, and its entries are passed once more; on the
   * way back it is never done with when a read fails, and is taken again.
   */
  #goAgain(): void {
    this.#state = 'away';
    if (this.#keyLength === 0 || this.#isFromBehind) return;
    this.#from = new Uint8Array(this.#keyLength + (this.#range.reverse ? 1 : 0));
    copyRange(this.#key, 0, this.#keyLength, this.#from, 0);
  }

  nextMany(count: number, bytes: number = Infinity): Entry[] {
    const entries: Entry[] = [];
    const { keysOnly } = this.#range;
    for (let room = bytes; entries.length < count && room > 0 && this.next();) {
      const key = copyOut(this.#key, 1, this.#keyLength);
      const { byteOffset } = this.#valueBytes;
      const value = keysOnly ? EMPTY : copyOut(this.#valueBytes, this.#valueStart - byteOffset, this.#valueEnd - byteOffset);
      entries.push({ key, value, version: this.#version });
      room -= key.length + value.length;
    }
    return entries;
  }

  seek(key: Uint8Array): void {
    this.#checkOpen();
    const { reverse, start, end } = this.#range;
    const id = start[0] as number;
    // In reverse the entries are placed before a key, so it takes the one behind the target.
    const target = reverse ? keyAfter(id, key) : internalKey(id, key);
    const bound = reverse ? end : start;
    const isWithin = compareRanges(target, 0, target.length, bound, 0, bound.length) < 0 === reverse;
    this.#from = isWithin ? target : bound;
    this.#isFromBehind = false;
    this.#keyLength = 0;
    this.#state = 'away';
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#valuePiece?.letGo();
    this.#onClose();
  }

  #checkOpen(): void {
    this.#check();
    if (this.#state === 'closed') throw new LsmError('closed', 'the iterator is closed');
  }

  #forward(most: number): boolean | undefined {
    const entries = this.#entries;
    const { end, at } = this.#range;
    for (let top = entries.top; top !== undefined; top = entries.top) {
      const { keyBytes, keyStart, keyEnd } = top;
      const isLater = top.version > at;
      if (isLater || !equalRanges(keyBytes, keyStart, keyEnd, this.#key, 0, this.#keyLength)) {
        // Of a later version too: behind the end there may be nothing else for long.
        if (compareRanges(keyBytes, keyStart, keyEnd, end, 0, end.length) >= 0) return false;
        if (!isLater) {
          this.#take(top);
          if (!top.tombstone && !this.#isHidden()) return true;
        }
      }
      entries.step();
      if (--most === 0) return undefined;
    }
    return false;
  }

  /** Entries pass by with the oldest version of a key first, so its newest one ≤ `at` is known only when the key is through. */
  #backward(most: number): boolean | undefined {
    const entries = this.#entries;
    const { start, at } = this.#range;
    for (;;) {
      let top = entries.top;
      if (top === undefined || compareRanges(top.keyBytes, top.keyStart, top.keyEnd, start, 0, start.length) < 0) return false;
      this.#take(top);
      let isThere = false;
      do {
        if (top.version <= at) {
          isThere = !top.tombstone;
          this.#takeValue(top);
        }
        entries.step();
        most--;
        top = entries.top;
      } while (top !== undefined && equalRanges(top.keyBytes, top.keyStart, top.keyEnd, this.#key, 0, this.#keyLength));
      if (isThere && !this.#isHidden()) return true;
      if (most <= 0) return undefined;
    }
  }

  /** Whether a range delete hides the entry that was taken. */
  #isHidden(): boolean {
    const { at } = this.#range;
    for (const { ranges, limit } of this.#hiding)
      if (ranges.newest(this.#key, 0, this.#keyLength, at, this.#version, limit) > this.#version) return true;
    return false;
  }

  #take(entry: Cursor): void {
    const { keyBytes, keyStart, keyEnd } = entry;
    this.#key = grown(this.#key, 0, keyEnd - keyStart);
    this.#keyLength = copyRange(keyBytes, keyStart, keyEnd, this.#key, 0);
    this.#takeValue(entry);
  }

  #takeValue(entry: Cursor): void {
    const { valueBytes } = entry;
    if (valueBytes !== this.#valueBytes) {
      this.#valuePiece?.letGo();
      this.#valuePiece = entry.piece;
      this.#valuePiece?.hold();
      this.#valueBytes = valueBytes;
      this.#valueBuffer = valueBytes.buffer;
    }
    this.#valueStart = valueBytes.byteOffset + entry.valueStart;
    this.#valueEnd = valueBytes.byteOffset + entry.valueEnd;
    this.#version = entry.version;
  }
}
