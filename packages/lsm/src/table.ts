// A table that is open for reading: index and filter in memory, blocks through the cache.
import { type FileSystem, FsError } from '@distrokv/env';
import { BlockCache, type BlockSlots, CachedBlock } from './block-cache.ts';
import { Block } from './block-cursor.ts';
import { mayContain } from './bloom.ts';
import { corrupt } from './errors.ts';
import { FilePool, type PooledFile } from './file-pool.ts';
import { tableName } from './names.ts';
import { compareRanges } from './ranges.ts';
import { FOOTER_BYTES, type TableProperties, decodeFooter, decodeProperties, openBlock } from './table-format.ts';
import { TableIndex } from './table-index.ts';

const SLOT_BYTES = 8;

export class Table {
  readonly number: number;
  readonly byteLength: number;
  readonly index: TableIndex;
  readonly properties: TableProperties;
  /** Versions of the store that hold the table; the last one to leave closes it. */
  holders = 0;
  /** Set when the manifest no longer names the table: its file goes when the last holder does. */
  obsolete = false;
  readonly #file: PooledFile;
  readonly #filter: Uint8Array;
  readonly #cache: BlockCache;
  readonly #slots: BlockSlots;
  /** Blocks that are being read. */
  readonly #reading = new Map<number, Promise<Block>>();

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
      const indexAt = footer.dataBytes + footer.filterBytes;
      const propertiesAt = indexAt + footer.indexBytes;
      const filter = openBlock(await readExactly(file, footer.dataBytes, footer.filterBytes), path, footer.dataBytes);
      const indexPayload = openBlock(await readExactly(file, indexAt, footer.indexBytes), path, indexAt);
      const index = new TableIndex(indexPayload, footer.dataBytes, path, indexAt);
      const propertiesPayload = openBlock(await readExactly(file, propertiesAt, footer.propertiesBytes), path, propertiesAt);
      const properties = decodeProperties(propertiesPayload, path, propertiesAt);
      if (properties.number !== number) throw corrupt(path, propertiesAt, `it is table ${properties.number} under another name`);
      return new Table(file, byteLength, index, filter, properties, cache);
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
    index: TableIndex,
    filter: Uint8Array,
    properties: TableProperties,
    cache: BlockCache,
  ) {
    this.number = properties.number;
    this.byteLength = byteLength;
    this.index = index;
    this.properties = properties;
    this.#file = file;
    this.#filter = filter;
    this.#cache = cache;
    this.#slots = new Array<CachedBlock | undefined>(index.blocks).fill(undefined);
    cache.pin(this.#memoryBytes);
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
    return this.index.largestKey;
  }

  /** False when the table surely has no entry of the key, whose hash is given too. */
  mayContain(key: Uint8Array, keyEnd: number, hash: number): boolean {
    const smallest = this.smallestKey;
    return compareRanges(smallest, 0, smallest.length, key, 0, keyEnd) <= 0 && mayContain(this.#filter, hash);
  }

  /** About how many bytes of its data the keys in `[start, end)` take. */
  bytesBetween(start: Uint8Array, end: Uint8Array): number {
    return this.index.bytesBetween(start, end);
  }

  /** The block if it is in memory. */
  cachedBlock(index: number): Block | undefined {
    const block = this.#slots[index];
    // A write that changes nothing still takes the cache line from others.
    if (block !== undefined && !block.used) block.used = true;
    return block;
  }

  /** The block, read if it must be: the event loop waits for the disk. */
  blockSync(index: number): Block {
    const cached = this.cachedBlock(index);
    if (cached !== undefined) return cached;
    const bytes = new Uint8Array(this.index.byteLength(index));
    const got = this.#file.readSync(bytes, this.index.offset(index));
    return this.#keep(bytes, got, index);
  }

  /** The block, which is not in memory, read in the background: once, however many ask for it meanwhile. */
  block(index: number): Promise<Block> {
    const underWay = this.#reading.get(index);
    if (underWay !== undefined) return underWay;
    const reading = this.#read(index).finally(() => this.#reading.delete(index));
    this.#reading.set(index, reading);
    return reading;
  }

  /** Reads blocks `[first, end)` past the cache, for a merge. */
  async readBlocks(first: number, end: number): Promise<Uint8Array> {
    const offset = this.index.offset(first);
    const bytes = new Uint8Array(this.index.offset(end) - offset);
    const got = await this.#file.read(bytes, offset);
    if (got < bytes.length) throw corrupt(this.path, offset + got, 'it ends too early');
    return bytes;
  }

  /** As `readBlocks`; the thread waits for the disk. */
  readBlocksSync(first: number, end: number): Uint8Array {
    const offset = this.index.offset(first);
    const bytes = new Uint8Array(this.index.offset(end) - offset);
    const got = this.#file.readSync(bytes, offset);
    if (got < bytes.length) throw corrupt(this.path, offset + got, 'it ends too early');
    return bytes;
  }

  /** A block whose bytes, trailer included, were read by `readBlocks`. */
  decodeBlock(bytes: Uint8Array, index: number): Block {
    const offset = this.index.offset(index);
    return new Block(openBlock(bytes, this.path, offset), this.path, offset);
  }

  async close(): Promise<void> {
    this.#cache.drop(this.#slots);
    this.#cache.unpin(this.#memoryBytes);
    await this.#file.close();
  }

  /** What the table takes while it is open: index, filter, and a slot for each block. */
  get #memoryBytes(): number {
    return this.index.memoryBytes + this.#filter.length + this.#slots.length * SLOT_BYTES;
  }

  async #read(index: number): Promise<Block> {
    const bytes = new Uint8Array(this.index.byteLength(index));
    const got = await this.#file.read(bytes, this.index.offset(index));
    return this.#keep(bytes, got, index);
  }

  #keep(bytes: Uint8Array, got: number, index: number): Block {
    const offset = this.index.offset(index);
    if (got < bytes.length) throw corrupt(this.path, offset + got, 'it ends too early');
    const block = new CachedBlock(openBlock(bytes, this.path, offset), this.path, offset, this.#slots, index);
    this.#cache.add(block);
    return block;
  }
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
