// From the operating system's codes to ours. Callers decide by `code`; the original error stays as the cause.
import { messageOf } from '@distrokv/base';
import type { FsErrorCode } from '../env.ts';
import { fsError, type FsError } from '../errors.ts';

const codes: Readonly<Record<string, FsErrorCode>> = {
  ENOENT: 'not-found',
  EEXIST: 'exists',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EIO: 'io',
  EMFILE: 'too-many-files',
  ENFILE: 'too-many-files',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
  ENOTDIR: 'not-a-directory',
  ENOTEMPTY: 'not-empty',
  EBADF: 'closed',
};

/** Did a call of node:fs fail with this code of the operating system? */
export function isErrno(thrown: unknown, errno: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === errno;
}

/** The FsError for what a call of node:fs threw while it was to `verb` the file `path`. */
export function fromNode(thrown: unknown, verb: string, path: string): FsError {
  const errno = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const code = codes[errno] ?? 'os';
  return fsError(code, verb, path, code === 'os' ? messageOf(thrown) : undefined, thrown);
}

/** Awaits a call of node:fs and translates its failure. */
export async function translated<T>(call: Promise<T>, verb: string, path: string): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw fromNode(thrown, verb, path);
  }
}
