// What verifying finds: damage as a value, with its place and what to do about it.
import { messageOf } from '@distrokv/base';
import { FsError } from '@distrokv/env';
import { CorruptError, LsmError } from './errors.ts';

export interface Fault {
  /** `newer-format` is no damage; `unreadable`: the disk did not give the bytes. */
  readonly kind: 'corrupt' | 'unreadable' | 'newer-format';
  readonly file: string;
  /** The byte at which the damage shows. */
  readonly offset: number;
  readonly what: string;
  /** What to do. */
  readonly advice: string;
}

const REPAIR =
  'in a cluster, remove this member and add it anew; alone, restore a backup, or run a repair, which keeps what is sound and loses the rest';

/** The fault behind an error that reading `path` met. Throws what is none: a mistake of ours, or a check that was stopped. */
export function faultOf(error: unknown, path: string): Fault {
  if (error instanceof CorruptError) return { kind: 'corrupt', file: error.path, offset: error.offset, what: error.what, advice: REPAIR };
  if (error instanceof FsError)
    return { kind: 'unreadable', file: path, offset: 0, what: messageOf(error), advice: `look at the disk; then: ${REPAIR}` };
  if (error instanceof LsmError && error.code === 'newer-format')
    return { kind: 'newer-format', file: path, offset: 0, what: error.message, advice: 'use the release that wrote it, or a later one' };
  throw error;
}
