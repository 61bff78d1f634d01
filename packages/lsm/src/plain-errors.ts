// Errors on their way between threads: a clone of an Error loses its class and its code, which tell a full disk from a failed sync.
import { messageOf } from '@distrokv/base';
import { FsError, type FsErrorCode } from '@distrokv/env';
import { LsmError, type LsmErrorCode } from './errors.ts';

export type PlainError =
  | { readonly kind: 'fs'; readonly code: FsErrorCode; readonly path: string; readonly message: string }
  | { readonly kind: 'lsm'; readonly code: LsmErrorCode; readonly message: string }
  | { readonly kind: 'other'; readonly message: string };

export function asPlain(error: unknown): PlainError {
  const message = messageOf(error);
  if (error instanceof FsError) return { kind: 'fs', code: error.code, path: error.path, message };
  if (error instanceof LsmError) return { kind: 'lsm', code: error.code, message };
  return { kind: 'other', message };
}

export function fromPlain(error: PlainError): Error {
  switch (error.kind) {
    case 'fs':
      return new FsError(error.code, error.path, error.message);
    case 'lsm':
      return new LsmError(error.code, error.message);
    default:
      return new LsmError('failed', error.message);
  }
}
