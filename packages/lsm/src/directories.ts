// The way to a directory that a store is made in. Its entries, and those of each directory above it, are durable only once somebody synced them.
import { type FileSystem, FsError } from '@distrokv/env';

/**
 * Makes the way to a new store durable: any directory on it may have been made just now, or by a process that was killed.
 * One that we may not open was not made by us, and neither were those above it. Throws FsError.
 */
export async function syncParents(fs: FileSystem, directory: string): Promise<void> {
  for (let child = directory, parent = parentOf(child); parent !== child; child = parent, parent = parentOf(child)) {
    try {
      await fs.syncDirectory(parent);
    } catch (error) {
      if (error instanceof FsError && error.code === 'permission') return;
      throw error;
    }
  }
}

/** The directory above `directory`, which names it; the root and the current directory are above themselves. */
function parentOf(directory: string): string {
  const path = directory.replace(/\/+$/, '');
  const at = path.lastIndexOf('/');
  if (at < 0) return directory.startsWith('/') ? '/' : '.';
  return at === 0 ? '/' : path.slice(0, at);
}
