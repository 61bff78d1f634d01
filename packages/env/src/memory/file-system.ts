// Files in memory, with everything that can go wrong with files on a disk: calls fail on demand, the disk fills up, and a crash keeps only
// what was synced. Paths are absolute; a relative one starts at the root, which is the only directory there is at first.
import { type Random, seededRandom } from '@distrokv/base';
import type { File, FileLock, FileSystem, OpenMode } from '../env.ts';
import { FsError, fsError } from '../errors.ts';
import { type CrashMode, crashImage } from './crash.ts';
import { type DelayHook, Disk, type FsOperationKind, type OperationHook } from './disk.ts';
import { MemoryFile } from './file.ts';
import { DirectoryNode, FileNode, type Node } from './nodes.ts';
import { directoryAt, fileAt, find, partsOf, type Place, placeAt } from './paths.ts';

export interface MemoryFileSystemOptions {
  /** Decides what is left to chance (how much of a failed write was written); default: seed 0. */
  readonly random?: Random;
  /** The bytes that all files together can have; more is `no-space`. Default: no limit. */
  readonly capacityBytes?: number;
  readonly onOperation?: OperationHook;
}

export class MemoryFileSystem implements FileSystem {
  readonly isHost = false;
  readonly #disk: Disk;
  readonly #locks = new Set<string>();

  constructor(options: MemoryFileSystemOptions = {}, disk?: Disk) {
    this.#disk = disk ?? new Disk(new DirectoryNode(), options.random ?? seededRandom(0), options.capacityBytes ?? Infinity);
    this.onOperation = options.onOperation;
  }

  get onOperation(): OperationHook | undefined {
    return this.#disk.onOperation;
  }

  /** Asked before every call; may be changed at any time. */
  set onOperation(hook: OperationHook | undefined) {
    this.#disk.onOperation = hook;
  }

  diskReads(): undefined {
    return undefined;
  }

  /** Decides how long calls take. */
  delayBy(hook: DelayHook | undefined): void {
    this.#disk.onDelay = hook;
  }

  /** Every file there is, with its size. */
  files(): { readonly path: string; readonly bytes: number }[] {
    const found: { readonly path: string; readonly bytes: number }[] = [];
    const walk = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of directory.now) {
        if (node.kind === 'directory') walk(node, `${path}/${name}`);
        else found.push({ path: `${path}/${name}`, bytes: node.now.length });
      }
    };
    walk(this.#disk.root, '');
    return found;
  }

  /** Damage at rest: what `change` does to the bytes of a file is there from now on, although nobody wrote it. */
  damage(path: string, change: (bytes: Uint8Array) => void): void {
    const { node } = fileAt(this.#root, 'damage', path);
    for (const contents of [node.now, node.durable]) change(contents.view());
  }

  /** How many calls that change something were made so far. */
  get mutations(): number {
    return this.#disk.mutations;
  }

  /**
   * Stops this file system for good (every call fails with `closed`) and returns one as it may be found after a crash at this moment.
   * Call it again for another image of the same crash.
   */
  crash(mode: CrashMode, random: Random): MemoryFileSystem {
    this.#disk.stop();
    const image = crashImage(this.#disk.root, mode, random);
    return new MemoryFileSystem({}, new Disk(image.root, random, this.#disk.capacityBytes, image.bytes));
  }

  /**
   * Stops this file system for good, and returns the one that the next process finds: its user was killed, and the machine lives on, with its
   * page cache. What was not synced is there, and is still not synced.
   */
  kill(): MemoryFileSystem {
    return new MemoryFileSystem({}, this.#disk.kill());
  }

  /** A line for each file and directory, sorted: what is there, and how much of it a crash could take. */
  dump(): string {
    const lines: string[] = [];
    const walk = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of [...directory.now].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const [inner, unsynced] = [`${path}/${name}`, `${node.unsynced.length} changes unsynced`];
        const entry = directory.durable.get(name) === node ? '' : ', entry unsynced';
        if (node.kind === 'file') lines.push(`${inner}: ${node.now.length} bytes, ${node.durable.length} durable, ${unsynced}${entry}`);
        else lines.push(`${inner}/: ${node.now.size} entries, ${node.durable.size} durable, ${unsynced}${entry}`);
        if (node.kind === 'directory') walk(node, inner);
      }
    };
    walk(this.#disk.root, '');
    return lines.join('\n');
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    await this.#disk.turn('open', path);
    return this.#open(path, mode);
  }

  openSync(path: string): File {
    return this.#open(path, 'read');
  }

  #open(path: string, mode: OpenMode): File {
    this.#disk.begin('open', path);
    const place = placeAt(this.#root, 'open', path);
    if (place.node === undefined && mode === 'read') throw fsError('not-found', 'open', path);
    if (place.node !== undefined && mode === 'create') throw fsError('exists', 'open', path);
    if (place.node?.kind === 'directory') throw fsError('os', 'open', path, 'it is a directory');
    const node = place.node ?? new FileNode();
    if (place.node === undefined) this.#enter(place, node);
    return new MemoryFile(path, this.#disk, node, mode !== 'read');
  }

  async readFile(path: string, maxBytes: number): Promise<Uint8Array> {
    await this.#begin('readFile', path);
    const contents = fileAt(this.#root, 'read', path).node.now;
    if (contents.length > maxBytes)
      throw fsError('io', 'read', path, `it has ${contents.length} bytes, more than the ${maxBytes} it can have`);
    return contents.view().slice();
  }

  async readDirectory(path: string): Promise<string[]> {
    await this.#begin('readDirectory', path);
    return [...directoryAt(this.#root, 'read', path).node.now.keys()].sort();
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#begin('makeDirectory', path);
    const parts = partsOf(path);
    for (let depth = 1; depth <= parts.length; depth++) {
      const place = placeAt(this.#root, 'make the directory', parts.slice(0, depth).join('/'));
      if (place.node === undefined) {
        this.#enter(place, new DirectoryNode());
        this.#disk.sync(place.directory, this.#disk.order);
      } else if (place.node.kind === 'file')
        throw fsError(depth === parts.length ? 'exists' : 'not-a-directory', 'make the directory', path);
    }
  }

  async syncDirectory(path: string): Promise<void> {
    const order = this.#disk.order; // What changes while the sync is under way is not covered by it.
    await this.#begin('syncDirectory', path);
    this.#disk.sync(directoryAt(this.#root, 'sync', path).node, order);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#begin('rename', from);
    const source = fileAt(this.#root, `rename to ${to}`, from);
    const target = placeAt(this.#root, `rename from ${from}`, to);
    if (target.node?.kind === 'directory') throw fsError('os', `rename to ${to}`, from, 'that is a directory');
    if (target.node === source.node) return; // Two names of one file: POSIX leaves both (rename(2)).
    const [gained, lost] = [[target.name, source.node] as const, [source.name, undefined] as const];
    if (source.directory === target.directory)
      return this.#disk.changeEntries(target.directory, new Map<string, Node | undefined>([gained, lost]));
    // Each directory has its own sync, so a crash can undo one half alone.
    this.#disk.changeEntries(target.directory, new Map([gained]));
    this.#disk.changeEntries(source.directory, new Map([lost]));
  }

  async link(existing: string, path: string): Promise<void> {
    await this.#begin('link', path);
    const { node } = fileAt(this.#root, `link ${path} to`, existing);
    const place = placeAt(this.#root, `link to ${existing}`, path);
    if (place.node !== undefined) throw fsError('exists', `link to ${existing}`, path);
    this.#enter(place, node);
  }

  async removeFile(path: string): Promise<void> {
    await this.#begin('removeFile', path);
    this.#enter(fileAt(this.#root, 'remove', path), undefined);
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#begin('removeDirectory', path);
    const place = directoryAt(this.#root, 'remove the directory', path);
    if (place.node === this.#root) throw fsError('permission', 'remove the directory', path);
    if (place.node.now.size > 0) throw fsError('not-empty', 'remove the directory', path);
    this.#enter(place, undefined);
  }

  async sizeOf(path: string): Promise<number | undefined> {
    await this.#begin('sizeOf', path);
    const node = find(this.#root, partsOf(path));
    if (node === 'not-a-directory') throw fsError(node, 'look at', path);
    return typeof node !== 'string' && node.kind === 'file' ? node.now.length : undefined;
  }

  async lock(path: string): Promise<FileLock> {
    await this.#begin('lock', path);
    const place = placeAt(this.#root, 'lock', path);
    if (place.node?.kind === 'file') throw fsError('not-a-directory', 'lock', path);
    const key = partsOf(path).join('/');
    if (this.#locks.has(key)) throw new FsError('locked', path, `${path} is locked by process 1 (the simulation)`);
    if (place.node === undefined) this.#enter(place, new DirectoryNode());
    this.#locks.add(key);
    return {
      release: async () => {
        this.#locks.delete(key);
      },
    };
  }

  get #root(): DirectoryNode {
    return this.#disk.root;
  }

  #enter(place: Place, node: Node | undefined): void {
    this.#disk.changeEntries(place.directory, new Map([[place.name, node]]));
  }

  async #begin(kind: FsOperationKind, path: string): Promise<void> {
    await this.#disk.turn(kind, path);
    this.#disk.begin(kind, path);
  }
}
