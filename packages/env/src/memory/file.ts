// An open file of the memory disk. Calls that return a promise do their work at the end of the turn, or when the disk gets to
// them; those that come together keep their order, unless the disk is told otherwise.
import { assert } from '@distrokv/base';
import type { File } from '../env.ts';
import { fsError } from '../errors.ts';
import type { Disk } from './disk.ts';
import type { FileNode } from './nodes.ts';

export class MemoryFile implements File {
  readonly path: string;
  readonly #disk: Disk;
  readonly #node: FileNode;
  readonly #writable: boolean;
  #closed = false;

  constructor(path: string, disk: Disk, node: FileNode, writable: boolean) {
    this.path = path;
    this.#disk = disk;
    this.#node = node;
    this.#writable = writable;
    disk.opened(node);
  }

  size(): number {
    return this.#node.now.length;
  }

  readSync(into: Uint8Array, position: number): number {
    this.#mustBeOpen('read');
    return this.#disk.read(this.#node, into, position, this.path);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#mustBeOpen('read');
    await this.#disk.turn('read', this.path);
    return this.#disk.read(this.#node, into, position, this.path);
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#mustBeWritable('write');
    this.#disk.write(this.#node, bytes, position, this.path);
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#mustBeWritable('write');
    assert(position >= 0 && position <= this.#node.now.length, 'a write leaves no hole in a file');
    await this.#disk.turn('write', this.path);
    this.#disk.write(this.#node, bytes, position, this.path);
  }

  async truncate(size: number): Promise<void> {
    this.#mustBeWritable('truncate');
    assert(size >= 0 && size <= this.#node.now.length, 'truncating only shortens a file');
    await this.#disk.turn('truncate', this.path);
    this.#disk.begin('truncate', this.path);
    this.#disk.change(this.#node, { kind: 'truncate', size });
  }

  async sync(): Promise<void> {
    this.#mustBeOpen('sync');
    const order = this.#disk.order; // What is written while the sync is under way is not covered by it.
    await this.#disk.turn('sync', this.path);
    const fault = this.#disk.admit('sync', this.path);
    if (fault === undefined) return this.#disk.sync(this.#node, order);
    if (fault !== 'closed') this.#disk.failSync(this.#node, order);
    throw fsError(fault, 'sync', this.path);
  }

  async close(): Promise<void> {
    this.#mustBeOpen('close');
    this.#closed = true;
    await this.#disk.turn('close', this.path);
    this.#disk.closed(this.#node);
    this.#disk.begin('close', this.path);
  }

  #mustBeOpen(verb: string): void {
    if (this.#closed) throw fsError('closed', verb, this.path);
  }

  #mustBeWritable(verb: string): void {
    this.#mustBeOpen(verb);
    if (!this.#writable) throw fsError('closed', verb, this.path, 'it is open for reading only');
  }
}
