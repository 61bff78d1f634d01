// One error class per package derives from this one. `code` is stable: callers switch on it, texts may change.

export interface CodedErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** It is an answer that somebody waits for, and no trouble here: without a stack, which costs more than the rest of a call (default false). */
  readonly isAnswer?: boolean;
}

/** V8's bound on what it notes of the stack; other engines have none, and ignore it. */
const host = Error as ErrorConstructor & { stackTraceLimit?: number };

/** An expected failure: something outside went wrong, and `code` says what kind of thing. */
export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options: CodedErrorOptions = {}) {
    const limit = host.stackTraceLimit;
    if (options.isAnswer === true && limit !== undefined) host.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.isAnswer === true && limit !== undefined) host.stackTraceLimit = limit;
    this.code = code;
    this.name = new.target.name;
  }
}

/** The text of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
