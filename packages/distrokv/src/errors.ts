import { CodedError, type CodedErrorOptions } from '@distrokv/base';

/**
 * Why a command ends without doing its work. The message is one line, for people, and says what to do.
 * - `usage`: the command line, the environment or a config file makes no sense; nothing was tried. Exit code 2.
 * - `failed`: it was tried. Exit code 1.
 */
export type CommandErrorCode = 'usage' | 'failed';

export class CommandError extends CodedError<CommandErrorCode> {
  constructor(code: CommandErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(code, message, options);
  }
}

/** A shorthand for the error of somebody's typing. */
export function usage(message: string): CommandError {
  return new CommandError('usage', message);
}

export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const;
