// What a memory disk is made of: files and directories (inodes), each in two states. `now` is what programs see, `durable` what a
// crash cannot take, and between the two lies the log of changes that no sync has covered yet.
import type { Random } from '@distrokv/base';

/** The bytes of a file; grows by doubling, and what was never written reads as zeros. */
export class Contents {
  #bytes: Uint8Array;
  #length: number;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes.slice();
    this.#length = bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  read(into: Uint8Array, position: number): number {
    const part = this.view().subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  write(bytes: Uint8Array, position: number): void {
    this.resize(Math.max(this.#length, position + bytes.length));
    this.#bytes.set(bytes, position);
  }

  resize(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.view());
      this.#bytes = grown;
    }
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }
}

export type FileChange =
  { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array } | { readonly kind: 'truncate'; readonly size: number };

/** Names that a directory gains, changes or (undefined) loses, all at once. */
export type EntriesChange = ReadonlyMap<string, Node | undefined>;

/** A change that a crash may take back. `order` runs over the whole disk. */
export interface Unsynced<Change> {
  readonly order: number;
  readonly change: Change;
}

export class FileNode {
  readonly kind = 'file';
  readonly now: Contents;
  readonly durable: Contents;
  readonly unsynced: Unsynced<FileChange>[] = [];
  /** Names that lead here, and open files: when both are 0 the space is free again. */
  links = 0;
  opened = 0;

  constructor(bytes?: Uint8Array) {
    this.now = new Contents(bytes);
    this.durable = new Contents(bytes);
  }
}

export class DirectoryNode {
  readonly kind = 'directory';
  readonly now: Map<string, Node> = new Map();
  readonly durable: Map<string, Node> = new Map();
  readonly unsynced: Unsynced<EntriesChange>[] = [];
}

export type Node = FileNode | DirectoryNode;

export function applyToFile(contents: Contents, change: FileChange): void {
  if (change.kind === 'write') contents.write(change.bytes, change.position);
  else contents.resize(change.size);
}

export function applyToDirectory(entries: Map<string, Node>, change: EntriesChange): void {
  for (const [name, node] of change) {
    if (node === undefined) entries.delete(name);
    else entries.set(name, node);
  }
}

/** What a disk writes at once, or not at all. */
const SECTOR_BYTES = 512;

/** Applies a change as a disk may that was interrupted: each sector with chance `keep`, and perhaps the new size without the bytes. */
export function scatterToFile(contents: Contents, change: FileChange, keep: number, random: Random): void {
  if (change.kind === 'truncate') {
    if (random.chance(keep)) contents.resize(change.size);
    return;
  }
  const end = change.position + change.bytes.length;
  for (let from = change.position; from < end;) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (random.chance(keep)) contents.write(change.bytes.subarray(from - change.position, to - change.position), from);
    from = to;
  }
  if (random.chance(0.5)) contents.resize(Math.max(contents.length, end));
}
