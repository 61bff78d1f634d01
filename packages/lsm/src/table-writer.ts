// Writes one table: entries in order go in, a finished file comes out. The file grows under a temporary name; `finish`
// syncs it before it gives it its name, so a table under its own name is always whole.
import { EMPTY } from '@distrokv/base';
import type { File, FileSystem } from '@distrokv/env';
import { BlockBuilder } from './block-builder.ts';
import { LINE_BYTES, addToLine, hashKey, lineOf, linesFor } from './bloom.ts';
import { squeeze } from './codec.ts';
import type { Cursor } from './cursor.ts';
import type { Codec } from './engine.ts';
import { syncOrFail } from './fail-stop.ts';
import { tableName, temporaryName } from './names.ts';
import { compareRanges, grown } from './ranges.ts';
import { FILTER_PAGE_LINES, type KeyspaceShare, TRAILER_BYTES, encodeFooter, encodeProperties, sealBlock } from './table-format.ts';
import { TableIndexBuilder, boundLength } from './table-index.ts';

/** Dirty pages that pile up make the log's next sync slow, so a growing table is synced each time it has gained this much. */
const SYNC_BYTES = 4 << 20;
/** A page of the index ends when it is as large as a block, or when the blocks that it leads to take so much. */
const INDEX_PAGE_SPAN_BYTES = 64 << 20;

/** A finished page of the index, and the bound of its first block. */
interface IndexPage {
  readonly payload: Uint8Array;
  readonly key: Uint8Array;
  readonly version: number | undefined;
}

export interface WrittenTable {
  readonly number: number;
  readonly byteLength: number;
}

export interface BlockFormat {
  /** A block ends with the entry that takes it to this size, before it is squeezed. */
  readonly blockBytes: number;
  /** Of data blocks. */
  readonly codec: Codec;
}

type Share = { -readonly [Field in keyof KeyspaceShare]: KeyspaceShare[Field] };

export class TableWriter {
  readonly number: number;
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #file: File;
  readonly #blockBytes: number;
  readonly #codec: Codec;
  readonly #block: BlockBuilder;
  /** Leads to the blocks since the last page. */
  readonly #index = new TableIndexBuilder();
  readonly #pages: IndexPage[] = [];
  /** The lower bound of the block that fills. */
  #bound: Uint8Array = EMPTY;
  #boundVersion: number | undefined;
  /** Of the keys so far. */
  #hashes: Int32Array = new Int32Array(1024);
  #hashed = 0;
  /** Finished blocks that nobody writes yet. It begins small, as many tables are: zeroing what they have no use for would take as long as the rest. */
  #buffer: Uint8Array = new Uint8Array(4 << 10);
  #buffered = 0;
  /** The other buffer, whose blocks are on their way into the file, or in it. */
  #other: Uint8Array = EMPTY;
  /** Bytes in the file, once `#writing` is done, and those that are synced once `#syncing` is. */
  #written = 0;
  #synced = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> = Promise.resolve();
  #dataBytes = 0;
  #blocks = 0;
  #entries = 0;
  #tombstones = 0;
  #keyBytes = 0;
  #valueBytes = 0;
  #smallestKey: Uint8Array = new Uint8Array(0);
  readonly #shares: Share[] = [];

  static async create(fs: FileSystem, directory: string, number: number, format: BlockFormat): Promise<TableWriter> {
    const path = `${directory}/${tableName(number)}`;
    return new TableWriter(fs, path, number, format, await fs.open(temporaryName(path), 'create'));
  }

  private constructor(fs: FileSystem, path: string, number: number, { blockBytes, codec }: BlockFormat, file: File) {
    this.#fs = fs;
    this.#path = path;
    this.number = number;
    this.#blockBytes = blockBytes;
    this.#codec = codec;
    this.#file = file;
    this.#block = new BlockBuilder(blockBytes);
  }

  get entries(): number {
    return this.#entries;
  }

  /** The size of the table's data so far. */
  get byteLength(): number {
    return this.#dataBytes + this.#block.byteLength;
  }

  /** Bytes that wait in memory for `drain`. */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  /** Whether the last entry that was added is of the same key. */
  endsWithKeyOf({ keyBytes, keyStart, keyEnd }: Cursor): boolean {
    const last = this.#block.lastKey;
    return compareRanges(keyBytes, keyStart, keyEnd, last, 0, last.length) === 0;
  }

  /** Adds the entry that `cursor` stands on; it lies after all before it. */
  add(cursor: Cursor): void {
    const { keyBytes, keyStart, keyEnd } = cursor;
    if (this.#entries === 0) this.#smallestKey = keyBytes.slice(keyStart, keyEnd);
    if (this.#block.entries === 0) this.#noteBound(cursor);
    const newer = this.#block.lastVersion;
    const isNewKey = this.#block.add(cursor);
    if (isNewKey) this.#noteHash(hashKey(keyBytes, keyStart, keyEnd));
    this.#noteShare(cursor, isNewKey, newer);
    this.#entries++;
    if (cursor.tombstone) this.#tombstones++;
    this.#keyBytes += keyEnd - keyStart;
    this.#valueBytes += cursor.valueEnd - cursor.valueStart;
    if (this.#block.byteLength >= this.#blockBytes) this.#finishBlock();
  }

  /**
   * Begins to write what is buffered, as soon as what was before it is written; so the next blocks are made meanwhile, and the disk gets a
   * sync while more is written. Throws what went wrong with an earlier write or sync.
   */
  async drain(): Promise<void> {
    await this.#writing;
    const bytes = this.#buffer.subarray(0, this.#buffered);
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#buffered = 0;
    this.#writing = this.#write(bytes);
    this.#writing.catch(ignore);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const position = this.#written;
    this.#written += bytes.length;
    if (bytes.length > 0) await this.#file.write(bytes, position);
    if (this.#written - this.#synced < SYNC_BYTES) return;
    await this.#syncing;
    this.#synced = this.#written;
    this.#syncing = syncOrFail(this.#file);
    this.#syncing.catch(ignore);
  }

  /** Completes the file under its own name. At least one entry was added. The caller syncs the directory. */
  async finish(): Promise<WrittenTable> {
    if (this.#block.entries > 0) this.#finishBlock();
    if (this.#index.children > 0) this.#finishIndexPage();
    const { indexBytes, root } = this.#appendIndex();
    const { filterBytes, filterLines } = this.#appendFilter();
    const rootBytes = this.#append(root);
    const propertiesBytes = this.#append(
      encodeProperties({
        number: this.number,
        entries: this.#entries,
        tombstones: this.#tombstones,
        keyBytes: this.#keyBytes,
        valueBytes: this.#valueBytes,
        blocks: this.#blocks,
        filterLines,
        smallestKey: this.#smallestKey,
        largestKey: this.#block.lastKey,
        largestVersion: this.#block.lastVersion,
        shares: this.#shares,
      }),
    );
    const footer = encodeFooter({ dataBytes: this.#dataBytes, indexBytes, filterBytes, rootBytes, propertiesBytes });
    this.#buffer = grown(this.#buffer, this.#buffered, this.#buffered + footer.length);
    this.#buffer.set(footer, this.#buffered);
    this.#buffered += footer.length;
    await this.drain();
    await this.#writing;
    await this.#syncing;
    await syncOrFail(this.#file);
    await this.#file.close();
    await this.#fs.rename(temporaryName(this.#path), this.#path);
    return { number: this.number, byteLength: this.#written };
  }

  /** Removes the file, as far as that is possible: what stays is removed when the engine is opened. */
  async abandon(): Promise<void> {
    await this.#writing.catch(ignore);
    await this.#syncing.catch(ignore);
    await this.#file.close().catch(ignore);
    await this.#fs.removeFile(temporaryName(this.#path)).catch(ignore);
  }

  /** Counts an entry for its keyspace; `newer`: the version of the entry before, which shadows it if it is of the same key. */
  #noteShare({ keyBytes, keyStart, keyEnd, version, tombstone, valueStart, valueEnd }: Cursor, isNewKey: boolean, newer: number): void {
    const keyspace = keyBytes[keyStart] as number;
    let share = this.#shares.at(-1);
    if (share?.keyspace !== keyspace) {
      share = { keyspace, bytes: 0, lastVersion: 0, garbageBytes: 0, garbageVersion: 0 };
      this.#shares.push(share);
    }
    const bytes = keyEnd - keyStart + valueEnd - valueStart;
    share.bytes += bytes;
    if (version > share.lastVersion) share.lastVersion = version;
    if (isNewKey && !tombstone) return;
    share.garbageBytes += bytes;
    share.garbageVersion = Math.max(share.garbageVersion, isNewKey ? version : newer);
  }

  /** The entry begins a block, which from now on is told from the one before it by the beginning of the entry's key, or by its version. */
  #noteBound({ keyBytes, keyStart, keyEnd }: Cursor): void {
    if (this.#blocks === 0) return;
    const last = this.#block.lastKey;
    const length = boundLength(last, keyBytes, keyStart, keyEnd);
    const isSameKey = length === keyEnd - keyStart && compareRanges(keyBytes, keyStart, keyEnd, last, 0, last.length) === 0;
    this.#bound = keyBytes.slice(keyStart, keyStart + length);
    // All versions below the last one belong here.
    this.#boundVersion = isSameKey ? this.#block.lastVersion - 1 : undefined;
  }

  #noteHash(hash: number): void {
    if (this.#hashed === this.#hashes.length) {
      const more = new Int32Array(this.#hashed * 2);
      more.set(this.#hashes);
      this.#hashes = more;
    }
    this.#hashes[this.#hashed++] = hash;
  }

  #finishBlock(): void {
    const blockBytes = this.#append(this.#block.finish(), this.#codec);
    this.#index.add(this.#dataBytes, blockBytes, this.#bound, this.#boundVersion);
    this.#dataBytes += blockBytes;
    this.#blocks++;
    if (this.#index.byteLength >= this.#blockBytes || this.#index.span >= INDEX_PAGE_SPAN_BYTES) this.#finishIndexPage();
  }

  #finishIndexPage(): void {
    const { firstKey: key, firstVersion: version } = this.#index;
    this.#pages.push({ payload: this.#index.finish(), key, version });
  }

  /** Appends the pages of the index; returns their length, and the root that leads to them. */
  #appendIndex(): { indexBytes: number; root: Uint8Array } {
    const root = new TableIndexBuilder();
    let indexBytes = 0;
    for (const { payload, key, version } of this.#pages) {
      const bytes = this.#append(payload);
      root.add(this.#dataBytes + indexBytes, bytes, key, version);
      indexBytes += bytes;
    }
    return { indexBytes, root: root.finish() };
  }

  #appendFilter(): { filterBytes: number; filterLines: number } {
    const filterLines = linesFor(this.#hashed);
    const filter = new Uint8Array(filterLines * LINE_BYTES);
    for (let i = 0; i < this.#hashed; i++) {
      const hash = this.#hashes[i] as number;
      addToLine(filter, lineOf(hash, filterLines) * LINE_BYTES, hash);
    }
    let filterBytes = 0;
    const step = FILTER_PAGE_LINES * LINE_BYTES;
    for (let at = 0; at < filter.length; at += step) filterBytes += this.#append(filter.subarray(at, at + step));
    return { filterBytes, filterLines };
  }

  /** Puts a block and its trailer into the buffer; returns their length. */
  #append(payload: Uint8Array, codec: Codec = 'none'): number {
    const at = this.#buffered;
    const squeezed = squeeze(codec, payload);
    const length = squeezed.bytes.length + TRAILER_BYTES;
    this.#buffer = grown(this.#buffer, at, at + length);
    this.#buffer.set(squeezed.bytes, at);
    sealBlock(this.#buffer.subarray(at, at + length), squeezed.bytes.length, squeezed.codec);
    this.#buffered = at + length;
    return length;
  }
}

const ignore = (): void => {};
