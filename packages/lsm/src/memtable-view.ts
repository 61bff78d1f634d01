// The reading half of a memtable, on any thread: a search tree over the entries of an arena (memtable-arena.ts). All of it
// lies in two pieces of shared memory, so what a worker is handed is the two by reference, and the arena's end.
//
// Every keyspace has a B+tree of its own, so that keys that rise in one are not torn apart by the writes of another; their
// leaves make one list, in the order of everything. The memory of the trees, in 32-bit words:
//
//   words 0 to 1023    eight for each keyspace id: root (0: no tree) | levels above the leaves | first leaf | last leaf
//                      | an entry (its ref) and how many bytes of its key all keys of the tree begin with | 0 | 0
//   then the nodes     entries in the node | skip | next leaf | previous leaf | 32 heads, two words each | 32 refs
//                      | an inner node only: 32 children
//
// An inner node's ref at slot i is the first entry of child i as of its split; slot 0 counts as −∞.
//
// A *head* is six bytes of an entry's key as a floating-point number, which compares like the bytes and in one step. They
// are taken behind the node's `skip` bytes, which all keys that can ever come to the node begin with, a search's too:
// what its two neighbours in the parent have in common, or all keys of the tree at the tree's edges. A search thus
// reads the arena only where heads are equal.
import { Arena } from './memtable-arena.ts';
import { compareRanges, copyRange } from './ranges.ts';

export const FANOUT = 32;
/** No node, no tree. */
export const NONE = 0;

// Words of a tree's place in the table of trees.
const TREE_WORDS = 8;
export const ROOT = 0;
export const LEVELS = 1;
export const FIRST = 2;
export const LAST = 3;
export const SAMPLE = 4;
export const PREFIX = 5;
const MAX_ID = 127;
export const NODES_START: number = (MAX_ID + 1) * TREE_WORDS;

// Words of a node; word 0 is the number of its entries.
export const SKIP = 1;
export const NEXT = 2;
export const PREV = 3;
export const HEADS = 4;
export const REFS: number = HEADS + 2 * FANOUT;
export const CHILDREN: number = REFS + FANOUT;
export const LEAF_WORDS: number = CHILDREN;
export const INNER_WORDS: number = CHILDREN + FANOUT;

const HEAD_BYTES = 6;
/** The place of a longer key is not remembered. */
const FOUND_KEY_BYTES = 128;

/** The six bytes at `at`, zeros after `end`, as a number that compares like the bytes. */
export function headOf(bytes: Uint8Array, at: number, end: number): number {
  if (at + HEAD_BYTES <= end) {
    const high = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
    const low = ((bytes[at + 3] as number) << 16) | ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number);
    return high * 0x100_0000 + low;
  }
  let head = 0;
  for (let i = 0; i < HEAD_BYTES; i++) head = head * 0x100 + (at + i < end ? (bytes[at + i] as number) : 0);
  return head;
}

/** Where a tree is in the table of trees. */
export function treeOf(id: number): number {
  return id * TREE_WORDS;
}

/** A memtable that is not written to any more, as it goes to another thread: by reference, nothing is copied. */
export interface SharedMemtable {
  readonly arena: SharedArrayBuffer;
  readonly nodes: SharedArrayBuffer;
  /** Words of the arena in use. */
  readonly end: number;
  readonly entries: number;
}

/** A position: a leaf and a slot; leaf 0 is past the end. */
export interface Place {
  leaf: number;
  slot: number;
}

export class MemtableView {
  protected readonly arena: Arena;
  protected nodes: Int32Array;
  /** The nodes' memory again, as the heads see it. */
  protected heads: Float64Array;
  /** The way from the root to the leaf of the last search: nodes and slots. */
  protected readonly path: number[] = [];
  protected readonly pathSlots: number[] = [];
  /** What a search looks for. */
  #target: Uint8Array;
  #targetStart = 0;
  #targetEnd = 0;
  #targetVersion = 0;
  /**
   * Where the last search was for the key `#foundKey[0, #foundEnd)` and `#foundVersion`: the first entry at or after them, and the path to it. Who
   * reads a key to write it next need not look for its place again. A leaf of NONE: there was another search since.
   */
  protected foundLeaf: number = NONE;
  protected foundSlot = 0;
  readonly #foundKey = new Uint8Array(FOUND_KEY_BYTES);
  #foundEnd = 0;
  #foundVersion = 0;
  /** Entries so far; a cursor that sees it changed looks for its place again. */
  entries: number;
  /** Entries with refs from here on are not to be seen yet. */
  published: number;

  constructor({ arena, nodes, end, entries }: SharedMemtable) {
    this.arena = new Arena(arena, end);
    this.nodes = new Int32Array(nodes);
    this.heads = new Float64Array(nodes);
    this.#target = this.arena.bytes;
    this.entries = entries;
    this.published = end;
  }

  /** The ref of the first entry that is published, of this key, and not before (key, version); −1 if there is none. */
  find(key: Uint8Array, keyEnd: number, version: number): number {
    const tree = treeOf(key[0] as number);
    this.aim(key, 0, keyEnd, version);
    if (this.nodes[tree + ROOT] === NONE || this.sharedWithAll(tree) < (this.nodes[tree + PREFIX] as number)) return -1;
    let leaf = this.descend(tree);
    let slot = this.lowerBound(leaf);
    this.#noteFound(key, keyEnd, version, leaf, slot);
    for (;;) {
      if (slot === (this.nodes[leaf] as number)) {
        leaf = this.nodes[leaf + NEXT] as number;
        if (leaf === NONE) return -1;
        slot = 0;
      }
      const ref = this.nodes[leaf + REFS + slot] as number;
      if (this.arena.compareKey(ref, 0, key, 0, keyEnd) !== 0) return -1;
      if (ref < this.published) return ref;
      slot++;
    }
  }

  /** Sets `place` to the first entry at or after (key, version). */
  seek(key: Uint8Array, keyStart: number, keyEnd: number, version: number, place: Place): void {
    place.slot = 0;
    const id = keyStart < keyEnd ? (key[keyStart] as number) : 0;
    const tree = treeOf(id);
    if (id > MAX_ID || this.nodes[tree + ROOT] === NONE) {
      place.leaf = this.firstLeafAfter(id);
      return;
    }
    this.aim(key, keyStart, keyEnd, version);
    const shared = this.sharedWithAll(tree);
    if (shared === this.nodes[tree + PREFIX]) {
      place.leaf = this.descend(tree);
      place.slot = this.lowerBound(place.leaf) - 1;
      this.step(place);
      return;
    }
    // Not among the keys of the tree: before all of them, or behind them.
    const at = this.arena.keyStart(this.nodes[tree + SAMPLE] as number) + shared;
    const isBefore = keyStart + shared >= keyEnd || (key[keyStart + shared] as number) < (this.arena.bytes[at] as number);
    place.leaf = isBefore ? (this.nodes[tree + FIRST] as number) : this.firstLeafAfter(id);
  }

  /** To the next entry. */
  step(place: Place): void {
    place.slot++;
    if (place.slot < (this.nodes[place.leaf] as number)) return;
    place.leaf = this.nodes[place.leaf + NEXT] as number;
    place.slot = 0;
  }

  /** To the previous entry; from past the end to the last one. */
  stepBack(place: Place): void {
    place.slot--;
    if (place.leaf !== NONE && place.slot >= 0) return;
    place.leaf = place.leaf === NONE ? this.lastLeafBefore(MAX_ID + 1) : (this.nodes[place.leaf + PREV] as number);
    place.slot = place.leaf === NONE ? 0 : (this.nodes[place.leaf] as number) - 1;
  }

  refAt(place: Place): number {
    return this.nodes[place.leaf + REFS + place.slot] as number;
  }

  /** The arena: entries' keys and values lie in it, by the ranges below. */
  get bytes(): Uint8Array {
    return this.arena.bytes;
  }

  keyStart(ref: number): number {
    return this.arena.keyStart(ref);
  }

  keyEnd(ref: number): number {
    return this.arena.keyEnd(ref);
  }

  valueEnd(ref: number): number {
    return this.arena.valueEnd(ref);
  }

  isTombstone(ref: number): boolean {
    return this.arena.isTombstone(ref);
  }

  version(ref: number): number {
    return this.arena.version(ref);
  }

  /** The first leaf of the keyspaces above `id`. */
  protected firstLeafAfter(id: number): number {
    for (let tree = treeOf(id + 1); tree < NODES_START; tree += TREE_WORDS) {
      if (this.nodes[tree + ROOT] !== NONE) return this.nodes[tree + FIRST] as number;
    }
    return NONE;
  }

  /** The last leaf of the keyspaces below `id`. */
  protected lastLeafBefore(id: number): number {
    for (let tree = treeOf(id - 1); tree >= 0; tree -= TREE_WORDS) {
      if (this.nodes[tree + ROOT] !== NONE) return this.nodes[tree + LAST] as number;
    }
    return NONE;
  }

  protected aim(bytes: Uint8Array, start: number, end: number, version: number): void {
    this.#target = bytes;
    this.#targetStart = start;
    this.#targetEnd = end;
    this.#targetVersion = version;
    this.foundLeaf = NONE;
  }

  #noteFound(key: Uint8Array, keyEnd: number, version: number, leaf: number, slot: number): void {
    // At the end of a leaf: what comes next lies in another.
    if (keyEnd > FOUND_KEY_BYTES || slot === this.nodes[leaf]) return;
    copyRange(key, 0, keyEnd, this.#foundKey, 0);
    this.#foundEnd = keyEnd;
    this.#foundVersion = version;
    this.foundLeaf = leaf;
    this.foundSlot = slot;
  }

  /** Whether the last search was for the place of this entry, which is not in the tree. */
  protected isFoundPlaceOf(ref: number): boolean {
    if (this.foundLeaf === NONE || this.arena.version(ref) > this.#foundVersion) return false;
    const { bytes } = this.arena;
    const start = this.arena.keyStart(ref);
    const end = this.arena.keyEnd(ref);
    if (compareRanges(bytes, start, end, this.#foundKey, 0, this.#foundEnd) !== 0) return false;
    const there = this.nodes[this.foundLeaf + REFS + this.foundSlot] as number;
    // Versions do not fall, so none of this key can lie between this one and what was looked for; if one did, the place were another.
    return this.arena.compareKey(there, 0, bytes, start, end) !== 0 || this.arena.version(there) <= this.arena.version(ref);
  }

  /** How many of the bytes that all keys of the tree begin with the target begins with. */
  protected sharedWithAll(tree: number): number {
    const prefix = this.nodes[tree + PREFIX] as number;
    const start = this.arena.keyStart(this.nodes[tree + SAMPLE] as number);
    const bytes = this.arena.bytes;
    const target = this.#target;
    const targetStart = this.#targetStart;
    const n = Math.min(prefix, this.#targetEnd - targetStart);
    let i = 0;
    while (i < n && target[targetStart + i] === bytes[start + i]) i++;
    return i;
  }

  /** The leaf in which the target belongs, or after which it comes first; notes the path. */
  protected descend(tree: number): number {
    let node = this.nodes[tree + ROOT] as number;
    const levels = this.nodes[tree + LEVELS] as number;
    for (let level = 0; level < levels; level++) {
      const slot = Math.max(0, this.lowerBound(node) - 1);
      this.path[level] = node;
      this.pathSlots[level] = slot;
      node = this.nodes[node + CHILDREN + slot] as number;
    }
    return node;
  }

  /** How many entries of the node lie before the target. */
  protected lowerBound(node: number): number {
    const { nodes, heads } = this;
    const skip = nodes[node + SKIP] as number;
    const head = headOf(this.#target, this.#targetStart + skip, this.#targetEnd);
    const first = (node + HEADS) >>> 1;
    let low = 0;
    let high = nodes[node] as number;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const h = heads[first + middle] as number;
      if (h < head || (h === head && this.#before(nodes[node + REFS + middle] as number, skip))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether all entries of the node lie before the target. */
  protected isBeyond(node: number): boolean {
    const { nodes } = this;
    const slot = (nodes[node] as number) - 1;
    const skip = nodes[node + SKIP] as number;
    const h = this.heads[((node + HEADS) >>> 1) + slot] as number;
    const head = headOf(this.#target, this.#targetStart + skip, this.#targetEnd);
    return h < head || (h === head && this.#before(nodes[node + REFS + slot] as number, skip));
  }

  /** Whether the entry lies before the target; their first `skip` bytes are known to be equal. */
  #before(ref: number, skip: number): boolean {
    const c = this.arena.compareKey(ref, skip, this.#target, this.#targetStart, this.#targetEnd);
    return c < 0 || (c === 0 && this.arena.version(ref) > this.#targetVersion);
  }
}
