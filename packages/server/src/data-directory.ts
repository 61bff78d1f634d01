// The data directory: who may use it, and which format it has. `LOCK` keeps a second process out, `VERSION` a version that could misread
// the files; `raft/` is the log, `db/` the engine (docs/format/README.md).
import { fromUtf8, messageOf } from '@distrokv/base';
import { type FileLock, type FileSystem, FsError } from '@distrokv/env';
import { LsmError } from '@distrokv/lsm';
import { StoreError } from '@distrokv/mvcc';
import { ServerError } from './errors.ts';
import { writeWhole } from './files.ts';

const FORMAT = 1;
const MAX_VERSION_BYTES = 4096;

export interface DataDirectory {
  readonly raft: string;
  readonly db: string;
  /** False at the first start, until `markInitialized`. */
  readonly initialized: boolean;
  /** Says that the first start is complete: every file has been written once. */
  markInitialized(): Promise<void>;
  release(): Promise<void>;
}

/** Takes the directory for this process; creates it if it is missing. Throws ServerError `data-locked`, `newer-format`, `corrupt` or `disk`. */
export async function openDataDirectory(fs: FileSystem, path: string): Promise<DataDirectory> {
  let lock: FileLock | undefined;
  try {
    await fs.makeDirectory(path);
    lock = await fs.lock(`${path}/LOCK`);
    const initialized = await checkVersion(fs, path);
    const held = lock;
    return {
      raft: `${path}/raft`,
      db: `${path}/db`,
      initialized,
      markInitialized: async () => {
        if (!initialized) await writeWhole(fs, path, 'VERSION', `distrokv ${FORMAT}\n`);
      },
      release: () => held.release(),
    };
  } catch (error) {
    await lock?.release();
    throw asServerError(error, path);
  }
}

/** A failure of the files, as what it means for a server that starts. */
export function asServerError(error: unknown, path: string): ServerError {
  if (error instanceof ServerError) return error;
  if (error instanceof FsError && error.code === 'locked')
    return new ServerError('data-locked', `${messageOf(error)}: stop it first, or choose another --data-dir`, { cause: error });
  const damaged = (error instanceof LsmError || error instanceof StoreError) && error.code === 'corrupt';
  if (damaged) {
    const advice = `restore ${path} from a backup; "distrokv lsm verify ${path}/db" lists all damage`;
    return new ServerError('corrupt', `${messageOf(error)}: nothing was changed; ${advice}`, { cause: error });
  }
  if (error instanceof LsmError && error.code === 'newer-format')
    return new ServerError('newer-format', messageOf(error), { cause: error });
  return new ServerError('disk', `cannot use the data directory ${path}: ${messageOf(error)}`, { cause: error });
}

async function checkVersion(fs: FileSystem, path: string): Promise<boolean> {
  const file = `${path}/VERSION`;
  if ((await fs.sizeOf(file)) === undefined) return false;
  const text = fromUtf8(await fs.readFile(file, MAX_VERSION_BYTES));
  const format = Number(/^distrokv (\d{1,9})\n$/.exec(text)?.[1]);
  if (Number.isNaN(format)) throw new ServerError('corrupt', `${file}: is not the version of a data directory: nothing was changed`);
  if (format > FORMAT)
    throw new ServerError(
      'newer-format',
      `${path}: has the format ${format}, and this version reads up to ${FORMAT}: start the version that wrote it; nothing was changed`,
    );
  return true;
}
