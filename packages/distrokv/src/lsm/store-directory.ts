// Which directory holds the store that is meant.
import { createNodeEnv } from '@distrokv/env';

/** `directory`, or the store in it when it is the data directory of a member: that is what people have at hand. */
export async function storeDirectory(directory: string): Promise<string> {
  const names = await createNodeEnv()
    .fs.readDirectory(directory)
    .catch((): string[] => []); // What is not there is told by who reads it.
  return names.includes('VERSION') && names.includes('db') ? `${directory.replace(/\/+$/, '')}/db` : directory;
}
