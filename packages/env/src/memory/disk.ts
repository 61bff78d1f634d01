// The disk of the simulated world: the tree of inodes, what it can hold, what goes wrong with it, and what is durable. The file
// system and its open files are two views of it.
import { assert, type Random } from '@distrokv/base';
import type { FsErrorCode } from '../env.ts';
import { fsError } from '../errors.ts';
import {
  applyToDirectory,
  applyToFile,
  type DirectoryNode,
  type EntriesChange,
  type FileChange,
  type FileNode,
  type Node,
  scatterToFile,
  type Unsynced,
} from './nodes.ts';
import { nextTurn } from './turns.ts';

/** Every kind of call, and whether it changes what is on the disk. */
const kinds = {
  open: true,
  read: false,
  write: true,
  truncate: true,
  sync: true,
  close: false,
  readFile: false,
  readDirectory: false,
  makeDirectory: true,
  syncDirectory: true,
  rename: true,
  link: true,
  removeFile: true,
  removeDirectory: true,
  sizeOf: false,
  lock: true,
} as const;

export type FsOperationKind = keyof typeof kinds;

/** A call that is about to happen. */
export interface FsOperation {
  readonly kind: FsOperationKind;
  readonly path: string;
  /** Its number among all calls, from 0. */
  readonly index: number;
  /** Its number among the calls that change something, from 0; undefined if it changes nothing. */
  readonly mutation: number | undefined;
}

/**
 * Asked before every call. Undefined lets it happen; a code makes it fail (a write may then have written a part); `short` makes a read of an
 * open file end too early, as if the file did; `crash` stops the disk for good before the call has done anything.
 */
export type OperationHook = (operation: FsOperation) => FsErrorCode | 'short' | 'crash' | undefined;

/** Asked before every call that may take time: when the disk gets to it. Undefined: at the end of this turn. */
export type DelayHook = (kind: FsOperationKind, path: string) => Promise<void> | undefined;

export class Disk {
  onOperation: OperationHook | undefined;
  onDelay: DelayHook | undefined;
  /** The read that was just begun is to be short. */
  #isShort = false;
  readonly root: DirectoryNode;
  readonly random: Random;
  readonly #capacityBytes: number;
  #usedBytes: number;
  #operations = 0;
  #mutations = 0;
  #order = 0;
  #dead = false;

  /** `usedBytes` is the size of the files that are in `root` already, `order` that of the changes which are not synced yet. */
  constructor(root: DirectoryNode, random: Random, capacityBytes: number, usedBytes = 0, order = 0) {
    this.root = root;
    this.random = random;
    this.#capacityBytes = capacityBytes;
    this.#usedBytes = usedBytes;
    this.#order = order;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  get mutations(): number {
    return this.#mutations;
  }

  /** Orders changes: a sync covers what was changed before the moment that this number was read. */
  get order(): number {
    return this.#order;
  }

  /** From now on every call fails with `closed`: the process that used this disk is no more. */
  stop(): void {
    this.#dead = true;
  }

  /** As `stop`; returns the same disk for another process. What was removed while it was open is gone now. */
  kill(): Disk {
    this.stop();
    let bytes = 0;
    const seen = new Set<Node>([this.root]);
    for (const node of seen) {
      if (node.kind === 'directory') for (const inner of node.now.values()) seen.add(inner);
      else {
        node.opened = 0;
        bytes += node.now.length;
      }
    }
    return new Disk(this.root, this.random, this.#capacityBytes, bytes, this.#order);
  }

  /** Resolves when the disk gets to a call. */
  turn(kind: FsOperationKind, path: string): Promise<void> {
    return this.onDelay?.(kind, path) ?? nextTurn();
  }

  /** Passes a call by the hook; returns the code with which it is to fail, or undefined. */
  admit(kind: FsOperationKind, path: string): FsErrorCode | undefined {
    if (this.#dead) return 'closed';
    const mutation = kinds[kind] ? this.#mutations++ : undefined;
    const fault = this.onOperation?.({ kind, path, index: this.#operations++, mutation });
    assert(fault !== 'short' || kind === 'read', 'only a read can be short');
    if (fault === 'short') this.#isShort = true;
    if (fault !== 'crash') return fault === 'short' ? undefined : fault;
    this.stop();
    return 'closed';
  }

  /** As `admit`, for calls that fail as a whole. */
  begin(kind: FsOperationKind, path: string): void {
    const fault = this.admit(kind, path);
    if (fault !== undefined) throw fsError(fault, kind, path);
  }

  /** Reads, and less than there is if the hook says so. */
  read(node: FileNode, into: Uint8Array, position: number, path: string): number {
    this.#isShort = false;
    this.begin('read', path);
    return node.now.read(this.#isShort ? into.subarray(0, this.random.below(Math.max(1, into.length))) : into, position);
  }

  /** Writes what fits, and no more than a part if a fault is to strike. */
  write(node: FileNode, bytes: Uint8Array, position: number, path: string): void {
    assert(position >= 0 && position <= node.now.length, 'a write leaves no hole in a file');
    const fault = this.admit('write', path);
    if (fault === 'closed') throw fsError(fault, 'write', path);
    const room = node.now.length - position + (this.#capacityBytes - this.#usedBytes);
    const length = fault === undefined ? Math.min(bytes.length, room) : this.random.below(Math.min(bytes.length, room) + 1);
    if (length > 0) this.change(node, { kind: 'write', position, bytes: bytes.slice(0, length) });
    if (fault !== undefined) throw fsError(fault, 'write', path);
    if (length < bytes.length) throw fsError('no-space', 'write', path);
  }

  change(node: FileNode, change: FileChange): void {
    const before = node.now.length;
    applyToFile(node.now, change);
    this.#usedBytes += node.now.length - before;
    node.unsynced.push({ order: this.#order++, change });
  }

  changeEntries(directory: DirectoryNode, change: EntriesChange): void {
    for (const [name, node] of change) {
      const before = directory.now.get(name);
      if (node?.kind === 'file') node.links++;
      if (before?.kind === 'file') this.#unlink(before);
    }
    applyToDirectory(directory.now, change);
    directory.unsynced.push({ order: this.#order++, change });
  }

  /** Makes the changes before `order` durable. */
  sync(node: Node, order: number): void {
    if (node.kind === 'file') settle(node.unsynced, order, (change) => applyToFile(node.durable, change));
    else settle(node.unsynced, order, (change) => applyToDirectory(node.durable, change));
  }

  /**
   * A sync that failed. As a kernel does, the disk then takes every page for clean: what of it reached the disk is left to chance,
   * and no later sync will write the rest, though it can still be read until the crash (Rebello et al., ATC 2020).
   */
  failSync(node: FileNode, order: number): void {
    const keep = this.random.float();
    settle(node.unsynced, order, (change) => scatterToFile(node.durable, change, keep, this.random));
  }

  opened(node: FileNode): void {
    node.opened++;
  }

  closed(node: FileNode): void {
    if (this.#dead) return;
    node.opened--;
    this.#freeIfUnused(node);
  }

  #unlink(node: FileNode): void {
    node.links--;
    this.#freeIfUnused(node);
  }

  #freeIfUnused(node: FileNode): void {
    if (node.links === 0 && node.opened === 0) this.#usedBytes -= node.now.length;
  }
}

/** Applies and drops the changes before `order`. */
function settle<Change>(unsynced: Unsynced<Change>[], order: number, apply: (change: Change) => void): void {
  let count = 0;
  for (const { change } of unsynced.filter((each) => each.order < order)) {
    apply(change);
    count++;
  }
  unsynced.splice(0, count);
}
