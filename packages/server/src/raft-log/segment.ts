// One file of the Raft log: a header record and batches, in the record format that the engine's logs have. It remembers where each batch
// lies, so that entries which are no longer in memory can be read again.
import { type LogIndex, defined } from '@distrokv/base';
import type { File } from '@distrokv/env';
import { recordAt } from '@distrokv/lsm';
import type { Entry } from '@distrokv/raft';
import { ServerError } from '../errors.ts';
import { type SegmentHeader, decodeRecord } from './codec.ts';

/** Where a batch lies in its file. */
interface Place {
  /** The index of its first entry. */
  readonly first: LogIndex;
  readonly offset: number;
  /** With the record's header. */
  readonly length: number;
}

export class Segment {
  readonly sequence: number;
  /** Its name now; an open file keeps the name that it was opened by. */
  readonly path: string;
  readonly file: File;
  readonly header: SegmentHeader;
  readonly #salt: number;
  /** Ascending by first index and by offset. */
  readonly #batches: Place[] = [];

  constructor(options: {
    readonly sequence: number;
    readonly path: string;
    readonly file: File;
    readonly salt: number;
    readonly header: SegmentHeader;
  }) {
    this.sequence = options.sequence;
    this.path = options.path;
    this.file = options.file;
    this.#salt = options.salt;
    this.header = options.header;
  }

  /** Up to the end of its last batch. */
  get byteLength(): number {
    const last = this.#batches.at(-1);
    return last ? endOf(last) : 0;
  }

  /** A batch was written or found; it hides what earlier batches have from its first entry on. */
  addBatch(place: Place): void {
    while ((this.#batches.at(-1)?.first ?? 0) >= place.first) this.#batches.pop();
    this.#batches.push(place);
  }

  /** Entries from `from`, which is in this segment, before `to`: those of the batches within `budgetBytes` of file, and of one batch at least. */
  read(from: LogIndex, to: LogIndex, budgetBytes: number): Entry[] {
    const start = this.#batchOf(from);
    const { offset } = defined(this.#batches[start], `the batch of entry ${from}`);
    let end = start;
    do end++;
    while (this.#batches[end] && endOf(this.#batches[end] as Place) - offset <= budgetBytes && (this.#batches[end] as Place).first < to);
    const bytes = Buffer.allocUnsafe(endOf(this.#batches[end - 1] as Place) - offset);
    const whole = this.file.readSync(bytes, offset) === bytes.length;
    const entries: Entry[] = [];
    for (let i = start; i < end; i++) {
      const batch = this.#batches[i] as Place;
      const hiddenFrom = Math.min(this.#batches[i + 1]?.first ?? Infinity, to);
      const payload = whole ? recordAt(bytes, batch.offset - offset, batch.offset, this.#salt) : undefined;
      if (!payload)
        throw new ServerError(
          'corrupt',
          `${this.path}: the batch at offset ${batch.offset} was written and is damaged now: replace the disk`,
        );
      const record = decodeRecord(payload, `${this.path} at offset ${batch.offset}`);
      if (record.kind === 'batch')
        for (const entry of record.entries) if (entry.index >= from && entry.index < hiddenFrom) entries.push(entry);
    }
    return entries;
  }

  #batchOf(index: LogIndex): number {
    let low = 0;
    let high = this.#batches.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#batches[middle] as Place).first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function endOf(place: Place): number {
  return place.offset + place.length;
}
