// The Raft log on disk: what a member has promised. Segments of batches under `raft/`, one sync for all writes that wait, read again
// after a crash up to the last whole batch. It is the `LogStorage` of the consensus core.
//
// Invariants:
// 1. An entry or a vote is reported durable only after the sync that followed its write, in the order of the writes.
// 2. The entries of a segment start after its header's `previousIndex`: an overwrite that reaches further back starts a new segment.
// 3. Segments are dropped from the front only, whole, and only up to what `compact` was allowed.
// 4. A failed write or sync is final: nothing is reported durable after it (reliability scenario 24).
import { type LogIndex, type Term, defined, logIndex, term } from '@distrokv/base';
import { type Env, FsError, type Logger } from '@distrokv/env';
import type { LogWriter } from '@distrokv/lsm';
import type { Entry, HardState, LogStorage } from '@distrokv/raft';
import { type LogIdentity, type SegmentHeader, encodeBatch } from './codec.ts';
import { LogImage } from './image.ts';
import { createSegment, recoverSegments, removeSegments } from './recovery.ts';

export interface LogWrite {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  /** Called once the write is durable. */
  readonly onDurable: () => void;
}

interface PlacedWrite {
  readonly write: LogWrite;
  /** Where its batch lies; undefined for an empty write, which only holds its place in the order. */
  readonly place: { readonly offset: number; readonly length: number } | undefined;
}

export interface RaftLogOptions {
  readonly env: Env;
  readonly logger: Logger;
  readonly directory: string;
  /** Used, or asked for, when the directory holds no log yet. */
  readonly identity: LogIdentity | (() => Promise<LogIdentity>);
  /** Where a log begins that the directory does not hold yet; default: at the beginning. */
  readonly start?: Pick<SegmentHeader, 'previousIndex' | 'previousTerm' | 'hardState'>;
  /** A segment is closed at this size (default 64 MiB). */
  readonly segmentBytes?: number;
  /** Entries kept in memory for followers that are close behind (default 8 MiB). */
  readonly recentBytes?: number;
  /** A write or sync failed; the member must stop. */
  readonly onFatal: (error: unknown) => void;
}

const DEFAULT_SEGMENT_BYTES = 64 << 20;
/** Half a second of puts at full load; followers further behind are sent what the files hold. With more, entries would lie in fresh memory instead of in what the last ones left. */
const DEFAULT_RECENT_BYTES = 8 << 20;
const FROM_THE_BEGINNING: Pick<SegmentHeader, 'previousIndex' | 'previousTerm' | 'hardState'> = {
  previousIndex: logIndex(0),
  previousTerm: term(0),
  hardState: { term: term(0), vote: undefined, commit: logIndex(0) },
};
/** So much of a segment is written with zeros ahead of the records: a sync is quicker where the file need not become longer. */
const AHEAD_BYTES = 2 << 20;
const FULL_DISK_PAUSE_MS = 500;

export class RaftLog implements LogStorage {
  readonly #env: Env;
  readonly #logger: Logger;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #onFatal: (error: unknown) => void;
  readonly #image: LogImage;
  #writer: LogWriter;
  /** The hard state of the last write, durable or not: what the next segment's header repeats. */
  #hardState: HardState;
  #waiting: LogWrite[] = [];
  /** Set while writes are under way: one group at a time. */
  #writing: Promise<void> | undefined;
  #removing: Promise<void> | undefined;
  #stopped = false;

  /** Opens the log of `directory`, or starts one. Throws ServerError `corrupt` or `newer-format`, and FsError. */
  static async open(options: RaftLogOptions): Promise<RaftLog> {
    const { env, directory } = options;
    await env.fs.makeDirectory(directory);
    const image = new LogImage(options.recentBytes ?? DEFAULT_RECENT_BYTES);
    let writer = await recoverSegments(env, directory, image);
    if (!writer) {
      const identity = typeof options.identity === 'function' ? await options.identity() : options.identity;
      const created = await createSegment(env, directory, 1, { ...identity, ...(options.start ?? FROM_THE_BEGINNING) });
      image.addSegment(created.segment);
      writer = created.writer;
    }
    return new RaftLog(options, image, writer);
  }

  private constructor(options: RaftLogOptions, image: LogImage, writer: LogWriter) {
    this.#env = options.env;
    this.#logger = options.logger;
    this.#directory = options.directory;
    this.#segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    this.#onFatal = options.onFatal;
    this.#image = image;
    this.#writer = writer;
    this.#hardState = image.hardState;
  }

  get identity(): LogIdentity {
    const { clusterId, memberId } = this.#image.current.header;
    return { clusterId, memberId };
  }

  /** As it was recovered, or as of the last durable write. */
  get hardState(): HardState {
    return this.#image.hardState;
  }

  /** A write is under way or waits: what is added now shares a later sync. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  firstIndex(): LogIndex {
    return this.#image.firstIndex;
  }

  lastIndex(): LogIndex {
    return this.#image.lastIndex;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#image.termAt(index);
  }

  entries(from: LogIndex, to: LogIndex, maxBytes: number): readonly Entry[] {
    return this.#image.entries(from, to, maxBytes);
  }

  /** Queues a write. Writes become durable in the order of the calls; those that wait together share one sync. */
  write(write: LogWrite): void {
    if (this.#stopped) return;
    this.#waiting.push(write);
    this.#writing ??= this.#writeWaiting();
  }

  /** The log could go up to and with this entry, so that no more than about `bytes` of it stayed. */
  indexBeforeLast(bytes: number): LogIndex {
    return this.#image.indexBeforeLast(bytes);
  }

  /** Lets go of whole segments at or before `upTo`; one call at a time. */
  compact(upTo: LogIndex): Promise<void> {
    const removing = removeSegments(this.#env.fs, this.#directory, this.#image.takeBefore(upTo));
    this.#removing = removing.catch(() => {});
    return removing;
  }

  /** Finishes the writes that wait and what is being removed, and closes the files. Throws if the disk does not take the end of the log any more. */
  async close(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
    // Another log may take the place of this one, with files of the same names.
    await this.#removing;
    for (const segment of this.#image.segments) if (segment !== this.#image.current) await segment.file.close();
    await this.#writer.close();
  }

  async #writeWaiting(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const group = this.#waiting;
        this.#waiting = [];
        const placed: PlacedWrite[] = [];
        for (const write of group) placed.push({ write, place: await this.#append(write, placed) });
        await this.#syncAndReport(placed);
      }
      this.#writing = undefined;
    } catch (error) {
      this.#waiting = [];
      if (!this.#stopped) this.#onFatal(error);
      this.#stopped = true;
    }
  }

  async #append(write: LogWrite, placed: PlacedWrite[]): Promise<PlacedWrite['place']> {
    if (!write.hardState && write.entries.length === 0) return undefined;
    const record = encodeBatch(write);
    const first = write.entries[0]?.index;
    const reachesBack = first !== undefined && first <= this.#image.current.header.previousIndex;
    if (reachesBack || this.#writer.byteLength >= this.#segmentBytes) await this.#startSegment(write, record, placed);
    else
      await this.#whenThereIsSpace(
        () => this.#appendWithRoom(record),
        () => this.#writer.rewind(),
      );
    if (write.hardState) this.#hardState = write.hardState;
    return { offset: this.#writer.byteLength - record.length, length: record.length };
  }

  #appendWithRoom(record: Uint8Array): void {
    const { byteLength, roomBytes } = this.#writer;
    if (roomBytes < record.length) {
      const aheadBytes = Math.min(AHEAD_BYTES, this.#segmentBytes >>> 2, Math.max(0, this.#segmentBytes - byteLength - record.length));
      try {
        this.#writer.makeRoom(record.length + aheadBytes);
      } catch (error) {
        // On a disk that is full what there is room for is written all the same.
        if (!(error instanceof FsError) || error.code !== 'no-space') throw error;
      }
    }
    this.#writer.append(record);
  }

  async #syncAndReport(placed: PlacedWrite[]): Promise<void> {
    if (placed.some((p) => p.place !== undefined)) await this.#writer.sync();
    for (const { write, place } of placed) if (place) this.#image.addBatch(write, place);
    // Reported after the image is complete: a callback reads the log.
    for (const { write } of placed) write.onDurable();
    placed.length = 0;
  }

  /** Starts a new segment with this write: what it overwrites in an earlier one and what it puts there appear at once. */
  async #startSegment(write: LogWrite, record: Uint8Array, placed: PlacedWrite[]): Promise<void> {
    await this.#syncAndReport(placed);
    const first = write.entries[0]?.index;
    const previousIndex = first === undefined ? this.#image.lastIndex : logIndex(first - 1);
    const previousTerm = defined(this.#image.termAt(previousIndex), `the term of entry ${previousIndex}`);
    const header = { ...this.identity, previousIndex, previousTerm, hardState: this.#hardState };
    await this.#whenThereIsSpace(async () => {
      const created = await createSegment(this.#env, this.#directory, this.#image.current.sequence + 1, header, record);
      this.#image.addSegment(created.segment);
      this.#writer = created.writer;
    });
  }

  /** A full disk is waited for: nothing was promised yet, and what is promised stays readable. Every other failure is final. */
  async #whenThereIsSpace(work: () => void | Promise<void>, undo: () => Promise<void> = async () => {}): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#stopped || !(error instanceof FsError) || error.code !== 'no-space') throw error;
        this.#logger.error('the disk is full: this member takes no writes until there is room', { path: error.path });
        await undo();
        await this.#env.timers.sleep(FULL_DISK_PAUSE_MS);
      }
    }
  }
}
