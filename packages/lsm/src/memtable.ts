// The memtable: every write lands here first, and a flush walks it in order. It is a B+tree in two flat arrays, so that
// a million entries are two objects to the garbage collector, not a million, and a worker can be handed the whole by reference.
//
// The *arena* holds the entries, appended and never changed; an entry is named by its *ref*, the index of its first
// 32-bit word. Refs grow with time, so "what was there when I looked" is a plain comparison with the arena's end:
//
//   word 0 key length | 1 value length, −1 for a tombstone | 2, 3 version, low and high | key bytes | value bytes
//
// The *nodes* hold up to 64 refs each, sorted. Beside each ref lies its *head*: four bytes of the key, taken behind the
// prefix that all keys of the node share (`SKIP` bytes), as an integer that compares like the bytes. A search thus
// touches the arena once for the shared prefix, and again only where heads are equal.
//
// An inner node's ref at slot i is the first entry of child i as of its split; slot 0 counts as −∞.
import { assert } from '@distrokv/base';
import { compareRanges, copyRange } from './ranges.ts';

const FANOUT = 64;
// Words of a node; word 0 is the number of its entries.
const SKIP = 1;
const NEXT = 2;
const PREV = 3;
const HEADS = 4;
const REFS: number = HEADS + FANOUT;
const CHILDREN: number = REFS + FANOUT;
const LEAF_WORDS: number = CHILDREN;
const INNER_WORDS: number = CHILDREN + FANOUT;
const ENTRY_WORDS = 4;
/** No node: nodes start behind word 0. */
const NONE = 0;

/** The four bytes at `at`, zeros after `end`, as a signed integer that compares like the bytes. */
function headOf(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return (
      (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) ^
      0x80000000
    );
  }
  let head = 0;
  for (let i = 0; i < 4; i++) head = (head << 8) | (at + i < end ? (bytes[at + i] as number) : 0);
  return head ^ 0x80000000;
}

/** A position in the tree: a leaf and a slot; `leaf` 0 is past the end. */
export interface Place {
  leaf: number;
  slot: number;
}

export class Memtable {
  #bytes: Uint8Array;
  #words: Int32Array;
  /** Words of the arena in use. */
  #end = 0;
  #nodes: Int32Array = new Int32Array(4096);
  #nodesEnd = 1;
  #root: number;
  /** Inner levels above the leaves. */
  #height = 0;
  #last: number;
  /** The way from the root to the leaf of the current insert: nodes and slots. */
  readonly #path: number[] = [];
  readonly #pathSlots: number[] = [];
  /** What a search looks for. */
  #target: Uint8Array;
  #targetStart = 0;
  #targetEnd = 0;
  #targetVersion = 0;
  /** Entries so far; a cursor that sees it changed looks for its place again. */
  entries = 0;

  /** Room for about `bytes` of entries before the arena has to move. */
  constructor(bytes: number) {
    const words = (bytes >>> 2) + (bytes >>> 5) + 1024;
    this.#words = new Int32Array(words);
    this.#bytes = new Uint8Array(this.#words.buffer);
    this.#target = this.#bytes;
    this.#root = this.#newNode(LEAF_WORDS);
    this.#last = this.#root;
  }

  /** Bytes in use, of the arena and the nodes. */
  get byteLength(): number {
    return (this.#end + this.#nodesEnd) * 4;
  }

  /** The ref that the next entry will get: all that is there now lies before it. */
  get end(): number {
    return this.#end;
  }

  /** Adds an entry; the key is `id` followed by `key[keyStart, keyEnd)`. Of two equal entries the later one comes first. */
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
  ): void {
    const ref = this.#append(id, key, keyStart, keyEnd, version, tombstone, value, valueStart, valueEnd);
    const start = (ref + ENTRY_WORDS) * 4;
    this.#aim(this.#bytes, start, start + 1 + keyEnd - keyStart, version);
    const nodes = this.#nodes;
    const last = this.#last;
    const lastCount = nodes[last] as number;
    // Keys that rise (a log, a fill in order) go to the end without a search, and leave full leaves behind.
    if (lastCount > 0 && this.#before(nodes[last + REFS + lastCount - 1] as number, 0)) {
      if (lastCount === FANOUT) this.#descendToEnd();
      this.#insertAt(last, lastCount, ref);
    } else {
      const leaf = this.#descend();
      this.#insertAt(leaf, this.#lowerBound(leaf), ref);
    }
    this.entries++;
  }

  /** The ref of the first entry at or after (key, version) if it is of this key, else −1. */
  find(key: Uint8Array, keyEnd: number, version: number): number {
    this.#aim(key, 0, keyEnd, version);
    let leaf = this.#descend();
    let slot = this.#lowerBound(leaf);
    if (slot === (this.#nodes[leaf] as number)) {
      leaf = this.#nodes[leaf + NEXT] as number;
      if (leaf === NONE) return -1;
      slot = 0;
    }
    const ref = this.#nodes[leaf + REFS + slot] as number;
    const start = this.keyStart(ref);
    return compareRanges(this.#bytes, start, this.keyEnd(ref), key, 0, keyEnd) === 0 ? ref : -1;
  }

  /** Sets `place` to the first entry at or after (key, version). */
  seek(key: Uint8Array, keyStart: number, keyEnd: number, version: number, place: Place): void {
    this.#aim(key, keyStart, keyEnd, version);
    place.leaf = this.#descend();
    place.slot = this.#lowerBound(place.leaf) - 1;
    this.step(place);
  }

  /** To the next entry. */
  step(place: Place): void {
    place.slot++;
    if (place.slot < (this.#nodes[place.leaf] as number)) return;
    place.leaf = this.#nodes[place.leaf + NEXT] as number;
    place.slot = 0;
  }

  /** To the previous entry; from past the end to the last one. */
  stepBack(place: Place): void {
    if (place.leaf === NONE) {
      place.leaf = this.entries === 0 ? NONE : this.#last;
      place.slot = (this.#nodes[this.#last] as number) - 1;
      return;
    }
    place.slot--;
    if (place.slot >= 0) return;
    place.leaf = this.#nodes[place.leaf + PREV] as number;
    place.slot = place.leaf === NONE ? 0 : (this.#nodes[place.leaf] as number) - 1;
  }

  refAt(place: Place): number {
    return this.#nodes[place.leaf + REFS + place.slot] as number;
  }

  /** The arena: entries' keys and values lie in it, by the ranges below. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  keyStart(ref: number): number {
    return (ref + ENTRY_WORDS) * 4;
  }

  keyEnd(ref: number): number {
    return (ref + ENTRY_WORDS) * 4 + (this.#words[ref] as number);
  }

  valueEnd(ref: number): number {
    return this.keyEnd(ref) + Math.max(0, this.#words[ref + 1] as number);
  }

  isTombstone(ref: number): boolean {
    return (this.#words[ref + 1] as number) < 0;
  }

  version(ref: number): number {
    return ((this.#words[ref + 3] as number) >>> 0) * 0x1_0000_0000 + ((this.#words[ref + 2] as number) >>> 0);
  }

  #append(
    id: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    version: number,
    tombstone: boolean,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): number {
    const keyLength = 1 + keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    const ref = this.#end;
    const end = ref + ENTRY_WORDS + ((keyLength + valueLength + 3) >>> 2);
    if (end > this.#words.length) this.#growArena(end);
    this.#end = end;
    const words = this.#words;
    words[ref] = keyLength;
    words[ref + 1] = tombstone ? -1 : valueLength;
    words[ref + 2] = version;
    words[ref + 3] = Math.floor(version / 0x1_0000_0000);
    let at = (ref + ENTRY_WORDS) * 4;
    this.#bytes[at++] = id;
    at = copyRange(key, keyStart, keyEnd, this.#bytes, at);
    copyRange(value, valueStart, valueEnd, this.#bytes, at);
    return ref;
  }

  #growArena(words: number): void {
    assert(words < 0x7fffffff, 'a memtable holds less than 8 GiB');
    const larger = new Int32Array(Math.max(words, Math.min(this.#words.length * 2, 0x7fffffff)));
    larger.set(this.#words.subarray(0, this.#end));
    this.#words = larger;
    this.#bytes = new Uint8Array(larger.buffer);
  }

  #newNode(words: number): number {
    const node = this.#nodesEnd;
    if (node + words > this.#nodes.length) {
      const larger = new Int32Array(this.#nodes.length * 2);
      larger.set(this.#nodes);
      this.#nodes = larger;
    }
    this.#nodesEnd += words;
    return node;
  }

  #aim(bytes: Uint8Array, start: number, end: number, version: number): void {
    this.#target = bytes;
    this.#targetStart = start;
    this.#targetEnd = end;
    this.#targetVersion = version;
  }

  /** Whether the entry lies before the target; their first `skip` bytes are known to be equal. */
  #before(ref: number, skip: number): boolean {
    const start = this.keyStart(ref) + skip;
    const c = compareRanges(this.#bytes, start, this.keyEnd(ref), this.#target, this.#targetStart + skip, this.#targetEnd);
    return c < 0 || (c === 0 && this.version(ref) > this.#targetVersion);
  }

  /** How many entries of the node lie before the target. */
  #lowerBound(node: number): number {
    const nodes = this.#nodes;
    const target = this.#target;
    const targetStart = this.#targetStart;
    const targetEnd = this.#targetEnd;
    let low = 0;
    let high = nodes[node] as number;
    if (high === 0) return 0;
    const skip = nodes[node + SKIP] as number;
    if (skip > 0) {
      const bytes = this.#bytes;
      const start = this.keyStart(nodes[node + REFS] as number);
      for (let i = 0; i < skip; i++) {
        if (targetStart + i >= targetEnd) return 0;
        const d = (target[targetStart + i] as number) - (bytes[start + i] as number);
        if (d !== 0) return d < 0 ? 0 : high;
      }
    }
    const head = headOf(target, targetStart + skip, targetEnd);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const h = nodes[node + HEADS + middle] as number;
      if (h < head || (h === head && this.#before(nodes[node + REFS + middle] as number, skip))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The leaf in which the target belongs, or after which it comes first; notes the path. */
  #descend(): number {
    let node = this.#root;
    for (let level = 0; level < this.#height; level++) {
      const slot = Math.max(0, this.#lowerBound(node) - 1);
      this.#path[level] = node;
      this.#pathSlots[level] = slot;
      node = this.#nodes[node + CHILDREN + slot] as number;
    }
    return node;
  }

  #descendToEnd(): void {
    let node = this.#root;
    for (let level = 0; level < this.#height; level++) {
      const slot = (this.#nodes[node] as number) - 1;
      this.#path[level] = node;
      this.#pathSlots[level] = slot;
      node = this.#nodes[node + CHILDREN + slot] as number;
    }
  }

  #insertAt(leaf: number, slot: number, ref: number): void {
    if ((this.#nodes[leaf] as number) < FANOUT) {
      this.#put(leaf, slot, ref, NONE);
      return;
    }
    const right = this.#split(leaf, slot, LEAF_WORDS);
    const nodes = this.#nodes;
    const next = nodes[leaf + NEXT] as number;
    nodes[right + NEXT] = next;
    nodes[right + PREV] = leaf;
    nodes[leaf + NEXT] = right;
    if (next === NONE) this.#last = right;
    else nodes[next + PREV] = right;
    const count = nodes[leaf] as number;
    if (slot > count || (slot === count && (nodes[right] as number) === 0)) this.#put(right, slot - count, ref, NONE);
    else this.#put(leaf, slot, ref, NONE);
    this.#insertChild(this.#height - 1, right);
  }

  /** Hangs `right`, new and to the right of the path's node below `level`, into the path's node at `level`. */
  #insertChild(level: number, right: number): void {
    const ref = this.#nodes[right + REFS] as number;
    if (level < 0) {
      const left = this.#root;
      this.#root = this.#newNode(INNER_WORDS);
      this.#height++;
      this.#put(this.#root, 0, this.#nodes[left + REFS] as number, left);
      this.#put(this.#root, 1, ref, right);
      return;
    }
    const node = this.#path[level] as number;
    const slot = (this.#pathSlots[level] as number) + 1;
    if ((this.#nodes[node] as number) < FANOUT) {
      this.#put(node, slot, ref, right);
      return;
    }
    const sibling = this.#split(node, slot, INNER_WORDS);
    const count = this.#nodes[node] as number;
    if (slot > count || (slot === count && (this.#nodes[sibling] as number) === 0)) this.#put(sibling, slot - count, ref, right);
    else this.#put(node, slot, ref, right);
    this.#insertChild(level - 1, sibling);
  }

  /** Moves the upper half of a full node to a new one; none of it when the next entry goes to the very end. */
  #split(node: number, slot: number, words: number): number {
    const right = this.#newNode(words);
    const nodes = this.#nodes;
    const keep = slot === FANOUT ? FANOUT : FANOUT / 2;
    const moved = FANOUT - keep;
    nodes.copyWithin(right + HEADS, node + HEADS + keep, node + HEADS + FANOUT);
    nodes.copyWithin(right + REFS, node + REFS + keep, node + REFS + FANOUT);
    if (words === INNER_WORDS) nodes.copyWithin(right + CHILDREN, node + CHILDREN + keep, node + CHILDREN + FANOUT);
    nodes[node] = keep;
    nodes[right] = moved;
    if (moved > 0) {
      this.#setSkip(node, this.#sharedByAll(node));
      this.#setSkip(right, this.#sharedByAll(right));
    }
    return right;
  }

  /** Puts an entry, and with `child` a child, into a node that has room. */
  #put(node: number, slot: number, ref: number, child: number): void {
    const nodes = this.#nodes;
    const count = nodes[node] as number;
    let skip = nodes[node + SKIP] as number;
    // A lone entry shares its whole key with itself; the next ones shorten that.
    const shared = count === 0 ? (this.#words[ref] as number) : this.#shared(ref, nodes[node + REFS] as number);
    if (count === 0 || shared < skip) {
      this.#setSkip(node, shared);
      skip = shared;
    }
    if (slot < count) {
      nodes.copyWithin(node + HEADS + slot + 1, node + HEADS + slot, node + HEADS + count);
      nodes.copyWithin(node + REFS + slot + 1, node + REFS + slot, node + REFS + count);
      if (child !== NONE) nodes.copyWithin(node + CHILDREN + slot + 1, node + CHILDREN + slot, node + CHILDREN + count);
    }
    nodes[node + HEADS + slot] = headOf(this.#bytes, this.keyStart(ref) + skip, this.keyEnd(ref));
    nodes[node + REFS + slot] = ref;
    if (child !== NONE) nodes[node + CHILDREN + slot] = child;
    nodes[node] = count + 1;
  }

  /**
   * Bytes that all keys of a node with two entries or more have in common. The first and the last would tell, were it not
   * that the first one of an inner node may be out of order: what it stands for goes down to −∞.
   */
  #sharedByAll(node: number): number {
    const nodes = this.#nodes;
    const first = nodes[node + REFS] as number;
    const last = nodes[node + REFS + (nodes[node] as number) - 1] as number;
    return Math.min(this.#shared(first, nodes[node + REFS + 1] as number), this.#shared(first, last));
  }

  /** Bytes that the keys of two entries have in common. */
  #shared(a: number, b: number): number {
    const bytes = this.#bytes;
    const aStart = this.keyStart(a);
    const bStart = this.keyStart(b);
    const n = Math.min(this.#words[a] as number, this.#words[b] as number);
    let i = 0;
    while (i < n && bytes[aStart + i] === bytes[bStart + i]) i++;
    return i;
  }

  #setSkip(node: number, skip: number): void {
    const nodes = this.#nodes;
    if ((nodes[node + SKIP] as number) === skip) return;
    nodes[node + SKIP] = skip;
    const count = nodes[node] as number;
    for (let i = 0; i < count; i++) {
      const ref = nodes[node + REFS + i] as number;
      nodes[node + HEADS + i] = headOf(this.#bytes, this.keyStart(ref) + skip, this.keyEnd(ref));
    }
  }
}
