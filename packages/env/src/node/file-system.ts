// The real file system. Files belong to their owner alone (0600, directories 0700).
import fs from 'node:fs';
import { constants, link, mkdir, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { File, FileLock, FileSystem, OpenMode } from '../env.ts';
import { fsError } from '../errors.ts';
import { fromNode, isErrno, translated } from './errors.ts';
import { NodeFile } from './file.ts';
import { takeLock } from './lock.ts';

const openFd = promisify(fs.open);
const closeFd = promisify(fs.close);
const fstat = promisify(fs.fstat);
const fsync = promisify(fs.fsync);

const flags: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

export class NodeFileSystem implements FileSystem {
  readonly isHost = true;

  async open(path: string, mode: OpenMode): Promise<File> {
    const fd = await translated(openFd(path, flags[mode], 0o600), 'open', path);
    const stats = await translated(fstat(fd), 'open', path);
    if (!stats.isDirectory()) return new NodeFile(path, fd, stats.size);
    await closeFd(fd);
    throw fsError('os', 'open', path, 'it is a directory');
  }

  openSync(path: string): File {
    try {
      const fd = fs.openSync(path, flags.read);
      const stats = fs.fstatSync(fd);
      if (!stats.isDirectory()) return new NodeFile(path, fd, stats.size);
      fs.closeSync(fd);
    } catch (thrown) {
      throw fromNode(thrown, 'open', path);
    }
    throw fsError('os', 'open', path, 'it is a directory');
  }

  async readFile(path: string, maxBytes: number): Promise<Uint8Array> {
    const file = await this.open(path, 'read');
    try {
      if (file.size() > maxBytes) throw fsError('io', 'read', path, `it has ${file.size()} bytes, more than the ${maxBytes} it can have`);
      const bytes = new Uint8Array(file.size());
      const n = await file.read(bytes, 0);
      return bytes.subarray(0, n);
    } finally {
      await file.close();
    }
  }

  diskReads(): number | undefined {
    // Windows counts all reads there.
    return process.platform === 'win32' ? undefined : process.resourceUsage().fsRead;
  }

  async readDirectory(path: string): Promise<string[]> {
    return (await translated(readdir(path), 'read', path)).sort();
  }

  async makeDirectory(path: string): Promise<void> {
    // Step by step, not by mkdir's `recursive`: that tries for ever where the host makes no directories at all, as in /proc.
    const full = resolve(path);
    if (await isDirectory(full)) return;
    const parent = dirname(full);
    if (parent !== full) await this.makeDirectory(parent);
    try {
      await mkdir(full, 0o700);
    } catch (thrown) {
      const isMadeMeanwhile = isErrno(thrown, 'EEXIST') && (await isDirectory(full));
      if (!isMadeMeanwhile) throw fromNode(thrown, 'make the directory', full);
    }
    await this.syncDirectory(parent);
  }

  async syncDirectory(path: string): Promise<void> {
    if (process.platform === 'win32') return; // NTFS journals its entries, and opens no directory as a file.
    const fd = await translated(openFd(path, constants.O_RDONLY | constants.O_DIRECTORY), 'sync', path);
    try {
      await translated(fsync(fd), 'sync', path);
    } finally {
      await closeFd(fd);
    }
  }

  rename(from: string, to: string): Promise<void> {
    return translated(rename(from, to), `rename to ${to}`, from);
  }

  link(existing: string, path: string): Promise<void> {
    return translated(link(existing, path), `link to ${existing}`, path);
  }

  removeFile(path: string): Promise<void> {
    return translated(unlink(path), 'remove', path);
  }

  removeDirectory(path: string): Promise<void> {
    return translated(rmdir(path), 'remove the directory', path);
  }

  async sizeOf(path: string): Promise<number | undefined> {
    try {
      const stats = await stat(path);
      return stats.isFile() ? stats.size : undefined;
    } catch (thrown) {
      if (isErrno(thrown, 'ENOENT')) return undefined;
      throw fromNode(thrown, 'look at', path);
    }
  }

  lock(path: string): Promise<FileLock> {
    return takeLock(path);
  }
}

/** Throws FsError for what cannot be looked at. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (thrown) {
    if (isErrno(thrown, 'ENOENT')) return false;
    throw fromNode(thrown, 'make the directory', path);
  }
}
