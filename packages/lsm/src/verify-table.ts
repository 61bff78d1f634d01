// Checks a table against itself: every block's checksum, the order of all entries, and whether index, filter and properties
// tell the truth about them. Nothing goes through the cache, which belongs to the readers.
import { compareBytes } from '@distrokv/base';
import { BlockCursor } from './block-cursor.ts';
import { hashKey } from './bloom.ts';
import { NEWEST } from './cursor.ts';
import { corrupt } from './errors.ts';
import { type Fault, faultOf } from './fault.ts';
import { compareRanges, copyRange, grown } from './ranges.ts';
import type { Table } from './table.ts';

const STRETCH_BYTES = 256 << 10;

export interface TableCheck {
  readonly faults: readonly Fault[];
  /** The blocks whose entries are whole and in order, rising. */
  readonly soundBlocks: readonly number[];
  /** The highest version among their entries, by keyspace id. */
  readonly lastVersions: ReadonlyMap<number, number>;
}

/** `step` is told how many bytes were read; what it throws ends the check. */
export async function checkTable(table: Table, step: (bytes: number) => Promise<void>): Promise<TableCheck> {
  const check = new Check(table);
  const { index } = table;
  for (let first = 0; first < index.blocks;) {
    let end = first + 1;
    while (end < index.blocks && index.offset(end + 1) - index.offset(first) <= STRETCH_BYTES) end++;
    const bytes = await table.readBlocks(first, end).catch(() => undefined);
    for (let i = first; i < end; i++) {
      const at = index.offset(i) - index.offset(first);
      // Where a stretch cannot be read, some of its blocks still may be.
      await check.block(i, async () => bytes?.subarray(at, at + index.byteLength(i)) ?? table.readBlocks(i, i + 1));
    }
    await step(index.offset(end) - index.offset(first));
    first = end;
  }
  return check.finish();
}

class Check {
  readonly #table: Table;
  readonly #faults: Fault[] = [];
  readonly #soundBlocks: number[] = [];
  readonly #lastVersions = new Map<number, number>();
  readonly #cursor = new BlockCursor();
  /** The last entry of the last sound block. */
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;
  #version = NEWEST;
  #entries = 0;
  #tombstones = 0;
  #keyBytes = 0;
  #valueBytes = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  async block(index: number, read: () => Promise<Uint8Array>): Promise<void> {
    try {
      this.#walk(index, await read());
      this.#soundBlocks.push(index);
    } catch (error) {
      this.#faults.push(faultOf(error, this.#table.path));
    }
  }

  finish(): TableCheck {
    const { properties, path, byteLength } = this.#table;
    const counted = [this.#entries, this.#tombstones, this.#keyBytes, this.#valueBytes];
    const said = [properties.entries, properties.tombstones, properties.keyBytes, properties.valueBytes];
    if (this.#faults.length === 0 && counted.join() !== said.join())
      this.#faults.push(
        faultOf(corrupt(path, byteLength, `it says that it holds ${said.join(', ')}, but that is ${counted.join(', ')}`), path),
      );
    return { faults: this.#faults, soundBlocks: this.#soundBlocks, lastVersions: this.#lastVersions };
  }

  /** Throws LsmError `corrupt`; then the block counts for nothing. */
  #walk(index: number, bytes: Uint8Array): void {
    const table = this.#table;
    const cursor = this.#cursor;
    const block = table.decodeBlock(bytes, index);
    const versions = new Map<number, number>();
    let [entries, tombstones, keyBytes, valueBytes] = [0, 0, 0, 0];
    let key: Uint8Array = this.#key.slice(0, this.#keyLength);
    let [keyLength, version] = [this.#keyLength, this.#version];
    for (cursor.firstInBlock(block); cursor.valid; cursor.nextInBlock()) {
      const { keyBytes: bytesOfKey, keyEnd } = cursor;
      const c = compareRanges(bytesOfKey, 0, keyEnd, key, 0, keyLength);
      if (c < 0 || (c === 0 && cursor.version >= version)) throw block.corruptAt(cursor.valueEnd, 'an entry out of order');
      if (!table.mayContain(bytesOfKey, keyEnd, hashKey(bytesOfKey, 0, keyEnd)))
        throw block.corruptAt(cursor.valueEnd, 'an entry whose key the filter does not know');
      if (table.index.find(bytesOfKey, keyEnd, cursor.version) !== index)
        throw block.corruptAt(cursor.valueEnd, 'an entry that the index looks for elsewhere');
      key = grown(key, 0, keyEnd);
      keyLength = copyRange(bytesOfKey, 0, keyEnd, key, 0);
      version = cursor.version;
      const id = key[0] as number;
      versions.set(id, Math.max(version, versions.get(id) ?? 0));
      entries++;
      if (cursor.tombstone) tombstones++;
      keyBytes += keyEnd;
      valueBytes += cursor.valueEnd - cursor.valueStart;
      if (index === 0 && entries === 1 && compareBytes(key.subarray(0, keyLength), table.properties.smallestKey) !== 0)
        throw block.corruptAt(0, 'a first entry that is not the smallest key of the properties');
    }
    [this.#key, this.#keyLength, this.#version] = [key, keyLength, version];
    for (const [id, last] of versions) this.#lastVersions.set(id, Math.max(last, this.#lastVersions.get(id) ?? 0));
    this.#entries += entries;
    this.#tombstones += tombstones;
    this.#keyBytes += keyBytes;
    this.#valueBytes += valueBytes;
  }
}
