// A checkpoint: the tables of a moment under second names in another directory, and a manifest that names them. Tables never
// change, so a link is as good as a copy, and costs nothing; the copy is a store of its own from then on.
import type { Env } from '@distrokv/env';
import { syncParents } from './directories.ts';
import { LsmError } from './errors.ts';
import { syncDirectoryOrFail } from './fail-stop.ts';
import { type ManifestState, writeManifest } from './manifest.ts';
import { MANIFEST, tableName } from './names.ts';

/**
 * Makes `target`, which is empty or does not exist, a store that holds `state`. `state` does not change meanwhile. The manifest comes
 * last: what a crash leaves without one is never taken for a store. What fails is removed again, as far as that is possible.
 */
export async function writeCheckpoint(env: Env, directory: string, target: string, state: ManifestState): Promise<void> {
  const { fs } = env;
  await fs.makeDirectory(target);
  if ((await fs.readDirectory(target)).length > 0)
    throw new LsmError('invalid', `${target} is not empty: a checkpoint gets a directory of its own`);
  const linked: string[] = [];
  try {
    // Whoever made it before may not have made it durable.
    await syncParents(fs, target);
    for (const number of state.tables.keys()) {
      const name = tableName(number);
      await fs.link(`${directory}/${name}`, `${target}/${name}`);
      linked.push(name);
    }
    await syncDirectoryOrFail(fs, target);
    const log = await writeManifest(env, target, state);
    await log.close();
  } catch (error) {
    for (const name of [MANIFEST, ...linked]) await fs.removeFile(`${target}/${name}`).catch(() => {});
    await fs.removeDirectory(target).catch(() => {});
    throw error;
  }
}
