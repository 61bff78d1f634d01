// Checks a table against itself: every block's checksum, the order of all entries, and whether index, filter and properties
// tell the truth about them. Nothing goes through the cache, which belongs to the readers.
import { compareBytes } from '@distrokv/base';
import { BlockCursor } from './block-cursor.ts';
import type { Block } from './block.ts';
import { hashKey } from './bloom.ts';
import { NEWEST } from './cursor.ts';
import { corrupt } from './errors.ts';
import { type Fault, faultOf } from './fault.ts';
import { compareRanges, copyRange, grown } from './ranges.ts';
import { FILTER_PAGE_LINES } from './table-format.ts';
import type { TableIndex } from './table-index.ts';
import { type FilterPage, type Table, mayContain } from './table.ts';

const STRETCH_BYTES = 256 << 10;

/** Where a block lies in its file. */
export interface BlockPlace {
  readonly offset: number;
  readonly byteLength: number;
}

export interface TableCheck {
  readonly faults: readonly Fault[];
  /** The blocks whose entries are whole and in order, rising. */
  readonly soundBlocks: readonly BlockPlace[];
  /** The highest version among their entries, by keyspace id. */
  readonly lastVersions: ReadonlyMap<number, number>;
}

/** `step` is told how many bytes were read; what it throws ends the check. */
export async function checkTable(table: Table, step: (bytes: number) => Promise<void>): Promise<TableCheck> {
  const check = new Check(table);
  await check.filter(() => step(0));
  let counted = 0;
  for (let number = 0; number < table.root.count; number++) {
    const page = await check.page(number);
    for (let first = 0; page !== undefined && first < page.count;) {
      let end = first + 1;
      while (end < page.count && page.offset(end) + page.byteLength(end) - page.offset(first) <= STRETCH_BYTES) end++;
      const start = page.offset(first);
      const length = page.offset(end - 1) + page.byteLength(end - 1) - start;
      const bytes = await table.readData(start, length).catch(() => undefined);
      for (let i = first; i < end; i++) {
        const place = { offset: page.offset(i), byteLength: page.byteLength(i) };
        const at = place.offset - start;
        // Where a stretch cannot be read, some of its blocks still may be.
        const read = async (): Promise<Uint8Array> =>
          bytes?.subarray(at, at + place.byteLength) ?? (await table.readData(place.offset, place.byteLength));
        await check.block({ number, page, block: i }, place, read);
      }
      counted += length;
      await step(length);
      first = end;
    }
  }
  await step(table.byteLength - counted);
  return check.finish();
}

/** A block in the index. */
interface IndexedBlock {
  /** Of the page. */
  readonly number: number;
  readonly page: TableIndex;
  readonly block: number;
}

class Check {
  readonly #table: Table;
  readonly #faults: Fault[] = [];
  readonly #soundBlocks: BlockPlace[] = [];
  readonly #lastVersions = new Map<number, number>();
  readonly #cursor = new BlockCursor();
  /** By their number; undefined where one is damaged. */
  readonly #filter: (FilterPage | undefined)[] = [];
  /** Where the next block begins, if the pages tell of them in order. */
  #nextOffset = 0;
  /** The last entry of the last sound block. */
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;
  #version = NEWEST;
  #blocks = 0;
  #entries = 0;
  #tombstones = 0;
  #keyBytes = 0;
  #valueBytes = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  /** `step` is done after each page. */
  async filter(step: () => Promise<void>): Promise<void> {
    const { filterLines } = this.#table.properties;
    for (let line = 0; line < filterLines; line += FILTER_PAGE_LINES) {
      const page = await this.#attempt(() => this.#table.readFilter(line));
      this.#filter.push(page);
      await step();
    }
  }

  /** A page of the index; undefined if it is damaged. */
  async page(number: number): Promise<TableIndex | undefined> {
    const page = await this.#attempt(() => this.#table.readIndex(number));
    if (page !== undefined) {
      if (page.offset(0) !== this.#nextOffset)
        this.#fault(corrupt(this.#table.path, this.#table.root.offset(number), 'a page that does not go on where the one before it ends'));
      this.#nextOffset = page.offset(page.count - 1) + page.byteLength(page.count - 1);
    }
    return page;
  }

  async block(indexed: IndexedBlock, place: BlockPlace, read: () => Promise<Uint8Array>): Promise<void> {
    await this.#attempt(async () => {
      this.#walk(indexed, place.offset, await read());
      this.#soundBlocks.push(place);
    });
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#fault(error);
      return undefined;
    }
  }

  #fault(error: unknown): void {
    this.#faults.push(faultOf(error, this.#table.path));
  }

  finish(): TableCheck {
    const { properties, path, byteLength } = this.#table;
    const counted = [this.#blocks, this.#entries, this.#tombstones, this.#keyBytes, this.#valueBytes];
    const said = [properties.blocks, properties.entries, properties.tombstones, properties.keyBytes, properties.valueBytes];
    if (this.#faults.length === 0 && counted.join() !== said.join())
      this.#faults.push(
        faultOf(corrupt(path, byteLength, `it says that it holds ${said.join(', ')}, but that is ${counted.join(', ')}`), path),
      );
    return { faults: this.#faults, soundBlocks: this.#soundBlocks, lastVersions: this.#lastVersions };
  }

  /** Throws LsmError `corrupt`; then the block counts for nothing. */
  #walk(indexed: IndexedBlock, offset: number, bytes: Uint8Array): void {
    const table = this.#table;
    const cursor = this.#cursor;
    const block = table.decodeBlock(bytes, offset);
    const versions = new Map<number, number>();
    let [entries, tombstones, keyBytes, valueBytes] = [0, 0, 0, 0];
    let key: Uint8Array = this.#key.slice(0, this.#keyLength);
    let [keyLength, version] = [this.#keyLength, this.#version];
    let isFound = true;
    for (cursor.firstInBlock(block); cursor.valid; cursor.nextInBlock()) {
      const { keyBytes: bytesOfKey, keyEnd } = cursor;
      const c = compareRanges(bytesOfKey, 0, keyEnd, key, 0, keyLength);
      if (c < 0 || (c === 0 && cursor.version >= version)) throw block.corruptAt(cursor.valueEnd, 'an entry out of order');
      // The entry is sound all the same, and a repair can have it; one such fault of a block says enough.
      if (isFound) isFound = this.#isFound(indexed, block, c === 0);
      key = grown(key, 0, keyEnd);
      keyLength = copyRange(bytesOfKey, 0, keyEnd, key, 0);
      version = cursor.version;
      const id = key[0] as number;
      versions.set(id, Math.max(version, versions.get(id) ?? 0));
      entries++;
      if (cursor.tombstone) tombstones++;
      keyBytes += keyEnd;
      valueBytes += cursor.valueEnd - cursor.valueStart;
      if (offset === 0 && entries === 1 && compareBytes(key.subarray(0, keyLength), table.properties.smallestKey) !== 0)
        throw block.corruptAt(0, 'a first entry that is not the smallest key of the properties');
    }
    [this.#key, this.#keyLength, this.#version] = [key, keyLength, version];
    for (const [id, last] of versions) this.#lastVersions.set(id, Math.max(last, this.#lastVersions.get(id) ?? 0));
    this.#blocks++;
    this.#entries += entries;
    this.#tombstones += tombstones;
    this.#keyBytes += keyBytes;
    this.#valueBytes += valueBytes;
  }

  /** Whether a search for the cursor's entry comes here; notes the fault if not. */
  #isFound({ number, page, block: place }: IndexedBlock, block: Block, isKeyKnown: boolean): boolean {
    const { keyBytes, keyEnd, version, valueEnd } = this.#cursor;
    const { root } = this.#table;
    if (root.find(keyBytes, keyEnd, version) !== number || page.find(keyBytes, keyEnd, version) !== place) {
      this.#fault(block.corruptAt(valueEnd, 'an entry that the index looks for elsewhere'));
      return false;
    }
    if (isKeyKnown) return true;
    const hash = hashKey(keyBytes, 0, keyEnd);
    const line = this.#table.filterLine(hash);
    const filter = this.#filter[Math.floor(line / FILTER_PAGE_LINES)];
    if (filter === undefined || mayContain(filter, line, hash)) return true;
    this.#fault(block.corruptAt(valueEnd, 'an entry whose key the filter does not know'));
    return false;
  }
}
