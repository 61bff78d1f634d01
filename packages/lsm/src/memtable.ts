// The memtable: every write lands here first, and a flush walks it in order. Reading it, and how it lies in memory, is in
// memtable-view.ts; this is the writing half: entries are appended to the arena, and put into the tree of their keyspace.
import { assert } from '@distrokv/base';
import { LINE_BYTES, addToLine, hashKey, lineOf, mayBeInLine } from './bloom.ts';
import { RANGE_DELETE_ID } from './memtable-arena.ts';
import {
  CHILDREN,
  FANOUT,
  FIRST,
  HEADS,
  INNER_WORDS,
  LAST,
  LEAF_WORDS,
  LEVELS,
  MemtableView,
  NEXT,
  NODES_START,
  NONE,
  PREFIX,
  PREV,
  REFS,
  ROOT,
  SAMPLE,
  SKIP,
  type SharedMemtable,
  headOf,
  treeOf,
} from './memtable-view.ts';
import { type WrittenRange, WrittenRanges } from './range-deletes.ts';
import { commonPrefix } from './ranges.ts';
import { isRange } from './version-edit.ts';

const FENCE_BELOW = 0;
const FENCE_ABOVE = 1;
/** No entry bounds the node on this side: it lies at the tree's edge. */
const NO_FENCE = -1;
/** A line of the filter, which is good for fifty keys, for so many bytes of entries. */
const BYTES_PER_LINE = 4096;

/** What a memtable lies in. It may hold anything. */
export interface MemtableMemory extends Pick<SharedMemtable, 'arena' | 'nodes'> {
  readonly filter: Uint8Array;
}

/** Room for about `bytes` of entries before anything has to move. The host gives memory only as it is touched. */
function memoryFor(bytes: number): MemtableMemory {
  return {
    arena: new SharedArrayBuffer((bytes + (bytes >>> 5) + 4096) & ~7),
    nodes: new SharedArrayBuffer(((bytes >>> 2) + 8 * NODES_START) & ~7),
    filter: new Uint8Array((1 + Math.floor(bytes / BYTES_PER_LINE)) * LINE_BYTES),
  };
}

export class Memtable extends MemtableView {
  readonly #onFree: (memory: MemtableMemory) => void;
  /** A Bloom filter over the keys, so that a read of a key that is elsewhere need not search the tree. */
  readonly #filter: Uint8Array;
  /** Undefined as long as there is none. */
  rangeDeletes: WrittenRanges | undefined;
  #nodesEnd = NODES_START;
  #holders = 1;

  /** In memory for so many bytes, or in some that is there. Held once by its maker; `onFree` gets the memory when nobody holds the memtable any more. */
  constructor(room: number | MemtableMemory, onFree: (memory: MemtableMemory) => void = () => {}) {
    const { arena, nodes, filter } = typeof room === 'number' ? memoryFor(room) : room;
    super({ arena, nodes, end: 0, entries: 0 });
    this.#filter = filter;
    this.#onFree = onFree;
    this.nodes.fill(NONE, 0, NODES_START);
    filter.fill(0);
  }

  /** Whoever reads across turns of the event loop holds the memtable meanwhile, so that its memory is not used for another. */
  hold(): void {
    assert(this.#holders > 0, 'a memtable that is held has not been let go');
    this.#holders++;
  }

  letGo(): void {
    this.#holders--;
    assert(this.#holders >= 0, 'a memtable is let go as often as it is held');
    const { buffer: arena } = this.arena;
    if (this.#holders === 0) this.#onFree({ arena, nodes: this.nodes.buffer as SharedArrayBuffer, filter: this.#filter });
  }

  /** False when no entry has a key with this hash. */
  mayContain(hash: number): boolean {
    return mayBeInLine(this.#filter, this.#lineAt(hash), hash);
  }

  /** Bytes in use, of the entries and the nodes. */
  get byteLength(): number {
    return (this.arena.end + this.#nodesEnd - NODES_START) * 4;
  }

  /** The ref that the next entry will get. */
  get end(): number {
    return this.arena.end;
  }

  /** Lets reads see all that was inserted. */
  publish(): void {
    this.published = this.arena.end;
  }

  /** What another thread needs to read this memtable, which must take no more writes. */
  share(): SharedMemtable {
    assert(this.published === this.arena.end, 'a memtable that is shared was published whole');
    return { arena: this.arena.buffer, nodes: this.nodes.buffer as SharedArrayBuffer, end: this.arena.end, entries: this.entries };
  }

  /** Appends entries as a group has them, `bytes` from `start` on; they are checked one by one (`endOf`) and put into the trees by `put`. */
  appendAll(bytes: Uint8Array, start: number): void {
    this.arena.appendAll(bytes, start);
  }

  /** The ref behind an entry that was appended unchecked; undefined if it cannot be one. */
  endOf(ref: number): number | undefined {
    return this.arena.endOf(ref);
  }

  /** The keyspace of an entry. */
  idOf(ref: number): number {
    return this.arena.bytes[this.arena.keyStart(ref)] as number;
  }

  setVersion(ref: number, version: number): void {
    this.arena.setVersion(ref, version);
  }

  /** Whether an entry whose keyspace is 0 is a range delete. */
  isRangeDelete(ref: number): boolean {
    const { bytes } = this.arena;
    const [start, end] = [this.arena.keyStart(ref) + 1, this.arena.keyEnd(ref)];
    return !this.arena.isTombstone(ref) && isRange(bytes.subarray(start, end), bytes.subarray(end, this.arena.valueEnd(ref)));
  }

  /** The keyspace of a range delete. */
  rangeIdOf(ref: number): number {
    return this.arena.bytes[this.arena.keyStart(ref) + 1] as number;
  }

  /** In the order in which they were written. */
  get ranges(): readonly WrittenRange[] {
    return this.rangeDeletes?.all ?? [];
  }

  /** Adds a range delete, to be seen after `publish`; the bounds are internal keys. It takes its place among the refs of entries. */
  deleteRange(start: Uint8Array, end: Uint8Array, version: number): void {
    this.putRange(this.arena.append(RANGE_DELETE_ID, start, 0, start.length, version, false, end, 0, end.length));
  }

  /** Adds a range delete that lies in the arena. */
  putRange(ref: number): void {
    const { arena } = this;
    const keyEnd = arena.keyEnd(ref);
    // Copies: they outlive the memtable.
    const start = arena.bytes.slice(arena.keyStart(ref) + 1, keyEnd);
    const end = arena.bytes.slice(keyEnd, arena.valueEnd(ref));
    this.entries++;
    this.rangeDeletes ??= new WrittenRanges();
    this.rangeDeletes.add({ start, end, version: arena.version(ref), ref });
  }

  /**
   * Adds an entry, to be seen after `publish`; its key is `id` followed by `key[keyStart, keyEnd)`, its value `head[0, headEnd)` followed by
   * `value[valueStart, valueEnd)`. Of two equal entries the later one comes first.
   */
  insert(
    id: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    version: number,
    tombstone: boolean,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    head: Uint8Array = value,
    headEnd = 0,
  ): void {
    this.put(this.arena.append(id, key, keyStart, keyEnd, version, tombstone, value, valueStart, valueEnd, head, headEnd));
  }

  /** Puts an entry that lies in the arena into the tree of its keyspace, to be seen after `publish`. */
  put(ref: number): void {
    const { arena } = this;
    const id = this.idOf(ref);
    const tree = treeOf(id);
    const hash = hashKey(arena.bytes, arena.keyStart(ref), arena.keyEnd(ref));
    addToLine(this.#filter, this.#lineAt(hash), hash);
    this.entries++;
    if (this.nodes[tree + ROOT] === NONE) {
      this.#plant(id, tree, ref);
      return;
    }
    if (this.isFoundPlaceOf(ref)) {
      const leaf = this.foundLeaf;
      this.foundLeaf = NONE;
      this.#insertAt(tree, leaf, this.foundSlot, ref);
      return;
    }
    this.aim(arena.bytes, arena.keyStart(ref), arena.keyEnd(ref), arena.version(ref));
    const shared = this.sharedWithAll(tree);
    if (shared < (this.nodes[tree + PREFIX] as number)) this.#shortenPrefix(tree, shared);
    const last = this.nodes[tree + LAST] as number;
    // Keys that rise (a log, a fill in order) go to the end without a search, and leave full leaves behind.
    if (this.isBeyond(last)) {
      const count = this.nodes[last] as number;
      if (count === FANOUT) this.#descendToEnd(tree);
      this.#insertAt(tree, last, count, ref);
    } else {
      const leaf = this.descend(tree);
      this.#insertAt(tree, leaf, this.lowerBound(leaf), ref);
    }
  }

  #lineAt(hash: number): number {
    return lineOf(hash, this.#filter.length / LINE_BYTES) * LINE_BYTES;
  }

  /** The first entry of a keyspace: its tree's only leaf goes between those of its neighbours. */
  #plant(id: number, tree: number, ref: number): void {
    const leaf = this.#newNode(LEAF_WORDS);
    const { nodes } = this;
    const prefix = this.arena.keyEnd(ref) - this.arena.keyStart(ref);
    const prev = this.lastLeafBefore(id);
    const next = this.firstLeafAfter(id);
    nodes[leaf + PREV] = prev;
    nodes[leaf + NEXT] = next;
    if (prev !== NONE) nodes[prev + NEXT] = leaf;
    if (next !== NONE) nodes[next + PREV] = leaf;
    nodes[tree + ROOT] = leaf;
    nodes[tree + FIRST] = leaf;
    nodes[tree + LAST] = leaf;
    nodes[tree + SAMPLE] = ref;
    nodes[tree + PREFIX] = prefix;
    nodes[leaf + SKIP] = prefix;
    this.#put(leaf, 0, ref, NONE);
  }

  /** A key has come that shares less with the others: at the tree's edges, heads begin earlier from now on. */
  #shortenPrefix(tree: number, prefix: number): void {
    this.nodes[tree + PREFIX] = prefix;
    const levels = this.nodes[tree + LEVELS] as number;
    let left = this.nodes[tree + ROOT] as number;
    let right = left;
    for (let level = 0; ; level++) {
      this.#setSkip(left, prefix);
      this.#setSkip(right, prefix);
      if (level === levels) return;
      left = this.nodes[left + CHILDREN] as number;
      right = this.nodes[right + CHILDREN + (this.nodes[right] as number) - 1] as number;
    }
  }

  #newNode(words: number): number {
    const node = this.#nodesEnd;
    if (node + words > this.nodes.length) {
      const larger = new Int32Array(new SharedArrayBuffer(this.nodes.length * 8));
      larger.set(this.nodes);
      this.nodes = larger;
      this.heads = new Float64Array(larger.buffer);
    }
    this.#nodesEnd += words;
    // The memory may have been another memtable's.
    this.nodes[node] = 0;
    return node;
  }

  #descendToEnd(tree: number): void {
    let node = this.nodes[tree + ROOT] as number;
    const levels = this.nodes[tree + LEVELS] as number;
    for (let level = 0; level < levels; level++) {
      const slot = (this.nodes[node] as number) - 1;
      this.path[level] = node;
      this.pathSlots[level] = slot;
      node = this.nodes[node + CHILDREN + slot] as number;
    }
  }

  #insertAt(tree: number, leaf: number, slot: number, ref: number): void {
    if ((this.nodes[leaf] as number) < FANOUT) {
      this.#put(leaf, slot, ref, NONE);
      return;
    }
    const level = (this.nodes[tree + LEVELS] as number) - 1;
    const right = this.#split(tree, leaf, level, slot, ref, LEAF_WORDS);
    const { nodes } = this;
    const next = nodes[leaf + NEXT] as number;
    nodes[right + NEXT] = next;
    nodes[right + PREV] = leaf;
    nodes[leaf + NEXT] = right;
    if (next !== NONE) nodes[next + PREV] = right;
    if (nodes[tree + LAST] === leaf) nodes[tree + LAST] = right;
    this.#putIntoHalf(leaf, right, slot, ref, NONE);
    this.#insertChild(tree, level, right);
  }

  /** Hangs `right`, new and to the right of the path's node below `level`, into the path's node at `level`. */
  #insertChild(tree: number, level: number, right: number): void {
    const ref = this.nodes[right + REFS] as number;
    if (level < 0) {
      this.#newRoot(tree, ref, right);
      return;
    }
    const node = this.path[level] as number;
    const slot = (this.pathSlots[level] as number) + 1;
    if ((this.nodes[node] as number) < FANOUT) {
      this.#put(node, slot, ref, right);
      return;
    }
    const sibling = this.#split(tree, node, level - 1, slot, ref, INNER_WORDS);
    this.#putIntoHalf(node, sibling, slot, ref, right);
    this.#insertChild(tree, level - 1, sibling);
  }

  #newRoot(tree: number, ref: number, right: number): void {
    const left = this.nodes[tree + ROOT] as number;
    const root = this.#newNode(INNER_WORDS);
    const { nodes } = this;
    nodes[root + SKIP] = nodes[tree + PREFIX] as number;
    nodes[tree + ROOT] = root;
    nodes[tree + LEVELS] = (nodes[tree + LEVELS] as number) + 1;
    this.#put(root, 0, nodes[left + REFS] as number, left);
    this.#put(root, 1, ref, right);
  }

  /** Moves the upper half of a full node below `level` of the path to a new one; none of it when the next entry, `ref`, goes to the very end. */
  #split(tree: number, node: number, level: number, slot: number, ref: number, words: number): number {
    const right = this.#newNode(words);
    const { nodes, heads } = this;
    const keep = slot === FANOUT ? FANOUT : FANOUT / 2;
    const from = (node + HEADS) >>> 1;
    heads.copyWithin((right + HEADS) >>> 1, from + keep, from + FANOUT);
    nodes.copyWithin(right + REFS, node + REFS + keep, node + REFS + FANOUT);
    if (words === INNER_WORDS) nodes.copyWithin(right + CHILDREN, node + CHILDREN + keep, node + CHILDREN + FANOUT);
    nodes[node] = keep;
    nodes[right] = FANOUT - keep;
    nodes[right + SKIP] = nodes[node + SKIP] as number;
    const middle = keep === FANOUT ? ref : (nodes[right + REFS] as number);
    const prefix = nodes[tree + PREFIX] as number;
    const below = this.#fence(level, FENCE_BELOW);
    const above = this.#fence(level, FENCE_ABOVE);
    this.#setSkip(node, below === NO_FENCE ? prefix : this.#shared(below, middle));
    this.#setSkip(right, above === NO_FENCE ? prefix : this.#shared(middle, above));
    return right;
  }

  /** The entry that bounds the node below `level` of the path on one side. */
  #fence(level: number, side: typeof FENCE_BELOW | typeof FENCE_ABOVE): number {
    for (let above = level; above >= 0; above--) {
      const node = this.path[above] as number;
      const slot = (this.pathSlots[above] as number) + side;
      if (slot > 0 && slot < (this.nodes[node] as number)) return this.nodes[node + REFS + slot] as number;
    }
    return NO_FENCE;
  }

  #putIntoHalf(left: number, right: number, slot: number, ref: number, child: number): void {
    const count = this.nodes[left] as number;
    if (slot > count || (slot === count && this.nodes[right] === 0)) this.#put(right, slot - count, ref, child);
    else this.#put(left, slot, ref, child);
  }

  /** Puts an entry, and with `child` a child, into a node that has room. Plain loops: what moves is short, and a call costs more. */
  #put(node: number, slot: number, ref: number, child: number): void {
    const { nodes, heads, arena } = this;
    const count = nodes[node] as number;
    const headsAt = (node + HEADS) >>> 1;
    const refsAt = node + REFS;
    for (let i = headsAt + count; i > headsAt + slot; i--) heads[i] = heads[i - 1] as number;
    for (let i = refsAt + count; i > refsAt + slot; i--) nodes[i] = nodes[i - 1] as number;
    heads[headsAt + slot] = headOf(arena.bytes, arena.keyStart(ref) + (nodes[node + SKIP] as number), arena.keyEnd(ref));
    nodes[refsAt + slot] = ref;
    nodes[node] = count + 1;
    if (child === NONE) return;
    const childrenAt = node + CHILDREN;
    for (let i = childrenAt + count; i > childrenAt + slot; i--) nodes[i] = nodes[i - 1] as number;
    nodes[childrenAt + slot] = child;
  }

  /** Bytes that the keys of two entries have in common. */
  #shared(a: number, b: number): number {
    const { arena } = this;
    return commonPrefix(arena.bytes, arena.keyStart(a), arena.keyEnd(a), arena.bytes, arena.keyStart(b), arena.keyEnd(b));
  }

  #setSkip(node: number, skip: number): void {
    const { nodes, heads, arena } = this;
    if (nodes[node + SKIP] === skip) return;
    nodes[node + SKIP] = skip;
    const headsAt = (node + HEADS) >>> 1;
    const count = nodes[node] as number;
    for (let i = 0; i < count; i++) {
      const ref = nodes[node + REFS + i] as number;
      heads[headsAt + i] = headOf(arena.bytes, arena.keyStart(ref) + skip, arena.keyEnd(ref));
    }
  }
}
