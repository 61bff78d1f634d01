// A table that is open for reading. What stays in memory is the root of its index and its properties; pages of the index and of the
// filter, and blocks, come and go through the cache.
import { compareBytes } from '@distrokv/base';
import { type FileSystem, FsError } from '@distrokv/env';
import { BlockCache, CachePiece, type Slots } from './block-cache.ts';
import type { BlockMemory } from './block-memory.ts';
import { Block } from './block.ts';
import { CODEC_NONE, unsqueeze } from './codec.ts';
import { LINE_BYTES, lineOf, mayBeInLine } from './bloom.ts';
import { NEWEST } from './cursor.ts';
import { LsmError, corrupt } from './errors.ts';
import { FilePool, type PooledFile } from './file-pool.ts';
import { tableName } from './names.ts';
import {
  FILTER_PAGE_LINES,
  FOOTER_BYTES,
  type Footer,
  TRAILER_BYTES,
  type TableProperties,
  checkBlock,
  decodeFooter,
  decodeProperties,
  openBlock,
} from './table-format.ts';
import { TableIndex } from './table-index.ts';

/** What a table costs beside its root and its keys, about: the objects around it. */
const TABLE_BYTES = 1024;
const SLOT_BYTES = 8;
/** Index and filter of a table that are no larger are read at once. */
const MAX_AHEAD_BYTES = 512 << 10;
/** A full page of the filter, its trailer included. */
const FILTER_PAGE_BYTES = FILTER_PAGE_LINES * LINE_BYTES + TRAILER_BYTES;

/** At once by `warm`. */
export const MOST_WARMED_BYTES: number = 256 << 10;
/** Where they go, which nobody reads: those of all tables. */
const WARMED = new Uint8Array(MOST_WARMED_BYTES);

/** A piece that is being read. */
interface Reading {
  /** How many wait for it. */
  waiting: number;
  piece: Promise<CachePiece> | undefined;
}

/** Some lines of the filter. */
export class FilterPage extends CachePiece {
  /** The lines, and maybe more behind them. */
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.bytes = bytes;
  }
}

export class Table {
  readonly number: number;
  readonly byteLength: number;
  /** The root of the index, which leads to its pages. */
  readonly root: TableIndex;
  /** The length of the data, which begins the file. */
  readonly dataBytes: number;
  readonly properties: TableProperties;
  /** Versions of the store that hold the table; the last one to leave closes it. */
  holders = 0;
  /** Set when the manifest no longer names the table: its file goes when the last holder does. */
  obsolete = false;
  readonly #file: PooledFile;
  readonly #cache: BlockCache;
  readonly #indexSlots: Slots<TableIndex>;
  readonly #filterSlots: Slots<FilterPage>;
  readonly #filterAt: number;
  /** By the offset. */
  readonly #reading = new Map<number, Reading>();
  /** Settled once all of the index and the filter were read, if they were. */
  #ahead: Promise<void> | undefined;
  #isAhead = false;

  /** Throws LsmError `corrupt` or `newer-format`, or FsError. `byteLength` is what the manifest says. */
  static async open(files: FilePool, directory: string, number: number, byteLength: number, cache: BlockCache): Promise<Table> {
    const path = `${directory}/${tableName(number)}`;
    const file = await openNamed(files, path);
    try {
      if (file.byteLength !== byteLength)
        throw corrupt(path, Math.min(file.byteLength, byteLength), `it has ${file.byteLength} bytes instead of ${byteLength}`);
      const footer = decodeFooter(
        await readExactly(file, Math.max(0, byteLength - FOOTER_BYTES), Math.min(byteLength, FOOTER_BYTES)),
        path,
        byteLength,
      );
      const indexEnd = footer.dataBytes + footer.indexBytes;
      const rootAt = indexEnd + footer.filterBytes;
      const tail = await readExactly(file, rootAt, footer.rootBytes + footer.propertiesBytes);
      const rootPayload = openBlock(tail.subarray(0, footer.rootBytes), path, rootAt);
      const root = new TableIndex(rootPayload.slice(), footer.dataBytes, indexEnd, false, path, rootAt);
      const propertiesAt = rootAt + footer.rootBytes;
      const properties = decodeProperties(openBlock(tail.subarray(footer.rootBytes), path, propertiesAt), path, propertiesAt);
      if (properties.number !== number) throw corrupt(path, propertiesAt, `it is table ${properties.number} under another name`);
      const { filterLines } = properties;
      if (filterLines * LINE_BYTES + Math.ceil(filterLines / FILTER_PAGE_LINES) * TRAILER_BYTES !== footer.filterBytes)
        throw corrupt(path, propertiesAt, `a filter of ${filterLines} lines in ${footer.filterBytes} bytes`);
      return new Table(file, byteLength, footer, root, properties, cache);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** As `open`, for who reads a table outside of an engine: with a handle of its own, and no cache. */
  static openAlone(fs: FileSystem, directory: string, number: number, byteLength: number): Promise<Table> {
    return Table.open(new FilePool(fs, 1), directory, number, byteLength, new BlockCache(0));
  }

  private constructor(
    file: PooledFile,
    byteLength: number,
    { dataBytes, indexBytes }: Footer,
    root: TableIndex,
    properties: TableProperties,
    cache: BlockCache,
  ) {
    this.number = properties.number;
    this.byteLength = byteLength;
    this.root = root;
    this.dataBytes = dataBytes;
    this.properties = properties;
    this.#file = file;
    this.#filterAt = dataBytes + indexBytes;
    this.#cache = cache;
    this.#indexSlots = new Array<TableIndex | undefined>(root.count).fill(undefined);
    this.#filterSlots = new Array<FilterPage | undefined>(Math.ceil(properties.filterLines / FILTER_PAGE_LINES)).fill(undefined);
    cache.pin(this.#pinnedBytes);
  }

  get path(): string {
    return this.#file.path;
  }

  /** The internal key of the first entry. */
  get smallestKey(): Uint8Array {
    return this.properties.smallestKey;
  }

  /** The internal key of the last entry. */
  get largestKey(): Uint8Array {
    return this.properties.largestKey;
  }

  /** The line of the filter that knows of keys with this hash. */
  filterLine(hash: number): number {
    return lineOf(hash, this.properties.filterLines);
  }

  /** About how many bytes of its data the keys in `[start, end)` take, by whole and half pages of the index. */
  bytesBetween(start: Uint8Array, end: Uint8Array): number {
    const { root } = this;
    const first = compareBytes(start, this.smallestKey) <= 0 ? 0 : root.find(start, start.length, NEWEST) + 0.5;
    const last = compareBytes(end, this.largestKey) > 0 ? root.count : root.find(end, end.length, NEWEST) + 0.5;
    return (this.dataBytes * Math.max(last - first, 0.25)) / root.count;
  }

  /** The page of the filter with a line, if it is in memory. */
  cachedFilter(line: number): FilterPage | undefined {
    return touched(this.#filterSlots[line >>> 6]);
  }

  /** A page of the index, if it is in memory. */
  cachedIndex(page: number): TableIndex | undefined {
    return touched(this.#indexSlots[page]);
  }

  /** A block of a page, if it is in memory. */
  cachedBlock(page: TableIndex, block: number): Block | undefined {
    return touched(page.children?.get(block) as Block | undefined);
  }

  // Each of the three in three ways: from memory, waiting for the disk (the event loop waits too), and in the background: then it is
  // read once, however many ask for it meanwhile. What was promised is held, once for each who waited, and theirs to let go; what came at once is
  // good until the next piece is read, unless it is held so often as `holders` says, before anything can take its memory.

  filterSync(line: number): FilterPage {
    const cached = this.cachedFilter(line);
    if (cached !== undefined) return cached;
    const length = this.#filterBytes(line);
    const memory = this.#cache.memory.take(length);
    return this.#keepFilter(memory, this.#readSync(memory, this.#filterOffset(line), length), line, 0);
  }

  filter(line: number): Promise<FilterPage> {
    const length = this.#filterBytes(line);
    const keep = (memory: Uint8Array, whole: Uint8Array, holders: number): FilterPage => this.#keepFilter(memory, whole, line, holders);
    return this.#once(this.#filterOffset(line), length, keep);
  }

  indexSync(page: number, holders: number): TableIndex {
    const cached = this.cachedIndex(page);
    if (cached !== undefined) {
      cached.hold(holders);
      return cached;
    }
    const length = this.root.byteLength(page);
    const memory = this.#cache.memory.take(length);
    return this.#keepIndex(memory, this.#readSync(memory, this.root.offset(page), length), page, holders);
  }

  index(page: number): Promise<TableIndex> {
    const keep = (memory: Uint8Array, whole: Uint8Array, holders: number): TableIndex => this.#keepIndex(memory, whole, page, holders);
    return this.#once(this.root.offset(page), this.root.byteLength(page), keep);
  }

  // `offset` and `length` are what the page says of the block. The page itself need not be held any more: a block of one that has left the cache
  // does not come there either.

  blockSync(page: TableIndex, block: number, offset: number, length: number, holders: number): Block {
    const cached = this.cachedBlock(page, block);
    if (cached !== undefined) {
      cached.hold(holders);
      return cached;
    }
    const memory = this.#cache.memory.take(length);
    return this.#keepBlock(memory, this.#readSync(memory, offset, length), offset, page, block, holders);
  }

  block(page: TableIndex, block: number, offset: number, length: number): Promise<Block> {
    const keep = (memory: Uint8Array, whole: Uint8Array, holders: number): Block =>
      this.#keepBlock(memory, whole, offset, page, block, holders);
    return this.#once(offset, length, keep);
  }

  /** Brings up to `MOST_WARMED_BYTES` of the file into the host's page cache. If that fails, so will the read that follows. */
  async warm(offset: number, length: number): Promise<void> {
    await this.#file.read(WARMED.subarray(0, length), offset).catch(() => 0);
  }

  /**
   * Resolves when all of the index and of the filter have come into the cache, if there is room for them; undefined if that was done before, or is not to
   * be. They lie together, and a disk reads a hundred pages in the time of one or two: a store that has just been opened would else go there
   * for each. What could not be read is left to who needs it, and gets the error.
   */
  readMetadata(): Promise<void> | undefined {
    if (this.#isAhead) return undefined;
    const bytes = this.#filterAt - this.dataBytes + this.#allFilterBytes;
    if (this.#ahead === undefined && (bytes > MAX_AHEAD_BYTES || !this.#cache.hasRoomForMetadata(2 * bytes))) return undefined;
    this.#ahead ??= this.#readAhead(bytes).finally(() => (this.#isAhead = true));
    return this.#ahead;
  }

  /** Reads bytes of the file past the cache, for who reads all of it. */
  async readData(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    this.#checkWhole(length, await this.#file.read(bytes, offset), offset);
    return bytes;
  }

  /** As `readData`; the thread waits for the disk. `memory` is used if it is large enough. */
  readDataSync(offset: number, length: number, memory?: Uint8Array): Uint8Array {
    const bytes = memory !== undefined && memory.length >= length ? memory.subarray(0, length) : new Uint8Array(length);
    this.#checkWhole(length, this.#file.readSync(bytes, offset), offset);
    return bytes;
  }

  /** A page of the index, read past the cache, as all that follow; held. */
  readIndexSync(page: number): TableIndex {
    const index = this.#decodeIndex(this.readDataSync(this.root.offset(page), this.root.byteLength(page)), page);
    index.hold();
    return index;
  }

  async readIndex(page: number): Promise<TableIndex> {
    return this.#decodeIndex(await this.readData(this.root.offset(page), this.root.byteLength(page)), page);
  }

  async readFilter(line: number): Promise<FilterPage> {
    const bytes = await this.readData(this.#filterOffset(line), this.#filterBytes(line));
    return this.#decodeFilter(bytes, bytes, line);
  }

  readBlockSync(offset: number, length: number): Block {
    return this.decodeBlock(this.readDataSync(offset, length), offset);
  }

  /** A block whose bytes, trailer included, were read from `offset`; held, as all that `readBlockSync` reads. */
  decodeBlock(bytes: Uint8Array, offset: number): Block {
    const block = Block.of(openBlock(bytes, this.path, offset), this.path, offset);
    block.hold();
    return block;
  }

  async close(): Promise<void> {
    this.#cache.drop(this.#indexSlots);
    this.#cache.drop(this.#filterSlots);
    this.#cache.unpin(this.#pinnedBytes);
    await this.#file.close();
  }

  /** What the table takes while it is open. */
  get #pinnedBytes(): number {
    const { smallestKey, largestKey } = this.properties;
    const slots = this.#indexSlots.length + this.#filterSlots.length;
    return TABLE_BYTES + this.root.memoryBytes + smallestKey.length + largestKey.length + slots * SLOT_BYTES;
  }

  async #readAhead(length: number): Promise<void> {
    const bytes = new Uint8Array(length);
    const { dataBytes, root } = this;
    try {
      if ((await this.#file.read(bytes, dataBytes)) < length) return;
      for (let page = 0; page < root.count; page++) {
        const at = root.offset(page) - dataBytes;
        if (this.#indexSlots[page] === undefined) this.#addIndex(bytes.subarray(at, at + root.byteLength(page)), page, 0);
      }
      const { memory } = this.#cache;
      for (let page = 0; page < this.#filterSlots.length; page++) {
        if (this.#filterSlots[page] !== undefined) continue;
        const line = page * FILTER_PAGE_LINES;
        const [at, size] = [this.#filterOffset(line) - dataBytes, this.#filterBytes(line)];
        const own = memory.take(size);
        own.set(bytes.subarray(at, at + size));
        this.#keepFilter(own, beginningOf(own, size), line, 0);
      }
    } catch (error) {
      if (!(error instanceof FsError || error instanceof LsmError)) throw error;
    }
  }

  get #allFilterBytes(): number {
    const { filterLines } = this.properties;
    return filterLines * LINE_BYTES + this.#filterSlots.length * TRAILER_BYTES;
  }

  #filterOffset(line: number): number {
    return this.#filterAt + Math.floor(line / FILTER_PAGE_LINES) * FILTER_PAGE_BYTES;
  }

  #filterBytes(line: number): number {
    const first = line - (line % FILTER_PAGE_LINES);
    return Math.min(FILTER_PAGE_LINES, this.properties.filterLines - first) * LINE_BYTES + TRAILER_BYTES;
  }

  /** Into memory of the cache, of which it returns what was read. */
  #readSync(memory: Uint8Array, offset: number, length: number): Uint8Array {
    const whole = beginningOf(memory, length);
    this.#checkWhole(length, this.#file.readSync(whole, offset), offset);
    return whole;
  }

  /** `whole`: what was read, the beginning of `memory`. */
  #keepFilter(memory: Uint8Array, whole: Uint8Array, line: number, holders: number): FilterPage {
    const page = this.#decodeFilter(memory, whole, line);
    page.lieIn(memory, this.#cache.memory);
    page.hold(holders);
    this.#cache.addMetadata(page, this.#filterSlots, Math.floor(line / FILTER_PAGE_LINES), memory.length);
    return page;
  }

  #decodeFilter(memory: Uint8Array, whole: Uint8Array, line: number): FilterPage {
    const offset = this.#filterOffset(line);
    if (checkBlock(whole, this.path, offset) !== CODEC_NONE) throw corrupt(this.path, offset, 'a page of a filter that is squeezed');
    return new FilterPage(memory);
  }

  #keepIndex(memory: Uint8Array, whole: Uint8Array, page: number, holders: number): TableIndex {
    const index = this.#addIndex(whole, page, holders);
    this.#cache.memory.give(memory);
    return index;
  }

  /** Of what was read, the cache gets a copy. */
  #addIndex(whole: Uint8Array, page: number, holders: number): TableIndex {
    const index = this.#decodeIndex(whole, page, this.#cache.memory);
    index.hold(holders);
    this.#cache.addMetadata(index, this.#indexSlots, page, index.memoryBytes);
    return index;
  }

  #decodeIndex(bytes: Uint8Array, page: number, source?: BlockMemory): TableIndex {
    const offset = this.root.offset(page);
    return new TableIndex(openBlock(bytes, this.path, offset), 0, this.dataBytes, true, this.path, offset, source);
  }

  #keepBlock(memory: Uint8Array, whole: Uint8Array, offset: number, page: TableIndex, block: number, holders: number): Block {
    const decoded = this.#decodeInto(memory, whole, offset);
    decoded.hold(holders);
    this.#cache.addData(decoded, page, block, decoded.memoryBytes, nameOf(this.number, offset));
    return decoded;
  }

  /** The block whose bytes, trailer included, are `whole`, the beginning of `memory`; that, or what it is unpacked into, is the block's from now on. */
  #decodeInto(memory: Uint8Array, whole: Uint8Array, offset: number): Block {
    const source = this.#cache.memory;
    const codec = checkBlock(whole, this.path, offset);
    let payloadLength = whole.length - TRAILER_BYTES;
    if (codec !== CODEC_NONE) {
      const squeezed = memory;
      const payload = unsqueeze(codec, beginningOf(squeezed, payloadLength), this.path, offset, (size) => (memory = source.take(size)));
      payloadLength = payload.length;
      source.give(squeezed);
    }
    const block = (source.takeBlock() ?? new Block()).fill(memory, this.path, offset, payloadLength);
    block.lieIn(memory, source);
    return block;
  }

  /** Reads a piece into memory of the cache, unless that is under way. */
  #once<Piece extends CachePiece>(
    offset: number,
    length: number,
    keep: (memory: Uint8Array, whole: Uint8Array, holders: number) => Piece,
  ): Promise<Piece> {
    let reading = this.#reading.get(offset);
    if (reading === undefined) {
      reading = { waiting: 0, piece: undefined };
      this.#reading.set(offset, reading);
      reading.piece = this.#read(reading, offset, length, this.#cache.memory.take(length), keep);
    }
    reading.waiting++;
    return reading.piece as Promise<Piece>;
  }

  async #read<Piece extends CachePiece>(
    reading: Reading,
    offset: number,
    length: number,
    memory: Uint8Array,
    keep: (memory: Uint8Array, whole: Uint8Array, holders: number) => Piece,
  ): Promise<Piece> {
    try {
      const whole = beginningOf(memory, length);
      this.#checkWhole(length, await this.#file.read(whole, offset), offset);
      return keep(memory, whole, reading.waiting);
    } finally {
      // In the same turn as `keep`: nobody joins who is not counted.
      this.#reading.delete(offset);
    }
  }

  #checkWhole(length: number, got: number, offset: number): void {
    if (got < length) throw corrupt(this.path, offset + got, 'it ends too early');
  }
}

/** Not `subarray`, which looks for a species of array first. */
function beginningOf(memory: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, memory.byteOffset, length);
}

/** Of a block, for the cache: 32 bits that mean it and hardly any other. */
function nameOf(table: number, offset: number): number {
  const h = Math.imul(Math.imul(table, 0x9e3779b1) ^ offset, 0x85ebca6b);
  return h ^ (h >>> 15);
}

function touched<Piece extends CachePiece>(piece: Piece | undefined): Piece | undefined {
  // A write that changes nothing still takes the cache line from others.
  if (piece !== undefined && !piece.used) piece.used = true;
  return piece;
}

/** Whether a page of a filter may know a key with this hash, of the page's line `line`. */
export function mayContain(page: FilterPage, line: number, hash: number): boolean {
  return mayBeInLine(page.bytes, (line % FILTER_PAGE_LINES) * LINE_BYTES, hash);
}

async function openNamed(files: FilePool, path: string): Promise<PooledFile> {
  try {
    return await files.open(path);
  } catch (error) {
    if (error instanceof FsError && error.code === 'not-found') throw corrupt(path, 0, 'it is missing, though the manifest names it');
    throw error;
  }
}

async function readExactly(file: PooledFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const got = await file.read(bytes, offset);
  if (got < length) throw corrupt(file.path, offset + got, 'it ends too early');
  return bytes;
}
