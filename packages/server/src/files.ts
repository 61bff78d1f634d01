// What a member needs of files beside what the file system offers.
import { utf8 } from '@distrokv/base';
import { type FileSystem, FsError } from '@distrokv/env';

/** The names in a directory; none if it is not there. */
export async function namesIn(fs: FileSystem, directory: string): Promise<string[]> {
  try {
    return await fs.readDirectory(directory);
  } catch (error) {
    if (error instanceof FsError && error.code === 'not-found') return [];
    throw error;
  }
}

/** Removes a directory with all that is in it, if it is there. */
export async function removeTree(fs: FileSystem, directory: string): Promise<void> {
  for (const name of await namesIn(fs, directory)) {
    const path = `${directory}/${name}`;
    try {
      await fs.removeFile(path);
    } catch (error) {
      if ((await fs.sizeOf(path)) !== undefined && !(await isDirectory(fs, path))) throw error;
      await removeTree(fs, path);
    }
  }
  try {
    await fs.removeDirectory(directory);
  } catch (error) {
    if (!(error instanceof FsError) || error.code !== 'not-found') throw error;
  }
}

async function isDirectory(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.readDirectory(path);
    return true;
  } catch {
    return false;
  }
}

/** A small file that is there as a whole, durably, or not at all. */
export async function writeWhole(fs: FileSystem, directory: string, name: string, text: string): Promise<void> {
  const temporary = `${directory}/${name}.tmp`;
  if ((await fs.sizeOf(temporary)) !== undefined) await fs.removeFile(temporary);
  const file = await fs.open(temporary, 'create');
  try {
    await file.write(utf8(text), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, `${directory}/${name}`);
  await fs.syncDirectory(directory);
}
